#!/usr/bin/env python3
"""trade_momentum on NautilusTrader's backtest engine, over the recorded trades.

The recording holds `<receive ns> <frame>` lines with trades of BTCUSDT and ETHUSDT. They are
decoded with json and made into ticks by Nautilus' own wrangler; a strategy in Python, as its
users write them, gets each one, and sends a market order to a simulated venue for each signal
that the cooldown lets pass. Prints the signals, one JSON object a line, and on stderr how long
loading and running took.

  nautilus_trades.py RECORDING
"""
from __future__ import annotations

import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType, OrderSide
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.wranglers import TradeTickDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

WINDOW = 100
MAX_GAP_NS = 60 * 10**9
MIN_QUANTITY = 0.001
PRICE_SCALE_PERCENT = 0.05
QUANTITY_MULTIPLE = 5.0
WEIGHTS = (0.4, 0.3, 0.3)  # price, quantity, maker
THRESHOLD = 0.7
COOLDOWN_NS = 900 * 10**9
NOTIONAL = 100.0


class MomentumConfig(StrategyConfig, frozen=True):
    instruments: tuple[Any, ...] = ()


@dataclass(slots=True)
class Window:
    """The last trades, and the sums over them."""

    trades: deque[tuple[float, float]] = field(default_factory=deque)  # price, quantity
    price_sum: float = 0.0
    quantity_sum: float = 0.0
    newest_ns: int = 0

    def add(self, price: float, quantity: float, at_ns: int) -> None:
        if len(self.trades) == WINDOW:
            old_price, old_quantity = self.trades.popleft()
            self.price_sum -= old_price
            self.quantity_sum -= old_quantity
        self.trades.append((price, quantity))
        self.price_sum += price
        self.quantity_sum += quantity
        self.newest_ns = at_ns


class Momentum(Strategy):
    def __init__(self, config: MomentumConfig) -> None:
        super().__init__(config)
        self.signals: list[tuple[Any, ...]] = []
        self._windows: dict[Any, Window] = {}  # by instrument
        self._last_order: dict[Any, int] = {}

    def on_start(self) -> None:
        for instrument_id in self.config.instruments:
            self.subscribe_trade_ticks(instrument_id)

    def on_trade_tick(self, tick: TradeTick) -> None:
        price, quantity = float(tick.price), float(tick.size)
        if quantity < MIN_QUANTITY:
            return
        window = self._windows.get(tick.instrument_id)
        if window is None or tick.ts_event - window.newest_ns > MAX_GAP_NS:
            window = self._windows[tick.instrument_id] = Window()
        if len(window.trades) == WINDOW:
            self._score(tick, price, quantity, window)
        window.add(price, quantity, tick.ts_event)

    def _score(self, tick: TradeTick, price: float, quantity: float, window: Window) -> None:
        mean_price, mean_quantity = window.price_sum / WINDOW, window.quantity_sum / WINDOW
        side = 1 if tick.aggressor_side == AggressorSide.BUYER else -1
        distance = (price - mean_price) / mean_price * 100 / PRICE_SCALE_PERCENT
        price_score = max(-1.0, min(1.0, distance))
        quantity_score = side * min(1.0, quantity / (QUANTITY_MULTIPLE * mean_quantity))
        momentum = WEIGHTS[0] * price_score + WEIGHTS[1] * quantity_score + WEIGHTS[2] * side
        if momentum > THRESHOLD:
            self._order(tick, OrderSide.BUY, price)
        elif momentum < -THRESHOLD:
            self._order(tick, OrderSide.SELL, price)

    def _order(self, tick: TradeTick, side: OrderSide, price: float) -> None:
        key, now = (tick.instrument_id, side), tick.ts_event
        last = self._last_order.get(key)
        if last is not None and (now // COOLDOWN_NS <= last // COOLDOWN_NS
                                 or now - last < COOLDOWN_NS):
            return
        self._last_order[key] = now
        instrument = self.cache.instrument(tick.instrument_id)
        self.signals.append((instrument.raw_symbol.value,
                             "BUY" if side == OrderSide.BUY else "SELL", price, now // 1_000_000))
        self.submit_order(self.order_factory.market(
            instrument_id=tick.instrument_id, order_side=side,
            quantity=instrument.make_qty(NOTIONAL / price)))


def load(path: str, instruments: dict[str, CryptoPerpetual]) -> list[TradeTick]:
    columns: dict[str, list[tuple[Any, ...]]] = {symbol: [] for symbol in instruments}
    with open(path, encoding="utf-8") as file:
        for line in file:
            trade = json.loads(line.partition(" ")[2])["data"]
            columns[trade["s"]].append((trade["E"], float(trade["p"]), float(trade["q"]),
                                        trade["m"], str(trade["t"])))
    ticks: list[TradeTick] = []
    for symbol, rows in ((symbol, rows) for symbol, rows in columns.items() if rows):
        frame = pd.DataFrame(rows, columns=["E", "price", "quantity", "buyer_maker", "trade_id"])
        frame.index = pd.to_datetime(frame.pop("E"), unit="ms", utc=True)
        ticks += TradeTickDataWrangler(instruments[symbol]).process(frame)
    return ticks


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    instruments = {"BTCUSDT": TestInstrumentProvider.btcusdt_perp_binance(),
                   "ETHUSDT": TestInstrumentProvider.ethusdt_perp_binance()}
    engine = BacktestEngine(BacktestEngineConfig(
        trader_id=TraderId("PEER-001"), logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN,
                     starting_balances=[Money(1_000_000, USDT)], trade_execution=True)
    for instrument in instruments.values():
        engine.add_instrument(instrument)
    begun = time.perf_counter(), time.process_time()
    engine.add_data(load(sys.argv[1], instruments))
    strategy = Momentum(MomentumConfig(instruments=tuple(i.id for i in instruments.values())))
    engine.add_strategy(strategy)
    loaded = time.perf_counter(), time.process_time()
    engine.run()
    ran = time.perf_counter(), time.process_time()
    for symbol, side, price, at in strategy.signals:
        print(json.dumps({"symbol": symbol, "side": side, "price": price, "time": at}))
    print(json.dumps({"load_seconds": loaded[0] - begun[0], "load_cpu": loaded[1] - begun[1],
                      "run_seconds": ran[0] - loaded[0], "run_cpu": ran[1] - loaded[1],
                      "orders": engine.get_result().total_orders}), file=sys.stderr)


if __name__ == "__main__":
    main()
