#!/usr/bin/env python3
"""Mutates what decides about money, point by point; a test has to fail of each mutant.

Of the sources of SPEC §2 to §4 and §6 each comparison is flipped and moved by one, each number
moved by one, each reason exchanged, each condition and each half of one dropped, each statement
left out. All mutants are in one build (schemata.py, mutants.hpp), which a number in the environment
chooses from. The tests run once to see which of them reach a mutant; a mutant runs those, the
fastest first, until one fails. A survivor is a gap in the tests, or explained.txt says why it
cannot be told apart; of such a one a run of all tries only the fastest tests, for a second.

  mutants.py                  all of them (make mutants)
  mutants.py --only FILE      those of a file, or of its line: FILE:LINE
  mutants.py --again          those that nothing explains and that survived the run before
  mutants.py --list           say what there is to mutate, and run nothing
  mutants.py --check          only see that what is explained is there; runs with the unit tests

Everything is built under build/mutants. build/mutants/report.json says what became of each mutant.
A run of all that was interrupted, or had --minutes, goes on where it was when it is started again,
as long as nothing has changed that is built or that the tests read.
Exits with 1 when one survives that is not explained, or one is explained that does not survive.
Needs git, CMake, Ninja and what `make test` needs.
"""

import argparse
import hashlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import schemata
from trial import ROOT, Problem, Trial

TRIAL = Trial(ROOT / "build" / "mutants")
REPORT = TRIAL.work / "report.json"
PROGRESS = TRIAL.work / "progress.jsonl"
HEADER = TRIAL.copy / "tests/planted/mutants.hpp"
EXPLAINED = ROOT / "tests/planted/explained.txt"
SUITES = {"unit", "property", "replay"}  # what needs no socket
EXPLAINED_SECONDS = 1.0  # of tests for a mutant that is explained: it would run all it reaches
LIKELY_KILLERS = 8  # the last tests that killed a mutant of the file
MOST_OF_A_FILE = 2000  # so that a change of one file leaves the numbers of the others as they are

# What SPEC §2 to §4 and §6 say is decided here. What only a broker sees (src/nats, and the logs'
# followers in src/service) is none of it: its tests take seconds each.
FILES = [
    "src/wire/event_fields.cpp", "src/wire/event_fields.hpp", "src/wire/frame.cpp",
    "include/rts/wire/frame.hpp", "src/wire/json_cursor.cpp", "src/wire/json_cursor.hpp",
    "src/wire/number_text.cpp", "src/wire/number_text.hpp", "src/wire/answer.cpp",
    "src/wire/control_log.cpp",
    "src/engine/engine.cpp", "include/rts/engine/engine.hpp", "src/engine/intake.cpp",
    "include/rts/engine/intake.hpp", "src/engine/schedule.cpp", "include/rts/engine/schedule.hpp",
    "include/rts/engine/parameters.hpp", "include/rts/engine/reason.hpp",
    "include/rts/market/events.hpp", "include/rts/market/units.hpp",
    "src/strategy/orderbook_skew.cpp", "include/rts/strategy/orderbook_skew.hpp",
    "src/strategy/trade_momentum.cpp", "include/rts/strategy/trade_momentum.hpp",
    "src/strategy/ticker_velocity.cpp", "include/rts/strategy/ticker_velocity.hpp",
    "include/rts/strategy/verdict.hpp",
    "src/trading/gate.cpp", "include/rts/trading/gate.hpp", "src/trading/terms.cpp",
    "include/rts/trading/terms.hpp", "src/trading/order.cpp", "include/rts/trading/order.hpp",
    "src/trading/order_memory.cpp", "include/rts/trading/order_memory.hpp",
    "src/trading/breaker.cpp", "include/rts/trading/breaker.hpp", "src/trading/delivery.cpp",
    "include/rts/trading/delivery.hpp", "src/trading/order_subject.cpp",
    "src/trading/stream_plan.cpp", "include/rts/trading/stream_plan.hpp",
    "src/base/decimal.cpp", "include/rts/base/decimal.hpp", "src/base/time.cpp",
    "include/rts/base/time.hpp", "src/base/uuid.cpp", "include/rts/base/symbol.hpp",
    "src/service/publisher.cpp", "src/service/publisher.hpp",
]  # fmt: skip

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Test:
    suite: str
    name: str
    seconds: float


@dataclass
class Record:
    """Which tests reach a mutant, of all tests, the fastest first."""

    tests: list[Test]
    reached_by: dict[int, list[Test]] = field(default_factory=lambda: defaultdict(list))
    impossible: set[int] = field(default_factory=set)


@dataclass
class Progress:
    """What a run of all has found out so far, and how long that took."""

    killed: dict[int, str | None] = field(default_factory=dict)  # what has; nothing: it survived
    seconds: float = 0
    cpu_seconds: float = 0


# --- The mutants ----------------------------------------------------------------------------------


def all_mutants() -> tuple[list[schemata.Mutant], dict[str, str]]:
    """Each of them, and the texts of their files with them."""
    product = [path.read_text() for top in ("src", "include")
               for path in sorted((ROOT / top).rglob("*.?pp"))]  # fmt: skip
    names = schemata.names_in(product)
    mutants, texts = [], {}
    for number, file in enumerate(FILES):
        first_id = number * MOST_OF_A_FILE
        source = schemata.Source(file, (ROOT / file).read_text(), names, first_id)
        texts[file] = source.mutated()
        if source.next_id > first_id + MOST_OF_A_FILE:
            raise Problem(f"{file} has more than {MOST_OF_A_FILE} mutants")
        mutants += source.mutants
    return mutants, texts


def read_explained(text: str) -> dict[Key, str]:
    """A line of code with its file, then behind blanks what is changed in it and why none notices:

    src/trading/gate.cpp: if (!last) return false;
      ! dropped | the if never -- the reason
    """
    explained: dict[Key, str] = {}
    file = code = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            file, _, code = line.partition(": ")
            continue
        changes, _, reason = line.strip().partition(" -- ")
        if not reason:
            raise Problem(f"{EXPLAINED.name}: no reason: {line.strip()}")
        for change in changes.split(" | "):
            if (file, code, change) in explained:
                raise Problem(f"{EXPLAINED.name}: twice: {file}: {code}: {change}")
            explained[file, code, change] = reason
    return explained


# --- The build ------------------------------------------------------------------------------------


def build(texts: dict[str, str], jobs: int) -> None:
    recorder = (ROOT / "tests/planted/recorder.cpp").read_text()
    for suite in SUITES:
        texts[f"tests/{suite}/mutants_recorder.cpp"] = recorder
    TRIAL.copy_sources(texts)
    # Without a build type: assertions are on, as they are in the build with sanitizers.
    TRIAL.configure("-DCMAKE_BUILD_TYPE=", "-DRTS_WARNINGS_AS_ERRORS=OFF",
                    f"-DCMAKE_CXX_FLAGS=-O1 -g0 -w -Wno-narrowing -include {HEADER}")  # fmt: skip
    TRIAL.build(SUITES, jobs)


def environment(**more: str) -> dict[str, str]:
    """As tests/plain_environment.cmake has it, for the same reasons; without the recorded corpus,
    so that every machine has the same survivors."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TERM": "dumb", **more}


# --- What an interrupted run has left -------------------------------------------------------------


def fingerprint() -> str:
    """Of all that is built, and that the tests read: all but what is beside this file."""
    digest = hashlib.sha256()
    for path in sorted(path for path in TRIAL.copy.rglob("*") if path.is_file()):
        if path == HEADER or path.parent != HEADER.parent:
            digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def read_progress(path: Path, of: str) -> Progress | None:
    """Nothing when it is of something else."""
    if not path.exists():
        return None
    first, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    if first != {"of": of}:
        return None
    result = Progress()
    for line in lines:
        if "mutant" in line:
            result.killed[line["mutant"]] = line["killed_by"]
        else:
            result.seconds += line["seconds"]
            result.cpu_seconds += line["cpu_seconds"]
    return result


def cpu_seconds() -> float:
    """Of the programs that were started, and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- Which tests reach what -----------------------------------------------------------------------


def reached_file(suite: str) -> Path:
    return TRIAL.work / f"{suite}.reached"


def record(jobs: int) -> None:
    """Runs all tests without a mutant: the canary, for they pass."""

    def run_suite(suite: str) -> None:
        with open(TRIAL.work / f"{suite}.log", "w") as log:
            subprocess.run([TRIAL.build_folder / f"{suite}_tests"], stdout=log, stderr=log,
                           cwd=TRIAL.build_folder / "tests",
                           env=environment(RTS_MUTANTS_REACHED=str(reached_file(suite))))

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run_suite, SUITES))


def read_record() -> Record:
    found, everywhere, skipped, failed = [], set(), [], []
    result = Record([])
    for suite in sorted(SUITES):
        for line in reached_file(suite).read_text().splitlines():
            one = json.loads(line)
            result.impossible.update(one["impossible"])
            if not one["test"]:
                everywhere.update(one["reached"])
            elif one["outcome"] == "passed":
                test = Test(suite, one["test"], one["seconds"])
                found.append((test, one["reached"]))
            else:
                (skipped if one["outcome"] == "skipped" else failed).append(one["test"])
    if failed:
        raise Problem(f"without a mutant: {', '.join(failed)} fails")
    if skipped:
        print(f"skipped: {', '.join(skipped)}")
    for test, ids in sorted(found, key=lambda one: one[0].seconds):
        result.tests.append(test)
        for mutant in ids:
            result.reached_by[mutant].append(test)
    # What runs outside of tests all of them may depend on.
    for mutant in everywhere:
        result.reached_by[mutant] = result.tests
    if not result.tests:
        raise Problem("no test has run")
    return result


# --- A mutant's trial -----------------------------------------------------------------------------


def batches(tests: list[Test]) -> list[list[Test]]:
    """The fastest alone, then ten times as much time each."""
    result: list[list[Test]] = []
    limit, spent = 0.05, 0.0
    batch: list[Test] = []
    for test in tests:
        if batch and spent + test.seconds > limit:
            result.append(batch)
            batch, spent, limit = [], 0.0, limit * 10
        batch.append(test)
        spent += test.seconds
    return [*result, batch] if batch else result


def failure_of(mutant: int, suite: str, tests: list[Test]) -> str | None:
    """How the tests of one suite fail of a mutant; nothing when they pass."""
    seconds = 2 + int(8 * sum(test.seconds for test in tests))  # of CPU: others may be busy, too

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryDirectory() as scratch:
        flags = Path(scratch) / "flags"
        flags.write_text("--gtest_filter=" + ":".join(test.name for test in tests) + "\n")
        try:
            done = subprocess.run(
                [TRIAL.build_folder / f"{suite}_tests", f"--gtest_flagfile={flags}",
                 "--gtest_fail_fast", "--gtest_brief=1"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                stdin=subprocess.DEVNULL, cwd=TRIAL.build_folder / "tests", preexec_fn=limit,
                timeout=60 + 10 * seconds, start_new_session=True,  # Ctrl+C kills no mutant
                env=environment(RTS_MUTANT=str(mutant), TMPDIR=scratch))  # fmt: skip
        except subprocess.TimeoutExpired:
            return "time-out"
    if done.returncode == 0:
        return None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "time-out"
    failed = [line for line in done.stdout.splitlines() if line.startswith("[  FAILED  ]")]
    name = failed[0].split()[3].rstrip(",") if failed else ""
    return name or f"ended by signal {-done.returncode}"


def fastest(tests: list[Test], seconds: float) -> list[Test]:
    result: list[Test] = []
    for test in tests:
        seconds -= test.seconds
        if seconds < 0:
            break
        result.append(test)
    return result


def killer_of(mutant: int, tests: list[Test], likely: Collection[str] = ()) -> str | None:
    """The likely ones are tried first."""
    first = [test for test in tests if test.name in likely]
    others = [test for test in tests if test.name not in likely]
    for batch in batches(first) + batches(others):
        for suite in sorted({test.suite for test in batch}):
            killer = failure_of(mutant, suite, [test for test in batch if test.suite == suite])
            if killer:
                return killer
    return None


def try_out(mutants: list[schemata.Mutant], seen: Record, jobs: int, until: float,
            tell: Callable[[int, str | None], None]) -> None:
    """Tells what has killed each, or nothing where it survived. After `until` no more are tried."""
    done, is_over = 0, False
    # What has killed a mutant often kills those next to it.
    last_killers = {one.file: deque[str](maxlen=LIKELY_KILLERS) for one in mutants}

    def one(mutant: schemata.Mutant) -> None:
        nonlocal done
        if is_over or time.monotonic() > until:
            return
        likely = last_killers[mutant.file]
        killer = killer_of(mutant.id, seen.reached_by.get(mutant.id, []), tuple(likely))
        tell(mutant.id, killer)
        if killer and killer not in likely:
            likely.append(killer)
        done += 1
        if done % 250 == 0:
            print(f"  {done} of {len(mutants)}", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            list(pool.map(one, mutants))
        finally:
            is_over = True


# --- The result -----------------------------------------------------------------------------------


def shown(mutant: schemata.Mutant, reaching: int) -> str:
    tests = f"{reaching} tests reach it" if reaching else "no test reaches it"
    return f"{mutant.file}:{mutant.line}: {mutant.code}\n    {mutant.change} ({tests})"


def survivors_before() -> set[Key]:
    if not REPORT.exists():
        raise Problem("no run before: build/mutants/report.json is not there")
    before = json.loads(REPORT.read_text())["mutants"]
    return {(one["file"], one["code"], one["change"]) for one in before if not one["killed_by"]}


def stale(explained: dict[Key, str], mutants: list[schemata.Mutant],
          killed: dict[int, str | None]) -> list[str]:
    """Explained mutants that are no more, or that do not survive."""
    there = {mutant.key: mutant for mutant in mutants}
    result = []
    for key in explained:
        mutant = there.get(key)
        text = f"{key[0]}: {key[1]}\n    {key[2]}"
        if mutant is None:
            result.append(f"{text} (is not there)")
        elif killed.get(mutant.id):
            result.append(f"{text} (is killed by {killed[mutant.id]})")
    return result


def write_report(mutants: list[schemata.Mutant], killed: dict[int, str | None],
                 explained: dict[Key, str], figures: dict[str, float]) -> None:
    rows = [{"file": one.file, "line": one.line, "code": one.code, "change": one.change,
             "killed_by": killed[one.id], "explained": explained.get(one.key)}
            for one in mutants]  # fmt: skip
    REPORT.write_text(json.dumps({**figures, "mutants": rows}, indent=1) + "\n")


def chosen_from(mutants: list[schemata.Mutant], arguments: argparse.Namespace,
                explained: dict[Key, str]) -> list[schemata.Mutant]:
    file, _, line = (arguments.only or "").partition(":")
    chosen = [one for one in mutants if file in ("", one.file) and line in ("", str(one.line))]
    if arguments.again:
        before = survivors_before()
        chosen = [one for one in chosen if one.key in before and one.key not in explained]
    if not chosen:
        raise Problem("there is no such mutant")
    return chosen


def go_on(progress: Progress, left: list[schemata.Mutant], seen: Record, begun: float,
          arguments: argparse.Namespace, is_whole: bool) -> None:
    """Of a run of all what is found out is kept at once."""
    with open(PROGRESS if is_whole else os.devnull, "a") as kept:
        def tell(mutant: int, killer: str | None) -> None:
            progress.killed[mutant] = killer
            print(json.dumps({"mutant": mutant, "killed_by": killer}), file=kept, flush=True)

        try:
            try_out(left, seen, arguments.jobs, begun + 60 * arguments.minutes, tell)
        finally:
            spent = {"seconds": time.monotonic() - begun, "cpu_seconds": cpu_seconds()}
            progress.seconds += spent["seconds"]
            progress.cpu_seconds += spent["cpu_seconds"]
            print(json.dumps(spent), file=kept)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only look for the explained")
    parser.add_argument("--list", action="store_true", help="only say what there is to mutate")
    parser.add_argument("--only", metavar="FILE[:LINE]")
    parser.add_argument("--again", action="store_true", help="only what survived the run before")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no mutant after so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()

    explained = read_explained(EXPLAINED.read_text())
    mutants, texts = all_mutants()
    if arguments.check:
        offences = stale(explained, mutants, {})
        print("\n".join(offences), end="\n" if offences else "")
        return 1 if offences else 0
    chosen = chosen_from(mutants, arguments, explained)
    if arguments.list:
        print("\n".join(f"{one.file}:{one.line}: {one.code}\n    {one.change}" for one in chosen))
        return 0

    is_whole = not (arguments.only or arguments.again)
    begun = time.monotonic()
    build(texts, arguments.jobs)
    built = time.monotonic()
    print(f"built in {built - begun:.0f} s", flush=True)
    of = fingerprint()
    progress = read_progress(PROGRESS, of)
    if progress is None:
        record(arguments.jobs)
        PROGRESS.write_text(json.dumps({"of": of}) + "\n")
        progress = Progress()
    elif not is_whole:
        progress = Progress()
    seen = read_record()
    chosen = [one for one in chosen if one.id not in seen.impossible]
    for one in chosen:
        if is_whole and one.key in explained:
            seen.reached_by[one.id] = fastest(seen.reached_by[one.id], EXPLAINED_SECONDS)
    left = [one for one in chosen if one.id not in progress.killed]
    print(f"{len(seen.tests)} tests, {len(chosen)} mutants, {len(left)} of them to be tried "
          f"({time.monotonic() - built:.0f} s)", flush=True)  # fmt: skip
    go_on(progress, left, seen, begun, arguments, is_whole)
    left = [one for one in chosen if one.id not in progress.killed]
    if left:
        print(f"{len(left)} are left: the next run goes on with them")
        return 1
    if is_whole:
        PROGRESS.write_text(json.dumps({"of": of}) + "\n")
    return conclude(chosen, progress, explained, seen, is_whole)


def conclude(mutants: list[schemata.Mutant], progress: Progress, explained: dict[Key, str],
             seen: Record, is_whole: bool) -> int:
    killed = progress.killed
    survivors = [one for one in mutants if killed[one.id] is None]
    unexplained = [one for one in survivors if one.key not in explained]
    for one in unexplained:
        print(shown(one, len(seen.reached_by.get(one.id, []))))
    offences = stale(explained, mutants, killed) if is_whole else []
    print("\n".join(["explained, and should not be:", *offences]) if offences else "", end="\n")
    ways = Counter(killer if killer == "time-out" or " " in killer else "a test"
                   for killer in killed.values() if killer)  # fmt: skip
    figures = {"points": len(mutants), "killed": len(mutants) - len(survivors),
               "by_time_out": ways["time-out"], "explained": len(survivors) - len(unexplained),
               "unexplained": len(unexplained), "tests": len(seen.tests),
               "seconds": round(progress.seconds),
               "cpu_seconds": round(progress.cpu_seconds)}  # fmt: skip
    if is_whole:
        write_report(mutants, killed, explained, figures)
    print(f"{len(mutants)} mutants: {figures['killed']} killed "
          f"({', '.join(f'{count} by {way}' for way, count in ways.most_common())}), "
          f"{figures['explained']} survive and are explained, {len(unexplained)} are not "
          f"({figures['seconds']} s, {figures['cpu_seconds']} s of CPU)")  # fmt: skip
    return 1 if unexplained or offences else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        sys.exit(str(problem))
