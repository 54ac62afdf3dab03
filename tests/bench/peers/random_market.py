"""Made-up recordings that turn on every rule, and settings to read them with. All from a seed.

A market here is no market that anybody has seen: prices from 1e-13 to 1e15, prints in two streams
at once, books under a neighbour's name, clocks that change their unit, silences and resets. What is
made is mostly well formed, so that it gets past the rules that come first.
"""
from __future__ import annotations

import json
import math
import pathlib
import random
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Event = dict[str, Any]

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MIDNIGHT_MS = 1_721_347_200_000  # 2024-07-19
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TRADE_IDS = {"trade": "t", "aggTrade": "a"}
TICKERS = ["24hrTicker", "24hrMiniTicker", "1hTicker", "4hTicker", "1dTicker"]
TICKER_STREAMS = {"24hrTicker": "ticker", "24hrMiniTicker": "miniTicker", "1hTicker": "ticker_1h",
                  "4hTicker": "ticker_4h", "1dTicker": "ticker_1d"}
# A token in capitals becomes itself, without the quotes, when the frame is written.
BARE_NUMBERS = ["1e400", "1e-400", "-0", "0.0", "1e9223372036854775807", "123456789012345678901",
                "999999999999999.9", "1e15", "1E+2", "0.1e1"]
NOT_NUMBERS = ["", " 1", "1 ", "+1", "01", "1.", ".5", "0x1F", "1e", "NaN", "Infinity", "1_0",
               "1,5", "\u0661", "-1", "1e15", "1000000000000000", "1e400", "1e-400", "0", "-0",
               "0e5"]
OTHER_TYPES: list[Any] = [None, True, False, "x", -1, 0, 1.5, [], {}, [1], {"a": 1}]


# --- settings -----------------------------------------------------------------------------------

# Symbols and their quotes go together; the rest of the choices stands alone.
UNIVERSES = [
    ("BTCUSDT,ETHUSDT,BNBUSDT", None),
    ("BTCUSDT,ETHUSDT,BNBUSDT", None),
    ("ETHUSDT", "USDT"),
    ("BTCUSDT,BTCUSDC,ETHUSDT", "USDT,USDC"),
    ("BTCUSDT,HUGEUSDT,TINYUSDT,DUSTUSDT", None),
    ("DOGEUSDT,BTCUSDT,ETHBTC", "USDT,BTC"),
    ("*", None),
    ("*", "USDT,USDC,FDUSD"),
    ("*", "USDC,USDT"),
]
CHOICES = {
    "TRADING_ENABLE_SHORTS": ["true", "true", "false"],
    "TRADING_LEVERAGE": ["1", "7"],
    "TRADING_ORDER_NOTIONAL": ["1", "33.3", "100", "999", "5000"],
    "TRADING_MIN_POSITION_SIZE": ["10", "0.01", "99.5"],
    "TRADING_MAX_POSITION_SIZE": ["1000", "110", "1e9"],
    "TRADING_QUANTITY_STEP": ["0.001", "1", "0.00000001", "7"],
    "TRADING_QUANTITY_STEPS": ["BTCUSDT:0.001,ETHUSDT:0.001", "ETHUSDT:1", "DOGEUSDT:0.3"],
    "TRADING_MIN_NOTIONALS": ["BTCUSDT:100,ETHUSDT:20,BNBUSDT:5", "ETHUSDT:500.5", "BTCUSDT:0.1"],
    "STRATEGY_ENABLED_ORDERBOOK_SKEW": ["true"] * 9 + ["false"],
    "STRATEGY_ENABLED_TRADE_MOMENTUM": ["true"] * 14 + ["false"],
    "STRATEGY_ENABLED_TICKER_VELOCITY": ["true"] * 9 + ["false"],
    "ORDERBOOK_SKEW_TOP_LEVELS": ["1", "5", "20"],
    "ORDERBOOK_SKEW_BUY_THRESHOLD": ["1.05", "1.2", "3"],
    "ORDERBOOK_SKEW_SELL_THRESHOLD": ["0.95", "0.8", "0.3"],
    "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": ["0", "0", "0.0005", "0.1"],
    "ORDERBOOK_SKEW_MAX_SPREAD_PERCENT": ["0", "0", "0.2"],
    "TRADE_MOMENTUM_WINDOW": ["2", "2", "3", "10", "20", "100"],
    "TRADE_MOMENTUM_MAX_GAP_SECONDS": ["0", "0", "5", "60"],
    "TRADE_MOMENTUM_PRICE_SCALE_PERCENT": ["0.05", "0.001", "2"],
    "TRADE_MOMENTUM_QUANTITY_MULTIPLE": ["5", "0.5", "1.7"],
    "TRADE_MOMENTUM_BUY_THRESHOLD": ["0.1", "0.7"],
    "TRADE_MOMENTUM_SELL_THRESHOLD": ["-0.1", "-0.7"],
    "TRADE_MOMENTUM_MIN_QUANTITY": ["0", "0", "0.001", "0.5"],
    "TICKER_VELOCITY_TIME_WINDOW": ["1", "5", "10", "60"],
    "TICKER_VELOCITY_BUY_THRESHOLD": ["0.01", "0.5"],
    "TICKER_VELOCITY_SELL_THRESHOLD": ["-0.01", "-0.5"],
    "TICKER_VELOCITY_MIN_PRICE_CHANGE": ["0", "0.01", "0.1"],
    "SIGNAL_MIN_CONFIDENCE": ["0", "0.62", "0.8"],
    "SIGNAL_COOLDOWN_SECONDS": ["0", "0", "1", "30", "900"],
    "RISK_MAX_DAILY_SIGNALS": ["0", "0", "3", "50"],
    "RISK_MAX_ORDERS_PER_MINUTE": ["0", "2", "30"],
    "RISK_PRICE_BAND_PERCENT": ["0", "0.05", "1", "5"],
    "RISK_STOP_LOSS_PERCENT": ["0.5", "2", "99"],
    "RISK_TAKE_PROFIT_PERCENT": ["0.25", "4", "99"],
    "ORDER_FORMAT": ["trade_order", "signal"],
    "ORDER_TTL_SECONDS": ["5", "60"],
    "ORDER_TTL_REDUCE_ONLY_SECONDS": ["30", "7"],
    "TRADING_PAUSED": ["false"] * 5 + ["true"],
}
WEIGHTS = [("0.4", "0.3", "0.3"), ("1", "0", "0"), ("0.1", "0.8", "0.1"), ("0.33", "0.33", "0.34")]
PER_SYMBOL = [
    name for name in CHOICES
    if name.startswith(("ORDERBOOK_SKEW_", "TRADE_MOMENTUM_", "TICKER_VELOCITY_", "SIGNAL_"))
] + ["RISK_STOP_LOSS_PERCENT", "RISK_TAKE_PROFIT_PERCENT", "TRADING_ORDER_NOTIONAL"]  # fmt: skip
# What a running service may be told.
LIVE = sorted({*PER_SYMBOL, *(name for name in CHOICES if name.startswith(
    ("STRATEGY_ENABLED_", "RISK_", "TRADING_M")) and name != "TRADING_MIN_NOTIONALS")})
OWN_SETTINGS_OF = ["BTCUSDT", "ETHUSDT", "TINYUSDT"]


def drawn_settings(dice: random.Random, folder: pathlib.Path) -> dict[str, str]:
    """Some of the choices. Not all of them go together: the caller asks the service."""
    drawn = {name: dice.choice(values) for name, values in CHOICES.items() if dice.random() < 0.8}
    symbols, quotes = dice.choice(UNIVERSES)
    drawn["TRADING_SYMBOLS"] = symbols
    if quotes is not None:
        drawn["TRADING_QUOTE_ASSETS"] = quotes
    if dice.random() < 0.3:
        names = ("PRICE_WEIGHT", "QUANTITY_WEIGHT", "MAKER_WEIGHT")
        drawn |= {f"TRADE_MOMENTUM_{name}": weight
                  for name, weight in zip(names, dice.choice(WEIGHTS))}
    for name in dice.sample(PER_SYMBOL, dice.choice([0, 0, 1, 4])):
        symbol = dice.choice(OWN_SETTINGS_OF)
        if symbols == "*" or symbol in symbols.split(","):
            drawn[f"{name}__{symbol}"] = dice.choice(CHOICES[name])
    if dice.random() < 0.4:
        file = folder / "exchange_info.json"
        file.write_text(json.dumps(exchange_info(dice), ensure_ascii=False), encoding="utf-8")
        drawn["TRADING_INSTRUMENTS_FILE"] = str(file)
    return drawn


def exchange_info(dice: random.Random) -> dict[str, Any]:
    """What a venue may say of all the symbols here, spot or USD-M."""
    futures = dice.random() < 0.5
    return {"timezone": "UTC", "serverTime": MIDNIGHT_MS, "rateLimits": [{"limit": 2400}],
            "exchangeFilters": [], "symbols": [instrument(dice, coin, futures) for coin in COINS]}


def instrument(dice: random.Random, coin: tuple[str, float], futures: bool) -> dict[str, Any]:
    symbol, price = coin
    quote = next((name for name in ("USDT", "USDC", "FDUSD", "BTC", "USD") if name in symbol), "X")
    if symbol.startswith("BTC"):
        quote = symbol[3:].partition("_")[0]
    coarse = 10.0 ** math.floor(math.log10(price))  # most ticks are some digits finer than that
    tick = dice.choice([coarse * 1e-5, coarse * 5e-4, coarse * 0.2, 1e-8, 0.1])
    step = dice.choice(["0.001", "0.00001000", "1", "0.5"])
    known: dict[str, Any] = {"symbol": symbol, "quoteAsset": quote,
                             "status": "TRADING" if dice.random() < 0.95 else "BREAK"}
    if futures:
        known |= {"marginAsset": quote, "contractType": "PERPETUAL", "pair": symbol}
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000",
         "tickSize": f"{tick:.8f}"},
        {"filterType": "LOT_SIZE", "minQty": dice.choice([step, "0.002", "10"]),
         "maxQty": dice.choice(["9000", "90000000", "0.5"]), "stepSize": step},
        {"filterType": "MARKET_LOT_SIZE", "minQty": dice.choice(["0.00000000", step]),
         "maxQty": dice.choice(["120.00000000", "2000", "90000000"]),
         "stepSize": dice.choice(["0.00000000", step, "2"])},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        min_notional(dice, futures),
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95"},
    ]  # fmt: skip
    dice.shuffle(filters)
    return known | {"filters": filters}


def min_notional(dice: random.Random, futures: bool) -> dict[str, Any]:
    least = dice.choice(["5", "100", "20.50000000", "990"])
    if futures:
        return {"filterType": "MIN_NOTIONAL", "notional": least}
    return {"filterType": "NOTIONAL", "minNotional": least, "applyMinToMarket": True,
            "maxNotional": dice.choice(["9000000.00000000", "150", "101"]),
            "applyMaxToMarket": dice.random() < 0.5, "avgPriceMins": 5}


# --- the market ---------------------------------------------------------------------------------

COINS = [
    ("BTCUSDT", 64000.0), ("ETHUSDT", 3400.0), ("BNBUSDT", 580.0), ("BTCUSDC", 64200.0),
    ("DOGEUSDT", 0.12), ("HUGEUSDT", 9.3e14), ("TINYUSDT", 2.5e-7), ("DUSTUSDT", 4e-13),
    ("BTCFDUSD", 63900.0), ("ETHBTC", 0.053), ("\u5e01\u5b89\u4eba\u751fUSDT", 0.31),
    ("BTCUSDT_260925", 64900.0), ("BTCUSD_PERP", 64000.0), ("USDT", 1.0), ("CMUSDT", 64000.0),
]  # fmt: skip
COIN_MARGINED = {"BTCUSD_PERP", "CMUSDT"}


@dataclass
class Coin:
    symbol: str
    price: float
    ids: dict[str, int]  # by `e`; "book" for the books
    tickers: list[str]  # the sources it has
    in_microseconds: bool = False
    weight: int = 8  # how much of it there is to see
    trend: float = 0.0
    queue: list[Event] = field(default_factory=list)  # books that come much too late


class Market:
    def __init__(self, dice: random.Random, traded: str) -> None:
        self.dice = dice
        self.now = MIDNIGHT_MS + dice.choice([0, -150_000, -60_000, dice.randrange(DAY_MS)])
        self.recorded = dice.choice([0.0, 0.5, 1.0])  # how many lines carry a time of receipt
        self.relayed = dice.choice([0.1, 0.5, 0.9])
        self.defect = dice.choice([0.0, 0.4])  # how many books lose their name
        everything = traded == "*"
        traded_names = set(("BTCUSDT,ETHUSDT,BTCUSDC" if everything else traded).split(","))
        neighbours = {symbol for symbol, _ in dice.sample(COINS, 4 if everything else 2)}
        self.coins = [self.coin(symbol, price, traded_names) for symbol, price in COINS
                      if symbol in traded_names | neighbours]
        self.happenings: list[tuple[int, Callable[[], Iterator[tuple[Event, str]]]]] = [
            (30, self.prints), (35, self.ticker), (30, self.book), (3, self.burst),
            (2, self.outlier), (1, self.late_book),
        ]  # fmt: skip
        if everything and dice.random() < 0.3:
            self.happenings.append((1, self.crowd))

    def coin(self, symbol: str, price: float, names: set[str]) -> Coin:
        ids = {name: self.dice.randrange(1, 10**12) for name in ("book", *TRADE_IDS)}
        tickers = self.dice.sample(TICKERS, self.dice.choice([1, 1, 2, 3]))
        return Coin(symbol, price, ids, tickers, weight=8 if symbol in names else 1)

    # Times and numbers

    def pass_time(self) -> None:
        self.now += self.dice.choice([0, 1, 20, 100, 100, 300, 1000])
        if self.dice.random() < 0.004:
            self.now += self.dice.choice([59_999, 60_000, 60_001, 61_000, 125_000, 5 * MINUTE_MS])
        if self.dice.random() < 0.0007:
            self.now += self.dice.choice([HOUR_MS + 1, HOUR_MS + MINUTE_MS + 1, DAY_MS])

    def stamps(self, coin: Coin) -> Event:
        """`E` and mostly `T`, which is earlier, now and then much."""
        dice = self.dice
        lag = 0 if dice.random() < 0.9 else dice.choice([1, 150, 2000, 59_000, 60_000, 61_000])
        event_time = self.now - lag
        traded = event_time - dice.choice([0, 1, 1, 1, 150, 40_000, -5])
        if dice.random() < 0.003:
            coin.in_microseconds = not coin.in_microseconds
        if coin.in_microseconds:
            event_time, traded = event_time * 1000 + dice.randrange(1000), traded * 1000
        stamps: Event = {"E": event_time, "T": traded}
        if dice.random() < 0.01:
            stamps["T"] = dice.choice([*OTHER_TYPES, "1721347200000", 2**63 - 1, 2**63, 0])
        if dice.random() < 0.02:
            del stamps["E"]
        return stamps

    def text(self, number: float) -> Any:
        """As the wire has it, or as a relay may write it."""
        short = f"{number:.{8 if number < 100 else 2}f}"
        if self.dice.random() < 0.9:
            return short if float(short) > 0 else repr(number)
        return self.dice.choice([number, repr(number), f"{number:.3e}"])

    def move(self, coin: Coin) -> float:
        coin.trend = 0.9 * coin.trend + self.dice.gauss(0, 0.00003)
        coin.price *= 1 + coin.trend
        return coin.price

    # Events: each with the name of its stream

    def next_id(self, coin: Coin, sequence: str) -> int:
        """Mostly the next; now and then one that was there, or the exchange has started over."""
        dice = self.dice
        if dice.random() < 0.004:
            coin.ids[sequence] = dice.randrange(100)
        if dice.random() < 0.02:
            return max(0, coin.ids[sequence] - dice.randrange(3))
        coin.ids[sequence] += dice.choice([1, 1, 1, 7])
        return coin.ids[sequence]

    def named(self, coin: Coin) -> Event:
        symbol = coin.symbol if self.dice.random() < 0.98 else coin.symbol.lower()
        named: Event = {"s": symbol}
        if coin.symbol in COIN_MARGINED:
            named["st"] = 2
        elif self.dice.random() < 0.3:
            named["st"] = 1
        return named

    def a_coin(self) -> Coin:
        return self.dice.choices(self.coins, [coin.weight for coin in self.coins])[0]

    def print_of(self, coin: Coin, name: str, price: float, quantity: float,
                 buyer_is_maker: bool) -> tuple[Event, str]:
        letter = TRADE_IDS[name]
        event: Event = {"e": name} | self.stamps(coin) | self.named(coin)
        event |= {letter: self.next_id(coin, name), "p": self.text(price),
                  "q": self.text(quantity), "m": buyer_is_maker}
        if name == "trade" and self.dice.random() < 0.5:
            event["X"] = "MARKET" if self.dice.random() < 0.95 else self.dice.choice(
                ["RPI", "NA", "ADL", "INSURANCE_FUND", 1, ""])
        if event.get("X") == "NA":
            event |= {"p": "0", "q": "0"}
        return event, f"{coin.symbol.lower()}@{name}"

    def quantity(self, coin: Coin) -> float:
        sizes = [0.0005, 0.001, 0.02, 0.3, 5.0, 400.0]
        if coin.symbol == "DUSTUSDT":
            sizes += [1e-13, 2e-13]
        return self.dice.choice(sizes) * self.dice.random() or 1.0

    def prints(self) -> Iterator[tuple[Event, str]]:
        """One deal, in one stream or in both."""
        dice, coin = self.dice, self.a_coin()
        deal = self.move(coin), self.quantity(coin), dice.random() < 0.5
        both = dice.random()
        if both < 0.8:
            yield self.print_of(coin, "trade", *deal)
        if both > 0.6:
            yield self.print_of(coin, "aggTrade", *deal)

    def burst(self) -> Iterator[tuple[Event, str]]:
        """One side takes, and takes more: what momentum is there for."""
        dice, coin = self.dice, self.a_coin()
        side = dice.choice([-1, 1])
        for turn in range(dice.randrange(3, 25)):
            coin.price *= 1 + side * 0.0001
            yield self.print_of(coin, "trade", coin.price, 0.05 * 1.3**turn, side < 0)
            self.now += dice.randrange(50)
        yield self.ticker_of(coin, coin.tickers[0], coin.price)

    def ticker_of(self, coin: Coin, name: str, price: float) -> tuple[Event, str]:
        event: Event = {"e": name} | self.stamps(coin) | self.named(coin)
        if self.dice.random() < 0.9:
            del event["T"]
        event |= {"c": self.text(price), "q": "12345.6", "o": "1", "a": "x", "P": "-0.1"}
        return event, f"{coin.symbol.lower()}@{TICKER_STREAMS[name]}"

    def ticker(self) -> Iterator[tuple[Event, str]]:
        coin = self.a_coin()
        yield self.ticker_of(coin, self.dice.choice(coin.tickers), self.move(coin))

    def crowd(self) -> Iterator[tuple[Event, str]]:
        """More symbols than there are places; a day later some are to have again."""
        first = self.dice.randrange(900)
        for number in range(first, first + 150):
            event = {"e": "24hrMiniTicker", "E": self.now, "s": f"S{number}USDT", "c": "1.25"}
            yield event, "!miniTicker@arr"
        if self.dice.random() < 0.2:
            self.now += self.dice.choice([DAY_MS - 1000, DAY_MS, DAY_MS + 1, 2 * DAY_MS])

    def outlier(self) -> Iterator[tuple[Event, str]]:
        """A price from nowhere; sometimes the market has moved there."""
        dice, coin = self.dice, self.a_coin()
        there = coin.price * dice.choice([0.5, 0.9, 0.949, 0.99, 1.0101, 1.049, 1.051, 1.2, 3.0])
        for _ in range(dice.choice([1, 1, 2, 3])):
            if dice.random() < 0.5:
                yield self.print_of(coin, dice.choice(list(TRADE_IDS)), there, 1.0, True)
            else:
                yield self.ticker_of(coin, dice.choice(coin.tickers), there)
            there *= 1 + dice.gauss(0, 0.003)
            self.now += dice.choice([0, 500, 30_000, 61_000])
        if dice.random() < 0.5:
            coin.price = there

    def sides(self, coin: Coin) -> tuple[list[Any], list[Any]]:
        """Best first. Thin, deep or with a deletion now and then."""
        dice = self.dice
        odd = dice.random()
        count = dice.choice([5, 6, 10, 20]) if odd > 0.1 else dice.choice([0, 1, 4, 20, 21, 30])
        spread = dice.choice([0.00001, 0.0001, 0.003]) * coin.price
        if 0.04 < odd < 0.05:
            spread = -spread
        mid = coin.price * (1 + dice.choice([0, 0, 0, 0.0001, 0.004, 0.0055, -0.006, 0.06]))
        gap = mid * 0.00002
        weight = 2 ** dice.gauss(0, 1)
        sides = []
        for sign, factor in ((-1, weight), (1, 1.0)):
            best = mid + sign * spread / 2
            sides.append([[repr(best + sign * gap * at), self.text(factor * self.quantity(coin))]
                          for at in range(count)])
        if odd > 0.98 and count:
            dice.choice(dice.choice(sides))[1] = dice.choice(["0", "0.000", 0, "1e-400", "-1"])
        if odd < 0.02 and count:
            dice.choice(sides)[:] = []
        if 0.02 < odd < 0.04:
            dice.choice(sides).reverse()
        return sides[0], sides[1]

    def book(self) -> Iterator[tuple[Event, str]]:
        yield self.book_of(self.a_coin())

    def book_of(self, coin: Coin) -> tuple[Event, str]:
        dice = self.dice
        bids, asks = self.sides(coin)
        channel = dice.choice(["depth5", "depth10", "depth20", "depth20@100ms"])
        if dice.random() < 0.03:
            channel = dice.choice(["depth", "depth@100ms", "depth200", "trade", "Depth20"])
        name = f"{coin.symbol.lower()}@{channel}"
        if dice.random() < self.defect:
            # The relay puts the first symbol's name on every book that has none.
            name = f"{self.coins[0].symbol.lower()}@depth20@100ms"
            if dice.random() < 0.8:
                event: Event = {"lastUpdateId": self.next_id(coin, "book"), "bids": bids,
                                "asks": asks}
                if dice.random() < 0.03:
                    coin.queue.append(event)
                return event, name
            name = f"{coin.symbol.lower()}@depth20@100ms"
        update = self.next_id(coin, "book")
        event = {"e": "depthUpdate"} | self.stamps(coin) | self.named(coin)
        event |= {"U": update - 1, "u": update, "pu": update - 2, "b": bids, "a": asks}
        if dice.random() < 0.05:
            del event["T"]  # so that it is a spot diff
        return event, name

    def late_book(self) -> Iterator[tuple[Event, str]]:
        """Out of a queue: an old id without a time of its own."""
        coin = self.a_coin()
        if coin.queue:
            yield coin.queue.pop(0), f"{self.coins[0].symbol.lower()}@depth20@100ms"

    # Frames

    def bend(self, event: Event) -> None:
        """Something in it is not as it should be."""
        dice = self.dice
        key = dice.choice(sorted(event))
        fate = dice.random()
        if fate < 0.25:
            event[key] = dice.choice(OTHER_TYPES)
        elif fate < 0.4:
            del event[key]
        elif fate < 0.6 and isinstance(event.get("E"), int):
            event["E"] += dice.choice([-90_000, -61_000, -1, 1, 1000, 61_000])
        elif fate < 0.7:
            event["E"] = dice.choice([0, -1, 1, 1.5, "1721347200000", 2**63, 10**14, 10**14 - 1,
                                      10**18, True])
        else:
            price = dice.choice([name for name in ("p", "q", "c") if name in event] or [key])
            event[price] = dice.choice([*NOT_NUMBERS, *(f"BARE{text}" for text in BARE_NUMBERS)])

    def timestamp(self) -> Any:
        moment = EPOCH + timedelta(milliseconds=self.now, microseconds=self.dice.randrange(1000))
        text = moment.replace(tzinfo=None).isoformat()
        fate = self.dice.random()
        if fate < 0.01:
            return self.dice.choice(["", "yesterday", 1721347200000, text[:-3] + "x", {},
                                     "2024-13-01T00:00:00Z", "1969-12-31T23:59:59Z"])
        if fate < 0.03:
            return None
        local = (moment + timedelta(hours=2)).replace(tzinfo=None).isoformat()
        return self.dice.choice([f"{text}Z", f"{text}Z", f"{text}+00:00", text, f"{local}+02:00",
                                 moment.replace(microsecond=0).isoformat()])

    def relay(self, name: str, data: Any) -> Event:
        dice = self.dice
        around: Event = {"stream": name, "data": data, "timestamp": self.timestamp(),
                         "message_id": f"00000000-0000-4000-8000-{dice.randrange(10**12):012}",
                         "source": "binance-websocket", "version": "1.0"}
        if dice.random() < 0.2:
            trace = f"00-{dice.getrandbits(128) or 1:032x}-{dice.getrandbits(64) or 1:016x}-01"
            around["_otel_trace_context"] = {"traceparent": trace}
        if dice.random() < 0.03:
            del around[dice.choice(["timestamp", "message_id"])]
        return around

    def wrapped(self, event: Event, name: str) -> Any:
        dice = self.dice
        if dice.random() < 0.02:
            self.bend(event)
        if dice.random() < 0.005:
            name = dice.choice(["!ticker@arr", "btcusdt@depth20", "", "@trade", "x"])
        if dice.random() < 0.05:
            items = list(event.items())
            dice.shuffle(items)
            event = dict(items)
        if dice.random() < self.relayed:
            return self.relay(name, event)
        is_book = "lastUpdateId" in event or event.get("e") == "depthUpdate"
        if dice.random() < (0.95 if is_book else 0.5):
            return {"stream": name, "data": event}
        return event

    def odd_frame(self) -> bytes:
        return self.dice.choice([
            b'{"result":null,"id":1}', b'{"id":7}', b"[]", b'{"code":2,"msg":"no"}', b"null", b"42",
            b'{"error":{"code":2}}', b'{"stream":"!ticker@arr","data":[]}', b'"text"', b"nonsense",
            b'{"stream":5,"data":{}}', b'{"stream":"x@y"}', b'{"data":{"e":"trade"}}', b"{}",
            b'{"stream":"x@y","data":"z"}', b"[null]", b"[[]]", b'{"e":"kline","s":"BTCUSDT"}',
            b'{"e":5}', b'{"e":"trade"', b'{"e":"trade","s":"\xff"}', b'{"e":"trade"} {}',
            b'{"lastUpdateId":1}', b'{"stream":"btcusdt@depth5","data":{"lastUpdateId":1}}',
            b'{"e":"trade","E":1721347200000,"t":1,"p":"1","q":"1","m":true}',
            b'{"stream":"btcusdt@trade","data":{"e":"markPriceUpdate"},"timestamp":"x"}',
        ])  # fmt: skip

    def unframed(self) -> bytes:
        return self.dice.choice([b"", b"  ", b"# a comment", b"#", b'# note {"e":"trade"}'])

    def line(self, frame: bytes) -> bytes:
        if self.dice.random() >= self.recorded:
            return frame
        received = self.now * 1_000_000 + self.dice.randrange(2 * 10**8)
        return b"%d %s" % (received, frame)

    def frames(self) -> Iterator[bytes]:
        """What one happening leads to."""
        weights, calls = zip(*self.happenings)
        events = list(self.dice.choices(calls, weights)[0]())
        if len(events) > 1 and self.dice.random() < (0.1 if len(events) < 100 else 1.0):
            array = [event for event, _ in events]
            yield written(array if self.dice.random() < 0.5
                          else {"stream": "!ticker@arr", "data": array})
            return
        for event, name in events:
            yield written(self.wrapped(event, name))

    def lines(self, count: int) -> list[bytes]:
        made: list[bytes] = []
        while len(made) < count:
            self.pass_time()
            for frame in self.frames():
                made.append(self.line(frame))
                if self.dice.random() < 0.01:
                    made.append(made[-1])
            if self.dice.random() < 0.02:
                made.append(self.line(self.odd_frame()))
            if self.dice.random() < 0.01:
                made.append(self.unframed())
        return made


def add_notes(dice: random.Random, lines: list[bytes], orders: list[Event]) -> None:
    """What the logs at the broker said meanwhile, somewhere between the frames.

    The orders of this recording as heard before or after they were made, the orders of others that
    were like them, things that are no orders, and pauses.
    """
    notes = []
    for order in dice.sample(orders, min(len(orders), dice.choice([0, 5, 200]))):
        notes.append(b"# order " + written(order))
        if dice.random() < 0.3:
            notes.append(notes[-1])
        if dice.random() < 0.5:
            notes.append(b"# order " + written(of_another(dice, order)))
    for _ in range(dice.choice([0, 0, 6])):
        strategy = dice.choice(["", *(f',"strategy":"{name}"' for name in STRATEGIES),
                                ',"strategy":null', ',"strategy":"grid"'])
        paused = dice.choice(["true", "false", "false", "1"])
        notes.append(f'# pause {{"paused":{paused}{strategy},"by":"x"}}'.encode())
    for note in notes:
        lines.insert(dice.randrange(len(lines) + 1), note)


def drawn_values(dice: random.Random) -> dict[str, str]:
    """Of one revision of the settings. Not all of them go together: the caller asks the service."""
    values = {name: dice.choice(CHOICES[name])
              for name in dice.sample(LIVE, dice.choice([0, 1, 4, 12]))}
    for name in dice.sample(PER_SYMBOL, dice.choice([0, 2])):
        values[f"{name}__{dice.choice(OWN_SETTINGS_OF)}"] = dice.choice(CHOICES[name])
    return values


def add_revisions(dice: random.Random, lines: list[bytes], revisions: list[dict[str, str]]) -> None:
    """Revisions of the settings, in effect from a time of the recording on, and some that are none."""
    times = [int(time) for line in lines for time in re.findall(rb'"E":([0-9]{13})\b', line)]
    for values in revisions:
        begin: Any = dice.choice(times) + dice.choice([0, 0, 1, -1, -60_000]) if times else 0
        if dice.random() < 0.1:
            begin = dice.choice([0, -1, "now", 1.5, None, begin + 10**9])
        revision: Any = {"effective_from": begin, "values": values}
        if dice.random() < 0.1:
            wrong = dice.choice([("TRADING_LEVERAGE", "2"), ("SIGNAL_COOLDOWN_SECONDS", "x"),
                                 ("RISK_PRICE_BAND_PERCENT", 5), ("X", "1")])
            revision["values"] = dict([*values.items(), wrong])
        lines.insert(dice.randrange(len(lines) + 1), b"# settings " + written(revision))


def of_another(dice: random.Random, order: Event) -> Event:
    other = dict(order)
    if dice.random() < 0.8:
        name = "order_id" if "order_id" in other else "id"
        other[name] = other["signal_id"] = str(uuid.UUID(int=dice.getrandbits(128)))
    at = datetime.fromisoformat(other["timestamp"])
    if dice.random() < 0.5 and 1971 < at.year < 9000:
        moved = dice.choice([1, 1000, 60_000, 900_000, 86_400_000]) * dice.choice([-1, 1])
        at += timedelta(milliseconds=moved)
        other["timestamp"] = at.isoformat(timespec="milliseconds")
    if dice.random() < 0.2:
        other[dice.choice(sorted(other))] = dice.choice([None, 7, "", "BUY", "sell"])
    return other


STRATEGIES = ("orderbook_skew", "trade_momentum", "ticker_velocity")


def written(frame: Any) -> bytes:
    text = json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
    for number in BARE_NUMBERS:
        text = text.replace(f'"BARE{number}"', number)
    return text.encode()
