#!/usr/bin/env python3
"""The same recorded feed through what a user would pick instead, in turns with the service.

Peers: the service in Python (json, and orjson with uvloop), and for the trade strategy over
recorded trades NautilusTrader and hftbacktest. Before anything is measured each peer has to give
the same orders, or signals, as `replay`. A round runs everybody once, so that a machine that is
slow for a while is slow for all. Prints a table in Markdown: median, least … most, and the ratio
to the service in the same round; writes the same as JSON.

  run.py [--quick] [--json FILE] [--binary FILE]
  run.py --show FILE      the tables of an earlier run's JSON, once more

The feed is feed_usdm_20240719.ndjson.gz in the folder RTS_CORPUS names (or ../shared/corpus
beside the source), again and again with ids and times that go on; without it `simulate` makes
one. The peers come from PyPI into build/peers/venv, at the versions of requirements.txt.
"""
from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from environment import PEERS

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))
import local_nats  # noqa: E402  (beside this folder, not in it)

RECORDING = "feed_usdm_20240719.ndjson.gz"
SHIFTED_IDS = re.compile(rb'"(t|u|U|pu)":([0-9]+)')
SHIFTED_TIMES = re.compile(rb'"(E|T)":([0-9]+)')
ID_SPAN = 10**10  # more than the ids of one recording span
PACED_RATE = 5_000
# A broker that waits for a slow reader instead of cutting it off.
PATIENT_BROKER = 'write_deadline: "300s"\nmax_pending: 1GB'
LIVE_LIMIT_S = 240
LOOK_EVERY_S = 0.01
# The shipped spread silences orderbook_skew on these symbols; awake it has something to do.
SETTINGS = {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": "0", "SIGNAL_COOLDOWN_SECONDS": "60",
            "MESSAGE_TTL_SECONDS": "0", "ENVIRONMENT": "local"}
TRADE_SETTINGS = {"MESSAGE_TTL_SECONDS": "0"}
TRADED = (b'"s":"BTCUSDT"', b'"s":"ETHUSDT"')


# --- the feed ---------------------------------------------------------------------------------


def corpus() -> pathlib.Path:
    return pathlib.Path(os.environ.get("RTS_CORPUS", SOURCE.parent / "shared" / "corpus"))


def repeated(lines: list[bytes], times: int) -> Iterator[bytes]:
    """The recording again and again; its ids and times go on where they ended."""
    stamps = [int(found) for line in lines for found in re.findall(rb'"E":([0-9]+)', line)[:1]]
    span = max(stamps) - min(stamps) + 100
    for turn in range(times):
        def moved(by: int) -> Callable[[re.Match[bytes]], bytes]:
            return lambda found: b'"%s":%d' % (found[1], int(found[2]) + by)

        for line in lines:
            line = SHIFTED_IDS.sub(moved(turn * ID_SPAN), line)
            yield SHIFTED_TIMES.sub(moved(turn * span), line)


def trades_of(frames: list[bytes]) -> Iterator[bytes]:
    """The trades of BTCUSDT and ETHUSDT, received in their event's millisecond."""
    for frame in frames:
        if b'"e":"trade"' in frame and b'"X":"MARKET"' in frame and any(s in frame for s in TRADED):
            with contextlib.suppress(ValueError):  # `simulate` breaks a few off
                event_ms = json.loads(frame)["data"]["E"]
                yield b"%d %s" % (event_ms * 1_000_000, frame)


@dataclass
class Feed:
    origin: str
    frames: list[bytes]
    all: pathlib.Path  # frames, one a line
    trades: pathlib.Path  # `<receive ns> <frame>`, trades only
    trade_count: int


def make_feed(binary: str, folder: pathlib.Path, times: int) -> Feed:
    recording = corpus() / RECORDING
    if recording.exists():
        with gzip.open(recording) as file:
            frames = list(repeated(file.read().splitlines(), times))
        origin = f"{RECORDING}, {times} times"
    else:
        made = folder / "simulated.log"
        subprocess.run([binary, "simulate", "--output", str(made), "--frames",
                        str(23_407 * times)], check=True, capture_output=True)
        frames = [line.partition(b" ")[2] for line in made.read_bytes().splitlines()]
        origin = f"made by `simulate`, for there is no {RECORDING} (set RTS_CORPUS to its folder)"
    feed = Feed(origin, frames, folder / "all.ndjson", folder / "trades.log", 0)
    feed.all.write_bytes(b"\n".join(frames) + b"\n")
    trades = list(trades_of(frames))
    feed.trades.write_bytes(b"\n".join(trades) + b"\n")
    feed.trade_count = len(trades)
    return feed


# --- measuring --------------------------------------------------------------------------------


@dataclass
class Run:
    cpu: float
    wall: float
    peak_mib: float
    out: str
    err: str


def run(command: list[str], settings: dict[str, str]) -> Run:
    """A whole process, from start to end. Its peak is looked at every 10 ms."""
    environment = local_nats.clean_environment() | settings
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
        peak = [0.0]

        def look() -> None:
            while process.returncode is None:
                with contextlib.suppress(OSError, IndexError):
                    peak[0] = max(peak[0], local_nats.peak_mib(process.pid))
                time.sleep(LOOK_EVERY_S)

        watcher = threading.Thread(target=look)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        out.seek(0)
        err.seek(0)
        done = Run(usage.ru_utime + usage.ru_stime, wall, peak[0], out.read(), err.read())
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {done.err}")
    return done


@dataclass
class Table:
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, section: str, who: str, figure: str, value: float, ours: float | None) -> None:
        """One round's value; `ours` is the service's in the same round."""
        for row in self.rows:
            if (row["section"], row["who"], row["figure"]) == (section, who, figure):
                break
        else:
            row = {"section": section, "who": who, "figure": figure, "rounds": [], "ratios": []}
            self.rows.append(row)
        row["rounds"].append(value)
        if ours:
            row["ratios"].append(value / ours)

    def print(self) -> None:
        for section in dict.fromkeys(row["section"] for row in self.rows):
            print(f"\n### {section}\n\n| | figure | median | least … most | of the service |")
            print("|---|---|---:|---:|---:|")
            for row in self.rows:
                if row["section"] == section:
                    print(f"| {row['who']} | {row['figure']} | {spread(row['rounds'])} "
                          f"| {ratio(row['ratios'])} |")


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def spread(rounds: list[float]) -> str:
    return (f"{shown(statistics.median(rounds))} "
            f"| {shown(min(rounds))} … {shown(max(rounds))}")


def ratio(rounds: list[float]) -> str:
    if not rounds:
        return "1"
    return (f"{shown(statistics.median(rounds))} ({shown(min(rounds))} … {shown(max(rounds))})")


# --- the same work? ---------------------------------------------------------------------------


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def same(expected: Any, got: Any) -> bool:
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[k], got[k]) for k in expected)
    if isinstance(expected, float) or isinstance(got, float):
        return abs(expected - got) <= 1e-9 * max(abs(expected), abs(got))
    return type(expected) is type(got) and expected == got


def require_same(who: str, expected: list[Any], got: list[Any]) -> None:
    if len(expected) == len(got) and all(map(same, expected, got)):
        print(f"{who}: the same {len(got)} as replay", file=sys.stderr)
        return
    first = next((pair for pair in zip(expected, got) if not same(*pair)), "one is longer")
    raise RuntimeError(f"{who} gives {len(got)}, replay {len(expected)}: {first}")


def signals_of(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What engines without our order format can be held to, sorted: some go by symbol."""
    return sorted(({key: order[key] for key in ("symbol", "side", "price")} for order in orders),
                  key=json.dumps)


# --- the peers --------------------------------------------------------------------------------


class Peers:
    def __init__(self, binary: str, python: str, folder: pathlib.Path, feed: Feed,
                 table: Table) -> None:
        self._binary, self._python, self._folder = binary, python, folder
        self._feed, self._table = feed, table
        self._one = folder / "one.log"
        self._one.write_bytes(feed.trades.read_bytes().splitlines(keepends=True)[0])

    def replay(self, recording: pathlib.Path, settings: dict[str, str]) -> Run:
        return run([self._binary, "replay", str(recording), "--quiet"], settings)

    def in_python(self, recording: pathlib.Path, settings: dict[str, str], *options: str) -> Run:
        return run([self._python, str(HERE / "python_service.py"), "replay", str(recording),
                    *options], settings)

    def nautilus(self, recording: pathlib.Path) -> Run:
        return run([self._python, str(HERE / "nautilus_trades.py"), str(recording)], {})

    def hftbacktest(self, step: str, *where: pathlib.Path) -> Run:
        return run([self._python, str(HERE / "hftbacktest_trades.py"), step, *map(str, where)], {})

    def check(self) -> None:
        """Everybody does the same work, or nothing is measured."""
        orders = rows_of(self.replay(self._feed.all, SETTINGS).out)
        require_same("Python", orders, rows_of(self.in_python(self._feed.all, SETTINGS).out))
        require_same("Python with orjson", orders,
                     rows_of(self.in_python(self._feed.all, SETTINGS, "--orjson").out))
        signals = signals_of(rows_of(self.replay(self._feed.trades, TRADE_SETTINGS).out))
        require_same("NautilusTrader", signals,
                     signals_of(rows_of(self.nautilus(self._feed.trades).out)))
        self.hftbacktest("convert", self._feed.trades, self._folder)
        require_same("hftbacktest", signals,
                     signals_of(rows_of(self.hftbacktest("run", self._folder).out)))

    def whole(self, section: str, who: str, done: Run, frames: int, ours: Run | None) -> None:
        for figure, value, base in (
                ("CPU a frame, µs", done.cpu / frames * 1e6, ours and ours.cpu / frames * 1e6),
                ("frames/s, of wall time", frames / done.wall, ours and frames / ours.wall),
                ("peak memory, MiB", done.peak_mib, ours and ours.peak_mib)):
            self._table.add(section, who, figure, value, base)

    def round_of_replay(self) -> None:
        frames = len(self._feed.frames)
        section = f"Recorded frames to orders: {frames:,} frames, start-up included"
        ours = self.replay(self._feed.all, SETTINGS)
        self.whole(section, "realtime-strategies replay", ours, frames, None)
        for who, options in (("Python, json", ()), ("Python, orjson", ("--orjson",))):
            done = self.in_python(self._feed.all, SETTINGS, *options)
            self.whole(section, who, done, frames, ours)

    def round_of_trades(self) -> None:
        count = self._feed.trade_count
        section = f"trade_momentum over recorded trades: {count:,} trades, start-up included"
        ours = self.replay(self._feed.trades, TRADE_SETTINGS)
        our_us = ours.cpu / count * 1e6
        self.whole(section, "realtime-strategies replay", ours, count, None)
        self.whole(section, "Python, json", self.in_python(self._feed.trades, TRADE_SETTINGS),
                   count, ours)
        nautilus = self.nautilus(self._feed.trades)
        self.whole(section, "NautilusTrader, load and run", nautilus, count, ours)
        parts = json.loads(nautilus.err.splitlines()[-1])
        converted = self.hftbacktest("convert", self._feed.trades, self._folder)
        self.whole(section, "hftbacktest, convert", converted, count, ours)
        ran = self.hftbacktest("run", self._folder)
        self.whole(section, "hftbacktest, compile and run", ran, count, ours)
        compiled = json.loads(ran.err.splitlines()[-1])
        inside = "Parts of it, by the peer's own clock, beside the whole of replay"
        for who, cpu in (("NautilusTrader: decode into ticks", parts["load_cpu"]),
                         ("NautilusTrader: run over ticks", parts["run_cpu"]),
                         ("hftbacktest: run over its arrays, compiled", compiled["run_cpu"])):
            self._table.add(inside, who, "CPU a trade, µs", cpu / count * 1e6, our_us)

    def round_of_start(self) -> None:
        section = "One trade: what start-up costs"
        ours = self.replay(self._one, TRADE_SETTINGS)
        rows = [("realtime-strategies replay", ours),
                ("Python, json", self.in_python(self._one, TRADE_SETTINGS)),
                ("NautilusTrader", self.nautilus(self._one))]
        for who, done in rows:
            base = None if done is ours else ours
            self._table.add(section, who, "CPU, ms", done.cpu * 1e3, base and base.cpu * 1e3)
            self._table.add(section, who, "wall time, ms", done.wall * 1e3,
                            base and base.wall * 1e3)


# --- live -------------------------------------------------------------------------------------


@dataclass
class Live:
    cpu: float
    peak_mib: float
    wall: float = 0.0


class Service:
    """Ours, through NATS."""

    def __init__(self, binary: str, url: str) -> None:
        self._service = local_nats.Service(binary, url, SETTINGS)
        self.process = self._service.process
        self._cpu = local_nats.cpu_seconds(self.process.pid)

    def ended(self, frames: int) -> Live:
        """When all frames are counted. Looking costs it a scrape every 20 ms."""
        local_nats.wait_until(lambda: self._service.frames() >= frames, "all frames have come")
        return Live(local_nats.cpu_seconds(self.process.pid) - self._cpu,
                    local_nats.peak_mib(self.process.pid))


class PythonService:
    def __init__(self, python: str, url: str, frames: int, *options: str) -> None:
        self.process = subprocess.Popen(
            [python, str(HERE / "python_service.py"), "live", "--frames", str(frames), *options],
            env=local_nats.clean_environment() | SETTINGS | {"NATS_URL": url},
            stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "subscribed\n":
            raise RuntimeError("the Python service did not subscribe")

    def ended(self, frames: int) -> Live:
        limit = threading.Timer(LIVE_LIMIT_S, self.process.kill)
        limit.start()
        line = self.process.stdout.readline()
        limit.cancel()
        if not line:
            raise RuntimeError("the Python service did not get all frames")
        counted = json.loads(self.process.stdout.readline())
        self.process.wait(30)
        if counted["frames"]["frames"] != frames:
            raise RuntimeError(f"{frames} frames were sent, but counted {counted['frames']}")
        used = json.loads(line)
        return Live(used["cpu_seconds"], used["peak_mib"])


def through_nats(start: Callable[[], Service | PythonService], port: int, messages: list[bytes],
                 rate: int) -> Live:
    service = start()
    try:
        publisher = local_nats.Connection(port)
        begun = time.monotonic()
        sender = threading.Thread(target=local_nats.publish, args=(publisher, messages, rate))
        sender.start()
        if rate:
            sender.join()  # nobody has to look meanwhile
        done = service.ended(len(messages))
        done.wall = time.monotonic() - begun
        sender.join()
        publisher.close()
        return done
    finally:
        local_nats.stop(service.process)


def round_of_live(binary: str, python: str, broker: local_nats.Broker, feed: Feed,
                  paced_frames: int, table: Table) -> None:
    everything = local_nats.publications(feed.frames)
    for messages, rate in ((everything[:paced_frames], PACED_RATE), (everything, 0)):
        count = len(messages)
        pace = f"{rate:,} frames/s" if rate else "as fast as they are taken"
        section = f"Live, through nats-server: {count:,} frames, {pace}"
        ours: Live | None = None
        for who, start in (
                ("realtime-strategies", lambda: Service(binary, broker.url)),
                ("Python, json, asyncio", lambda: PythonService(python, broker.url, count)),
                ("Python, orjson, uvloop",
                 lambda: PythonService(python, broker.url, count, "--orjson", "--uvloop"))):
            done = through_nats(start, broker.port, messages, rate)
            table.add(section, who, "CPU a frame, µs", done.cpu / count * 1e6,
                      ours and ours.cpu / count * 1e6)
            table.add(section, who, "peak memory, MiB", done.peak_mib, ours and ours.peak_mib)
            if not rate:
                table.add(section, who, "frames/s", count / done.wall, ours and count / ours.wall)
            ours = ours or done


# --- together ---------------------------------------------------------------------------------


def versions(binary: str) -> dict[str, str]:
    ours = subprocess.run([binary, "version"], check=True, capture_output=True, text=True)
    broker = subprocess.run(["nats-server", "--version"], check=True, capture_output=True,
                            text=True)
    return {"realtime-strategies": ours.stdout.split()[1],
            "nats-server": broker.stdout.split()[-1],
            "Python": platform.python_version(), **PEERS.versions()}


def print_origin(report: dict[str, Any]) -> None:
    named = ", ".join(f"{who} {version}" for who, version in report["versions"].items())
    print(f"feed: {report['feed']}; {report['rounds']} rounds in turns\nversions: {named}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options.add_argument("--binary", default=str(SOURCE / "build/release/realtime-strategies"))
    options.add_argument("--show", type=pathlib.Path, metavar="FILE")
    given = options.parse_args()
    if given.show:
        earlier = json.loads(given.show.read_text())
        print_origin(earlier)
        Table(earlier["rows"]).print()
        return
    rounds, times, paced_frames = (3, 2, 10_000) if given.quick else (5, 10, 25_000)
    PEERS.install()
    python = PEERS.python
    table = Table()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        feed = make_feed(given.binary, folder, times)
        report = {"feed": feed.origin, "rounds": rounds, "versions": versions(given.binary)}
        print_origin(report)
        peers = Peers(given.binary, python, folder, feed, table)
        peers.check()
        with local_nats.Broker(folder, settings=PATIENT_BROKER) as broker:
            for number in range(1, rounds + 1):
                print(f"round {number} of {rounds}", file=sys.stderr)
                peers.round_of_replay()
                peers.round_of_trades()
                peers.round_of_start()
                round_of_live(given.binary, python, broker, feed, paced_frames, table)
    table.print()
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(report | {"rows": table.rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
