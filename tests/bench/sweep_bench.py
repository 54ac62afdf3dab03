"""Many settings over one recording: `sweep`, beside `replay` with one after the other, and beside
vectorbt where it is installed. For bench.py, which says how often and how long.

Each is a whole process, and what counts is its CPU time: on a machine with many cores `sweep` uses
them all, and others may be busy. In every run each setting has to come to as many orders as by the
others, or nothing is measured.
"""
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))
from environment import VECTORBT  # noqa: E402  (in a folder below this one)

SETTINGS = 500  # the settings as they are among them
REPLAYED = 3  # so many of them go through `replay` as well, one after the other
# Nothing of the day's limits: each setting decides by its own values alone. The shipped spread
# silences orderbook_skew on these symbols; awake it has something to do.
CONFIGURED = {"ENVIRONMENT": "local", "MESSAGE_TTL_SECONDS": "0", "RISK_MAX_DAILY_SIGNALS": "0",
              "RISK_MAX_ORDERS_PER_MINUTE": "0", "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": "0",
              "SIGNAL_COOLDOWN_SECONDS": "60", "TICKER_VELOCITY_MIN_PRICE_CHANGE": "0.05"}
FEE_BP = 4
STOP_LOSS_PERCENT, TAKE_PROFIT_PERCENT = 2, 4
# A grid, as one sets out with it: 500 combinations, but of 5, 5 and 4 different strategies.
GRID = ["--vary", "SIGNAL_COOLDOWN_SECONDS=10,30,60,300,900",
        "--vary", "ORDERBOOK_SKEW_BUY_THRESHOLD=1.2,1.5,2,3,5",
        "--vary", "TRADE_MOMENTUM_BUY_THRESHOLD=0.5,0.6,0.7,0.8,0.9",
        "--vary", "TICKER_VELOCITY_BUY_THRESHOLD=0.25,0.5,1,2"]
DRAWN = ["--random", str(SETTINGS - 1), "--seed", "1"]
# Hardly two settings agree in a strategy's thresholds; what these stand against is one for all.
THRESHOLDS = ["--vary", "ORDERBOOK_SKEW_BUY_THRESHOLD=1.1..3",
              "--vary", "TRADE_MOMENTUM_BUY_THRESHOLD=0.4..0.9",
              "--vary", "TICKER_VELOCITY_BUY_THRESHOLD=0.1..2", *DRAWN]
# They differ in what is computed of the events as well, and so have windows of their own. A little
# is still shared: a book has 20 levels, and a window is of whole seconds.
APART = [*THRESHOLDS[:-len(DRAWN)],
         "--vary", "ORDERBOOK_SKEW_TOP_LEVELS=1..20",
         "--vary", "TRADE_MOMENTUM_PRICE_SCALE_PERCENT=0.02..0.2",
         "--vary", "TICKER_VELOCITY_TIME_WINDOW=10..900", *DRAWN]
TICKERS = ["--vary", "TICKER_VELOCITY_BUY_THRESHOLD=0.05..0.5",
           "--vary", "TICKER_VELOCITY_SELL_THRESHOLD=-0.5..-0.05",
           "--vary", "SIGNAL_COOLDOWN_SECONDS=10..600", *DRAWN]

EVENT_MS = re.compile(rb'"E":([0-9]+)')


def tickers_of(recording: list[bytes], rows: int) -> list[bytes]:
    """Its tickers again and again, their times going on, until there are so many."""
    tickers = [line.partition(b" ")[2] for line in recording if b'"24hrTicker"' in line]
    if not tickers:
        raise ValueError("the recording has no tickers")
    times = [int(EVENT_MS.search(ticker)[1]) for ticker in tickers]
    span = max(times) - min(times) + 100
    made = []
    for i in range(rows):
        turn, place = divmod(i, len(tickers))
        at = times[place] + turn * span
        made.append(b"%d %s" % (at * 1_000_000, EVENT_MS.sub(b'"E":%d' % at, tickers[place])))
    return made


@dataclass(frozen=True)
class Trial:
    """One setting: what it has of its own, and how many orders it came to."""
    values: dict[str, str]
    orders: int


@dataclass(frozen=True)
class Swept:
    evaluated: int  # events, the refused left out
    trials: list[Trial]  # the first has the settings as they are

    @staticmethod
    def of(report: dict) -> "Swept":
        ranked = sorted(report["ranked"], key=lambda score: score["trial"])
        return Swept(report["events"] - report["refused"],
                     [Trial(score["values"], score["orders"]) for score in ranked])


def vectorbt_terms(trials: list[Trial]) -> dict:
    """The settings of TICKERS as vectorbt_velocity.py takes them."""
    def of(name: str) -> list[float]:
        return [float(trial.values[name]) for trial in trials]

    return {"window_ms": 60_000, "fee_bp": FEE_BP, "stop_loss": STOP_LOSS_PERCENT,
            "take_profit": TAKE_PROFIT_PERCENT,
            "min_change": float(CONFIGURED["TICKER_VELOCITY_MIN_PRICE_CHANGE"]),
            "buy": of("TICKER_VELOCITY_BUY_THRESHOLD"),
            "sell": of("TICKER_VELOCITY_SELL_THRESHOLD"),
            "cooldown_ms": [round(seconds * 1000) for seconds in of("SIGNAL_COOLDOWN_SECONDS")]}


def require_same(who: str, expected: list[int], got: list[int]) -> None:
    """Orders, a setting each. Where there are none, nobody has shown anything."""
    if expected != got:
        places = [i for i, pair in enumerate(zip(expected, got)) if pair[0] != pair[1]]
        raise RuntimeError(f"{who} gives other orders than sweep in {len(places)} of "
                           f"{len(expected)} settings, the first of them {places[:1]}")
    if not any(expected):
        raise RuntimeError(f"{who} and sweep give no order")


def cpu_of(command: list[str | pathlib.Path], settings: dict[str, str]) -> tuple[float, str]:
    """CPU seconds of the whole process, and what it printed. Only one may run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=kept | settings, stdout=subprocess.PIPE, text=True,
                          check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


@dataclass
class SweepBench:
    binary: pathlib.Path
    folder: pathlib.Path
    with_vectorbt: bool
    measured: dict[str, list[float]] = field(default_factory=dict)

    @property
    def recording(self) -> pathlib.Path:
        return self.folder / "all.log"

    @property
    def tickers(self) -> pathlib.Path:
        return self.folder / "tickers.log"

    def prepare(self, frames: int, rows: int) -> None:
        cpu_of([self.binary, "simulate", "--output", self.recording, "--frames", str(frames)], {})
        with self.recording.open("rb") as file:
            self.tickers.write_bytes(b"".join(tickers_of(file.readlines(), rows)))

    def add(self, name: str, combinations: float, cpu: float) -> None:
        """Millions of events × settings a second of CPU time."""
        self.measured.setdefault(name, []).append(combinations / cpu / 1e6)

    def sweep(self, name: str, recording: pathlib.Path, varied: list[str]) -> Swept:
        out = self.folder / "sweep.json"
        cpu, _ = cpu_of([self.binary, "sweep", recording, *varied, "--fee-bp", str(FEE_BP),
                         "--quiet", "--force", "--json", out], CONFIGURED)
        swept = Swept.of(json.loads(out.read_text()))
        self.add(f"sweep/{name}", swept.evaluated * len(swept.trials), cpu)
        return swept

    def replay(self, name: str, recording: pathlib.Path, swept: Swept) -> None:
        """The first settings, the last and some between, one after the other. It evaluates its
        orders as `sweep` does."""
        step = (len(swept.trials) - 1) // (REPLAYED - 1)
        trials = swept.trials[::step][:REPLAYED]
        used, orders = 0.0, []
        for trial in trials:
            cpu, out = cpu_of([self.binary, "replay", recording, "--fee-bp", str(FEE_BP),
                               "--quiet", "--force", "--evaluation",
                               self.folder / "evaluation.json"], CONFIGURED | trial.values)
            used += cpu
            orders.append(out.count("\n"))
        require_same("replay", [trial.orders for trial in trials], orders)
        self.add(f"replay/{name}", swept.evaluated * len(trials), used)

    def vectorbt(self, swept: Swept) -> None:
        terms = self.folder / "terms.json"
        terms.write_text(json.dumps(vectorbt_terms(swept.trials)))
        _, out = cpu_of([VECTORBT.python, HERE / "peers/vectorbt_velocity.py", self.tickers, terms],
                        {})
        told = json.loads(out)
        require_same("vectorbt", [trial.orders for trial in swept.trials], told["orders"])
        for what, cpu in told["cpu"].items():
            self.add(f"vectorbt/{what}", swept.evaluated * len(swept.trials), cpu)

    def round_of(self, name: str, recording: pathlib.Path, varied: list[str]) -> None:
        swept = self.sweep(name, recording, varied)
        self.replay(name, recording, swept)
        if name == "tickers" and self.with_vectorbt:
            self.vectorbt(swept)

    def run(self, rounds: int) -> None:
        """Each round begins with another. Where there are many, one before them is for caches,
        vectorbt's own of its compiled functions among them, and does not count."""
        parts = [("grid", self.recording, GRID), ("thresholds", self.recording, THRESHOLDS),
                 ("apart", self.recording, APART), ("tickers", self.tickers, TICKERS)]
        for number in range(0 if rounds > 1 else 1, rounds + 1):
            first = number % len(parts)
            for part in parts[first:] + parts[:first]:
                self.round_of(*part)
            if number == 0:
                self.measured.clear()


def measure(binary: pathlib.Path, rounds: int, frames: int, rows: int,
            say: Callable[[str], None]) -> tuple[dict[str, list[float]], dict[str, str]]:
    """What every round has measured, by name, and the versions of who was there."""
    is_there = VECTORBT.is_installed()
    say("sweep, beside replay" + (" and vectorbt" if is_there else
        "; vectorbt is not installed (`make bench PEERS=1` installs it)"))
    with tempfile.TemporaryDirectory() as scratch:
        bench = SweepBench(binary, pathlib.Path(scratch), is_there)
        bench.prepare(frames, rows)
        bench.run(rounds)
    return bench.measured, VECTORBT.versions() if is_there else {}
