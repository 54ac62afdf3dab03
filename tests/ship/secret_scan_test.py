#!/usr/bin/env python3
"""The secret scan finds what it looks for, and nothing in this repository."""

import unittest
from pathlib import Path

import secret_scan

# Put together here, so that the scan finds nothing in this file. Each: what, text.
INVENTED = {
    "a private key": "-----BEGIN EC PRIVATE " + "KEY-----",
    "an NKey seed": "SU" + "A" * 56,
    "a JWT": "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 30,
    "a token of GitHub": "ghp_" + "a1" * 18,
    "a token of Docker Hub": "dckr_pat_" + "x" * 24,
    "a key of AWS": "AKIA" + "Z" * 16,
    "a token of Slack": "xoxb-" + "1" * 12,
    "a URL with a password": "nats://relay:" + "hunter22@broker.example",
    "a secret that is given a value": "NATS_PASSWORD=" + "correct-horse-battery",
}
HARMLESS = [
    "NATS_PASSWORD_FILE=/etc/realtime-strategies/secrets/password",
    "password: $RTS_NATS_PASSWORD",
    "nats://broker:4222",
    "DOCKERHUB_TOKEN: ${{ secrets.DOCKERHUB_TOKEN }}",
]


class SecretScan(unittest.TestCase):
    def test_finds_each(self) -> None:
        self.assertEqual(set(INVENTED), set(secret_scan.SHAPES | secret_scan.NAMES))
        for what, text in INVENTED.items():
            with self.subTest(what=what):
                found = secret_scan.found_in("docs/x.md", f"first line\n{text}\n".encode())
                self.assertIn((2, what), found)

    def test_passes_over_what_is_none(self) -> None:
        for text in HARMLESS:
            self.assertEqual(secret_scan.found_in("docs/x.md", text.encode()), [], text)

    def test_what_is_allowed_needs_it(self) -> None:
        for name in secret_scan.ALLOWED:
            text = Path(secret_scan.ROOT, name).read_bytes()
            self.assertNotEqual(secret_scan.found_in(name, text), [], name)

    def test_there_is_none_here(self) -> None:
        self.assertEqual(secret_scan.main(), 0)


if __name__ == "__main__":
    unittest.main()
