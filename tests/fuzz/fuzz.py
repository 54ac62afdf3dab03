#!/usr/bin/python3
"""Fuzzes the targets of a build with libFuzzer, and says how many executions each had.

  fuzz.py --build build/fuzz --seconds 30        each target for 30 s (make fuzz)
  fuzz.py --build build/fuzz --runs 10000000     each target for so many executions (make fuzz-long)
  fuzz.py --build build/fuzz --runs 10000000 --seconds 600     the same, 600 s of it now
  fuzz.py --build build/fuzz --runs 9 --only ack,order
  fuzz.py --build build --canary                 only see that the build notices what it finds

The targets and their sizes are those of fuzz_targets.txt in the build (tests/fuzz/CMakeLists.txt).
In the build as well: found/<target>, the inputs that reached something new, with which the next run
begins; findings/<target>, those that a target failed on, which the next run tries first; so_far/<target>,
what all runs of this very program did, which --runs counts; and report.json, of each target the program
that was executed most often and what was found since. Exits 1 on a finding, and names the command that
repeats it; 2 where the build would notice none; 3 where --seconds ended before --runs were done.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
SECONDS_AN_INPUT = 10  # one that takes longer is a finding
RSS_LIMIT_MIB = 2048  # likewise
# ASan keeps 256 MiB of what was freed from being used again, and 30 calls of each allocation. An
# input takes far less, and the memory and the calls cost time. The command that repeats a finding
# runs without this.
ASAN_OPTIONS = "quarantine_size_mb=8:malloc_context_size=4"
# What the canary does on an input of this name, and what has to be said of it.
CANARY = {"require": "fuzz: the canary", "address": "AddressSanitizer", "undefined": "runtime error"}
COLUMNS = "{:<14} {:>12} {:>8} {:>12} {:>7} {:>9} {:>9}"


@dataclass(frozen=True)
class Target:
    name: str
    max_bytes: int


def targets_of(build: Path) -> list[Target]:
    lines = (build / "fuzz_targets.txt").read_text().splitlines()
    return [Target(name, int(size)) for name, size in (line.split() for line in lines)]


def deaf_to(build: Path, sanitized: bool) -> list[str]:
    """The inputs of the canary that the build does not fail on as it should."""
    deaf = []
    for name, said in CANARY.items():
        if name != "require" and not sanitized:
            continue
        ended = subprocess.run([build / "fuzz_canary", CORPUS / "canary" / name],
                               capture_output=True, text=True, errors="replace")  # fmt: skip
        if ended.returncode == 0 or said not in ended.stderr:
            deaf.append(name)
    return deaf


def number(pattern: str, text: str) -> int:
    """The last that stands there; 0 where the run ended before it was written."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


@dataclass(frozen=True)
class Limits:
    """Of a target; at least one of the two is given, and the first that is reached ends the run."""

    runs: int | None  # executions of the program, with those of the runs before this one
    seconds: int | None  # of this run

    def arguments(self, executed: int) -> list[str]:
        runs = [] if self.runs is None else [f"-runs={self.missing(executed)}"]
        return runs + ([] if self.seconds is None else [f"-max_total_time={self.seconds}"])

    def missing(self, executed: int) -> int:
        return 0 if self.runs is None else max(0, self.runs - executed)


def so_far(build: Path, target: Target) -> dict:
    """What the program did in the runs before this one."""
    program = build / f"fuzz_{target.name}"
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    path = build / "so_far" / target.name
    before = json.loads(path.read_text()) if path.exists() else {}
    fresh = {"target": target.name, "program": digest, "runs": 0, "executions": 0, "seconds": 0,
             "peak_rss_mib": 0, "findings": []}  # fmt: skip
    return before if before.get("program") == digest else fresh


def added(before: dict, row: dict) -> dict:
    return row | {
        "program": before["program"],
        "runs": before["runs"] + 1,
        "executions": before["executions"] + row["executions"],
        "seconds": round(before["seconds"] + row["seconds"], 1),
        "peak_rss_mib": max(before["peak_rss_mib"], row["peak_rss_mib"]),
        # One that was found is tried first again, and is no second.
        "findings": row["findings"] or before["findings"],
    }


def fuzz(build: Path, target: Target, limits: Limits) -> tuple[dict, dict]:
    """Runs a target to its limit or its first finding: what this run did, and all of the program."""
    before = so_far(build, target)
    is_done = limits.runs is not None and limits.missing(before["executions"]) == 0
    if is_done and before["runs"] and not before["findings"]:
        nothing = {"executions": 0, "seconds": 0, "executions_per_second": 0, "findings": []}
        return before | nothing, before
    limit = limits.arguments(before["executions"])
    program = build / f"fuzz_{target.name}"
    found, findings = build / "found" / target.name, build / "findings" / target.name
    for folder in (found, findings):
        folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    ended = subprocess.run(
        [program, *limit, f"-max_len={target.max_bytes}", f"-timeout={SECONDS_AN_INPUT}",
         f"-rss_limit_mb={RSS_LIMIT_MIB}", "-print_final_stats=1", f"-artifact_prefix={findings}/",
         found, CORPUS / target.name, findings],
        env={"ASAN_OPTIONS": ASAN_OPTIONS} | os.environ,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, errors="replace")  # fmt: skip
    seconds = time.monotonic() - begun
    (findings.parent / f"{target.name}.log").write_text(ended.stderr)
    executions = number(r"stat::number_of_executed_units:\s*(\d+)", ended.stderr) or number(
        r"^#(\d+)", ended.stderr)  # fmt: skip
    row = {
        "target": target.name,
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "executions": executions,
        "seconds": round(seconds, 1),
        "executions_per_second": round(executions / seconds),
        "inputs": sum(1 for _ in found.iterdir()),
        "peak_rss_mib": number(r"stat::peak_rss_mb:\s*(\d+)", ended.stderr),
        "findings": [],
    }
    if ended.returncode != 0:
        written = re.findall(r"Test unit written to (\S+)", ended.stderr)
        # Without one, the program ended by itself, or never began.
        file = written[-1] if written else str(findings.parent / f"{target.name}.log")
        command = f"{program} {file}" if written else f"{program} {' '.join(limit)}"
        row["findings"] = [{"file": file, "command": command, "said": what_it_said(ended.stderr)}]
    whole = added(before, row)
    replace(build / "so_far" / target.name, whole)
    return row, whole


def replace(path: Path, content: dict) -> None:
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1) + "\n")
    fresh.replace(path)


def what_it_said(log: str) -> str:
    """The line that says what was wrong: ours, or a sanitizer's."""
    lines = re.findall(r"^(?:fuzz: .*|.*runtime error: .*|==\d+== ?ERROR: .*|.*Assertion .*)$", log,
                       re.M)  # fmt: skip
    return lines[0][:200] if lines else (log.strip().splitlines() or ["nothing"])[-1][:200]


def line_of(row: dict) -> str:
    return COLUMNS.format(row["target"], f"{row['executions']:,}", f"{row['seconds']:.0f}",
                          f"{row['executions_per_second']:,}", row["inputs"],
                          row["peak_rss_mib"], len(row["findings"]))  # fmt: skip


def write_report(path: Path, names: list[str], rows: dict[str, dict]) -> None:
    """The rows of targets that this run has not tried stay as they were."""
    kept = {}
    if path.exists():
        kept = {row["target"]: row for row in json.loads(path.read_text())["targets"]}
    # Few executions say less than many before them, unless they have found something.
    merged = kept | {name: row for name, row in rows.items() if row["findings"] or
                     row["executions"] >= kept.get(name, row)["executions"]}  # fmt: skip
    replace(path, {"targets": [merged[name] for name in names if name in merged]})


def fuzz_all(build: Path, targets: list[Target], limits: Limits, jobs: int) -> int:
    """Prints a line for each target when it ends; the exit status."""
    print(COLUMNS.format("target", "executions", "seconds", "a second", "inputs", "peak MiB",
                         "findings"), flush=True)  # fmt: skip
    rows: dict[str, dict] = {}
    names = [target.name for target in targets_of(build)]
    with ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(fuzz, build, target, limits) for target in targets]
        for run in as_completed(runs):
            row, whole = run.result()
            rows[row["target"]] = whole
            print(line_of(row), flush=True)
            for finding in row["findings"]:
                print(f"  {finding['said']}\n  {finding['command']}", flush=True)
            if missing := limits.missing(whole["executions"]):
                print(f"  {missing:,} executions to go", flush=True)
            write_report(build / "report.json", names, rows)
    if any(row["findings"] for row in rows.values()):
        return 1
    return 3 if any(limits.missing(row["executions"]) for row in rows.values()) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--canary", action="store_true")
    parser.add_argument("--sanitized", action="store_true", help="ASan and UBSan are on")
    parser.add_argument("--only", default="", help="targets, with commas between them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    limits = Limits(arguments.runs, arguments.seconds)
    if limits == Limits(None, None) and not arguments.canary:
        parser.error("give one of --seconds, --runs, --canary")
    build = arguments.build.resolve()

    deaf = deaf_to(build, arguments.sanitized or not arguments.canary)
    if deaf:
        print(f"fuzz.py: the canary's inputs went unnoticed: {', '.join(deaf)}", file=sys.stderr)
        return 2
    if arguments.canary:
        return 0
    targets = targets_of(build)
    if arguments.only:
        wanted = set(arguments.only.split(","))
        unknown = wanted - {target.name for target in targets}
        if unknown:
            print(f"fuzz.py: no such target: {', '.join(sorted(unknown))}", file=sys.stderr)
            return 2
        targets = [target for target in targets if target.name in wanted]
    return fuzz_all(build, targets, limits, arguments.jobs)


if __name__ == "__main__":
    sys.exit(main())
