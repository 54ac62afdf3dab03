#!/usr/bin/env python3
"""An independent model as a test of the engine: python_service.py over recordings.

python_service.py was written from the specification alone. It has to give the orders and the counts
that are expected of the engine, or that the engine gives: the same text, the same bits of a number.

  model_test.py FOLDER             with x.ndjson (or .gz), x.env, x.orders.ndjson, x.counts.json
  model_test.py corpus             recorded markets and reported cases in the folder that RTS_CORPUS
                                   names, or ../shared/corpus beside the source; 77 without one
  model_test.py random BINARY N    beside `replay`, over N made-up markets with settings as random;
                                   MODEL_SEED=n is another first one
"""
from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

import python_service as service
import random_market

SOURCE = pathlib.Path(__file__).resolve().parents[3]
NOT_THERE = 77  # what CTest takes for "skipped"


def settings_of(path: pathlib.Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def differences(expected: Any, actual: Any, at: str = "") -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            yield from differences(expected.get(key), actual.get(key), f"{at}.{key}")
    elif is_number(expected) and is_number(actual):
        if expected != actual:
            yield f"{at}: expected {expected!r}, got {actual!r}"
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{at}: expected {expected!r}, got {actual!r}"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def replayed(recording: pathlib.Path, settings: dict[str, str]) -> tuple[list[Any], Any]:
    """The orders and the counts of one recording."""
    engine = service.Engine(service.Settings.from_environment(settings),
                            load=service.load_json_first_key)
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(out):
        counts = pathlib.Path(scratch, "counts.json")
        service.replay(engine, str(recording), str(counts))
        counted = json.loads(counts.read_text(encoding="utf-8"))
    return [json.loads(line) for line in out.getvalue().splitlines()], counted


def compared(name: str, expected: tuple[list[Any], Any], settings: dict[str, str],
             recording: pathlib.Path) -> Iterator[str]:
    """What is different in the model's orders and counts."""
    orders, counts = replayed(recording, settings)
    if len(orders) != len(expected[0]):
        yield f"{name}: expected {len(expected[0])} orders, got {len(orders)}"
    for index, (theirs, ours) in enumerate(zip(expected[0], orders), 1):
        for difference in differences(theirs, ours):
            yield f"{name}: order {index}{difference}"
    for difference in differences(expected[1], counts):
        yield f"{name}: counts{difference}"
    print(f"{name}: {counts['frames']['events']} events, {len(orders)} orders")


def read(path: pathlib.Path) -> str:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return file.read()


def plain_or_gzip(path: pathlib.Path) -> pathlib.Path:
    return path if path.exists() else path.with_name(f"{path.name}.gz")


def found_in(folder: pathlib.Path, name: str, settings: dict[str, str],
             recording: pathlib.Path) -> Iterator[str]:
    lines = read(plain_or_gzip(folder / f"{name}.orders.ndjson")).splitlines()
    orders, counts = [json.loads(line) for line in lines], read(folder / f"{name}.counts.json")
    yield from compared(name, (orders, json.loads(counts)), settings, recording)


def recordings(folder: pathlib.Path) -> list[str]:
    names = sorted(path.name.removesuffix(".env") for path in folder.glob("*.env"))
    if not names:
        sys.exit(f"no recordings in {folder}")
    return [difference for name in names
            for difference in found_in(folder, name, settings_of(folder / f"{name}.env"),
                                       plain_or_gzip(folder / f"{name}.ndjson"))]


# --- The corpus ---------------------------------------------------------------------------------

FEED = "feed_usdm_20240719.ndjson.gz"
LIVELY_TICKERS = {"TICKER_VELOCITY_BUY_THRESHOLD": "0.1", "TICKER_VELOCITY_SELL_THRESHOLD": "-0.1",
                  "TICKER_VELOCITY_MIN_PRICE_CHANGE": "0.02",
                  "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": "0"}
# Of each expectation in `expected`: the recording and the settings.
CORPUS = {
    "feed_defaults": (FEED, {}),
    "feed_skew0_cooldown60": (FEED, LIVELY_TICKERS | {"SIGNAL_COOLDOWN_SECONDS": "60"}),
    "feed_no_limits": (FEED, LIVELY_TICKERS | {
        "SIGNAL_COOLDOWN_SECONDS": "0", "RISK_MAX_DAILY_SIGNALS": "0",
        "RISK_MAX_ORDERS_PER_MINUTE": "0", "TRADING_ENABLE_SHORTS": "false"}),
    "session_defaults": ("session_usdm_20240719_first40k.log.gz", {}),
    "relay_skew0": ("relay_spot_20240809_first3k.ndjson.gz", {
        "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": "0", "SIGNAL_COOLDOWN_SECONDS": "30"}),
    "edge": ("edge_frames.tsv", {}),
}  # fmt: skip


def corpus(folder: pathlib.Path) -> list[str]:
    found = recordings(folder / "field")
    with tempfile.TemporaryDirectory() as scratch:
        for name, (file, settings) in CORPUS.items():
            recording = folder / file
            if recording.suffix == ".tsv":
                recording = pathlib.Path(scratch, "edge.ndjson")
                labelled = (folder / file).read_bytes().split(b"\n")
                recording.write_bytes(b"\n".join(line.partition(b"\t")[2] for line in labelled))
            found += found_in(folder / "expected", name, settings, recording)
    return found


# --- Random markets -----------------------------------------------------------------------------

FRAMES = 2500
RUNS_THAT_SHOW_ALL = 20
# What so many runs have to lead to, or they do not test what they should.
SHOWN = {
    "frames": """ignored/control ignored/diff_depth ignored/non_market_trade ignored/other_source
        ignored/symbol_not_traded ignored/unsupported_kind dropped/bad_number dropped/bad_timestamp
        dropped/crossed_book dropped/empty_side dropped/malformed dropped/no_event_time
        dropped/no_symbol dropped/out_of_order dropped/outlier dropped/symbol_conflict
        dropped/unsorted_book dropped/unverified_symbol""".split(),
    "outcomes": [
        f"{strategy}/{outcome}"
        for strategy, own in (
            ("orderbook_skew", ["spread_below_minimum", "spread_above_maximum"]),
            ("trade_momentum", ["below_min_quantity", "warming_up"]),
            ("ticker_velocity", ["below_min_price_change", "warming_up"]))
        for outcome in own + """neutral disabled paused low_confidence no_reference price_band
            shorts_disabled cooldown daily_limit rate_limit size_limit signal_buy
            signal_sell""".split()
    ],
}  # fmt: skip


def valid_settings(binary: str, dice: random.Random, folder: pathlib.Path) -> dict[str, str]:
    while True:
        drawn = random_market.drawn_settings(dice, folder)
        if subprocess.run([binary, "check"], env=drawn, capture_output=True).returncode == 0:
            return drawn


def valid_revisions(binary: str, dice: random.Random, settings: dict[str, str]
                    ) -> list[dict[str, str]]:
    drawn = [random_market.drawn_values(dice) for _ in range(dice.choice([0, 1, 3, 8]))]
    return [values for values in drawn
            if subprocess.run([binary, "check"], env=settings | values,
                              capture_output=True).returncode == 0]


def found_in_random(binary: str, seed: int, folder: pathlib.Path, seen: Counter[str]
                    ) -> Iterator[str]:
    dice = random.Random(seed)
    settings = valid_settings(binary, dice, folder)
    recording, counts_file = folder / f"{seed}.ndjson", folder / "counts.json"
    lines = random_market.Market(dice, settings["TRADING_SYMBOLS"]).lines(FRAMES)

    def replay() -> bytes:
        recording.write_bytes(b"\n".join(lines) + b"\n")
        counts_file.unlink(missing_ok=True)
        return subprocess.run(
            [binary, "replay", str(recording), "--counts", str(counts_file)],
            env=settings, capture_output=True, check=True,
        ).stdout  # fmt: skip

    orders = replay()
    if dice.random() < 0.7:
        random_market.add_notes(dice, lines, [json.loads(line) for line in orders.splitlines()])
        random_market.add_revisions(dice, lines, valid_revisions(binary, dice, settings))
        orders = replay()
    counts = json.loads(counts_file.read_text(encoding="utf-8"))
    for kind in SHOWN:
        seen.update({name: count for name, count in counts[kind].items() if count})
    expected = [json.loads(line) for line in orders.splitlines()], counts
    for difference in compared(f"seed {seed}", expected, settings, recording):
        yield f"{difference}; settings {settings}"


def random_markets(binary: str, runs: int) -> list[str]:
    first = int(os.environ.get("MODEL_SEED", "1"))
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        found = [difference for seed in range(first, first + runs)
                 for difference in found_in_random(binary, seed, pathlib.Path(scratch), seen)]
    if runs >= RUNS_THAT_SHOW_ALL:
        found += [f"no market led to {name}" for names in SHOWN.values() for name in names
                  if not seen[name]]
    return found


def main() -> int:
    if sys.argv[1:2] == ["random"] and len(sys.argv) == 4:
        wrong = random_markets(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:] == ["corpus"]:
        folder = pathlib.Path(os.environ.get("RTS_CORPUS", SOURCE.parent / "shared" / "corpus"))
        if not folder.is_dir():
            print(f"no recordings at {folder}; set RTS_CORPUS to their folder")
            return NOT_THERE
        wrong = corpus(folder)
    elif len(sys.argv) == 2:
        wrong = recordings(pathlib.Path(sys.argv[1]))
    else:
        sys.exit(__doc__)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
