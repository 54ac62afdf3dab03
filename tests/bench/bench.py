#!/usr/bin/env python3
"""Runs the benchmarks, prints their one table and writes their one JSON file (`make bench`).

The engine is measured by engine_bench (time, allocations) and under callgrind (instructions), the
service by service_bench beside the bare libraries, `sweep` beside `replay` and vectorbt; figures.py
says what is made of the numbers.

  bench.py                   everything, 7 rounds; build/release/bench.json
  bench.py --quick           3 short rounds: to look at, not to quote
  bench.py --only latency    parts of it: engine, instructions, sweep, or a part of service_bench
  bench.py --publish         makes docs/PERFORMANCE.md and its JSON of the last full run
  bench.py --check-page      whether the page is what docs/performance.json says
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

import figures
import instruction_budget
import sweep_bench

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/PERFORMANCE.md"
PAGE_DATA = ROOT / "docs/performance.json"
SERVICE_PARTS = ("cost", "latency", "stream", "symbols", "scrapes", "start", "replay")
PARTS = ("engine", "instructions", *SERVICE_PARTS, "sweep")
# Rounds, frames as fast as they go, seconds at each steady rate, seconds of an engine benchmark.
EFFORTS = {
    "full": (7, 200_000, 3, 0.1),
    "quick": (3, 60_000, 0.4, 0.01),
    "tiny": (1, 3_000, 0.1, 0.001),
}
# Frames that are swept, and tickers alone.
SWEPT = {"full": (100_000, 20_000), "quick": (20_000, 5_000), "tiny": (1_500, 1_000)}


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def engine(build: pathlib.Path, rounds: int, seconds: float) -> dict:
    say("engine: time and allocations")
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch) / "out.json"
        subprocess.run(
            [build / "engine_bench", f"--benchmark_repetitions={rounds}",
             "--benchmark_enable_random_interleaving=true", f"--benchmark_min_time={seconds}",
             f"--benchmark_out={out}", "--benchmark_out_format=json"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        runs = json.loads(out.read_text())["benchmarks"]
    measured: dict[str, list[float]] = {}
    for run in runs:
        if run["run_type"] != "iteration":
            continue
        name = "/".join(run["name"].split("/")[:2])
        measured.setdefault(f"ns/{name}", []).append(run["frame"] * 1e9)
        measured.setdefault(f"allocations/{name}", []).append(run["allocations"])
    return measured


def instructions(build: pathlib.Path) -> dict:
    names = [f"{kind}/{stage}" for kind in figures.KINDS for stage in figures.STAGES]
    names += [f"{kind}/{stage}" for kind, _ in figures.LEVELS for stage in ("step", "decode")
              if kind not in figures.KINDS]
    say(f"engine: instructions, {len(names)} stages")
    counted = instruction_budget.count_all(str(build / "step_frames"), names)
    return {f"instructions/{name}": [count] for name, count in counted.items()}


def service(build: pathlib.Path, effort: str, parts: list[str]) -> dict:
    rounds, frames, seconds, _ = EFFORTS[effort]
    say("service, beside the bare libraries")
    done = subprocess.run([build / "service_bench", str(rounds), str(frames), str(seconds), *parts],
                          stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def output_of(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def machine() -> dict:
    cpu = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cores": len(os.sched_getaffinity(0)),
            "cpu": cpu.group(1) if cpu else platform.machine(),
            "kernel": platform.release()}


def run(build: pathlib.Path, effort: str, only: list[str]) -> dict:
    parts = only or list(PARTS)
    rounds, _, _, seconds = EFFORTS[effort]
    measured: dict = {}
    versions = {"nats-server": output_of("nats-server", "--version").rpartition("v")[2]}
    if "engine" in parts:
        measured |= engine(build, rounds, seconds)
    if "instructions" in parts:
        measured |= instructions(build)
    if of_service := [part for part in SERVICE_PARTS if part in parts]:
        told = service(build, effort, of_service)
        measured |= told["rounds"]
        versions |= told["versions"]
    if "sweep" in parts:
        of_sweep, of_peer = sweep_bench.measure(build / "realtime-strategies", rounds,
                                                *SWEPT[effort], say)
        measured |= of_sweep
        versions |= of_peer
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"date": now.strftime("%Y-%m-%d"),
            "commit": output_of("git", "describe", "--always", "--dirty", "--tags") or "unknown",
            "machine": machine(), "versions": versions, "rounds": rounds,
            "effort": f"{effort}, in parts" if only else effort,
            "figures": figures.figures(measured, partial=bool(only))}


def publish(path: pathlib.Path) -> int:
    text = path.read_text()
    effort = json.loads(text)["effort"]
    if effort != "full":
        say(f"{path.name} is of a run that was {effort}: run `make bench` first")
        return 1
    PAGE_DATA.write_text(text)
    return check_page(update=True)


def check_page(*, update: bool) -> int:
    text = PAGE.read_text()
    current = figures.page(text, json.loads(PAGE_DATA.read_text()))
    if update:
        PAGE.write_text(current)
    elif text != current:
        say(f"{PAGE.name} is not what {PAGE_DATA.name} says: run `make docs`")
        return 1
    return 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    options.add_argument("--json", type=pathlib.Path, help="default: bench.json in the build")
    effort = options.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_const", dest="effort", const="quick")
    effort.add_argument("--tiny", action="store_const", dest="effort", const="tiny",
                        help="seconds: shows that all of it runs, its figures mean nothing")
    options.add_argument("--only", nargs="+", choices=PARTS, default=[])
    options.add_argument("--publish", action="store_true")
    options.add_argument("--check-page", action="store_true")
    given = options.parse_args()
    path = given.json or given.build / "bench.json"
    if given.publish:
        return publish(path)
    if given.check_page:
        # As for the other pages, `make docs` asks the test to write.
        return check_page(update="RTS_UPDATE_DOCS" in os.environ)
    report = run(given.build, given.effort or "full", given.only)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    print(figures.printed(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
