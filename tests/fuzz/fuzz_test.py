#!/usr/bin/python3
"""Tests of fuzz.py with programs that end as a target of libFuzzer does."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

SCRIPT = Path(__file__).resolve().parent / "fuzz.py"
HEARD = """
case "$1" in
  */require) echo 'fuzz: the canary' >&2 ;;
  */address) echo '==1==ERROR: AddressSanitizer: x' >&2 ;;
  */undefined) echo 'x.cpp:1: runtime error: x' >&2 ;;
esac
exit 77
"""
SOUND = """
echo "stat::number_of_executed_units: 1234567" >&2
echo "stat::peak_rss_mb:              45" >&2
"""
FAILING = """
echo '#4321 NEW cov: 1' >&2
echo 'fuzz: a row is one line' >&2
for argument; do case "$argument" in -artifact_prefix=*) prefix=${argument#*=} ;; esac; done
echo x >"${prefix}crash-1"
echo "artifact_prefix='$prefix'; Test unit written to ${prefix}crash-1" >&2
exit 77
"""


class Runner(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = Path(folder.name).resolve()
        (self.build / "fuzz_targets.txt").write_text("ack 2048\norder 512\n")
        for name, text in (("canary", HEARD), ("ack", SOUND), ("order", SOUND)):
            self.program(name, text)

    def program(self, name: str, text: str) -> None:
        path = self.build / f"fuzz_{name}"
        path.write_text("#!/bin/sh" + text)
        path.chmod(0o755)

    def fuzz(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-B", SCRIPT, "--build", self.build, *arguments],
                              capture_output=True, text=True)  # fmt: skip

    def rows(self) -> dict[str, dict]:
        report = json.loads((self.build / "report.json").read_text())
        return {row["target"]: row for row in report["targets"]}

    def test_says_and_reports_what_each_target_did(self) -> None:
        ended = self.fuzz("--seconds", "1")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stdout, r"(?m)^ack +1,234,567 .* 45 +0$")
        self.assertEqual(list(self.rows()), ["ack", "order"])
        self.assertEqual(self.rows()["order"]["executions"], 1_234_567)
        self.assertEqual(self.rows()["order"]["findings"], [])

    def test_a_finding_fails_and_names_the_command_that_repeats_it(self) -> None:
        self.program("order", FAILING)
        ended = self.fuzz("--runs", "9")
        self.assertEqual(ended.returncode, 1)
        file = self.build / "findings/order/crash-1"
        self.assertTrue(file.exists())
        self.assertIn("a row is one line", ended.stdout)
        self.assertIn(f"{self.build}/fuzz_order {file}", ended.stdout)
        self.assertEqual(self.rows()["order"]["findings"][0]["file"], str(file))
        self.assertEqual(self.rows()["order"]["executions"], 4321)
        self.assertEqual(self.rows()["ack"]["findings"], [])

    def test_asan_keeps_little_of_what_was_freed_unless_it_is_told_otherwise(self) -> None:
        self.program("ack", f'\necho "$ASAN_OPTIONS" >"{self.build}/heard"\n')
        for given, heard in (({}, "quarantine_size_mb="), ({"ASAN_OPTIONS": "x=1"}, "x=1\n")):
            with mock.patch.dict(os.environ):
                os.environ.pop("ASAN_OPTIONS", None)
                os.environ.update(given)
                self.fuzz("--runs", "9", "--only", "ack")
            self.assertTrue((self.build / "heard").read_text().startswith(heard))

    def test_a_target_that_ends_without_a_word_is_a_finding(self) -> None:
        self.program("ack", "\nexit 1\n")
        self.assertEqual(self.fuzz("--runs", "9").returncode, 1)
        self.assertEqual(len(self.rows()["ack"]["findings"]), 1)

    def test_what_is_not_tried_keeps_its_row(self) -> None:
        self.fuzz("--runs", "9")
        self.program("ack", SOUND.replace("1234567", "2345678"))
        self.fuzz("--runs", "9", "--only", "ack")
        self.assertEqual(self.rows()["ack"]["executions"], 2_345_678)
        self.assertEqual(self.rows()["order"]["executions"], 1_234_567)
        self.assertEqual(self.fuzz("--runs", "9", "--only", "nobody").returncode, 2)

    def test_few_executions_say_less_than_many(self) -> None:
        self.fuzz("--runs", "9")
        self.program("ack", SOUND.replace("1234567", "9"))
        self.fuzz("--seconds", "1")
        self.assertEqual(self.rows()["ack"]["executions"], 1_234_567)

    def test_what_a_program_has_done_is_not_done_again(self) -> None:
        self.program("ack", f'\necho "$1 $2" >>"{self.build}/heard"' + SOUND)
        runs = ("--runs", "2000000", "--seconds", "7", "--only", "ack")
        first = self.fuzz(*runs)
        self.assertEqual(first.returncode, 3, first.stderr)
        self.assertIn("765,433 executions to go", first.stdout)
        for _ in range(2):
            self.assertEqual(self.fuzz(*runs).returncode, 0)
        heard = (self.build / "heard").read_text().splitlines()
        self.assertEqual(heard, ["-runs=2000000 -max_total_time=7", "-runs=765433 -max_total_time=7"])
        self.assertEqual(self.rows()["ack"]["executions"], 2 * 1_234_567)
        self.assertEqual(self.rows()["ack"]["runs"], 2)
        self.program("ack", SOUND + "# another\n")
        self.assertEqual(self.fuzz(*runs).returncode, 3)

    def test_a_finding_is_tried_again_until_it_is_mended(self) -> None:
        self.program("ack", FAILING)
        for _ in range(2):
            self.assertEqual(self.fuzz("--runs", "9", "--only", "ack").returncode, 1)
        self.assertEqual(len(self.rows()["ack"]["findings"]), 1)
        self.program("ack", SOUND)
        self.assertEqual(self.fuzz("--runs", "9", "--only", "ack").returncode, 0)
        self.assertEqual(self.rows()["ack"]["findings"], [])

    def test_nothing_is_fuzzed_where_the_canary_is_not_heard(self) -> None:
        for text in ("\nexit 0\n", "\nexit 77\n", HEARD.replace("AddressSanitizer", "x")):
            self.program("canary", text)
            self.assertEqual(self.fuzz("--runs", "9").returncode, 2, text)
            self.assertFalse((self.build / "report.json").exists())
            self.assertEqual(self.fuzz("--canary", "--sanitized").returncode, 2)
        self.assertEqual(self.fuzz("--canary").returncode, 0)  # that of a build without sanitizers


if __name__ == "__main__":
    unittest.main()
