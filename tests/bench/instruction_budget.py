#!/usr/bin/env python3
"""Holds the engine to its instructions per frame.

Counts, by kind of frame, what one step of the engine executes (valgrind's callgrind: the same on
every run, however busy the machine) and compares it with instruction_budget.json. More than 3 %
above fails: a change that is worth it raises the budget in the same commit and says why. More than
3 % below fails, too, so that a gain is kept. --update writes what was counted.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

BUDGET = pathlib.Path(__file__).with_name("instruction_budget.json")
FRAMES = 2000
TOLERANCE = 0.03
SKIPPED = 77  # as ctest is told


def count(program: str, kind: str) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={scratch}/out",
             "--collect-atstart=no", "--toggle-collect=rts::test::measured*",
             program, kind, str(FRAMES)],
            capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1)) / FRAMES


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program", help="step_frames of the release build")
    options.add_argument("--update", action="store_true")
    given = options.parse_args()
    if "avx2" not in pathlib.Path("/proc/cpuinfo").read_text():
        print("not compared: simdjson takes another path on a CPU without AVX2")
        return SKIPPED
    budget = json.loads(BUDGET.read_text())
    kept = True
    for kind, allowed in budget.items():
        counted = round(count(given.program, kind))
        change = counted / allowed - 1
        held = abs(change) <= TOLERANCE
        kept = kept and held
        print(f"{kind:8} {counted:8,} instructions a frame, budget {allowed:8,} ({change:+.1%})"
              f"{'' if held else '  NOT KEPT'}")
        budget[kind] = counted
    if given.update:
        BUDGET.write_text(json.dumps(budget, indent=2) + "\n")
        return 0
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
