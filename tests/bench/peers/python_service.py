#!/usr/bin/env python3
"""The service as a Python engineer would write it: asyncio, nats-py, json, the same rules.

It is a peer to measure against, and an independent model of the rules to test the engine with: it
was written from the specification, not from the C++ code, and shares nothing with it. It decodes,
decides and writes orders like the service, and heeds what a recording heard from the logs; it has no
circuit breaker, health pages or metrics, and it does not wait for the answer to an order.

  python_service.py replay RECORDING [--counts FILE]   orders to stdout; plain, gzip or -
  python_service.py live [--frames N]                  NATS in, NATS out; at the end the counts

--orjson and --uvloop take the faster parser and event loop from PyPI instead. Settings come from
the environment variables that the service reads. Where a key occurs twice in an object the last one
counts, as is usual in Python; --first-key counts the first, as the service does.
"""
from __future__ import annotations

import argparse
import asyncio
import decimal
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
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

MAX_FRAME_BYTES = 1 << 20
MAX_SYMBOLS = 512
MIN_LEVELS, MAX_LEVELS = 5, 20
MAX_TICKER_SAMPLES = 4096
MAX_REVISIONS = 64
MAX_INT64 = 2**63 - 1
MAX_STEPS = 2**53  # up to here a double counts one by one
NUMBER_LIMIT = 1e15  # every price and quantity is below it
MICROSECONDS_FROM = 10**14  # a time this large counts microseconds
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
NO_NAME = re.compile("[\\x00- \"'`/\\\\\x7f]")  # of nothing that is traded
FRESH_MS = MINUTE_MS  # a price is believed that long; an older id is a reset after it
FUTURE_MS = 10_000
NAMELESS_PERCENT = 0.5  # a book without its own symbol is that near to the price of its symbol
UNITS = 10**12  # exact sums count prices and quantities in units of 1e-12

BOOK = "book"  # the name of all books, in place of an `e`
PARTIAL_BOOKS = {"depth5", "depth10", "depth20"}
TRADES = ("trade", "aggTrade")  # the most preferred first (rule 7)
TRADE_IDS = {"trade": "t", "aggTrade": "a"}
TICKERS = ("24hrTicker", "24hrMiniTicker", "1hTicker", "4hTicker", "1dTicker")  # as well
PREFERRED = {name: names[:at] for names in (TRADES, TICKERS) for at, name in enumerate(names)}
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
RECORDED = re.compile(rb"([0-9]+) (.+)", re.DOTALL)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ASCII_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAYS_OF_400_YEARS = 146_097  # the calendar repeats after them
STRATEGY_NAMES = ("orderbook_skew", "trade_momentum", "ticker_velocity")
ORDER_IDS = uuid.uuid5(uuid.NAMESPACE_DNS, "petrosa-realtime-strategies")
decimal.getcontext().prec = 60  # a count of steps times a step is exact


class Refused(Exception):
    """An event that no strategy sees. The argument is "ignored/…" or "dropped/…"."""


MALFORMED = "dropped/malformed"
BAD_NUMBER = "dropped/bad_number"
BAD_TIMESTAMP = "dropped/bad_timestamp"
DIFF_DEPTH = "ignored/diff_depth"
NOT_TRADED = "ignored/symbol_not_traded"


# --- settings ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Each is the environment variable of the same name in capitals.

    Some exist per symbol too, as NAME__SYMBOL; `of` gives the settings of one symbol.
    """

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
    trading_quote_assets: str = "USDT"
    trading_min_notionals: str = "BTCUSDT:100,ETHUSDT:20,BNBUSDT:5"
    trading_instruments_file: str = ""
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
    trade_momentum_max_gap_seconds: int = 60
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
    environment: str = "production"
    own: dict[str, Settings] = field(default_factory=dict, repr=False)  # by symbol
    texts: dict[str, str] = field(default_factory=dict, repr=False)  # that they were made of

    @classmethod
    def from_environment(cls, environment: dict[str, str]) -> Settings:
        names = {item.name.upper(): item for item in fields(cls)
                 if item.name not in ("own", "texts")}
        given: dict[str, dict[str, Any]] = {"": {}}  # by symbol; "" for all
        for name, text in environment.items():
            name, _, symbol = name.partition("__")
            if name in names and (not symbol or cls._exists_per_symbol(name)):
                setting = names[name]
                given.setdefault(symbol, {})[setting.name] = cls._parse(setting.default, text)
        common = cls(texts=environment, **given.pop(""))
        return replace(common, own={symbol: replace(common, **changes)
                                    for symbol, changes in given.items()})

    def of(self, symbol: str) -> Settings:
        return self.own.get(symbol, self)

    def with_live(self, values: dict[str, str]) -> Settings:
        """What the control log makes of them. Refuses names that are not live."""
        for name, text in values.items():
            name, _, symbol = name.partition("__")
            is_size = name in ("TRADING_MIN_POSITION_SIZE", "TRADING_MAX_POSITION_SIZE")
            is_live = self._exists_per_symbol(name) or (
                not symbol and (is_size or name.startswith("RISK_")))
            if not is_live or not isinstance(text, str):
                raise ValueError(name)
        return Settings.from_environment(self.texts | values)

    @staticmethod
    def _exists_per_symbol(name: str) -> bool:
        strategies = ("ORDERBOOK_SKEW_", "TRADE_MOMENTUM_", "TICKER_VELOCITY_", "STRATEGY_ENABLED_")
        return name.startswith((*strategies, "SIGNAL_")) or name in (
            "RISK_STOP_LOSS_PERCENT", "RISK_TAKE_PROFIT_PERCENT", "TRADING_ORDER_NOTIONAL")

    @staticmethod
    def _parse(default: Any, text: str) -> Any:
        return text.lower() == "true" if isinstance(default, bool) else type(default)(text)


def listed(text: str) -> list[str]:
    return [upper(item.strip()) for item in text.split(",") if item.strip()]


def by_symbol(text: str) -> dict[str, Decimal]:
    """`BTCUSDT:0.001,…`"""
    pairs = (item.split(":") for item in listed(text))
    return {symbol.strip(): Decimal(value.strip()) for symbol, value in pairs}


# --- instruments ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the venue takes of one symbol."""

    step: Decimal
    min_notional: float
    tick: Decimal | None = None
    min_quantity: Decimal = Decimal(0)
    max_quantity: Decimal | None = None
    max_notional: float = math.inf


class Instruments:
    """By symbol: what the file of the venue's answer says where it has it, else the settings."""

    def __init__(self, settings: Settings) -> None:
        self._steps = by_symbol(settings.trading_quantity_steps)
        self._default_step = Decimal(settings.trading_quantity_step)
        self._min_notionals = by_symbol(settings.trading_min_notionals)
        self._found: dict[str, Instrument] = {}
        self._raw: dict[str, dict[str, Any]] | None = None
        if settings.trading_instruments_file:
            with open(settings.trading_instruments_file, encoding="utf-8-sig") as file:
                self._raw = {raw["symbol"]: raw for raw in json.load(file)["symbols"]}

    def tradable(self, symbol: str, quote_assets: list[str]) -> bool:
        """As far as the file tells: what it does not have is not `TRADING` there."""
        if self._raw is None:
            return True
        raw = self._raw.get(symbol, {})
        quote = raw.get("quoteAsset")
        return (raw.get("status") == "TRADING" and quote in quote_assets
                and raw.get("marginAsset", quote) == quote)

    def of(self, symbol: str) -> Instrument:
        found = self._found.get(symbol)
        if found is None:
            found = self._found[symbol] = self._make(symbol)
        return found

    def _make(self, symbol: str) -> Instrument:
        step = self._steps.get(symbol, self._default_step)
        min_notional = float(self._min_notionals.get(symbol, 0))
        if self._raw is None or symbol not in self._raw:
            return Instrument(step, min_notional)
        filters = {found["filterType"]: found for found in self._raw[symbol]["filters"]}
        lots = [filters[name] for name in ("LOT_SIZE", "MARKET_LOT_SIZE") if name in filters]
        return Instrument(
            step=max(positives(lots, "stepSize"), default=step),
            min_notional=self._min_notional(filters, min_notional),
            tick=max(positives([filters.get("PRICE_FILTER", {})], "tickSize"), default=None),
            min_quantity=max(positives(lots, "minQty"), default=Decimal(0)),
            max_quantity=min(positives(lots, "maxQty"), default=None),
            max_notional=self._max_notional(filters.get("NOTIONAL", {})))

    @staticmethod
    def _min_notional(filters: dict[str, Any], otherwise: float) -> float:
        """Every order of ours is a market order, which some minimums do not concern."""
        old, new = filters.get("MIN_NOTIONAL", {}), filters.get("NOTIONAL", {})
        if not old and not new:
            return otherwise
        least = positives([old], "notional") + positives([old], "minNotional")
        if old.get("applyToMarket") is False:
            least = []
        if new.get("applyMinToMarket") is not False:
            least += positives([new], "minNotional")
        return float(max(least, default=0))

    @staticmethod
    def _max_notional(raw: dict[str, Any]) -> float:
        most = positives([raw], "maxNotional") if raw.get("applyMaxToMarket") is True else []
        return float(min(most, default=math.inf))


def positives(filters: list[dict[str, Any]], key: str) -> list[Decimal]:
    """A 0 in a filter says that it does not limit."""
    values = (Decimal(str(found[key])) for found in filters if found.get(key) is not None)
    return [value for value in values if value > 0]


# --- from frame to event ----------------------------------------------------------------------


@dataclass(slots=True)
class Event:
    name: str  # `e`; BOOK for all books
    symbol: str
    time: int  # ms
    dated: bool  # by its own `E`
    age_time: int  # ms; how old it really is
    id_letter: str
    id: Any  # of its sequence, as it came

    @property
    def event_id(self) -> str:
        return f"{self.id_letter}:{self.id}"


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
    source: Any = None


def load_json(frame: bytes) -> Any:
    return json.loads(frame.decode("utf-8"), parse_constant=_no_constant)


def load_json_first_key(frame: bytes) -> Any:
    """Of a key that occurs twice the first counts; a number may have any length."""
    return json.loads(frame.decode("utf-8"), parse_constant=_no_constant, parse_int=_whole,
                      object_pairs_hook=lambda pairs: dict(reversed(pairs)))


def _whole(text: str) -> int | float:
    """-0 counts nothing, and what is longer than any of our integers is none of them."""
    return float(text) if text == "-0" or len(text) > 100 else int(text)


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
                        text_or_none(trace.get("traceparent")) if isinstance(trace, dict) else None,
                        value.get("source"))
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
    """Rule 5: a JSON number, or a string that is one, below 10^15."""
    if isinstance(value, str):
        if not NUMBER.fullmatch(value):
            raise Refused(BAD_NUMBER)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(MALFORMED)
    try:
        result = float(value)
    except OverflowError:
        raise Refused(BAD_NUMBER) from None
    if not abs(result) < NUMBER_LIMIT:
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


def check_sides(bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> None:
    """Rule 6, as far as the book alone tells."""
    if len(bids) > MAX_LEVELS or len(asks) > MAX_LEVELS:
        raise Refused(DIFF_DEPTH)
    if any(quantity == 0 for _, quantity in bids + asks):
        raise Refused(DIFF_DEPTH)
    if not bids or not asks:
        raise Refused("dropped/empty_side")
    if len(bids) < MIN_LEVELS or len(asks) < MIN_LEVELS:
        raise Refused(DIFF_DEPTH)
    if any(next_bid[0] >= bid[0] for bid, next_bid in zip(bids, bids[1:])):
        raise Refused("dropped/unsorted_book")
    if any(next_ask[0] <= ask[0] for ask, next_ask in zip(asks, asks[1:])):
        raise Refused("dropped/unsorted_book")
    if bids[0][0] >= asks[0][0]:
        raise Refused("dropped/crossed_book")


def first_of(raw: dict[str, Any], key: str, other: str) -> Any:
    value = raw.get(key)
    return raw.get(other) if value is None else value


def upper(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(ASCII_UPPER)


def integer(value: Any, least: int, reason: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_INT64:
        raise Refused(reason)
    return value


def to_ms(stamp: int) -> int:
    return stamp // 1000 if stamp >= MICROSECONDS_FROM else stamp


def own_time(raw: dict[str, Any]) -> int | None:
    stated = raw.get("E")
    return None if stated is None else to_ms(integer(stated, 1, BAD_TIMESTAMP))


def envelope_time(timestamp: Any) -> int | None:
    if timestamp is None:
        return None
    try:
        moment = datetime.fromisoformat(timestamp)
    except (ValueError, TypeError):
        raise Refused(BAD_TIMESTAMP) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return integer((moment - EPOCH) // timedelta(milliseconds=1), 1, BAD_TIMESTAMP)


def age_time(raw: dict[str, Any], at: int) -> int:
    """The lesser of event time and `T`, where `T` is a time."""
    traded = raw.get("T")
    if isinstance(traded, bool) or not isinstance(traded, int) or not 1 <= traded <= MAX_INT64:
        return at
    return min(at, to_ms(traded))


class Symbols:
    """Rule 2: the symbols that are traded, and with `*` who has one of the places."""

    def __init__(self, settings: Settings, instruments: Instruments,
                 forget: Callable[[str], None]) -> None:
        self._instruments = instruments
        self._all = settings.trading_symbols.strip() == "*"
        self._quote_assets = listed(settings.trading_quote_assets)
        self._listed = set() if self._all else set(listed(settings.trading_symbols))
        self._tradable: dict[str, bool] = {}
        self._seen: dict[str, int] = {}  # with `*`: the event time of who has a place
        self._forget = forget

    def check(self, symbol: str, raw: dict[str, Any], at: int | None) -> None:
        coin_margined = raw.get("st") == 2 and isinstance(raw["st"], int)
        if coin_margined or not self._is_tradable(symbol):
            raise Refused(NOT_TRADED)
        if not self._all:
            return
        if symbol not in self._seen and len(self._seen) >= MAX_SYMBOLS:
            self._free_a_place(at)
        self._seen[symbol] = max(self._seen.get(symbol, 0), at or 0)

    def _is_tradable(self, symbol: str) -> bool:
        found = self._tradable.get(symbol)
        if found is None:
            linear = (not NO_NAME.search(symbol)
                      and any(symbol.endswith(quote) and symbol != quote
                              for quote in self._quote_assets))
            found = (linear and (self._all or symbol in self._listed)
                     and self._instruments.tradable(symbol, self._quote_assets))
            self._tradable[symbol] = found
        return found

    def _free_a_place(self, at: int | None) -> None:
        longest = min(self._seen, key=self._seen.__getitem__)
        if at is None or at - self._seen[longest] < DAY_MS:
            raise Refused(NOT_TRADED)
        del self._seen[longest]
        self._forget(longest)


class Decoder:
    """Frames to events: every rule that needs the event alone."""

    def __init__(self, settings: Settings, symbols: Symbols, live: bool,
                 load: Callable[[bytes], Any]) -> None:
        self._symbols = symbols
        self._load = load
        self._ttl_ms = settings.message_ttl_seconds * 1000
        self._live = live
        self._in_production = settings.environment == "production"

    def frame(self, frame: bytes) -> tuple[Envelope, list[Any]]:
        if len(frame) > MAX_FRAME_BYTES:
            raise Refused("dropped/too_large")
        try:
            value = self._load(frame)
        except (ValueError, RecursionError):
            raise Refused(MALFORMED) from None
        envelope, raws = take_apart(value)
        if self._live and self._in_production and envelope.source == "simulation":
            raise Refused("ignored/simulated")
        return envelope, raws

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
        # Rule 1: only partial books are books, and a spot diff has no `T`.
        channels = (envelope.stream or "").split("@")[1:2]
        if not channels or channels[0] not in PARTIAL_BOOKS:
            raise Refused(DIFF_DEPTH)
        if raw.get("e") is not None and raw.get("T") is None:
            raise Refused(DIFF_DEPTH)
        symbol, at = self._symbol_and_time(raw, envelope, received_ms)
        bids = levels(first_of(raw, "b", "bids"))
        asks = levels(first_of(raw, "a", "asks"))
        check_sides(bids, asks)
        return Book(BOOK, symbol, at, raw.get("E") is not None, age_time(raw, at), "u",
                    first_of(raw, "u", "lastUpdateId"), bids, asks, bool(raw.get("s")))

    def _trade(self, kind: str, raw: dict[str, Any], envelope: Envelope,
               received_ms: int | None) -> Trade:
        symbol, at = self._symbol_and_time(raw, envelope, received_ms)
        # Rule 4: the exchange's own bookings are no prints.
        execution = raw.get("X")
        if execution is not None and execution not in ("MARKET", "RPI"):
            raise Refused("ignored/non_market_trade")
        price, quantity, maker = positive(raw.get("p")), positive(raw.get("q")), raw.get("m")
        if not isinstance(maker, bool):
            raise Refused(MALFORMED)
        letter = TRADE_IDS[kind]
        return Trade(kind, symbol, at, raw.get("E") is not None, age_time(raw, at), letter,
                     raw.get(letter), price, quantity, maker)

    def _ticker(self, kind: str, raw: dict[str, Any], envelope: Envelope,
                received_ms: int | None) -> Ticker:
        symbol, at = self._symbol_and_time(raw, envelope, received_ms)
        return Ticker(kind, symbol, at, raw.get("E") is not None, age_time(raw, at), "E", at,
                      positive(raw.get("c")))

    def _symbol_and_time(self, raw: dict[str, Any], envelope: Envelope,
                         received_ms: int | None) -> tuple[str, int]:
        """Rules 2 and 3. A place among all symbols needs the time, but its rule comes first."""
        symbol = self._symbol(raw, envelope)
        try:
            at = self._time(raw, envelope, received_ms)
        except Refused:
            self._symbols.check(symbol, raw, None)
            raise
        self._symbols.check(symbol, raw, at)
        return symbol, at

    @staticmethod
    def _symbol(raw: dict[str, Any], envelope: Envelope) -> str:
        """Rule 2: whose event it is."""
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
        return symbol

    def _time(self, raw: dict[str, Any], envelope: Envelope, received_ms: int | None) -> int:
        """Rule 3: when it was. An envelope's time has to be one even where nobody needs it."""
        own, around = own_time(raw), envelope_time(envelope.timestamp)
        at = next((known for known in (own, around, received_ms) if known is not None), None)
        if at is None:
            raise Refused("dropped/no_event_time")
        if self._live and received_ms is not None:
            age = age_time(raw, at)
            if self._ttl_ms and received_ms - age > self._ttl_ms:
                raise Refused("dropped/stale")
            if age - received_ms > FUTURE_MS:
                raise Refused("dropped/future")
        return at


# --- what is known of a symbol ----------------------------------------------------------------


@dataclass(slots=True)
class Priced:
    price: float
    time: int

    def is_fresh(self, at: int) -> bool:
        return at - self.time <= FRESH_MS

    def percent_off(self, price: float) -> float:
        return abs(price - self.price) / self.price * 100


@dataclass(slots=True)
class Market:
    """One symbol, rebuilt from the stream."""

    # `e`: id and time of its last event that passed rule 8, and the newest time of all
    passed: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    reference: Priced | None = None  # the last accepted trade or ticker
    suspect: Priced | None = None  # the last outlier (rule 9)
    trades: deque[tuple[int, int]] = field(default_factory=deque)  # price, quantity in units
    price_sum: int = 0  # of these
    quantity_sum: int = 0
    last_trade_time: int = 0
    samples: list[tuple[int, float]] = field(default_factory=list)  # time, price
    first_ticker_time: int | None = None
    time_window: int | None = None  # that the samples were kept for, in seconds

    def fresh_reference(self, at: int) -> Priced | None:
        known = self.reference
        return known if known is not None and known.is_fresh(at) else None

    def fit(self, settings: Settings) -> None:
        """What is remembered never reaches back farther than the settings in force say."""
        while len(self.trades) > settings.trade_momentum_window:
            price, quantity = self.trades.popleft()
            self.price_sum -= price
            self.quantity_sum -= quantity
        window = settings.ticker_velocity_time_window
        if self.samples and self.time_window is not None and window > self.time_window:
            newest = max(time for time, _ in self.samples)
            self.first_ticker_time = max(self.first_ticker_time or 0,
                                         newest - self.time_window * 1000)
        self.time_window = window

    def forget(self, kind: type[Event]) -> None:
        """The strategy of these events is off: what it does not see is unknown."""
        if kind is Trade:
            self.trades.clear()
            self.price_sum = self.quantity_sum = 0
        if kind is Ticker:
            self.samples.clear()
            self.first_ticker_time = None

    def check_source(self, event: Event) -> None:
        """Rule 7: one source of a kind, so that nothing counts twice."""
        for preferred in PREFERRED.get(event.name, ()):
            last = self.passed.get(preferred)
            if last is not None and event.time <= last[2] + MINUTE_MS:
                raise Refused("ignored/other_source")

    def check_sequence(self, event: Event) -> None:
        """Rule 8: what is older is late; much later it is the exchange that started over."""
        integer(event.id, 0, MALFORMED)
        last = self.passed.get(event.name)
        patience = MINUTE_MS if event.dated else HOUR_MS
        if last is not None and event.id <= last[0] and event.time <= last[1] + patience:
            raise Refused("dropped/out_of_order")
        newest = event.time if last is None else max(event.time, last[2])
        self.passed[event.name] = (event.id, event.time, newest)

    def check_price(self, event: Trade | Ticker, band: float) -> None:
        """Rule 9: a price is not believed before a second one agrees."""
        reference = self.fresh_reference(event.time)
        if band > 0 and reference is not None and reference.percent_off(event.price) > band:
            suspect = self.suspect
            if (suspect is None or not suspect.is_fresh(event.time)
                    or suspect.percent_off(event.price) > band):
                self.suspect = Priced(event.price, event.time)
                raise Refused("dropped/outlier")
        self.suspect = None


# --- strategies -------------------------------------------------------------------------------


@dataclass(slots=True)
class Signal:
    strategy: str
    side: str  # BUY or SELL
    price: float
    current_price: float
    confidence: float
    indicators: dict[str, float]


def added(quantities: Iterable[float]) -> float:
    """One after the other: sum() of newer Pythons corrects what is lost on the way."""
    total = 0.0
    for quantity in quantities:
        total += quantity
    return total


def orderbook_skew(book: Book, market: Market, settings: Settings) -> Signal | str:
    top = settings.orderbook_skew_top_levels
    bid_volume = added(quantity for _, quantity in book.bids[:top])
    ask_volume = added(quantity for _, quantity in book.asks[:top])
    bid, ask = book.bids[0][0], book.asks[0][0]
    spread_percent = (ask - bid) / bid * 100
    ratio = bid_volume / ask_volume
    if spread_percent < settings.orderbook_skew_min_spread_percent:
        return "spread_below_minimum"
    if 0 < settings.orderbook_skew_max_spread_percent < spread_percent:
        return "spread_above_maximum"
    if ratio > settings.orderbook_skew_buy_threshold:
        side, price = "BUY", ask
        excess = ratio - settings.orderbook_skew_buy_threshold
    elif ratio < settings.orderbook_skew_sell_threshold:
        side, price = "SELL", bid
        excess = ask_volume / bid_volume - 1 / settings.orderbook_skew_sell_threshold
    else:
        return "neutral"
    return Signal("orderbook_skew", side, price, book.mid, min(0.95, 0.60 + 0.5 * excess),
                  {"bid_volume": bid_volume, "ask_volume": ask_volume, "ratio": ratio,
                   "spread_percent": spread_percent})


def in_units(value: float) -> int:
    """The double times 10^12, exactly, to the nearest integer; ties to even."""
    numerator, denominator = value.as_integer_ratio()
    whole, rest = divmod(numerator * UNITS, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def trade_momentum(trade: Trade, market: Market, settings: Settings) -> Signal | str:
    if trade.quantity < settings.trade_momentum_min_quantity:
        return "below_min_quantity"
    gap_ms = settings.trade_momentum_max_gap_seconds * 1000
    if gap_ms and market.trades and trade.time - market.last_trade_time > gap_ms:
        market.trades.clear()
        market.price_sum = market.quantity_sum = 0
    window = settings.trade_momentum_window
    verdict: Signal | str = "warming_up"
    if len(market.trades) == window:
        verdict = momentum_verdict(trade, float(market.price_sum) / (window * UNITS),
                                   float(market.quantity_sum) / (window * UNITS), settings)
        oldest_price, oldest_quantity = market.trades.popleft()
        market.price_sum -= oldest_price
        market.quantity_sum -= oldest_quantity
    price, quantity = in_units(trade.price), in_units(trade.quantity)
    market.trades.append((price, quantity))
    market.price_sum += price
    market.quantity_sum += quantity
    market.last_trade_time = trade.time
    return verdict


def momentum_verdict(trade: Trade, mean_price: float, mean_quantity: float,
                     settings: Settings) -> Signal | str:
    if mean_price == 0 or mean_quantity == 0:
        return "neutral"
    side = -1.0 if trade.buyer_is_maker else 1.0
    distance = ((trade.price - mean_price) / mean_price * 100
                / settings.trade_momentum_price_scale_percent)
    price_score = max(-1.0, min(1.0, distance))
    quantity_score = side * min(
        1.0, trade.quantity / (settings.trade_momentum_quantity_multiple * mean_quantity))
    momentum = (settings.trade_momentum_price_weight * price_score
                + settings.trade_momentum_quantity_weight * quantity_score
                + settings.trade_momentum_maker_weight * side)
    if momentum > settings.trade_momentum_buy_threshold:
        direction = "BUY"
    elif momentum < settings.trade_momentum_sell_threshold:
        direction = "SELL"
    else:
        return "neutral"
    return Signal("trade_momentum", direction, trade.price, trade.price,
                  min(0.95, 0.65 + 0.2 * abs(momentum)),
                  {"momentum": momentum, "price_score": price_score,
                   "quantity_score": quantity_score, "maker_score": side})


def ticker_velocity(ticker: Ticker, market: Market, settings: Settings) -> Signal | str:
    window_ms = settings.ticker_velocity_time_window * 1000
    if market.first_ticker_time is None:
        market.first_ticker_time = ticker.time
    samples = market.samples
    samples.append((ticker.time, ticker.price))
    if len(samples) > MAX_TICKER_SAMPLES:
        del samples[0]
    samples[:] = [sample for sample in samples if sample[0] >= ticker.time - window_ms]
    oldest_time, oldest_price = min(samples, key=lambda sample: sample[0])
    span_ms = ticker.time - oldest_time
    if span_ms * 10 < window_ms * 8 or ticker.time - market.first_ticker_time < window_ms:
        return "warming_up"
    change = (ticker.price - oldest_price) / oldest_price * 100
    velocity = change / (span_ms / MINUTE_MS)
    if abs(change) < settings.ticker_velocity_min_price_change:
        return "below_min_price_change"
    if velocity > settings.ticker_velocity_buy_threshold:
        side = "BUY"
    elif velocity < settings.ticker_velocity_sell_threshold:
        side = "SELL"
    else:
        return "neutral"
    return Signal("ticker_velocity", side, ticker.price, ticker.price,
                  min(0.95, 0.60 + abs(velocity) / 10),
                  {"velocity": velocity, "price_change_percent": change,
                   "window_seconds": span_ms / 1000})


# --- the gate ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Admitted:
    """What an accepted signal may become."""

    quantity: Decimal
    closes: bool  # a position, and opens none
    protection: dict[str, float]
    is_duplicate: bool  # the log has the order as it was sent, for another event


@dataclass(slots=True)
class Counted:
    """An order as far as the limits count it."""

    id: str
    key: tuple[str, str, str]  # strategy, symbol, side
    time: int
    periods: dict[str, int] = field(default_factory=dict)  # what an own signal was counted to


class Memory:
    """Orders by id: those of the log in its order, and behind them the own signals it lacks.

    Everything is added up anew for each question.
    """

    def __init__(self) -> None:
        self._log: dict[str, Counted] = {}
        self._own: list[Counted] = []
        self._accepted: set[str] = set()
        self._latest: Counter[str] = Counter()  # period of each counter

    def hear(self, order: Counted) -> None:
        if order.id in self._log:
            return
        self._log[order.id] = order
        self._note_latest(order)
        for own in self._own:
            if own.id == order.id:
                self._own.remove(own)
                break

    def accept(self, order: Counted) -> None:
        self._accepted.add(order.id)
        if order.id in self._log:
            return
        self._note_latest(order)
        order.periods = dict(self._latest)
        self._own.append(order)

    def _note_latest(self, order: Counted) -> None:
        for counter in (order.key[0], MINUTES):
            self._latest[counter] = max(self._latest[counter], period_of(order, counter))

    def was_stored_by_another(self, order_id: str) -> bool:
        return order_id in self._log and order_id not in self._accepted

    def is_of_another_event(self, order: Counted) -> bool:
        """Then it is in the log as it was sent; this one is a duplicate."""
        return self.was_stored_by_another(order.id) and self._log[order.id].time != order.time

    def last_order(self, key: tuple[str, str, str]) -> int | None:
        known = [*self._log.values(), *self._own]
        return max((order.time for order in known if order.key == key), default=None)

    def orders(self, counter: str, at: int) -> int:
        """On the day (of a strategy) or in the minute of that time, which never runs backwards."""
        latest, count = 0, 0
        for order in self._log.values():
            if counter in (MINUTES, order.key[0]):
                period = period_of(order, counter)
                latest, count = max(latest, period), 1 if period > latest else count + 1
        for own in self._own:
            if counter in (MINUTES, own.key[0]) and own.periods[counter] >= latest:
                count = 1 if own.periods[counter] > latest else count + 1
                latest = own.periods[counter]
        return count if at // length_of(counter) <= latest else 0


MINUTES = "minutes"  # over all strategies; the other counters are of a strategy's days


def length_of(counter: str) -> int:
    return MINUTE_MS if counter == MINUTES else DAY_MS


def period_of(order: Counted, counter: str) -> int:
    return order.time // length_of(counter)


class Gate:
    """Signals to quantities, or the outcome that refuses them. All in event time."""

    def __init__(self, settings: Settings, instruments: Instruments) -> None:
        self.settings = settings  # that are in force
        self._instruments = instruments
        self.memory = Memory()
        self._paused = settings.trading_paused
        self.log_pauses: set[str | None] = set()  # strategies; None: all of them

    def admit(self, found: Signal, event: Event, reference: Priced | None) -> Admitted | str:
        """`reference` is the fresh one from before the event."""
        settings = self.settings.of(event.symbol)
        closes = found.side == "SELL" and not settings.trading_enable_shorts
        if self._paused or self.log_pauses & {None, found.strategy}:
            return "paused"
        if closes and settings.order_format == "signal":
            return "shorts_disabled"
        if found.confidence < settings.signal_min_confidence:
            return "low_confidence"
        if settings.risk_price_band_percent > 0:
            if reference is None:
                return "no_reference"
            if reference.percent_off(found.price) > settings.risk_price_band_percent:
                return "price_band"
        cooldown_ms = settings.signal_cooldown_seconds * 1000
        order = Counted(order_id(found, event, cooldown_ms),
                        (found.strategy, event.symbol, found.side), event.time)
        refused = self._limit(order, cooldown_ms, settings)
        if refused and not self.memory.was_stored_by_another(order.id):
            return refused
        instrument = self._instruments.of(event.symbol)
        quantity = size(found.price, instrument, settings)
        protection = {} if closes else protect(found, instrument.tick, settings)
        if quantity is None or not all(0 < price < NUMBER_LIMIT for price in protection.values()):
            return "size_limit"
        if instrument.tick is not None and found.price in protection.values():
            return "size_limit"  # rounded to the entry it protects nothing
        is_duplicate = self.memory.is_of_another_event(order)
        self.memory.accept(order)
        return Admitted(quantity, closes, protection, is_duplicate)

    def _limit(self, order: Counted, cooldown_ms: int, settings: Settings) -> str | None:
        at, last = order.time, self.memory.last_order(order.key) if cooldown_ms else None
        if last is not None and (
                at // cooldown_ms <= last // cooldown_ms or at - last < cooldown_ms):
            return "cooldown"
        daily, minutely = settings.risk_max_daily_signals, settings.risk_max_orders_per_minute
        if daily and daily <= self.memory.orders(order.key[0], at):
            return "daily_limit"
        if minutely and minutely <= self.memory.orders(MINUTES, at):
            return "rate_limit"
        return None


def order_id(found: Signal, event: Event, cooldown_ms: int) -> str:
    last = event.time // cooldown_ms * cooldown_ms if cooldown_ms else event.event_id
    name = f"{found.strategy}|{event.symbol}|{found.side}|{last}"
    return str(uuid.uuid5(ORDER_IDS, name))


def size(price: float, instrument: Instrument, settings: Settings) -> Decimal | None:
    """The quantity of an order, or None where the limits leave none."""
    smallest, largest = settings.trading_min_position_size, settings.trading_max_position_size
    notional = max(smallest, min(largest, settings.trading_order_notional))
    least, most = max(smallest, instrument.min_notional), min(largest, instrument.max_notional)
    step = float(instrument.step)
    worth = price * step
    if worth == 0 or max(notional, least) / worth > MAX_STEPS:
        return None
    count = math.floor(notional / worth + 1e-9)
    if count * step * price < least:
        count = math.ceil(least / worth - 1e-9)
    count = max(count, 1, math.ceil(instrument.min_quantity / instrument.step))
    quantity = count * instrument.step
    if count > MAX_STEPS or count * step * price > most:
        return None
    if instrument.max_quantity is not None and quantity > instrument.max_quantity:
        return None
    return quantity


def protect(found: Signal, tick: Decimal | None, settings: Settings) -> dict[str, float]:
    up, down = (1, -1) if found.side == "BUY" else (-1, 1)
    loss, profit = settings.risk_stop_loss_percent / 100, settings.risk_take_profit_percent / 100
    return {"stop_loss": on_tick(found.price * (1 + down * loss), tick, down),
            "take_profit": on_tick(found.price * (1 + up * profit), tick, up)}


def on_tick(price: float, tick: Decimal | None, away: int) -> float:
    """The nearest tick; of two that are as near the one away from the entry (1 up, -1 down).

    Counted in double as all formulas are: 109.515 lies between two ticks of 0.01, though the double
    of this name does not quite.
    """
    if tick is None:
        return price
    count = price / float(tick)
    ticks = math.floor(count)
    rest = count - ticks
    tie = abs(rest - 0.5) <= count * 8 * sys.float_info.epsilon
    if away > 0 if tie else rest > 0.5:
        ticks += 1
    return float(ticks * tick)


# --- orders -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Order:
    id: str
    strategy: str
    body: dict[str, Any]
    message_id: str | None
    traceparent: str | None


TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def iso_time(ms: int) -> str:
    """Python's dates end with the year 9999; the calendar is the same 400 years later."""
    days, of_day = divmod(ms, DAY_MS)
    cycles, days = divmod(days, DAYS_OF_400_YEARS)
    day = date(1970, 1, 1) + timedelta(days=days)
    seconds, milliseconds = divmod(of_day, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
    return f"{day.year + 400 * cycles:04}-{day.month:02}-{day.day:02}T{clock}+00:00"


class OrderWriter:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._format = (self._trade_order if settings.order_format == "trade_order"
                        else self._signal)

    def order(self, found: Signal, admitted: Admitted, event: Event, envelope: Envelope) -> Order:
        settings = self.settings
        cooldown_ms = settings.of(event.symbol).signal_cooldown_seconds * 1000
        own_id = order_id(found, event, cooldown_ms)
        metadata: dict[str, Any] = {"schema": f"{settings.order_format}.v1",
                                    "event_id": event.event_id}
        if envelope.message_id:
            metadata["correlation_id"] = envelope.message_id
        metadata["indicators"] = found.indicators
        body = self._format(own_id, found, admitted, event) | {"metadata": metadata}
        if settings.order_format == "signal" and TRACEPARENT.fullmatch(envelope.traceparent or ""):
            body["_otel_trace_context"] = {"traceparent": envelope.traceparent}
        return Order(own_id, found.strategy, body, envelope.message_id, envelope.traceparent)

    def _trade_order(self, order_id: str, found: Signal, admitted: Admitted,
                     event: Event) -> dict[str, Any]:
        settings, closes = self.settings, admitted.closes
        ttl = settings.order_ttl_reduce_only_seconds if closes else settings.order_ttl_seconds
        return {
            "order_id": order_id,
            "signal_id": order_id,
            "symbol": event.symbol,
            "side": found.side,
            "order_type": "MARKET",
            "quantity": float(admitted.quantity),
            "price": found.price,
            "current_price": found.current_price,
            "time_in_force": "GTC",
            "position_type": "LONG" if found.side == "BUY" or closes else "SHORT",
            "leverage": settings.trading_leverage,
            "reduce_only": closes,
            "close_on_trigger": False,
            "strategy_name": found.strategy,
            "confidence_score": found.confidence,
            **admitted.protection,
            "timestamp": iso_time(event.time),
            "valid_until": iso_time(event.age_time + ttl * 1000),
        }

    def _signal(self, order_id: str, found: Signal, admitted: Admitted,
                event: Event) -> dict[str, Any]:
        return {
            "id": order_id,
            "signal_id": order_id,
            "strategy_id": found.strategy,
            "strategy": found.strategy,
            "strategy_mode": "deterministic",
            "symbol": event.symbol,
            "action": found.side.lower(),
            "confidence": found.confidence,
            "strength": self._strength(found.confidence),
            "price": found.price,
            "quantity": float(admitted.quantity),
            "current_price": found.current_price,
            "source": "realtime-strategies",
            "timeframe": "tick",
            "order_type": "market",
            "time_in_force": "GTC",
            **admitted.protection,
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


STRATEGIES: dict[type, Callable[[Any, Market, Settings], Signal | str]] = {
    Book: orderbook_skew, Trade: trade_momentum, Ticker: ticker_velocity}


class Engine:
    def __init__(self, settings: Settings, live: bool = False,
                 load: Callable[[bytes], Any] = load_json) -> None:
        self.counts = Counts()
        self._settings = settings
        self._revisions: list[tuple[int, Settings]] = []
        self._markets: dict[str, Market] = {}
        instruments = Instruments(settings)
        symbols = Symbols(settings, instruments,
                          forget=lambda symbol: self._markets.pop(symbol, None))
        self._decoder = Decoder(settings, symbols, live, load)
        self._gate = Gate(settings, instruments)
        self._writer = OrderWriter(settings)

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
                market = self._markets.get(event.symbol)
                if market is None:
                    market = self._markets[event.symbol] = Market()
                reference = self._accept(event, market)
            except Refused as refusal:
                frames[refusal.args[0]] += 1
                continue
            order = self._decide(event, market, reference, envelope)
            if order is not None:
                orders.append(order)
        return orders

    def hear(self, order: dict[str, Any]) -> None:
        """An entry of the order log, in either format."""
        def text(*names: str) -> str:
            return next(order[name] for name in names if isinstance(order.get(name), str))

        strategy, side = text("strategy_name", "strategy_id"), text("side", "action").upper()
        symbol, time = text("symbol"), envelope_time(text("timestamp"))
        if strategy in STRATEGY_NAMES and side in ("BUY", "SELL") and time and symbol:
            own_id = str(uuid.UUID(text("order_id", "signal_id")))
            self._gate.memory.hear(Counted(own_id, (strategy, upper(symbol), side), time))

    def pause(self, paused: Any, strategy: str | None) -> None:
        strategy = None if strategy == "all" else strategy
        if isinstance(paused, bool) and strategy in (None, *STRATEGY_NAMES):
            (self._gate.log_pauses.add if paused else self._gate.log_pauses.discard)(strategy)

    def revise(self, effective_from: Any, values: Any) -> None:
        """A revision of the settings, in the log's order."""
        if type(effective_from) is not int or effective_from < 0 or not isinstance(values, dict):
            raise ValueError
        self._revisions.append((effective_from, self._settings.with_live(values)))
        del self._revisions[:-MAX_REVISIONS]

    def _in_force(self, at: int) -> Settings:
        return next((settings for begin, settings in reversed(self._revisions) if begin <= at),
                    self._settings)

    def _accept(self, event: Event, market: Market) -> Priced | None:
        """What earlier events tell, and the fresh reference from before this one."""
        if isinstance(event, Book) and not event.names_symbol:
            self._verify(event)
        market.check_source(event)
        market.check_sequence(event)
        reference = market.fresh_reference(event.time)
        if isinstance(event, (Trade, Ticker)):
            market.check_price(event, self._in_force(event.time).risk_price_band_percent)
            market.reference = Priced(event.price, event.time)
        return reference

    def _verify(self, book: Book) -> None:
        """Rule 6, for a book that the relay labelled: exactly one symbol may vouch for it, its own.

        The relay labels every book without a symbol with the same one.
        """
        near = set()
        for symbol, market in self._markets.items():
            reference = market.fresh_reference(book.time)
            if reference is not None and reference.percent_off(book.mid) <= NAMELESS_PERCENT:
                near.add(symbol)
        if near != {book.symbol}:
            raise Refused("dropped/unverified_symbol")

    def _decide(self, event: Event, market: Market, reference: Priced | None,
                envelope: Envelope) -> Order | None:
        self._gate.settings = self._writer.settings = self._in_force(event.time)
        settings = self._gate.settings.of(event.symbol)
        market.fit(settings)
        strategy = STRATEGIES[type(event)]
        enabled = getattr(settings, f"strategy_enabled_{strategy.__name__}")
        if not enabled:
            market.forget(type(event))
        found = strategy(event, market, settings) if enabled else "disabled"
        order = None
        if isinstance(found, Signal):
            admitted = self._gate.admit(found, event, reference)
            if isinstance(admitted, Admitted):
                if not admitted.is_duplicate:
                    order = self._writer.order(found, admitted, event, envelope)
                found = "signal_" + found.side.lower()
            else:
                found = admitted
        self.counts.outcomes[f"{strategy.__name__}/{found}"] += 1
        return order


# --- replay -----------------------------------------------------------------------------------


def recorded_lines(path: str) -> Iterator[bytes]:
    if path == "-":
        yield from sys.stdin.buffer
        return
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        yield from file


NOTE = re.compile(rb"\s*#\s*(order|pause|settings)\s*(\{.*)")


def heard(engine: Engine, line: bytes) -> None:
    """What the logs at the broker said at that point of the recording."""
    note = NOTE.fullmatch(line.rstrip())
    if note is None:
        return
    try:
        said = json.loads(note[2])
        if note[1] == b"pause":
            engine.pause(said["paused"], said.get("strategy"))
        elif note[1] == b"settings":
            engine.revise(said["effective_from"], said["values"])
        else:
            engine.hear(said)
    except (ValueError, KeyError, TypeError, StopIteration, Refused):
        pass  # somebody else's


def recorded_frames(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int | None]]:
    """One frame a line, either bare or behind its receive time in nanoseconds.

    Blank lines and those that begin with `#` are no frames.
    """
    for at, line in enumerate(lines):
        if at == 0:
            line = line.removeprefix(BYTE_ORDER_MARK)
        line = line.rstrip(b"\r\n")
        if not line.strip() or line.startswith(b"#"):
            continue
        recorded = RECORDED.fullmatch(line)
        if recorded is None:
            yield line, None
        else:
            yield recorded[2], int(recorded[1]) // 1_000_000


def listened(engine: Engine, lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        heard(engine, line)
        yield line


def replay(engine: Engine, path: str, counts_path: str | None) -> None:
    for frame, received_ms in recorded_frames(listened(engine, recorded_lines(path))):
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
            subject = settings.nats_publisher_topic.replace("{strategy}", order.strategy)
            await connection.publish(subject,
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
