#!/usr/bin/env python3
"""Holds the engine to its instructions per frame.

Counts, by kind of frame and by stage, what the engine executes for one (valgrind's callgrind: the
same on every run, however busy the machine) and compares it with instruction_budget.json. More
than 3 % above fails: a change that is worth it raises the budget in the same commit and says why.
More than 3 % below fails, too, so that a gain is kept. --update writes what was counted.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

BUDGET = pathlib.Path(__file__).with_name("instruction_budget.json")
TOLERANCE = 0.03
SKIPPED = 77  # as ctest is told


def count(program: str, frames: str, name: str) -> float:
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
         "--toggle-collect=rts::test::measured*", program, frames, *name.split("/")],
        capture_output=True, text=True, check=True)
    collected = int(re.search(r"Collected : (\d+)", done.stderr).group(1))
    return collected / int(done.stdout.split()[0])


def count_all(program: str, names: Sequence[str]) -> dict[str, float]:
    """Instructions a frame of each "kind/stage"; the program is step_frames."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as at_once:
        frames = f"{scratch}/frames"
        subprocess.run([program, frames], check=True)
        return dict(zip(names, at_once.map(lambda name: count(program, frames, name), names)))


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
    for name, exactly in count_all(given.program, list(budget)).items():
        counted = round(exactly)
        change = counted / budget[name] - 1
        held = abs(change) <= TOLERANCE
        kept = kept and held
        print(f"{name:14} {counted:8,} instructions a frame, budget {budget[name]:8,} "
              f"({change:+.1%}){'' if held else '  NOT KEPT'}")
        budget[name] = counted
    if given.update:
        BUDGET.write_text(json.dumps(budget, indent=2) + "\n")
        return 0
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
