#!/usr/bin/env python3
"""What docs/RELIABILITY.md is made of, from made-up runs."""
import contextlib
import io
import json
import os
import tempfile
import unittest
from pathlib import Path

import reliability

FROZEN = {"test": "BrokerFault.Frozen", "commit": "0123456789abcdef", "fault": "frozen",
          "promise": "", "figure": "", "measured": "noticed < 6 s", "held": True}
SOAK = {"seconds": 1800, "seed": 1, "faults": 74, "frames": 900000, "orders": "1 arrived",
        "slowest_ready_ms": 61.5, "resident_mb": 15.61, "file_mb": 9.4, "slope_mb_per_hour": 0.2,
        "own_slope_mb_per_hour": 0.1, "fds": [11, 11], "threads": [5, 5], "p99_ms": [0.5, 0.6],
        "held": True}
FUZZ = {"targets": [{"target": "ack", "at": "2026-11-29T08:59:18+00:00", "executions": 10000000,
                     "seconds": 90.5, "findings": []},
                    {"target": "http", "at": "2026-11-29T08:59:18+00:00", "executions": 9999999,
                     "seconds": 90.5, "findings": []},
                    {"target": "order", "at": "2026-11-29T08:59:18+00:00", "executions": 10000000,
                     "seconds": 1, "findings": [{"file": "x"}]}]}
MUTANTS = {"points": 700, "killed": 690, "by_time_out": 3, "explained": 10, "unexplained": 0,
           "tests": 900, "seconds": 1500, "cpu_seconds": 2800, "mutants": []}
SIMULATION = {"seeds": 10000, "seconds": 41.5, "steps": 5000000, "frames": 90000,
              "orders": {"published": 7, "expired": 2}, "faults": {"restart": 3},
              "held": True}
COVERAGE = [{"part": "rts_core", "line_percent": 95.5, "branch_percent": 88.25, "held": True},
            {"part": "the rest", "line_percent": 89.5, "branch_percent": 80, "held": False}]
CTEST = """Start testing: Nov 29 08:47 UTC
----------------------------------------------------------
1/2 Testing: Ship.Hardening
1/2 Test: Ship.Hardening
Output:
Test time =   0.10 sec
Test Passed.
----------------------------------------------------------
2/2 Test: Manifests.Rules
Test Failed.
"""


class Build(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.build = Path(scratch.name)

    def write(self, name: str, text: str) -> None:
        path = self.build / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1796000000, 1796000000))  # 2026-11-30

    def collected(self) -> reliability.Measured:
        with contextlib.redirect_stderr(io.StringIO()):
            return reliability.collected(self.build)

    def test_nothing_is_not_measured(self) -> None:
        self.assertEqual(self.collected(), {})
        for promise in reliability.PROMISES:
            self.assertEqual(reliability.verdict(promise, {}), "not measured")
        self.assertNotIn("held,", reliability.overview({}))

    def test_every_run_is_taken(self) -> None:
        older = {key: value for key, value in FROZEN.items() if key != "test"}
        self.write("release/faults.jsonl", json.dumps(FROZEN) + "\n" + json.dumps(older) + "\n")
        self.write("release/faults.jsonl.v2.10.27", json.dumps(FROZEN | {"held": False}) + "\n")
        self.write("release/faults.jsonl.soak",
                   json.dumps(FROZEN | {"test": "MarketFault.MutatedFrames"}) + "\n")
        self.write("release/soak.json", json.dumps(SOAK))
        self.write("release/simulation.json", json.dumps(SIMULATION))
        self.write("release/Testing/Temporary/LastTest.log", CTEST)
        self.write("asan/Testing/Temporary/LastTest.log", CTEST)
        self.write("fuzz/report.json", json.dumps(FUZZ))
        self.write("mutants/report.json", json.dumps(MUTANTS))
        self.write("coverage/summary.json",
                   json.dumps({"parts": COVERAGE}))
        measured = self.collected()
        said = {name: [(row["measured"], row["held"], row["date"]) for row in rows]
                for name, rows in measured.items()}
        day = "2026-11-30"
        self.assertEqual(said["BrokerFault.Frozen"], [("noticed < 6 s", True, day)])
        self.assertEqual(said["soak-frames"], [("noticed < 6 s", True, day)])
        self.assertEqual(said["Ship.Hardening"], [("passed", True, day)])
        self.assertEqual(said["Manifests.Rules"], [("failed", False, day)])
        self.assertEqual(said["sanitize"],
                         [("2 tests in the last run, 1 failed: Manifests.Rules", False, day)])
        self.assertEqual(said["e2e-brokers"],
                         [("0 of 1 rows held; not held: frozen: noticed < 6 s", False, day)])
        self.assertEqual(said["fuzz"],
                         [("10,000,000 executions in 90 s, 0 findings", True, "2026-11-29"),
                          ("9,999,999 executions in 90 s, 0 findings", False, "2026-11-29"),
                          ("10,000,000 executions in 1 s, 1 findings", False, "2026-11-29")])
        self.assertEqual(said["coverage"], [("lines 95.5 %, branches 88.2 %", True, day),
                                            ("lines 89.5 %, branches 80.0 %", False, day)])
        self.assertTrue(said["soak"][0][0].startswith("900,000 frames; orders: 1 arrived; ready"))
        self.assertTrue(said["simulation"][0][0].startswith("10,000 seeds in 42 s: 5,000,000 st"))
        self.assertTrue(said["mutants"][0][0].startswith(
            "690 of 700 killed, 3 of them by a time-out, 10 survive"))

    def test_a_test_that_fails_has_held_nothing_whatever_it_reported(self) -> None:
        self.write("release/faults.jsonl", json.dumps(FROZEN | {"test": "Manifests.Rules"}) + "\n")
        self.write("release/Testing/Temporary/LastTest.log", CTEST)
        [row] = self.collected()["Manifests.Rules"]
        self.assertEqual((row["measured"], row["held"]), ("noticed < 6 s", False))

    def test_a_rule_that_the_simulation_broke_is_not_held(self) -> None:
        self.write("release/simulation.json", json.dumps(SIMULATION | {"held": False}))
        [row] = self.collected()["simulation"]
        self.assertFalse(row["held"])
        self.assertIn("A RULE broken", row["measured"])

    def test_what_cannot_be_understood_is_left_out(self) -> None:
        self.write("release/soak.json", "{}")
        self.write("fuzz/report.json", "nothing")
        self.write("release/faults.jsonl", "{")
        self.assertEqual(self.collected(), {})

    def test_what_was_not_run_stays(self) -> None:
        self.write("release/faults.jsonl", json.dumps(FROZEN) + "\n")
        before = reliability.with_new({}, self.collected())
        after = reliability.with_new(before, {"soak": [{"what": "", "measured": "flat",
                                                        "held": True, "date": "2026-12-01"}]})
        self.assertEqual(list(after), ["BrokerFault.Frozen", "soak"])
        passed = [{"what": "", "measured": "passed", "held": True, "date": "2026-12-01"}]
        failed = [passed[0] | {"measured": "failed", "held": False}]
        self.assertEqual(reliability.with_new(before, {"BrokerFault.Frozen": passed}), before)
        self.assertEqual(reliability.with_new(before, {"BrokerFault.Frozen": failed}),
                         {"BrokerFault.Frozen": failed})
        self.assertEqual(reliability.with_new(before, {"Nobody.KnowsIt": passed}), before)

    def test_a_fault_of_which_no_promise_knows_is_named(self) -> None:
        self.write("release/faults.jsonl", json.dumps(FROZEN | {"test": "New.Fault"}) + "\n")
        self.assertEqual(reliability.unnamed(self.collected()), ["New.Fault"])

    def test_what_was_not_held_is_shown(self) -> None:
        row = {"what": "a|b", "measured": "<1", "date": "2026-12-01"}
        measured = {"BrokerFault.DownAtStart": [row | {"held": True}, row | {"held": False}]}
        self.assertIn("**not held**, 1 of 2, 2026-12-01", reliability.overview(measured))
        self.assertIn("| `BrokerFault.DownAtStart` | a\\|b | &lt;1 | **no** | 2026-12-01 |",
                      reliability.details(measured))


class Page(unittest.TestCase):
    def test_only_what_stands_between_the_marks_is_made(self) -> None:
        text = "by people"
        for name in ("promises", "measurements"):
            mark = f"<!-- made from reliability.json: {name} -->"
            text += f"\n{mark}\nof yesterday\n<!-- end -->\nmore"
        made = reliability.page(text, {})
        self.assertTrue(made.startswith("by people\n") and made.endswith("<!-- end -->\nmore"))
        self.assertNotIn("of yesterday", made)
        self.assertEqual(reliability.page(made, {}), made)
        with self.assertRaises(ValueError):
            reliability.page("by people", {})

    def test_no_two_promises_have_one_heading(self) -> None:
        anchors = [reliability.anchor(promise.fault) for promise in reliability.PROMISES]
        self.assertEqual(len(set(anchors)), len(anchors))


if __name__ == "__main__":
    unittest.main()
