#!/usr/bin/env python3
"""How fast frames came in recordings, by symbol and kind of stream, and what that adds up to.

Of each symbol and stream kind: the frames, the mean rate, and over windows of 1 s and of 100 ms
that lie side by side the rate of the 99th percentile (empty windows count) and the greatest; and
the bytes of a frame. The time of a frame is the receive time in front of it or, where there is
none, its event time: then bursts look shorter than they arrived. At the end the sums for all of a
venue's symbols, as if each were as busy as the recorded ones: BTC and ETH are the busiest, so
that is a bound from above.

  feed_rates.py [--symbols N] [--json FILE] RECORDING…

RECORDING is text or gzip, one `<receive ns> <frame>` or `<frame>` a line. --symbols is how many
perpetual contracts the sums are for (default 512, as many as TRADING_SYMBOLS=* takes).
"""
from __future__ import annotations

import argparse
import gzip
import json
import math
import pathlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass

RECORDED = re.compile(rb"([0-9]+) (.+)")
STREAM = re.compile(rb'"stream":"([^"@]+)@([^"]+)"')
EVENT_TIME = re.compile(rb'"E":([0-9]+)')
WINDOWS_MS = (1000, 100)
# What the venue sends at most of one symbol, whatever its market does: one a 100 ms, one a second.
LIMITED_A_SECOND = {"depth20@100ms": 10, "ticker": 1}


@dataclass
class Rate:
    recording: str
    symbol: str
    kind: str
    frames: int
    mean: float
    p99_1s: float
    peak_1s: float
    p99_100ms: float
    peak_100ms: float
    bytes_a_frame: float


def frames_of(path: pathlib.Path) -> Iterator[tuple[float, bytes]]:
    """(ms, frame). Frames without any time, such as snapshots, are left out."""
    with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
        for line in file:
            recorded = RECORDED.match(line)
            if recorded:
                yield int(recorded[1]) / 1e6, recorded[2]
                continue
            stated = EVENT_TIME.search(line)
            if stated:
                yield float(stated[1]), line.strip()


def in_windows(times: list[float], begin: float, end: float, window_ms: int) -> list[int]:
    """How many in each whole window, ascending."""
    counts = [0] * max(1, int((end - begin) // window_ms))
    for at in times:
        index = int((at - begin) // window_ms)
        if index < len(counts):
            counts[index] += 1
    return sorted(counts)


def rate_of(recording: str, symbol: str, kind: str, times: list[float], size: int,
            span: tuple[float, float]) -> Rate:
    windows = {}
    for window_ms in WINDOWS_MS:
        counts = in_windows(times, *span, window_ms)
        a_second = 1000 / window_ms
        windows[window_ms] = (counts[math.ceil(0.99 * len(counts)) - 1] * a_second,
                              counts[-1] * a_second)
    return Rate(recording, symbol, kind, len(times), len(times) / (span[1] - span[0]) * 1000,
                *windows[1000], *windows[100], size / len(times))


def rates_of(path: pathlib.Path) -> list[Rate]:
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    for at, frame in frames_of(path):
        named = STREAM.search(frame)
        if named is None:
            continue
        for symbol in (named[1].decode(), "all"):
            for kind in (named[2].decode(), "all"):
                times[symbol, kind].append(at)
                sizes[symbol, kind] += len(frame)
    everything = times["all", "all"]
    span = min(everything), max(everything)
    return [rate_of(path.name, symbol, kind, times[symbol, kind], sizes[symbol, kind], span)
            for symbol, kind in sorted(times)]


def sums(rates: list[Rate], symbols: int) -> list[dict[str, object]]:
    """Of each kind a strategy reads: frames/s and bytes/s of all symbols."""
    rows = []
    for kind in ("trade", *LIMITED_A_SECOND):
        of_kind = [rate for rate in rates if rate.kind == kind and rate.symbol != "all"]
        if not of_kind:
            continue
        limit = LIMITED_A_SECOND.get(kind)
        size = max(rate.bytes_a_frame for rate in of_kind)
        at_mean = limit or sum(rate.mean for rate in of_kind) / len(of_kind)
        at_peak = limit or max(rate.peak_1s for rate in of_kind)
        rows.append({"kind": kind, "a_symbol_mean": at_mean, "a_symbol_peak": at_peak,
                     "bytes_a_frame": size,
                     "all_mean": at_mean * symbols, "all_peak": at_peak * symbols,
                     "all_peak_mb_s": at_peak * symbols * size / 1e6})
    return rows


def print_rates(rates: list[Rate]) -> None:
    for recording in dict.fromkeys(rate.recording for rate in rates):
        print(f"\n{recording}\n\n| symbol | stream | frames | mean/s | p99/s of 1 s | peak of 1 s "
              "| p99/s of 100 ms | peak of 100 ms | bytes |")
        print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
        for rate in rates:
            if rate.recording == recording:
                print(f"| {rate.symbol} | {rate.kind} | {rate.frames:,} | {rate.mean:.1f} "
                      f"| {rate.p99_1s:,.0f} | {rate.peak_1s:,.0f} | {rate.p99_100ms:,.0f} "
                      f"| {rate.peak_100ms:,.0f} | {rate.bytes_a_frame:.0f} |")


def print_sums(rows: list[dict[str, object]], symbols: int) -> None:
    print(f"\nAll of {symbols} symbols, if each were as busy as the recorded ones\n\n| stream "
          "| frames/s of one, mean | peak of 1 s | all, mean | all at their peak | MB/s at it |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {row['kind']} | {row['a_symbol_mean']:,.1f} | {row['a_symbol_peak']:,.0f} "
              f"| {row['all_mean']:,.0f} | {row['all_peak']:,.0f} | {row['all_peak_mb_s']:,.0f} |")
    mean, peak, size = (sum(row[key] for row in rows)
                        for key in ("all_mean", "all_peak", "all_peak_mb_s"))
    print(f"| together | | | {mean:,.0f} | {peak:,.0f} | {size:,.0f} |")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recordings", nargs="+", type=pathlib.Path, metavar="RECORDING")
    options.add_argument("--symbols", type=int, default=512, metavar="N")
    options.add_argument("--json", type=pathlib.Path, metavar="FILE")
    given = options.parse_args()
    rates = [rate for path in given.recordings for rate in rates_of(path)]
    totals = sums(rates, given.symbols)
    print_rates(rates)
    print_sums(totals, given.symbols)
    if given.json:
        given.json.write_text(json.dumps({"symbols": given.symbols, "sums": totals,
                                          "rates": [asdict(rate) for rate in rates]},
                                         indent=1) + "\n")


if __name__ == "__main__":
    main()
