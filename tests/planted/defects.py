#!/usr/bin/env python3
"""Plants defects into a copy of the source, one at a time; each has to make a test fail.

A test suite that passes says little until it is known what would make it fail. Each defect here
costs money or honesty, and each is small enough to slip through a review.

  defects.py              plant all of them (make planted)
  defects.py --only NAME  plant this one
  defects.py --check      only see that each still has its place; runs with the unit tests

Everything is built under build/planted: never in the working tree, and again only what a defect
changes. Needs git, CMake, Ninja and what `make test` needs.
"""

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from pathlib import Path

from trial import ROOT, Problem, Trial

TRIAL = Trial(ROOT / "build" / "planted")
LABELS = {"property": "unit"}  # of ctest, where it is not the suite's own name


@dataclass(frozen=True)
class Defect:
    """Where `old` stands, exactly once, `new` is planted; a test of `suite` has to see it."""

    name: str
    file: str
    suite: str  # a directory of tests; "<suite>_tests" is what is built
    tests: str  # the names, as ctest -R takes them, of those that should see it
    old: str
    new: str


# fmt: off
DEFECTS = [
    Defect("order ids random", "src/trading/order.cpp",
           "integration", r"^Service\.WithoutAQueueGroup",
           old="  return make_order_id(",
           new="  const auto now = std::chrono::steady_clock::now().time_since_epoch();\n"
               '  end = fmt::format_to(end, "{}", now.count());\n'
               "  return make_order_id("),
    Defect("breaker not wired", "src/service/publisher.cpp",
           "integration", r"^Service\.HoldsOrdersBack|^Breaker\.OpensAfter",
           old="const auto permit = breaker_.admit(transport_.steady_now().time_since_epoch());",
           new="const auto permit = std::optional(CircuitBreaker::Permit{});"),
    Defect("symbol default", "src/engine/intake.cpp",
           "unit", r"^(Intake|Engine)",
           old="return Failure{Reason::no_symbol};",
           new='return symbols_.find("BTCUSDT");'),
    Defect("ready constant", "src/service/status.cpp",
           "integration", r"^Endpoints\.ReadySays",
           old=".status = state.ready() ? 200U : 503U",
           new=".status = 200U"),
    Defect("drain missing", "src/service/lifecycle.hpp",
           "integration", r"^Service\.SigtermUnderLoad",
           old="parts_.client.drain([this] {",
           new="boost::asio::post(parts_.loop, [this] {"),
    Defect("stale not checked", "src/engine/intake.cpp",
           "integration", r"^Service\.DropsStale",
           old="now - aged_at > ttl",
           new="now == UnixMs::max()"),
    Defect("kill switch not wired", "src/service/service.cpp",
           "integration", r"^Service\.Paused",
           old="engine_.set_paused(id, paused);",
           new="engine_.set_paused(id, false);"),
    Defect("valid_until not checked", "src/service/publisher.cpp",
           "unit", r"^Publisher\.",
           old="now() >= order.valid_until",
           new="false"),
    Defect("order forwarded again", "src/trading/delivery.cpp",
           "unit", r"^Delivery\.",
           old="if (step == DeliveryStep::forwarding) return judge_forwarding(result);",
           new=""),
    Defect("daily limit not counted", "include/rts/trading/order_memory.hpp",
           "unit", r"^Gate\.",
           old="days[index_of(order.strategy)].count(utc_day(order.at));",
           new=""),
    Defect("gate not asked before the next try", "src/service/publisher.cpp",
           "property", r"^Replicas\.",
           old="if (callbacks_.passes_still(order.order)) return store(order);",
           new="return store(order);"),
    Defect("order of another's place sent", "src/service/publisher.cpp",
           "property", r"^Replicas\.",
           old="ack.sequence != log_.last() + 1",
           new="ack.sequence == 0"),
    Defect("others' orders forgotten", "src/trading/order_memory.cpp",
           "property", r"^Replicas\.",
           old="    counts.count(other);\n    add(other);",
           new="    if (stored_.find(id)->second.own) add(other);"),
    Defect("write buffer unbounded", "src/nats/connection.cpp",
           "integration", r"^NatsClient\.RefusesMoreThan",
           old="adapter_->blocked_bytes() + bytes > client_.options.max_buffered_bytes",
           new="bytes > client_.options.max_buffered_bytes"),
    Defect("secret shown", "src/config/load.cpp",
           "unit", r"^SettingsSecrets\.",
           old='return value.empty() ? "" : "***";',
           new="return std::string(value);"),
]
# fmt: on


@dataclass(frozen=True)
class TestRun:
    passed: list[str]
    failed: list[str]  # in the order in which they failed
    not_run: list[str]


def misplaced(root: Path) -> list[str]:
    """What the defects that have lost their place are called, with the reason."""
    offences = []
    for defect in DEFECTS:
        path = root / defect.file
        count = path.read_text().count(defect.old) if path.exists() else 0
        if count != 1:
            offences.append(f"{defect.name}: {count} times in {defect.file}: {defect.old.strip()}")
    return offences


def test(suite: str, tests: str, jobs: int) -> TestRun:
    """Runs tests until one fails."""
    report = TRIAL.work / "report.xml"
    report.unlink(missing_ok=True)
    subprocess.run(
        ["ctest", "--test-dir", str(TRIAL.build_folder),
         "-L", f"^{LABELS.get(suite, suite)}$", "-R", tests,
         "-j", str(jobs), "--stop-on-failure", "--output-junit", str(report)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    ended: dict[str, list[str]] = {"run": [], "fail": []}
    not_run = []
    cases = xml.parse(report).iter("testcase") if report.exists() else ()
    for case in cases:
        ended.get(case.get("status", ""), not_run).append(case.get("name", ""))
    return TestRun(ended["run"], ended["fail"], not_run)


def expect_green(defects: list[Defect], jobs: int) -> int:
    """The canary: without a defect the same tests pass; how many there are."""
    count = 0
    for suite in sorted({defect.suite for defect in defects}):
        patterns = [defect.tests for defect in defects if defect.suite == suite]
        result = test(suite, "|".join(patterns), jobs)
        if result.failed or result.not_run:
            raise Problem(f"without a defect: {', '.join(result.failed + result.not_run)} fails")
        count += len(result.passed)
    return count


def plant(defect: Defect, jobs: int) -> str | None:
    """The first test that fails of the defect; nothing when none does."""
    path = TRIAL.copy / defect.file
    clean = path.read_text()
    try:
        path.write_text(clean.replace(defect.old, defect.new))
        TRIAL.build({defect.suite}, jobs)
        result = test(defect.suite, defect.tests, jobs)
    finally:
        path.write_text(clean)  # newer than what was built of the defect, which is built again
    return result.failed[0] if result.failed else None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only see that each has its place")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", metavar="NAME", choices=[defect.name for defect in DEFECTS])
    arguments = parser.parse_args()
    if offences := misplaced(ROOT):
        print("\n".join(offences))
        return 1
    if arguments.check:
        return 0

    defects = [defect for defect in DEFECTS if arguments.only in (None, defect.name)]
    begun = time.monotonic()
    TRIAL.copy_sources()
    TRIAL.configure()
    TRIAL.build({defect.suite for defect in defects}, arguments.jobs)
    green = expect_green(defects, arguments.jobs)
    print(f"without a defect: {green} tests pass ({time.monotonic() - begun:.0f} s)\n")

    print(f"{'defect':<32} {'seconds':>7}  caught by", flush=True)
    caught = 0
    for defect in defects:
        planted = time.monotonic()
        try:
            catcher = plant(defect, arguments.jobs)
            caught += catcher is not None
            verdict = f"{defect.suite}: {catcher}" if catcher else "NOT CAUGHT"
        except Problem as problem:  # what does not compile is caught by no test
            verdict = f"NOT PLANTED: {problem}"
        print(f"{defect.name:<32} {time.monotonic() - planted:>7.1f}  {verdict}", flush=True)
    print(f"\n{caught} of {len(defects)} caught ({time.monotonic() - begun:.0f} s)")
    return 0 if caught == len(defects) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        sys.exit(str(problem))
