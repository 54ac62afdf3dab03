#!/usr/bin/env python3
"""Runs the whole benchmark kit in a tiny form, so that it does not rot.

What is checked is that every figure is there and is a positive number, never how large it is. Only
what something adds, a difference of two measurements, may be below 0. What needs vectorbt has to be
there where vectorbt is.
  kit_test.py BUILD
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import figures


def problems(report: dict, table: str) -> list[str]:
    found = []
    made = {(one["section"], one["figure"], one.get("reference", {}).get("name", "")): one
            for one in report["figures"]}
    for wanted in figures.WANTED:
        one = made.get((wanted.section, wanted.label, wanted.beside))
        if one is None:
            if wanted.is_optional and "vectorbt" not in report["versions"]:
                continue
            found.append(f"{wanted.label}: not there")
            continue
        least = 0 if wanted.label.endswith("allocations") else math.ulp(0)
        if wanted.label.endswith(" it adds"):
            least = -math.inf
        for summary in (one, one.get("reference"), one.get("ratio")):
            if summary and any(not (math.isfinite(n) and n >= least) for n in summary["rounds"]):
                found.append(f"{wanted.label}: {summary['rounds']}")
        if wanted.label.partition(": ")[0] not in table:
            found.append(f"{wanted.label}: not in the table")
    return found


def main() -> int:
    build = pathlib.Path(sys.argv[1])
    bench = pathlib.Path(__file__).with_name("bench.py")
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "bench.json"
        done = subprocess.run([sys.executable, bench, "--tiny", "--build", build, "--json", path],
                              stdout=subprocess.PIPE, text=True, check=True)
        found = problems(json.loads(path.read_text()), done.stdout)
        made = len(json.loads(path.read_text())["figures"])
    print("\n".join(found) or f"{made} figures")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
