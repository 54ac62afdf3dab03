#!/usr/bin/env python3
"""The service as a Python engineer would write it: asyncio, nats-py, json, the same rules.

It is a peer to measure against, and an independent model of the rules to test the engine with: it
was written from the specification, not from the C++ code, and shares nothing with it. It decodes,
decides and writes orders like the service; it has no circuit breaker, health pages or metrics, and
it does not wait for the answer to an order.

  python_service.py replay RECORDING [--counts FILE]   orders to stdout; plain, gzip or -
  python_service.py live [--frames N]                  NATS in, NATS out; at the end the counts

--orjson and --uvloop take the faster parser and event loop from PyPI instead. Settings come from
the environment variables that the service reads. Where a key occurs twice in an object the last one
counts, as is usual in Python; --first-key counts the first, as the service does.
"""
from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import os
import re
import signal
import sys
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

MAX_FRAME_BYTES = 1 << 20
MAX_SYMBOLS = 512
MAX_LEVELS = 20
MAX_TICKER_SAMPLES = 4096
MAX_INT64 = 2**63 - 1
MICROSECONDS_FROM = 10**14  # an `E` this large counts microseconds
LAST_MS = 253_370_764_800_000  # the year 9999: Python has no dates after it
FRESH_MS = 60_000  # a reference price is believed that long; an older id is a reset after it
FUTURE_MS = 10_000
DAY_MS = 86_400_000
MINUTE_MS = 60_000

PARTIAL_BOOKS = {"depth5", "depth10", "depth20"}
TRADES = {"trade": "t", "aggTrade": "a"}  # and the key of their ids
TICKERS = {"24hrTicker", "24hrMiniTicker", "1hTicker", "4hTicker", "1dTicker"}
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
RECORDED = re.compile(rb"([0-9]+) (.+)", re.DOTALL)
ASCII_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ORDER_IDS = uuid.uuid5(uuid.NAMESPACE_DNS, "petrosa-realtime-strategies")


class Refused(Exception):
    """An event that no strategy sees. The argument is "ignored/…" or "dropped/…"."""


MALFORMED = "dropped/malformed"
BAD_NUMBER = "dropped/bad_number"
DIFF_DEPTH = "ignored/diff_depth"


# --- settings ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Each is the environment variable of the same name in capitals."""

    nats_url: str = "nats://localhost:4222"
    nats_consumer_topic: str = "binance.websocket.data"
    nats_publisher_topic: str = "tradeengine.orders"
    nats_consumer_group: str = "realtime-strategies-group"
    trading_symbols: str = "BTCUSDT,ETHUSDT,BNBUSDT"
    trading_enable_shorts: bool = True
    trading_leverage: int = 1
    trading_order_notional: float = 100.0
    trading_min_position_size: float = 10.0
    trading_max_position_size: float = 1000.0
    trading_quantity_step: str = "0.001"
    trading_quantity_steps: str = "BTCUSDT:0.001,ETHUSDT:0.001,BNBUSDT:0.01"
    trading_paused: bool = False
    strategy_enabled_orderbook_skew: bool = True
    strategy_enabled_trade_momentum: bool = True
    strategy_enabled_ticker_velocity: bool = True
    orderbook_skew_top_levels: int = 5
    orderbook_skew_buy_threshold: float = 1.2
    orderbook_skew_sell_threshold: float = 0.8
    orderbook_skew_min_spread_percent: float = 0.1
    orderbook_skew_max_spread_percent: float = 0.0
    trade_momentum_price_weight: float = 0.4
    trade_momentum_quantity_weight: float = 0.3
    trade_momentum_maker_weight: float = 0.3
    trade_momentum_buy_threshold: float = 0.7
    trade_momentum_sell_threshold: float = -0.7
    trade_momentum_min_quantity: float = 0.001
    trade_momentum_window: int = 100
    trade_momentum_price_scale_percent: float = 0.05
    trade_momentum_quantity_multiple: float = 5.0
    ticker_velocity_time_window: int = 60
    ticker_velocity_buy_threshold: float = 0.5
    ticker_velocity_sell_threshold: float = -0.5
    ticker_velocity_min_price_change: float = 0.1
    signal_cooldown_seconds: int = 900
    signal_min_confidence: float = 0.6
    risk_max_daily_signals: int = 50
    risk_max_orders_per_minute: int = 30
    risk_price_band_percent: float = 5.0
    risk_stop_loss_percent: float = 2.0
    risk_take_profit_percent: float = 4.0
    order_format: str = "trade_order"
    order_ttl_seconds: int = 5
    order_ttl_reduce_only_seconds: int = 30
    message_ttl_seconds: int = 60

    @classmethod
    def from_environment(cls, environment: dict[str, str]) -> Settings:
        given = {}
        for setting in fields(cls):
            text = environment.get(setting.name.upper())
            if text is not None:
                given[setting.name] = cls._parse(setting.default, text)
        return cls(**given)

    @staticmethod
    def _parse(default: Any, text: str) -> Any:
        return text.lower() == "true" if isinstance(default, bool) else type(default)(text)

    def quantity_steps(self) -> dict[str, Decimal]:
        pairs = (item.split(":") for item in self.trading_quantity_steps.split(",") if item)
        return {symbol: Decimal(step) for symbol, step in pairs}


# --- events -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Event:
    name: str  # `e`; "book" for all books
    symbol: str
    time: int  # ms
    id_letter: str
    id: Any  # of its sequence, as it came

    @property
    def event_id(self) -> str:
        return f"{self.id_letter}:{self.time if self.id_letter == 'E' else self.id}"


@dataclass(slots=True)
class Book(Event):
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    names_symbol: bool  # itself, not only in the name of its stream

    @property
    def mid(self) -> float:
        return (self.bids[0][0] + self.asks[0][0]) / 2


@dataclass(slots=True)
class Trade(Event):
    price: float
    quantity: float
    buyer_is_maker: bool


@dataclass(slots=True)
class Ticker(Event):
    price: float


@dataclass(slots=True)
class Envelope:
    """What came around an event."""

    stream: str | None = None
    timestamp: Any = None
    message_id: str | None = None
    traceparent: str | None = None


def load_json(frame: bytes) -> Any:
    return json.loads(frame.decode("utf-8"), parse_constant=_no_constant)


def load_json_first_key(frame: bytes) -> Any:
    """Of a key that occurs twice the first counts."""
    return json.loads(frame.decode("utf-8"), parse_constant=_no_constant,
                      object_pairs_hook=lambda pairs: dict(reversed(pairs)))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def take_apart(value: Any) -> tuple[Envelope, list[Any]]:
    """The decoded frame → what was around the events, and the events."""
    if isinstance(value, list):
        return Envelope(), _not_empty(value)
    if not isinstance(value, dict):
        raise Refused(MALFORMED)
    stream, data = value.get("stream"), value.get("data")
    if stream is None and data is None:
        if value.get("e") is not None or value.get("lastUpdateId") is not None:
            return Envelope(), [value]
        if _is_control(value):
            raise Refused("ignored/control")
        raise Refused(MALFORMED)
    if not isinstance(stream, str):
        raise Refused(MALFORMED)
    trace = value.get("_otel_trace_context")
    envelope = Envelope(stream, value.get("timestamp"), text_or_none(value.get("message_id")),
                        text_or_none(trace.get("traceparent")) if isinstance(trace, dict) else None)
    if isinstance(data, dict):
        return envelope, [data]
    if isinstance(data, list):
        return envelope, _not_empty(data)
    raise Refused(MALFORMED)


def text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_control(value: dict[str, Any]) -> bool:
    return ("result" in value or "error" in value or ("code" in value and "msg" in value)
            or set(value) == {"id"})


def _not_empty(events: list[Any]) -> list[Any]:
    if not events:
        raise Refused("ignored/control")
    return events


def number(value: Any) -> float:
    """A JSON number, or a string that is one."""
    if isinstance(value, str):
        if not NUMBER.fullmatch(value):
            raise Refused(BAD_NUMBER)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(MALFORMED)
    try:
        result = float(value)
    except OverflowError:
        raise Refused(BAD_NUMBER) from None
    if not math.isfinite(result):
        raise Refused(BAD_NUMBER)
    return result


def positive(value: Any) -> float:
    result = number(value)
    if result <= 0:
        raise Refused(BAD_NUMBER)
    return result


def levels(side: Any) -> list[tuple[float, float]]:
    if not isinstance(side, list):
        raise Refused(MALFORMED)
    result = []
    for level in side:
        if not isinstance(level, list) or len(level) < 2:
            raise Refused(MALFORMED)
        price, quantity = positive(level[0]), number(level[1])
        if quantity < 0:
            raise Refused(BAD_NUMBER)
        result.append((price, quantity))
    return result


def first_of(raw: dict[str, Any], key: str, other: str) -> Any:
    value = raw.get(key)
    return raw.get(other) if value is None else value


def upper(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(ASCII_UPPER)


def integer(value: Any, least: int, reason: str, most: int = MAX_INT64) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refused(reason)
    return value


class Decoder:
    """Frames to events: every rule that needs the event alone."""

    def __init__(self, settings: Settings, live: bool, load: Callable[[bytes], Any]) -> None:
        self._load = load
        self._all_symbols = settings.trading_symbols == "*"
        self._symbols: set[str] = (
            set() if self._all_symbols else set(upper(settings.trading_symbols).split(",")))
        self._ttl_ms = settings.message_ttl_seconds * 1000 if live else 0
        self._live = live

    def frame(self, frame: bytes) -> tuple[Envelope, list[Any]]:
        if len(frame) > MAX_FRAME_BYTES:
            raise Refused("dropped/too_large")
        try:
            value = self._load(frame)
        except (ValueError, RecursionError):
            raise Refused(MALFORMED) from None
        return take_apart(value)

    def event(self, raw: Any, envelope: Envelope, received_ms: int | None) -> Event:
        if not isinstance(raw, dict):
            raise Refused(MALFORMED)
        kind = raw.get("e")
        if kind is None:
            if any(raw.get(key) is None for key in ("lastUpdateId", "bids", "asks")):
                raise Refused(MALFORMED)
            return self._book(raw, envelope, received_ms)
        if not isinstance(kind, str):
            raise Refused("ignored/unsupported_kind")
        if kind in TRADES:
            return self._trade(kind, raw, envelope, received_ms)
        if kind in TICKERS:
            return self._ticker(kind, raw, envelope, received_ms)
        if kind == "depthUpdate":
            return self._book(raw, envelope, received_ms)
        raise Refused("ignored/unsupported_kind")

    def _book(self, raw: dict[str, Any], envelope: Envelope, received_ms: int | None) -> Book:
        parts = (envelope.stream or "").split("@")
        if len(parts) < 2 or parts[1] not in PARTIAL_BOOKS:
            raise Refused(DIFF_DEPTH)
        symbol = self._symbol(raw, envelope)
        at = self._time(raw, envelope, received_ms)
        bids = levels(first_of(raw, "b", "bids"))
        asks = levels(first_of(raw, "a", "asks"))
        self._check_sides(bids, asks)
        last = first_of(raw, "u", "lastUpdateId")
        return Book("book", symbol, at, "u", last, bids, asks, raw.get("s") is not None)

    @staticmethod
    def _check_sides(bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> None:
        if len(bids) > MAX_LEVELS or len(asks) > MAX_LEVELS:
            raise Refused(DIFF_DEPTH)
        if any(quantity == 0 for _, quantity in bids + asks):
            raise Refused(DIFF_DEPTH)
        if not bids or not asks:
            raise Refused("dropped/empty_side")
        if any(next_bid[0] >= bid[0] for bid, next_bid in zip(bids, bids[1:])):
            raise Refused("dropped/unsorted_book")
        if any(next_ask[0] <= ask[0] for ask, next_ask in zip(asks, asks[1:])):
            raise Refused("dropped/unsorted_book")
        if bids[0][0] >= asks[0][0]:
            raise Refused("dropped/crossed_book")

    def _trade(self, kind: str, raw: dict[str, Any], envelope: Envelope,
               received_ms: int | None) -> Trade:
        symbol = self._symbol(raw, envelope)
        at = self._time(raw, envelope, received_ms)
        execution = raw.get("X")
        if execution is not None and execution not in ("MARKET", "RPI"):
            raise Refused("ignored/non_market_trade")
        price, quantity, maker = positive(raw.get("p")), positive(raw.get("q")), raw.get("m")
        if not isinstance(maker, bool):
            raise Refused(MALFORMED)
        letter = TRADES[kind]
        return Trade(kind, symbol, at, letter, raw.get(letter), price, quantity, maker)

    def _ticker(self, kind: str, raw: dict[str, Any], envelope: Envelope,
                received_ms: int | None) -> Ticker:
        symbol = self._symbol(raw, envelope)
        at = self._time(raw, envelope, received_ms)
        return Ticker(kind, symbol, at, "E", raw.get("E"), positive(raw.get("c")))

    def _symbol(self, raw: dict[str, Any], envelope: Envelope) -> str:
        own = raw.get("s")
        if own is not None and not isinstance(own, str):
            raise Refused(MALFORMED)
        stream = envelope.stream or ""
        named = "" if stream.startswith("!") else upper(stream.partition("@")[0])
        symbol = upper(own) if own else named
        if not symbol:
            raise Refused("dropped/no_symbol")
        if named and named != symbol:
            raise Refused("dropped/symbol_conflict")
        if symbol not in self._symbols:
            if not self._all_symbols or len(self._symbols) >= MAX_SYMBOLS:
                raise Refused("ignored/symbol_not_traded")
            self._symbols.add(symbol)
        return symbol

    def _time(self, raw: dict[str, Any], envelope: Envelope, received_ms: int | None) -> int:
        at = self._stated_time(raw, envelope)
        if at is None:
            at = received_ms
        if at is None:
            raise Refused("dropped/no_event_time")
        if self._live and received_ms is not None:
            if self._ttl_ms and received_ms - at > self._ttl_ms:
                raise Refused("dropped/stale")
            if at - received_ms > FUTURE_MS:
                raise Refused("dropped/future")
        return at

    @staticmethod
    def _stated_time(raw: dict[str, Any], envelope: Envelope) -> int | None:
        stated = raw.get("E")
        if stated is not None:
            at = integer(stated, 1, "dropped/bad_timestamp")
            at = at // 1000 if at >= MICROSECONDS_FROM else at
            return integer(at, 1, "dropped/bad_timestamp", LAST_MS)
        if envelope.timestamp is None:
            return None
        try:
            moment = datetime.fromisoformat(envelope.timestamp)
        except (ValueError, TypeError):
            raise Refused("dropped/bad_timestamp") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return integer((moment - EPOCH) // timedelta(milliseconds=1), 1, "dropped/bad_timestamp")


# --- strategies -------------------------------------------------------------------------------


@dataclass(slots=True)
class Signal:
    strategy: str
    side: str  # BUY or SELL
    price: float
    current_price: float
    confidence: float
    indicators: dict[str, float]


class OrderbookSkew:
    name = "orderbook_skew"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def evaluate(self, book: Book) -> Signal | str:
        settings = self._settings
        top = settings.orderbook_skew_top_levels
        bid_volume = sum(quantity for _, quantity in book.bids[:top])
        ask_volume = sum(quantity for _, quantity in book.asks[:top])
        bid, ask = book.bids[0][0], book.asks[0][0]
        spread_percent = (ask - bid) / bid * 100
        ratio = bid_volume / ask_volume
        if spread_percent < settings.orderbook_skew_min_spread_percent:
            return "spread_below_minimum"
        if 0 < settings.orderbook_skew_max_spread_percent < spread_percent:
            return "spread_above_maximum"
        if ratio > settings.orderbook_skew_buy_threshold:
            side, price, threshold = "BUY", ask, settings.orderbook_skew_buy_threshold
        elif ratio < settings.orderbook_skew_sell_threshold:
            side, price, threshold = "SELL", bid, settings.orderbook_skew_sell_threshold
        else:
            return "neutral"
        confidence = min(0.95, 0.60 + 0.5 * abs(ratio - threshold))
        return Signal(self.name, side, price, book.mid, confidence,
                      {"bid_volume": bid_volume, "ask_volume": ask_volume, "ratio": ratio,
                       "spread_percent": spread_percent})


@dataclass(slots=True)
class TradeMeans:
    price: float
    quantity: float
    count: int = 1


class TradeMomentum:
    name = "trade_momentum"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._alpha = 2 / (settings.trade_momentum_window + 1)
        self._means: dict[str, TradeMeans] = {}

    def evaluate(self, trade: Trade) -> Signal | str:
        settings = self._settings
        if trade.quantity < settings.trade_momentum_min_quantity:
            return "below_min_quantity"
        means = self._means.get(trade.symbol)
        if means is None:
            self._means[trade.symbol] = TradeMeans(trade.price, trade.quantity)
            return "warming_up"
        verdict = ("warming_up" if means.count < settings.trade_momentum_window
                   else self._score(trade, means))
        means.price += self._alpha * (trade.price - means.price)
        means.quantity += self._alpha * (trade.quantity - means.quantity)
        means.count += 1
        return verdict

    def _score(self, trade: Trade, means: TradeMeans) -> Signal | str:
        settings = self._settings
        side = -1 if trade.buyer_is_maker else 1
        distance = ((trade.price - means.price) / means.price * 100
                    / settings.trade_momentum_price_scale_percent)
        price_score = max(-1.0, min(1.0, distance))
        quantity_score = side * min(
            1.0, trade.quantity / (settings.trade_momentum_quantity_multiple * means.quantity))
        momentum = (settings.trade_momentum_price_weight * price_score
                    + settings.trade_momentum_quantity_weight * quantity_score
                    + settings.trade_momentum_maker_weight * side)
        if momentum > settings.trade_momentum_buy_threshold:
            direction = "BUY"
        elif momentum < settings.trade_momentum_sell_threshold:
            direction = "SELL"
        else:
            return "neutral"
        return Signal(self.name, direction, trade.price, trade.price,
                      min(0.95, 0.65 + 0.2 * abs(momentum)),
                      {"momentum": momentum, "price_score": price_score,
                       "quantity_score": quantity_score, "maker_score": float(side)})


class TickerVelocity:
    name = "ticker_velocity"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._samples: dict[str, deque[tuple[int, float]]] = {}

    def evaluate(self, ticker: Ticker) -> Signal | str:
        settings = self._settings
        window_ms = settings.ticker_velocity_time_window * 1000
        samples = self._samples.get(ticker.symbol)
        if samples is None:
            samples = self._samples[ticker.symbol] = deque(maxlen=MAX_TICKER_SAMPLES)
        samples.append((ticker.time, ticker.price))
        while samples[0][0] < ticker.time - window_ms:
            samples.popleft()
        oldest_time, oldest_price = samples[0]
        span_ms = ticker.time - oldest_time
        if span_ms * 10 < window_ms * 8:
            return "warming_up"
        change = (ticker.price - oldest_price) / oldest_price * 100
        velocity = change / (span_ms / 60_000)
        if abs(change) < settings.ticker_velocity_min_price_change:
            return "below_min_price_change"
        if velocity > settings.ticker_velocity_buy_threshold:
            side = "BUY"
        elif velocity < settings.ticker_velocity_sell_threshold:
            side = "SELL"
        else:
            return "neutral"
        return Signal(self.name, side, ticker.price, ticker.price,
                      min(0.95, 0.60 + abs(velocity) / 10),
                      {"velocity": velocity, "price_change_percent": change,
                       "window_seconds": span_ms / 1000})


# --- the gate ---------------------------------------------------------------------------------


class Gate:
    """Signals to quantities, or the outcome that refuses them. All in event time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._steps = settings.quantity_steps()
        self._default_step = Decimal(settings.trading_quantity_step)
        self._cooldown_ms = settings.signal_cooldown_seconds * 1000
        self._last_order: dict[tuple[str, str, str], int] = {}
        self._day: dict[str, tuple[int, int]] = {}  # strategy: day, orders on it
        self._minute = (0, 0)

    def admit(self, found: Signal, event: Event,
              reference: tuple[float, int] | None) -> Decimal | str:
        settings = self._settings
        if settings.trading_paused:
            return "paused"
        if found.confidence < settings.signal_min_confidence:
            return "low_confidence"
        if self._outside_band(found.price, event.time, reference):
            return "price_band"
        key = (found.strategy, event.symbol, found.side)
        if self._cooling_down(key, event.time):
            return "cooldown"
        day, today = self._counted(self._day.get(found.strategy, (0, 0)), event.time // DAY_MS)
        if 0 < settings.risk_max_daily_signals <= today:
            return "daily_limit"
        minute, orders = self._counted(self._minute, event.time // MINUTE_MS)
        if 0 < settings.risk_max_orders_per_minute <= orders:
            return "rate_limit"
        quantity = self._size(found.price, event.symbol)
        if quantity is None:
            return "size_limit"
        self._last_order[key] = event.time
        self._day[found.strategy] = (day, today + 1)
        self._minute = (minute, orders + 1)
        return quantity

    def _outside_band(self, price: float, at: int, reference: tuple[float, int] | None) -> bool:
        band = self._settings.risk_price_band_percent
        if not band or reference is None or at - reference[1] > FRESH_MS:
            return False
        return abs(price - reference[0]) / reference[0] * 100 > band

    def _cooling_down(self, key: tuple[str, str, str], at: int) -> bool:
        last = self._last_order.get(key)
        if not self._cooldown_ms or last is None:
            return False
        return (at // self._cooldown_ms <= last // self._cooldown_ms
                or at - last < self._cooldown_ms)

    @staticmethod
    def _counted(counter: tuple[int, int], period: int) -> tuple[int, int]:
        """The current period, which never runs backwards, and what was counted in it."""
        return (period, 0) if period > counter[0] else counter

    def _size(self, price: float, symbol: str) -> Decimal | None:
        settings = self._settings
        minimum, maximum = settings.trading_min_position_size, settings.trading_max_position_size
        notional = max(minimum, min(maximum, settings.trading_order_notional))
        exact_step = self._steps.get(symbol, self._default_step)
        step = float(exact_step)
        count = math.floor(notional / (price * step) + 1e-9)
        if count < 1 or count * step * price < minimum:
            count += 1
            if count * step * price > maximum:
                return None
        return count * exact_step


# --- orders -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Order:
    id: str
    body: dict[str, Any]
    message_id: str | None
    traceparent: str | None


TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def iso_time(ms: int) -> str:
    moment = EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds")


class OrderWriter:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._format = (self._trade_order if settings.order_format == "trade_order"
                        else self._signal)

    def order(self, found: Signal, quantity: Decimal, event: Event, envelope: Envelope) -> Order:
        settings = self._settings
        order_id = self._id(found, event)
        closes = found.side == "SELL" and not settings.trading_enable_shorts
        metadata: dict[str, Any] = {"schema": f"{settings.order_format}.v1",
                                    "event_id": event.event_id}
        if envelope.message_id:
            metadata["correlation_id"] = envelope.message_id
        metadata["indicators"] = found.indicators
        body = self._format(order_id, found, float(quantity), event, closes)
        body["metadata"] = metadata
        if settings.order_format == "signal" and TRACEPARENT.fullmatch(envelope.traceparent or ""):
            body["_otel_trace_context"] = {"traceparent": envelope.traceparent}
        return Order(order_id, body, envelope.message_id,
                     envelope.traceparent)

    def _id(self, found: Signal, event: Event) -> str:
        cooldown_ms = self._settings.signal_cooldown_seconds * 1000
        last = event.time // cooldown_ms * cooldown_ms if cooldown_ms else event.event_id
        name = f"{found.strategy}|{event.symbol}|{found.side}|{last}"
        return str(uuid.uuid5(ORDER_IDS, name))

    def _protection(self, found: Signal, closes: bool) -> dict[str, float]:
        if closes:
            return {}
        sign = 1 if found.side == "BUY" else -1
        loss = sign * self._settings.risk_stop_loss_percent / 100
        profit = sign * self._settings.risk_take_profit_percent / 100
        return {"stop_loss": found.price * (1 - loss), "take_profit": found.price * (1 + profit)}

    def _trade_order(self, order_id: str, found: Signal, quantity: float, event: Event,
                     closes: bool) -> dict[str, Any]:
        settings = self._settings
        ttl = settings.order_ttl_reduce_only_seconds if closes else settings.order_ttl_seconds
        return {
            "order_id": order_id,
            "signal_id": order_id,
            "symbol": event.symbol,
            "side": found.side,
            "order_type": "MARKET",
            "quantity": quantity,
            "price": found.price,
            "current_price": found.current_price,
            "time_in_force": "GTC",
            "position_type": "LONG" if found.side == "BUY" or closes else "SHORT",
            "leverage": settings.trading_leverage,
            "reduce_only": closes,
            "close_on_trigger": False,
            "strategy_name": found.strategy,
            "confidence_score": found.confidence,
            **self._protection(found, closes),
            "timestamp": iso_time(event.time),
            "valid_until": iso_time(event.time + ttl * 1000),
        }

    def _signal(self, order_id: str, found: Signal, quantity: float, event: Event,
                closes: bool) -> dict[str, Any]:
        return {
            "id": order_id,
            "signal_id": order_id,
            "strategy_id": found.strategy,
            "strategy": found.strategy,
            "strategy_mode": "deterministic",
            "symbol": event.symbol,
            "action": "close" if closes else found.side.lower(),
            "confidence": found.confidence,
            "strength": self._strength(found.confidence),
            "price": found.price,
            "quantity": quantity,
            "current_price": found.current_price,
            "source": "realtime-strategies",
            "timeframe": "tick",
            "order_type": "market",
            "time_in_force": "GTC",
            **self._protection(found, closes),
            "timestamp": iso_time(event.time),
        }

    @staticmethod
    def _strength(confidence: float) -> str:
        if confidence >= 0.9:
            return "extreme"
        if confidence >= 0.7:
            return "strong"
        return "medium" if confidence >= 0.5 else "weak"


# --- the engine -------------------------------------------------------------------------------


@dataclass
class Counts:
    frames: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> str:
        return json.dumps({"frames": self.frames, "outcomes": self.outcomes}, sort_keys=True)


class Engine:
    def __init__(self, settings: Settings, live: bool = False,
                 load: Callable[[bytes], Any] = load_json) -> None:
        self.counts = Counts()
        self._decoder = Decoder(settings, live, load)
        self._gate = Gate(settings)
        self._writer = OrderWriter(settings)
        self._book_band = settings.risk_price_band_percent or 5.0
        self._last_seen: dict[tuple[str, str], tuple[int, int]] = {}  # id and time
        self._reference: dict[str, tuple[float, int]] = {}  # price and time
        self._strategies = {
            Book: OrderbookSkew(settings) if settings.strategy_enabled_orderbook_skew else None,
            Trade: TradeMomentum(settings) if settings.strategy_enabled_trade_momentum else None,
            Ticker: (TickerVelocity(settings) if settings.strategy_enabled_ticker_velocity
                     else None),
        }
        self._names = {Book: OrderbookSkew.name, Trade: TradeMomentum.name,
                       Ticker: TickerVelocity.name}

    def step(self, frame: bytes, received_ms: int | None) -> list[Order]:
        """One frame; the orders it leads to, nearly always none."""
        frames = self.counts.frames
        frames["frames"] += 1
        try:
            envelope, raws = self._decoder.frame(frame)
        except Refused as refusal:
            frames["events"] += 1
            frames[refusal.args[0]] += 1
            return []
        orders = []
        for raw in raws:
            frames["events"] += 1
            try:
                event = self._decoder.event(raw, envelope, received_ms)
                self._accept(event)
            except Refused as refusal:
                frames[refusal.args[0]] += 1
                continue
            order = self._decide(event, envelope)
            if order is not None:
                orders.append(order)
        return orders

    def _accept(self, event: Event) -> None:
        """What is known from earlier events: whose book it is, and whether it is late."""
        if isinstance(event, Book) and not event.names_symbol and not self._verified(event):
            raise Refused("dropped/unverified_symbol")
        integer(event.id, 0, MALFORMED)
        key = (event.symbol, event.name)
        last = self._last_seen.get(key)
        if last is not None and event.id <= last[0] and event.time <= last[1] + FRESH_MS:
            raise Refused("dropped/out_of_order")
        self._last_seen[key] = (event.id, event.time)
        if not isinstance(event, Book):
            self._reference[event.symbol] = (event.price, event.time)

    def _verified(self, book: Book) -> bool:
        reference = self._reference.get(book.symbol)
        if reference is None or book.time - reference[1] > FRESH_MS:
            return False
        return abs(book.mid - reference[0]) / reference[0] * 100 <= self._book_band

    def _decide(self, event: Event, envelope: Envelope) -> Order | None:
        strategy = self._strategies[type(event)]
        found = strategy.evaluate(event) if strategy is not None else "disabled"
        order = None
        if isinstance(found, Signal):
            admitted = self._gate.admit(found, event, self._reference.get(event.symbol))
            if isinstance(admitted, Decimal):
                order = self._writer.order(found, admitted, event, envelope)
                found = "signal_" + found.side.lower()
            else:
                found = admitted
        self.counts.outcomes[f"{self._names[type(event)]}/{found}"] += 1
        return order


# --- replay -----------------------------------------------------------------------------------


def recorded_lines(path: str) -> Iterator[bytes]:
    if path == "-":
        yield from sys.stdin.buffer
        return
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        yield from file


def recorded_frames(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int | None]]:
    """One frame a line, either bare or behind its receive time in nanoseconds."""
    for line in lines:
        line = line.rstrip(b"\r\n")
        if not line.strip():
            continue
        recorded = RECORDED.fullmatch(line)
        if recorded is None:
            yield line, None
        else:
            yield recorded[2], int(recorded[1]) // 1_000_000


def replay(engine: Engine, path: str, counts_path: str | None) -> None:
    for frame, received_ms in recorded_frames(recorded_lines(path)):
        for order in engine.step(frame, received_ms):
            sys.stdout.write(json.dumps(order.body, separators=(",", ":")) + "\n")
    if counts_path:
        with open(counts_path, "w", encoding="utf-8") as file:
            file.write(engine.counts.to_json() + "\n")


# --- live -------------------------------------------------------------------------------------


def order_headers(order: Order) -> dict[str, str]:
    headers = {"Nats-Msg-Id": order.id, "Content-Type": "application/json"}
    if order.message_id:
        headers["Correlation-Id"] = order.message_id
    if order.traceparent:
        headers["traceparent"] = order.traceparent
    return headers


def peak_mib() -> float:
    with open("/proc/self/status", encoding="utf-8") as file:
        return int(file.read().split("VmHWM:")[1].split()[0]) / 1024


async def live(engine: Engine, settings: Settings, frames: int | None) -> None:
    import nats  # from PyPI; a replay does without

    done = asyncio.Event()
    for number_of_signal in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number_of_signal, done.set)
    connection = await nats.connect(settings.nats_url, max_reconnect_attempts=-1)

    async def on_frame(message: Any) -> None:
        for order in engine.step(message.data, time.time_ns() // 1_000_000):
            await connection.publish(settings.nats_publisher_topic,
                                     json.dumps(order.body, separators=(",", ":")).encode(),
                                     reply=connection.new_inbox(), headers=order_headers(order))
        if engine.counts.frames["frames"] == frames:
            done.set()

    await connection.subscribe(settings.nats_consumer_topic, settings.nats_consumer_group, on_frame)
    await connection.flush()
    begun = time.process_time()
    print("subscribed", flush=True)
    await done.wait()
    used = time.process_time() - begun
    print(json.dumps({"cpu_seconds": used, "peak_mib": peak_mib()}), flush=True)
    await connection.drain()
    print(engine.counts.to_json(), flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("mode", choices=["replay", "live"])
    options.add_argument("recording", nargs="?", default="-")
    options.add_argument("--counts", metavar="FILE")
    options.add_argument("--frames", type=int, metavar="N", help="live: stop after so many")
    options.add_argument("--orjson", action="store_true")
    options.add_argument("--uvloop", action="store_true")
    options.add_argument("--first-key", action="store_true")
    given = options.parse_args()
    load = load_json_first_key if given.first_key else load_json
    if given.orjson:
        import orjson

        load = orjson.loads
    settings = Settings.from_environment(dict(os.environ))
    engine = Engine(settings, live=given.mode == "live", load=load)
    if given.mode == "replay":
        replay(engine, given.recording, given.counts)
    elif given.uvloop:
        import uvloop

        uvloop.run(live(engine, settings, given.frames))
    else:
        asyncio.run(live(engine, settings, given.frames))


if __name__ == "__main__":
    main()
