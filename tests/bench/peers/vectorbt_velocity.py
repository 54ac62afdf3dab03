#!/usr/bin/env python3
"""ticker_velocity with many settings on vectorbt, over recorded tickers.

What a user of vectorbt would write: the velocity of each symbol once, as an array; of it the
signals of every setting, by an indicator that numba compiles, because a cooldown depends on the
signal before; of the signals one portfolio a setting, with fee, stop loss and take profit. All of
it is done twice: the first time is what a user waits for, imports and compilation included, the
second what it costs once compiled. Prints one JSON object: the signals of each setting, and CPU
seconds.

  vectorbt_velocity.py RECORDING SETTINGS

RECORDING has `<receive ns> <frame>` lines, tickers only. SETTINGS is a JSON object with "window_ms",
"min_change" and "fee_bp", "stop_loss" and "take_profit", both in percent, which hold for all, and
"buy", "sell" and "cooldown_ms", each a list with a number for every setting.
"""
from __future__ import annotations

import json
import pathlib
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt
from numba import njit


@njit
def signals_nb(velocity, at, buy, sell, cooldown):
    """1 buys, -1 sells; `at` in milliseconds. A column is a symbol."""
    signals = np.zeros(velocity.shape, np.int8)
    for column in range(velocity.shape[1]):
        last = np.full(2, -1, np.int64)
        for row in range(velocity.shape[0]):
            value, now = velocity[row, column], at[row, column]
            side = 0 if value > buy else 1 if value < sell else -1
            if side < 0:
                continue
            if last[side] >= 0 and (now // cooldown <= last[side] // cooldown
                                    or now - last[side] < cooldown):
                continue
            last[side] = now
            signals[row, column] = 1 - 2 * side
    return signals


VelocitySignals = vbt.IndicatorFactory(
    class_name="VelocitySignals", short_name="velocity", input_names=["velocity", "at"],
    param_names=["buy", "sell", "cooldown"], output_names=["signals"]).from_apply_func(signals_nb)


# Event times in milliseconds and last prices, by symbol.
Symbols = dict[str, tuple[np.ndarray, np.ndarray]]


def load(path: str) -> Symbols:
    columns: dict[str, tuple[list[int], list[float]]] = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            ticker = json.loads(line.partition(" ")[2])["data"]
            times, prices = columns.setdefault(ticker["s"], ([], []))
            times.append(ticker["E"])
            prices.append(float(ticker["c"]))
    return {symbol: (np.array(times), np.array(prices))
            for symbol, (times, prices) in columns.items()}


def velocity_of(at: np.ndarray, price: np.ndarray, terms: dict[str, Any]) -> np.ndarray:
    """Percent a minute since the oldest price of the window; NaN where the rule is silent."""
    oldest = np.searchsorted(at, at - terms["window_ms"])
    span = at - at[oldest]
    change = (price - price[oldest]) / price[oldest] * 100
    warm = (at - at[0] >= terms["window_ms"]) & (span * 100 >= terms["window_ms"] * 80)
    with np.errstate(divide="ignore", invalid="ignore"):
        velocity = change / (span / 60_000)
    return np.where(warm & (np.abs(change) >= terms["min_change"]), velocity, np.nan)


def signals_of(at: np.ndarray, price: np.ndarray, terms: dict[str, Any]) -> pd.DataFrame:
    """A column a setting."""
    index = pd.to_datetime(at, unit="ms", utc=True)
    velocity = pd.Series(velocity_of(at, price, terms), index)
    return VelocitySignals.run(velocity, pd.Series(at, index), terms["buy"], terms["sell"],
                               terms["cooldown_ms"]).signals


def portfolios_of(price: np.ndarray, signals: pd.DataFrame, terms: dict[str, Any]) -> list[Any]:
    portfolio = vbt.Portfolio.from_signals(
        pd.Series(price, signals.index), entries=signals > 0, short_entries=signals < 0,
        sl_stop=terms["stop_loss"] / 100, tp_stop=terms["take_profit"] / 100,
        fees=terms["fee_bp"] / 10_000, freq="1s")
    return [portfolio.total_profit(), portfolio.max_drawdown()]


def run(symbols: Symbols, terms: dict[str, Any]) -> tuple[list[int], dict[str, float]]:
    """How many signals each setting has, and the CPU seconds of them and of all."""
    begun = time.process_time()
    signals = {symbol: signals_of(at, price, terms) for symbol, (at, price) in symbols.items()}
    decided = time.process_time()
    for symbol, (_, price) in symbols.items():
        portfolios_of(price, signals[symbol], terms)
    ended = time.process_time()
    counts = sum(np.count_nonzero(of_symbol.to_numpy(), axis=0) for of_symbol in signals.values())
    return counts.tolist(), {"signals": decided - begun, "portfolios": ended - begun}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    terms = json.loads(pathlib.Path(sys.argv[2]).read_text())
    symbols = load(sys.argv[1])
    run(symbols, terms)
    whole = time.process_time()  # from the start of the process
    orders, cpu = run(symbols, terms)
    print(json.dumps({"orders": orders, "cpu": cpu | {"whole": whole}}))


if __name__ == "__main__":
    main()
