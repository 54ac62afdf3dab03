#!/usr/bin/env python3
"""The secret scan finds what it looks for, and nothing in this repository."""

import unittest
from pathlib import Path

import secret_scan

PAGE = "docs/page.md"
# Where a value stands, under which names. "$VALUE" is a reference to one, hence none yet.
SHAPES_OF_FILES = [
    '  "password": "$VALUE",', "\tpassword: $VALUE", "password = $VALUE", 'password := "$VALUE"',
    "- name: NATS_PASSWORD\n  value: $VALUE", "- {name: NATS_PASSWORD, value: $VALUE}",
    '{"name": "NATS_PASSWORD", "value": "$VALUE"}', "authorization { token: $VALUE }",
    "ENV NATS_TOKEN=$VALUE", "ARG NATS_TOKEN=$VALUE", "ENV NATS_TOKEN $VALUE",
    "run --nats-token=$VALUE", "run --nats-token $VALUE", "env NATS_TOKEN=$VALUE run",
    "set `NATS_TOKEN=$VALUE` first", "set `NATS_TOKEN`: $VALUE", "NATS_PASS=$VALUE", "pwd: $VALUE",
    '"apiSecret": "$VALUE"', "aws_secret_access_key = $VALUE", "export API_KEY='$VALUE'",
    "client-key-data: $VALUE", "secret/api-key: $VALUE", "nats://$VALUE@broker",
    "nats://relay:$VALUE@broker", "nats://:$VALUE@[::1]:4222",
]  # fmt: skip
VALUES = ["hunter22", "blue;(horse),2", "correct-horse-battery"]
SHAPES_OF_PROGRAMS = ['{"NATS_PASSWORD", "$VALUE"}', 'env["NATS_TOKEN"] = "$VALUE";']
HARMLESS = [
    "NATS_PASSWORD_FILE=/etc/realtime-strategies/secrets/password",
    "password: $RTS_NATS_PASSWORD",
    "password: {{ .Values.password }}",
    "--from-file=password=./password",
    "token: <yours>",
    "automountServiceAccountToken: false",
    "the keys `user` and `password`: one for each",
    "The token: whatever the broker asks for",
    'docker run -v "$PWD:/source" image', "PWD=/source/build", "first-pass: compile",
    "ssh://deploy@host.example/repository",
]


class SecretScan(unittest.TestCase):
    def finds(self, text: str, name: str = PAGE) -> list[tuple[int, str]]:
        text = "first line\n" + text.replace("~", "") + "\nlast line\n"
        return secret_scan.found_in(name, text)

    def test_each_row_finds_what_it_is_for(self) -> None:
        for row in [*secret_scan.SHAPES, *secret_scan.NAMES, *secret_scan.BARE]:
            with self.subTest(row.what):
                self.assertIn((2, row.what), self.finds(row.found))
                self.assertEqual(self.finds(row.passed), [])

    def test_finds_a_value_in_every_shape(self) -> None:
        for text in SHAPES_OF_FILES:
            for value in VALUES:
                if not ("://" in text and "(" in value):
                    with self.subTest(text, value=value):
                        self.assertNotEqual(self.finds(text.replace("$VALUE", value)), [])

    def test_finds_literals_in_programs(self) -> None:
        for text in SHAPES_OF_PROGRAMS:
            text = text.replace("$VALUE", VALUES[0])
            self.assertNotEqual(self.finds(text, "src/x.cpp"), [], text)
        self.assertEqual(self.finds("url.password = parse(text.substr(1));", "src/x.cpp"), [])

    def test_passes_over_what_is_none(self) -> None:
        for text in HARMLESS:
            self.assertEqual(self.finds(text), [], text)

    def test_in_tests_a_value_may_say_that_it_is_invented(self) -> None:
        text = "NATS_PASSWORD=~password-canary"
        self.assertNotEqual(self.finds(text), [])
        self.assertEqual(self.finds(text, "tests/x.conf"), [])
        self.assertNotEqual(self.finds("NATS_PASSWORD=~J8s0dkq1", "tests/x.conf"), [])
        seed = next(row for row in secret_scan.SHAPES if row.what == "an NKey seed")
        self.assertNotEqual(self.finds(seed.found, "tests/x.conf"), [])

    def test_what_is_allowed_needs_it_and_only_there(self) -> None:
        for name, part in secret_scan.ALLOWED:
            text = Path(secret_scan.ROOT, name).read_text()
            found = [find for _, _, find in secret_scan.finds(name, text) if part in find]
            self.assertNotEqual(found, [], name)
            self.assertNotEqual(self.finds(found[0], "elsewhere/" + name), [], name)
            self.assertEqual(self.finds(found[0], name), [], name)
            self.assertNotEqual(self.finds("npm_~" + "a1" * 18, name), [], name)

    def test_reads_what_each_commit_has_added(self) -> None:
        log = (
            "commit 1234567890abcdef\n\ndiff --git a/x.md b/x.md\n--- a/x.md\n+++ b/x.md\n"
            "@@ -1 +1,2 @@ # Title\n-token: ~J8s0dkq1\n+one\n+two\n"
            "diff --git a/y.md b/y.md\n--- a/y.md\n+++ b/y.md\n"
            "@@ -1 +0,0 @@\n-one\n@@ -7,0 +7 @@ # Title\n+token: ~J8s0dkq1\n"
        ).replace("~", "")
        said = ["commit 1234567890ab, y.md: looks like a secret that is given a value"]
        self.assertEqual(secret_scan.in_log(log), said)

    def test_there_is_none_here(self) -> None:
        self.assertEqual(secret_scan.main(), 0)


if __name__ == "__main__":
    unittest.main()
