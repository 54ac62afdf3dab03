#!/usr/bin/env python3
"""Makes docs/RELIABILITY.md: what is promised, the tests of it, and what they last measured.

What the runs have left in build/ is added to docs/reliability.json, of which the page is made. A
run that has left nothing there changes nothing: what it measured before stays, with its date. What
has never been measured is said not to be.

  reliability.py --publish           takes what the runs have left and writes file and page
  reliability.py --check-page        whether the page is what its file says
  reliability.py --check-tests CTEST BUILD   whether every test that a promise names is there
"""
import argparse
import datetime
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys

from promises import COMMANDS, PROMISES, Promise

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/RELIABILITY.md"
DATA = ROOT / "docs/reliability.json"
END = "<!-- end -->"
SKIPPED = 77
# Of runs that can be made shorter: from here on they are what is promised.
ENOUGH_EXECUTIONS = 10_000_000
ENOUGH_SEEDS = 10_000

# By test or command: what it has measured, each as {what, measured, held, date} and maybe a commit.
Measured = dict[str, list[dict]]


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


# --- What the runs have left ----------------------------------------------------------------------


def date_of(path: pathlib.Path) -> str:
    changed = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.timezone.utc)
    return changed.strftime("%Y-%m-%d")


def lines_of(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def of_faults(path: pathlib.Path) -> Measured:
    """Lines that RTS_FAULT_REPORT asked for. Those without their test are of an older build."""
    measured: Measured = {}
    for line in lines_of(path):
        if "test" in line:
            row = {"what": line["fault"], "measured": line["measured"], "held": line["held"],
                   "date": date_of(path), "commit": line["commit"][:12]}
            measured.setdefault(line["test"], []).append(row)
    return measured


def of_brokers(build: pathlib.Path) -> Measured:
    rows = []
    for path in sorted(build.glob("faults.jsonl.v*")):
        lines = lines_of(path)
        broken = [f"{line['fault']}: {line['measured']}" for line in lines if not line["held"]]
        text = f"{len(lines) - len(broken)} of {len(lines)} rows held"
        rows.append({"what": f"nats-server {path.name.partition('.jsonl.')[2]}",
                     "measured": "; not held: ".join([text, *broken]), "held": not broken,
                     "date": date_of(path)})
    return {"e2e-brokers": rows} if rows else {}


def of_ctest(path: pathlib.Path) -> dict[str, bool]:
    """From ctest's own log: of each test that ran to an end whether it passed."""
    results = {}
    name = ""
    for line in path.read_text(errors="replace").splitlines():
        if begun := re.fullmatch(r"\d+/\d+ Test: (.+)", line):
            name = begun[1]
        elif name and line in ("Test Passed.", "Test Failed."):
            results[name] = line == "Test Passed."
            name = ""
    return results


def of_tests(path: pathlib.Path) -> Measured:
    return {name: [{"what": "", "measured": "passed" if passed else "failed", "held": passed,
                    "date": date_of(path)}] for name, passed in of_ctest(path).items()}


def of_sanitizer(command: str, path: pathlib.Path) -> Measured:
    results = of_ctest(path)
    failed = [name for name, passed in results.items() if not passed]
    text = f"{len(results)} tests in the last run, {len(failed)} failed"
    row = {"what": "", "measured": ": ".join([text, *([", ".join(failed)] if failed else [])]),
           "held": bool(results) and not failed, "date": date_of(path)}
    return {command: [row]}


def of_soak(path: pathlib.Path) -> Measured:
    it = json.loads(path.read_text())
    text = (f"{it['frames']:,} frames; orders: {it['orders']}; "
            f"ready again after {it['slowest_ready_ms']:.0f} ms at most; "
            f"RSS {it['resident_mb']:.1f} MB, {it['slope_mb_per_hour']:+.2f} MB/h, without pages "
            f"of files {it['own_slope_mb_per_hour']:+.2f} MB/h; descriptors {pair(it['fds'])}, "
            f"threads {pair(it['threads'])}, p99 {pair(it['p99_ms'])} ms")
    what = f"{it['seconds']:,} s, {it['faults']} faults, seed {it['seed']}"
    return {"soak": [{"what": what, "measured": text, "held": it["held"], "date": date_of(path)}]}


def pair(values: list) -> str:
    return " to ".join("not measured" if value is None else f"{value:g}" for value in values)


def of_fuzz(path: pathlib.Path) -> Measured:
    rows = []
    for it in json.loads(path.read_text())["targets"]:
        findings = len(it["findings"])
        rows.append({"what": it["target"],
                     "measured": f"{it['executions']:,} executions in {it['seconds']:,.0f} s, "
                                 f"{findings} findings",
                     "held": findings == 0 and it["executions"] >= ENOUGH_EXECUTIONS,
                     "date": it["at"][:10]})
    return {"fuzz": rows}


def of_mutants(path: pathlib.Path) -> Measured:
    it = json.loads(path.read_text())
    text = (f"{it['killed']:,} of {it['points']:,} killed, {it['by_time_out']} of them by a "
            f"time-out, {it['explained']} survive and are explained, {it['unexplained']} are not; "
            f"{it['seconds']:,.0f} s, {it['cpu_seconds']:,.0f} s of CPU")
    return {"mutants": [{"what": "", "measured": text, "held": it["unexplained"] == 0,
                         "date": date_of(path)}]}


def of_simulation(path: pathlib.Path) -> Measured:
    it = json.loads(path.read_text())
    text = (f"{it['seeds']:,} seeds in {it['seconds']:.0f} s: {it['steps']:,} steps, "
            f"{it['frames']:,} frames, {sum(it['orders'].values()):,} orders, "
            f"{sum(it['faults'].values()):,} faults; "
            f"{'no rule' if it['held'] else 'A RULE'} broken")
    return {"simulation": [{"what": "", "measured": text,
                            "held": it["held"] and it["seeds"] >= ENOUGH_SEEDS,
                            "date": date_of(path)}]}


def of_coverage(path: pathlib.Path) -> Measured:
    it = json.loads(path.read_text())
    rows = [{"what": part["part"],
             "measured": f"lines {part['line_percent']:.1f} %, branches {part['branch_percent']:.1f} %",
             "held": part["held"], "date": date_of(path)} for part in it["parts"]]
    return {"coverage": rows}


def collected(build: pathlib.Path) -> Measured:
    """Later ones replace earlier ones: what a test reports says more than that it passed."""
    release, log = build / "release", "Testing/Temporary/LastTest.log"
    sources = [
        (release / log, of_tests),
        (release / "faults.jsonl", of_faults),
        (release / "faults.jsonl.soak", lambda path: {"soak-frames": sum(
            of_faults(path).values(), [])}),
        (build / "asan" / log, lambda path: of_sanitizer("sanitize", path)),
        (build / "tsan" / log, lambda path: of_sanitizer("sanitize-threads", path)),
        (release / "soak.json", of_soak),
        (build / "fuzz/report.json", of_fuzz),
        (build / "mutants/report.json", of_mutants),
        (release / "simulation.json", of_simulation),
        (build / "coverage/summary.json", of_coverage),
    ]
    measured = of_brokers(release)
    for path, read in sources:
        try:
            measured |= read(path)
        except FileNotFoundError:
            say(f"{path.relative_to(build)}: not there")
        except (KeyError, TypeError, ValueError) as error:
            say(f"{path.relative_to(build)}: not understood ({error!r})")
    return with_failures(measured, release / log, release / "faults.jsonl")


def with_failures(measured: Measured, log: pathlib.Path, faults: pathlib.Path) -> Measured:
    """A test may fail after it has reported, or in a later run, and has held nothing then."""
    if not log.exists() or (faults.exists() and log.stat().st_mtime < faults.stat().st_mtime):
        return measured
    failed = {name for name, passed in of_ctest(log).items() if not passed}
    return {name: [row | {"held": row["held"] and name not in failed} for row in rows]
            for name, rows in measured.items()}


def with_new(before: Measured, new: Measured) -> Measured:
    """What is named by a promise; a test that only passed does not replace what it reported."""
    after = dict(before)
    for name, rows in new.items():
        only_passed = rows and rows[0]["what"] == "" and rows[0]["held"] and name not in COMMANDS
        if not (only_passed and any(row["what"] for row in before.get(name, []))):
            after[name] = rows
    return {name: rows for name, rows in sorted(after.items())
            if rows and any(names(promise, name) for promise in PROMISES)}


def names(promise: Promise, source: str) -> bool:
    return any(fnmatch.fnmatchcase(source, pattern) for pattern in promise.by)


def unnamed(new: Measured) -> list[str]:
    """Tests that report a fault of which no promise knows."""
    return [name for name, rows in new.items() if name not in COMMANDS and
            any(row["what"] for row in rows) and
            not any(names(promise, name) for promise in PROMISES)]


# --- The page -------------------------------------------------------------------------------------


def sources_of(promise: Promise, measured: Measured) -> list[str]:
    """In the order in which the promise names them."""
    found = []
    for pattern in promise.by:
        found += [name for name in fnmatch.filter(measured, pattern) if name not in found]
    return found


def verdict(promise: Promise, measured: Measured) -> str:
    rows = [row for name in sources_of(promise, measured) for row in measured[name]]
    if not rows:
        return "not measured"
    held = sum(row["held"] for row in rows)
    text = f"held, {held} of {len(rows)}" if held == len(rows) else (
        f"**not held**, {len(rows) - held} of {len(rows)}")
    missing = sum(not fnmatch.filter(measured, pattern) for pattern in promise.by)
    of_tests = f"; not measured: {missing} of {len(promise.by)} sources" if missing else ""
    return f"{text}, {max(row['date'] for row in rows)}{of_tests}"


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cell(text) for text in row) + " |" for row in [head, *rows]]
    lines.insert(1, "|" + "---|" * len(head))
    return "\n".join(lines)


def shown(source: str) -> str:
    return COMMANDS.get(source, f"`{source}`")


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def overview(measured: Measured) -> str:
    rows = [[f"[{promise.fault}](#{anchor(promise.fault)})", promise.promise, promise.figure,
             verdict(promise, measured)] for promise in PROMISES]
    return table(["what happens", "promise", "figure", "last measurement"], rows)


def details(measured: Measured) -> str:
    sections = []
    for promise in PROMISES:
        by = ", ".join(shown(source) for source in promise.by)
        rows = [[shown(name), row["what"], row["measured"], "yes" if row["held"] else "**no**",
                 " ".join([row["date"], row.get("commit", "")]).strip()]
                for name in sources_of(promise, measured) for row in measured[name]]
        head = ["by", "what was done", "measured", "held", "when, commit"]
        sections.append(f"### {promise.fault}\n\nBy {by}.\n\n"
                        f"{table(head, rows) if rows else 'Not measured.'}")
    return "\n\n".join(sections)


def page(text: str, measured: Measured) -> str:
    """The page with what stands between its marks made anew; what people wrote stays."""
    for name, part in (("promises", overview(measured)), ("measurements", details(measured))):
        before, mark, rest = text.partition(f"<!-- made from reliability.json: {name} -->")
        _, end, after = rest.partition(END)
        if not mark or not end:
            raise ValueError(f"the page has no place for {name}")
        text = f"{before}{mark}\n{part}\n{end}{after}"
    return text


def check_page(*, update: bool) -> int:
    text = PAGE.read_text()
    current = page(text, json.loads(DATA.read_text()))
    if update:
        PAGE.write_text(current)
    elif text != current:
        say(f"{PAGE.name} is not what {DATA.name} says: run `make docs`")
        return 1
    return 0


def publish(build: pathlib.Path) -> int:
    new = collected(build)
    if strangers := unnamed(new):
        say(f"no promise names {', '.join(strangers)}: tests/chaos/promises.py")
        return 1
    before = json.loads(DATA.read_text()) if DATA.exists() else {}
    DATA.write_text(json.dumps(with_new(before, new), indent=1, ensure_ascii=False) + "\n")
    return check_page(update=True)


# --- Its tests ------------------------------------------------------------------------------------


def check_tests(ctest: str, build: pathlib.Path) -> int:
    listed = subprocess.run([ctest, "--test-dir", build, "-N"], capture_output=True, text=True,
                            check=True).stdout
    there = re.findall(r"^ *Test +#\d+: (.+)$", listed, re.M)
    if unbuilt := [name for name in there if name.endswith("_NOT_BUILT")]:
        print(f"not checked: {', '.join(unbuilt)}")
        return SKIPPED
    lost = [f"{promise.fault}: {pattern} is no test" for promise in PROMISES
            for pattern in promise.by
            if pattern not in COMMANDS and not fnmatch.filter(there, pattern)]
    print("\n".join(lost) or f"{len(PROMISES)} promises, each with its tests")
    return 1 if lost else 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--publish", action="store_true")
    what.add_argument("--check-page", action="store_true")
    what.add_argument("--check-tests", nargs=2, metavar=("CTEST", "BUILD"))
    given = options.parse_args()
    if given.publish:
        return publish(given.build)
    if given.check_tests:
        return check_tests(given.check_tests[0], pathlib.Path(given.check_tests[1]))
    # As for the other pages, `make docs` asks the test to write.
    return check_page(update="RTS_UPDATE_DOCS" in os.environ)


if __name__ == "__main__":
    sys.exit(main())
