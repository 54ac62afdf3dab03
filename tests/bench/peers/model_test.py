#!/usr/bin/env python3
"""An independent model as a test of the engine: python_service.py over recordings.

python_service.py was written from the specification alone. It has to give the orders and the counts
that are expected of the engine, or that the engine gives: strings and numbers alike to the last bit.

  model_test.py FOLDER             with x.ndjson (or .gz), x.env, x.orders.ndjson, x.counts.json
  model_test.py corpus             recorded markets and reported cases in the folder that RTS_CORPUS
                                   names, or ../shared/corpus beside the source; 77 without one
  model_test.py random BINARY N    beside `replay`, over N made-up and bent markets of random
                                   settings; MODEL_SEED=n is another first one
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
from collections.abc import Callable, Iterator
from typing import Any

import python_service as service

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

FRAMES = 1500
# What the rules turn on, with values that they turn at.
CHOICES = {
    "TRADING_SYMBOLS": ["BTCUSDT,ETHUSDT,BNBUSDT", "ETHUSDT", "*"],
    "ORDERBOOK_SKEW_TOP_LEVELS": ["1", "5", "20"],
    "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": ["0", "0.0005", "0.1"],
    "ORDERBOOK_SKEW_MAX_SPREAD_PERCENT": ["0", "0.2"],
    "TRADE_MOMENTUM_WINDOW": ["2", "20", "100"],
    "TRADE_MOMENTUM_BUY_THRESHOLD": ["0.1", "0.7"],
    "TRADE_MOMENTUM_SELL_THRESHOLD": ["-0.1", "-0.7"],
    "TRADE_MOMENTUM_MIN_QUANTITY": ["0", "0.001", "0.5"],
    "TICKER_VELOCITY_TIME_WINDOW": ["1", "10", "60"],
    "TICKER_VELOCITY_BUY_THRESHOLD": ["0", "0.5"],
    "TICKER_VELOCITY_SELL_THRESHOLD": ["0", "-0.5"],
    "TICKER_VELOCITY_MIN_PRICE_CHANGE": ["0", "0.01", "0.1"],
    "SIGNAL_MIN_CONFIDENCE": ["0", "0.62", "0.8"],
    "SIGNAL_COOLDOWN_SECONDS": ["0", "1", "900"],
    "RISK_MAX_DAILY_SIGNALS": ["0", "3", "50"],
    "RISK_MAX_ORDERS_PER_MINUTE": ["0", "2", "30"],
    "RISK_PRICE_BAND_PERCENT": ["0", "0.01", "5"],
    "RISK_STOP_LOSS_PERCENT": ["0.5", "2"],
    "TRADING_ENABLE_SHORTS": ["true", "false"],
    "TRADING_ORDER_NOTIONAL": ["1", "33.3", "100", "999"],
    "TRADING_LEVERAGE": ["1", "7"],
    "ORDER_FORMAT": ["trade_order", "signal"],
}


def bend_number(event: dict[str, Any], dice: random.Random) -> None:
    """Another digit, a sign, a size that is out of this world."""
    key = dice.choice(sorted(event))
    text = event[key]
    if isinstance(text, str) and text[:1].isdigit():
        at = dice.randrange(len(text))
        other = text[:at] + dice.choice("0123456789") + text[at + 1 :]
        spoilt = ["", "0", f"0{text}", f"-{text}", f"{text}e3", f"{text}e-3"]
        event[key] = dice.choice([other, *spoilt])


def bend_time(event: dict[str, Any], dice: random.Random) -> None:
    if isinstance(event.get("E"), int):
        event["E"] += dice.choice([-90_000, -61_000, -1000, -1, 1, 1000, 61_000])


def bend_key(event: dict[str, Any], dice: random.Random) -> None:
    key = dice.choice(sorted(event))
    event[key] = dice.choice([None, True, "x", -1, [], {}])
    if dice.random() < 0.5:
        del event[key]


def bend_book(event: dict[str, Any], dice: random.Random) -> None:
    for side in ("b", "a", "bids", "asks"):
        if isinstance(event.get(side), list) and event[side] and dice.random() < 0.5:
            levels = event[side]
            dice.choice([levels.reverse, levels.pop, levels.clear])()


BENDS: list[Callable[[dict[str, Any], random.Random], None]] = [
    bend_number, bend_time, bend_key, bend_book
]  # fmt: skip


def bent(text: bytes, dice: random.Random) -> bytes:
    try:
        frame = json.loads(text)
    except ValueError:  # the market has some that are cut off
        return text
    event = frame["data"] if isinstance(frame.get("data"), dict) else frame
    dice.choice(BENDS)(event, dice)
    return json.dumps(frame, separators=(",", ":")).encode()


def bent_market(binary: str, seed: int) -> bytes:
    """One frame in five is bent, sent twice or sent too late."""
    made = subprocess.run(
        [binary, "simulate", "--output", "-", "--frames", str(FRAMES), "--seed", str(seed)],
        env={}, capture_output=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    dice, lines = random.Random(seed), []
    for line in made:
        received, _, text = line.partition(b" ")
        where, fate = len(lines), dice.random()
        if fate < 0.12:
            text = bent(text, dice)
        elif fate < 0.17:
            where = max(0, where - dice.randrange(9))
        lines.insert(where, received + b" " + text)
        if fate > 0.97:
            lines.append(lines[-1])
    return b"\n".join(lines) + b"\n"


def valid_settings(binary: str, dice: random.Random) -> dict[str, str]:
    """Some of the choices; not all of them go together."""
    while True:
        drawn = {name: dice.choice(v) for name, v in CHOICES.items() if dice.random() < 0.9}
        if subprocess.run([binary, "check"], env=drawn, capture_output=True).returncode == 0:
            return drawn


def found_in_random(binary: str, seed: int, folder: pathlib.Path) -> Iterator[str]:
    recording, counts_file = folder / f"{seed}.ndjson", folder / f"{seed}.counts.json"
    recording.write_bytes(bent_market(binary, seed))
    settings = valid_settings(binary, random.Random(seed))
    done = subprocess.run(
        [binary, "replay", str(recording), "--counts", str(counts_file)],
        env=settings, capture_output=True, check=True,
    )  # fmt: skip
    counts = json.loads(counts_file.read_text(encoding="utf-8"))
    expected = [json.loads(line) for line in done.stdout.splitlines()], counts
    for difference in compared(f"seed {seed}", expected, settings, recording):
        yield f"{difference}; settings {settings}"


def random_markets(binary: str, runs: int) -> list[str]:
    first = int(os.environ.get("MODEL_SEED", "1"))
    with tempfile.TemporaryDirectory() as scratch:
        return [difference for seed in range(first, first + runs)
                for difference in found_in_random(binary, seed, pathlib.Path(scratch))]


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
