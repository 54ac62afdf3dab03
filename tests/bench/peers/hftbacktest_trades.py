#!/usr/bin/env python3
"""trade_momentum on hftbacktest, over the recorded trades.

hftbacktest reads arrays of its own, one a symbol, which its own converter makes of what its
collector recorded: `<receive ns> <frame>` lines. `convert` does that; `run` compiles the strategy
with numba, as its users do, and gives it each trade. The arrays hold no books, so no order could
be filled: signals are noted, not sent. Prints the signals, one JSON object a line, and on stderr
how long each part took.

  hftbacktest_trades.py convert RECORDING FOLDER
  hftbacktest_trades.py run FOLDER
"""
from __future__ import annotations

import contextlib
import gzip
import json
import pathlib
import sys
import time

import numpy as np
from hftbacktest import BUY_EVENT, BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data.utils import binancefutures
from numba import njit

SYMBOLS = ("BTCUSDT", "ETHUSDT")
MAX_SIGNALS = 100_000
FOREVER_NS = 10**15

WINDOW = 100
MAX_GAP_NS = 60 * 10**9
MIN_QUANTITY = 0.001
PRICE_SCALE_PERCENT = 0.05
QUANTITY_MULTIPLE = 5.0
PRICE_WEIGHT, QUANTITY_WEIGHT, MAKER_WEIGHT = 0.4, 0.3, 0.3
THRESHOLD = 0.7
COOLDOWN_NS = 900 * 10**9


@njit
def passes_cooldown(now, last):
    return last < 0 or (now // COOLDOWN_NS > last // COOLDOWN_NS and now - last >= COOLDOWN_NS)


@njit
def momentum_of(price, quantity, side, sums):
    mean_price, mean_quantity = sums[0] / WINDOW, sums[1] / WINDOW
    distance = (price - mean_price) / mean_price * 100 / PRICE_SCALE_PERCENT
    price_score = max(-1.0, min(1.0, distance))
    quantity_score = side * min(1.0, quantity / (QUANTITY_MULTIPLE * mean_quantity))
    return PRICE_WEIGHT * price_score + QUANTITY_WEIGHT * quantity_score + MAKER_WEIGHT * side


@njit
def join(trade, window, sums, counted):
    """The trade takes the place of the oldest. `counted`: how many there are, the newest's time."""
    if counted[0] >= WINDOW:
        sums -= window[counted[0] % WINDOW]
    row = window[counted[0] % WINDOW]
    row[0], row[1] = trade.px, trade.qty
    sums += row
    counted[0] += 1
    counted[1] = trade.local_ts


@njit
def momentum(hbt, windows, sums, counted, last_order, signals):
    """Fills `signals` (asset, side, price, ms) and returns how many, and how many trades it saw."""
    found = trades = 0
    while True:
        ended = hbt.wait_next_feed(False, FOREVER_NS) == 1
        for asset in range(hbt.num_assets):
            for trade in hbt.last_trades(asset):
                trades += 1
                if trade.qty < MIN_QUANTITY:
                    continue
                if trade.local_ts - counted[asset, 1] > MAX_GAP_NS:
                    sums[asset, :] = 0
                    counted[asset, 0] = 0
                side = 1 if trade.ev & BUY_EVENT == BUY_EVENT else -1
                if counted[asset, 0] >= WINDOW:
                    score = momentum_of(trade.px, trade.qty, side, sums[asset])
                    way = 1 if score > THRESHOLD else (-1 if score < -THRESHOLD else 0)
                    if way != 0 and passes_cooldown(trade.local_ts, last_order[asset, way]):
                        last_order[asset, way] = trade.local_ts
                        row = signals[found]
                        row[0], row[1], row[2] = asset, way, trade.px
                        row[3] = trade.local_ts // 1_000_000
                        found += 1
                join(trade, windows[asset], sums[asset], counted[asset])
            hbt.clear_last_trades(asset)
        if ended:
            return found, trades


def convert(recording: str, folder: pathlib.Path) -> None:
    """The converter wants one gzip file a symbol."""
    begun = time.process_time()
    with contextlib.ExitStack() as files, open(recording, "rb") as lines:
        out = {symbol: files.enter_context(gzip.open(folder / f"{symbol}.gz", "wb", 1))
               for symbol in SYMBOLS}
        for line in lines:
            out["BTCUSDT" if b'"s":"BTCUSDT"' in line else "ETHUSDT"].write(line)
    split = time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        for symbol in SYMBOLS:
            binancefutures.convert(str(folder / f"{symbol}.gz"), str(folder / f"{symbol}.npz"),
                                   buffer_size=2_000_000)
    print(json.dumps({"split_cpu": split - begun, "convert_cpu": time.process_time() - split}),
          file=sys.stderr)


def backtest(folder: pathlib.Path) -> HashMapMarketDepthBacktest:
    ticks = {"BTCUSDT": 0.1, "ETHUSDT": 0.01}
    return HashMapMarketDepthBacktest([
        BacktestAsset().data([str(folder / f"{symbol}.npz")]).linear_asset(1.0)
        .constant_order_latency(0, 0).risk_adverse_queue_model().no_partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.0004).tick_size(ticks[symbol]).lot_size(0.001)
        .last_trades_capacity(1000)
        for symbol in SYMBOLS])


def run(folder: pathlib.Path) -> None:
    def once() -> tuple[int, int, np.ndarray]:
        signals = np.zeros((MAX_SIGNALS, 4), np.float64)
        hbt = backtest(folder)
        symbols = len(SYMBOLS)
        found, trades = momentum(hbt, np.zeros((symbols, WINDOW, 2), np.float64),
                                 np.zeros((symbols, 2), np.float64),
                                 np.zeros((symbols, 2), np.int64),
                                 np.full((symbols, 3), -1, np.int64), signals)
        hbt.close()
        return found, trades, signals

    begun = time.process_time()
    once()  # compiles
    compiled = time.process_time()
    found, trades, signals = once()
    ran = time.process_time()
    for asset, side, price, at in signals[:found]:
        print(json.dumps({"symbol": SYMBOLS[int(asset)], "side": "BUY" if side > 0 else "SELL",
                          "price": float(price), "time": int(at)}))
    print(json.dumps({"compile_cpu": compiled - begun, "run_cpu": ran - compiled,
                      "trades": int(trades)}), file=sys.stderr)


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "convert":
        convert(sys.argv[2], pathlib.Path(sys.argv[3]))
    elif len(sys.argv) == 3 and sys.argv[1] == "run":
        run(pathlib.Path(sys.argv[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
