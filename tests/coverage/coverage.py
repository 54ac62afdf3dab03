#!/usr/bin/env python3
"""How much of the product code the tests run, of the counters that gcovr has collected.

  coverage.py coverage.json   prints it, and what does not run with the reason; writes summary.json
                              beside it (make coverage)
  coverage.py --check         only see that what has a reason is there; runs with the unit tests

Exits with 1 below a limit, or when reasons.txt gives one for what is not there or does run. What
has no reason is listed with the rest and fails nothing: the limits do.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REASONS = Path(__file__).with_name("reasons.txt")
CORE, REST = "rts_core", "the rest"
# g++ asks for a return behind a switch with a case for every value of an enumeration, all of which
# return, for there may be other values.
BEHIND_SWITCH = "behind a switch that returns in every case"
# What a reason begins with where only some runs get there: it is not stale in those.
SOMETIMES = "sometimes: "


class Problem(Exception):
    pass


@dataclass
class Count:
    ran: int = 0
    total: int = 0

    def add(self, hits: list[int]) -> None:
        self.ran += sum(hit > 0 for hit in hits)
        self.total += len(hits)

    @property
    def percent(self) -> float:
        return 100 * self.ran / self.total

    def text(self) -> str:
        return f"{self.percent:.2f} % of {self.total:,}" if self.total else "there are none"


@dataclass(frozen=True)
class Limit:
    part: str
    what: str
    percent: float


LIMITS = (Limit(CORE, "lines", 95), Limit(CORE, "branches", 88), Limit(REST, "lines", 90))


@dataclass(frozen=True)
class Reason:
    file: str
    pattern: str  # found in one of the lines that do not run
    text: str


@dataclass(frozen=True)
class Gap:
    """Lines that do not run, with none between them that does."""

    file: str
    first: int
    last: int
    code: tuple[str, ...]
    behind_switch: bool = False

    def text(self) -> str:
        numbers = f"{self.first}-{self.last}" if self.last > self.first else str(self.first)
        return f"{numbers}: {self.code[0]}"


# --- What is read ---------------------------------------------------------------------------------


def read_reasons(text: str) -> list[Reason]:
    """A file and an expression, then behind blanks the reason:

    src/telemetry/crash_report.cpp: ::_exit
      the process has ended before the counters are written
    """
    reasons: list[Reason] = []
    file = pattern = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            if pattern:
                raise Problem(f"{REASONS.name}: no reason: {file}: {pattern}")
            file, _, pattern = line.partition(": ")
        elif pattern:
            reasons.append(Reason(file, pattern, line.strip()))
            pattern = ""
        else:
            raise Problem(f"{REASONS.name}: nothing to explain: {line.strip()}")
    if pattern:
        raise Problem(f"{REASONS.name}: no reason: {file}: {pattern}")
    return reasons


def part_of(file: str) -> str:
    """As src/CMakeLists.txt makes the libraries: the core is what has public headers."""
    room = room_of(file)
    return CORE if (ROOT / "include/rts" / room).is_dir() else REST


def room_of(file: str) -> str:
    return file.removeprefix("include/rts/").removeprefix("src/").split("/")[0]


def gaps_of(file: str, lines: list[dict], code: list[str]) -> list[Gap]:
    gaps: list[Gap] = []
    numbers: list[int] = []
    for line in [*lines, {"line_number": 0, "count": 1}]:
        if line["count"] == 0:
            numbers.append(line["line_number"])
        elif numbers:
            gaps.append(Gap(file, numbers[0], numbers[-1],
                            tuple(code[number - 1].strip() for number in numbers),
                            len(numbers) == 1 and is_behind_switch(code[:numbers[0]])))  # fmt: skip
            numbers = []
    return gaps


def is_behind_switch(code: list[str]) -> bool:
    """Whether the last line is a return right behind the end of a switch, by their indentation."""
    if len(code) < 3 or code[-2].strip() != "}" or not code[-1].strip().startswith("return"):
        return False
    indentation = code[-2].removesuffix("}")
    begin = next((line for line in reversed(code[:-2])
                  if line.strip() and not line.startswith(indentation + " ")), "")  # fmt: skip
    return begin.strip().startswith("switch (")


@dataclass
class Coverage:
    lines: dict[str, Count]  # of each part, and of each room
    branches: dict[str, Count]
    rooms: dict[str, list[str]]  # of each part
    gaps: list[Gap]
    one_way: dict[str, list[int]]  # the core's lines that run, and not each of their branches

    def count(self, limit: Limit) -> Count:
        return (self.lines if limit.what == "lines" else self.branches)[limit.part]


def coverage_of(report: dict, source: Path) -> Coverage:
    result = Coverage(defaultdict(Count), defaultdict(Count), {CORE: [], REST: []}, [], {})
    for entry in sorted(report["files"], key=lambda one: one["file"]):
        file = entry["file"]
        lines = sorted((line for line in entry["lines"] if not line.get("gcovr/noncode")),
                       key=lambda line: line["line_number"])  # fmt: skip
        part, room = part_of(file), room_of(file)
        if room not in result.rooms[part]:
            result.rooms[part].append(room)
        hits = [line["count"] for line in lines]
        taken = {line["line_number"]: [branch["count"] for branch in line["branches"]]
                 for line in lines}  # fmt: skip
        for name in (part, f"{part}/{room}"):
            result.lines[name].add(hits)
            result.branches[name].add([hit for hits in taken.values() for hit in hits])
        result.gaps += gaps_of(file, lines, (source / file).read_text().splitlines())
        ran = {line["line_number"] for line in lines if line["count"] > 0}
        one_way = [number for number, counts in taken.items() if number in ran and 0 in counts]
        if part == CORE and one_way:
            result.one_way[file] = one_way
    for limit in LIMITS:
        if result.count(limit).total == 0:
            raise Problem(f"no {limit.what} of {limit.part} in the report")
    return result


# --- What is said ---------------------------------------------------------------------------------


def reason_for(gap: Gap, reasons: list[Reason]) -> Reason | None:
    return next((one for one in reasons if one.file == gap.file and
                 any(re.search(one.pattern, code) for code in gap.code)), None)  # fmt: skip


def explanation_of(gap: Gap, reasons: list[Reason]) -> str:
    if gap.behind_switch:
        return BEHIND_SWITCH
    reason = reason_for(gap, reasons)
    return reason.text if reason else ""


def misplaced(reasons: list[Reason], source: Path) -> list[str]:
    """Those whose code is no longer there."""
    result = []
    for one in reasons:
        path = source / one.file
        lines = path.read_text().splitlines() if path.is_file() else []
        if not any(re.search(one.pattern, line.strip()) for line in lines):
            result.append(f"{REASONS.name}: {one.file}: {one.pattern}: is not there")
    return result


def needless(reasons: list[Reason], gaps: list[Gap]) -> list[str]:
    """Those whose code does run."""
    used = {reason_for(gap, reasons) for gap in gaps}
    return [f"{REASONS.name}: {one.file}: {one.pattern}: does run" for one in reasons
            if one not in used and not one.text.startswith(SOMETIMES)]  # fmt: skip


def table(measured: Coverage) -> str:
    rows = [("", "lines", "branches")]
    for part, rooms in measured.rooms.items():
        for name, label in [(part, part), *((f"{part}/{room}", f"  {room}") for room in rooms)]:
            rows.append((label, measured.lines[name].text(), measured.branches[name].text()))
    return "\n".join("{:<16}{:>20}{:>20}".format(*row) for row in rows)


def listing(measured: Coverage, reasons: list[Reason]) -> str:
    text = ["What does not run:"]
    for file in sorted({gap.file for gap in measured.gaps}):
        text.append(file)
        for gap in (one for one in measured.gaps if one.file == file):
            text += [f"  {gap.text()}", f"    {explanation_of(gap, reasons) or '(no reason)'}"]
    text.append(f"Branches of {CORE} that are not taken, in lines that run:")
    text += [f"{file}: {' '.join(map(str, lines))}" for file, lines in measured.one_way.items()]
    return "\n".join(text)


def missed(measured: Coverage) -> list[Limit]:
    return [limit for limit in LIMITS if measured.count(limit).percent < limit.percent]


def summary(measured: Coverage, unexplained: int) -> dict:
    return {
        "parts": [{"part": part, "line_percent": measured.lines[part].percent,
                   "branch_percent": measured.branches[part].percent,
                   "held": not any(limit.part == part for limit in missed(measured))}
                  for part in measured.rooms],
        "gaps": len(measured.gaps),
        "unexplained": unexplained,
    }  # fmt: skip


def report_on(path: Path, reasons: list[Reason]) -> int:
    measured = coverage_of(json.loads(path.read_text()), ROOT)
    print(listing(measured, reasons))
    print(table(measured))
    problems = [f"{limit.part}: {measured.count(limit).percent:.2f} % of the {limit.what} run, "
                f"{limit.percent} % have to" for limit in missed(measured)]  # fmt: skip
    problems += misplaced(reasons, ROOT) + needless(reasons, measured.gaps)
    unexplained = sum(not explanation_of(gap, reasons) for gap in measured.gaps)
    path.with_name("summary.json").write_text(
        json.dumps(summary(measured, unexplained), indent=1) + "\n")
    print(f"{len(measured.gaps)} gaps, {unexplained} without a reason")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("report", type=Path, nargs="?", help="what gcovr has written")
    what.add_argument("--check", action="store_true", help="only look for what has a reason")
    arguments = parser.parse_args()
    reasons = read_reasons(REASONS.read_text())
    if arguments.check:
        problems = misplaced(reasons, ROOT)
        print("\n".join(problems) or f"each of {len(reasons)} reasons has its code")
        return 1 if problems else 0
    return report_on(arguments.report, reasons)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        sys.exit(f"coverage: {problem}")
