#!/usr/bin/env python3
"""What `make coverage` says of made-up counters."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import coverage

CORE = "src/trading/gate.cpp"
REST = "src/nats/client.cpp"
CODE = ["int f() {", "  if (a)", "    return b();", "  // says why", "  return c();", "}"]


def line(number: int, count: int, branches: tuple[int, ...] = (), **more: bool) -> dict:
    return {"line_number": number, "count": count, "gcovr/noncode": False, **more,
            "branches": [{"count": hits} for hits in branches]}  # fmt: skip


class OfCounters(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.source = Path(scratch.name)
        for file in (CORE, REST):
            (self.source / file).parent.mkdir(parents=True)
            (self.source / file).write_text("\n".join(CODE * 20) + "\n")

    def measured(self, core: list[dict], rest: list[dict]) -> coverage.Coverage:
        files = [{"file": CORE, "lines": core}, {"file": REST, "lines": rest}]
        return coverage.coverage_of({"files": files}, self.source)


class Coverage(OfCounters):
    def test_counts_lines_and_branches_of_each_part_and_room(self) -> None:
        measured = self.measured([line(1, 5), line(2, 5, (4, 0)), line(3, 0, (0, 0))],
                                 [line(1, 0), line(2, 7, (7, 0))])  # fmt: skip
        self.assertEqual(measured.lines["rts_core"], coverage.Count(2, 3))
        self.assertEqual(measured.branches["rts_core"], coverage.Count(1, 4))
        self.assertEqual(measured.lines["the rest"], coverage.Count(1, 2))
        self.assertEqual(measured.lines["rts_core/trading"], coverage.Count(2, 3))
        self.assertEqual(measured.rooms, {"rts_core": ["trading"], "the rest": ["nats"]})

    def test_a_line_without_code_does_not_count(self) -> None:
        none = {"gcovr/noncode": True}
        measured = self.measured([line(2, 1, (1, 1)), line(4, 0, **none)], [line(1, 1)])
        self.assertEqual(measured.lines["rts_core"], coverage.Count(1, 1))
        self.assertEqual(measured.gaps, [])

    def test_lines_without_one_between_that_runs_are_one_gap(self) -> None:
        measured = self.measured([line(1, 0), line(2, 1, (1, 1)), line(3, 0), line(5, 0)],
                                 [line(1, 1)])  # fmt: skip
        self.assertEqual(measured.gaps, [
            coverage.Gap(CORE, 1, 1, ("int f() {",)),
            coverage.Gap(CORE, 3, 5, ("return b();", "return c();"))])  # fmt: skip

    def test_a_return_behind_a_switch_says_so_itself(self) -> None:
        switch = ["  switch (a) {", "    case A::b:", "      return c;", "  }", "  return {};", "}"]
        self.assertTrue(coverage.is_behind_switch(switch[:5]))
        self.assertFalse(coverage.is_behind_switch(switch[:3]))
        self.assertFalse(coverage.is_behind_switch(["  if (a) {", *switch[1:5]]))
        self.assertFalse(coverage.is_behind_switch([*switch[:4], "  throw Problem();"]))
        gap = coverage.Gap(CORE, 5, 5, ("return {};",), behind_switch=True)
        self.assertEqual(coverage.explanation_of(gap, []), coverage.BEHIND_SWITCH)

    def test_branches_that_are_not_taken_are_listed_where_the_line_runs(self) -> None:
        measured = self.measured([line(2, 1, (1, 0)), line(3, 0, (0, 0)), line(5, 1, (1, 1))],
                                 [line(2, 1, (1, 0))])  # fmt: skip
        self.assertEqual(measured.one_way, {CORE: [2]})

    def test_a_report_of_nothing_is_no_coverage(self) -> None:
        for core, rest in ([line(1, 1)], [line(1, 1)]), ([line(1, 1, (1,))], []):
            with self.assertRaises(coverage.Problem):
                self.measured(core, rest)


class Limits(OfCounters):
    def measured_of(self, lines: int, branches: int, rest: int) -> coverage.Coverage:
        """So many of 100 run."""
        core = [line(n + 1, int(n < lines)) for n in range(100)]
        others = [line(n + 1, int(n < rest)) for n in range(100)]
        core[0]["branches"] = [{"count": int(n < branches)} for n in range(100)]
        others[0]["branches"] = [{"count": 1}]
        return self.measured(core, others)

    def test_are_held_from_the_limit_on(self) -> None:
        self.assertEqual(coverage.missed(self.measured_of(95, 88, 90)), [])

    def test_are_missed_below_it(self) -> None:
        self.assertEqual(coverage.missed(self.measured_of(94, 87, 89)), list(coverage.LIMITS))

    def test_the_summary_says_so(self) -> None:
        core, rest = coverage.summary(self.measured_of(96, 87, 91), 3)["parts"]
        self.assertEqual(core, {"part": "rts_core", "line_percent": 96, "branch_percent": 87,
                                "held": False})  # fmt: skip
        self.assertEqual((rest["part"], rest["held"]), ("the rest", True))


class Reasons(OfCounters):
    def gap(self, file: str = CORE) -> coverage.Gap:
        return coverage.Gap(file, 3, 5, ("return b();", "return c();"))

    def test_are_read_with_their_place(self) -> None:
        text = f"# a comment\n\n{CORE}: return .: x\n  nobody calls it\n"
        self.assertEqual(coverage.read_reasons(text),
                         [coverage.Reason(CORE, "return .: x", "nobody calls it")])

    def test_one_without_a_place_and_a_place_without_one_are_refused(self) -> None:
        for text in f"{CORE}: x\n", f"{CORE}: x\n{CORE}: y\n  why\n", "  why\n":
            with self.assertRaises(coverage.Problem, msg=text):
                coverage.read_reasons(text)

    def test_explain_gaps_of_their_file_with_their_code(self) -> None:
        reason = coverage.Reason(CORE, r"return c\(", "why")
        self.assertEqual(coverage.reason_for(self.gap(), [reason]), reason)
        self.assertIsNone(coverage.reason_for(self.gap(REST), [reason]))
        self.assertIsNone(
            coverage.reason_for(self.gap(), [coverage.Reason(CORE, "return a", "why")]))

    def test_whose_code_runs_are_needless(self) -> None:
        ran = coverage.Reason(CORE, "return b", "why")
        self.assertEqual(coverage.needless([ran], [self.gap()]), [])
        self.assertEqual(coverage.needless([ran], []),
                         [f"reasons.txt: {CORE}: return b: does run"])

    def test_of_what_only_some_runs_reach_are_not(self) -> None:
        self.assertEqual(
            coverage.needless([coverage.Reason(CORE, "return b", "sometimes: a race")], []), [])

    def test_whose_code_is_gone_are_misplaced(self) -> None:
        gone = [coverage.Reason(CORE, "return d", ""), coverage.Reason("src/gone.cpp", "b", "")]
        there = coverage.Reason(CORE, "^return b", "")
        self.assertEqual(coverage.misplaced([*gone, there], self.source),
                         [f"reasons.txt: {CORE}: return d: is not there",
                          "reasons.txt: src/gone.cpp: b: is not there"])  # fmt: skip


class Report(OfCounters):
    def test_lists_what_does_not_run_and_fails_below_a_limit(self) -> None:
        version = coverage.ROOT / "src/commands/version.cpp"
        core = coverage.ROOT / "src/trading/terms.cpp"
        files = [{"file": str(path.relative_to(coverage.ROOT)), "lines": [line(1, count, (1, 0))]}
                 for path, count in ((version, 1), (core, 0))]  # fmt: skip
        path = self.source / "coverage.json"
        path.write_text(json.dumps({"files": files}))
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertEqual(coverage.report_on(path, []), 1)
        first = core.read_text().splitlines()[0]
        self.assertIn(f"src/trading/terms.cpp\n  1: {first}\n    (no reason)\n", said.getvalue())
        self.assertIn("1 gaps, 1 without a reason\nrts_core: 0.00 % of the lines run, 95 % have",
                      said.getvalue())  # fmt: skip
        summary = json.loads((self.source / "summary.json").read_text())
        self.assertEqual((summary["gaps"], summary["unexplained"]), (1, 1))
        self.assertEqual([part["line_percent"] for part in summary["parts"]], [0, 100])


if __name__ == "__main__":
    unittest.main()
