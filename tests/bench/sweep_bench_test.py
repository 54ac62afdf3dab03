#!/usr/bin/env python3
"""Tests of what `sweep`, `replay` and vectorbt are given, and of when they count as the same."""
import json
import pathlib
import sys
import tempfile
import unittest

import sweep_bench
from environment import VECTORBT, Environment
from sweep_bench import SweepBench, Swept, Trial


def ticker(at_ms: int, price: str) -> bytes:
    return (b'%d000000 {"data":{"e":"24hrTicker","E":%d,"s":"BTCUSDT","c":"%s","C":%d}}\n'
            % (at_ms, at_ms, price.encode(), at_ms))


BOOK = b'1000000000 {"data":{"e":"depthUpdate","E":1000,"s":"BTCUSDT"}}\n'


class Tickers(unittest.TestCase):
    def test_go_on_where_they_ended(self):
        recording = [ticker(1000, "1.5"), BOOK, ticker(1400, "1.6")]
        made = sweep_bench.tickers_of(recording, 5)
        read = [line.split(b" ", 1) for line in made]
        frames = [json.loads(frame)["data"] for _, frame in read]
        # A turn spans 400 ms, and the next begins 100 later.
        self.assertEqual([frame["E"] for frame in frames], [1000, 1400, 1500, 1900, 2000])
        self.assertEqual([int(received) for received, _ in read],
                         [frame["E"] * 1_000_000 for frame in frames])
        self.assertEqual([frame["c"] for frame in frames], ["1.5", "1.6", "1.5", "1.6", "1.5"])

    def test_are_no_more_than_asked_for(self):
        recording = [ticker(1000 + i, "1") for i in range(10)]
        self.assertEqual(sweep_bench.tickers_of(recording, 3), recording[:3])

    def test_of_a_recording_without_any_are_refused(self):
        with self.assertRaises(ValueError):
            sweep_bench.tickers_of([BOOK], 3)


class Settings(unittest.TestCase):
    def test_are_those_swept_in_the_order_of_the_trials(self):
        swept = Swept.of({"events": 10, "refused": 3, "ranked": [
            {"trial": 1, "values": {"A": "2"}, "orders": 7},
            {"trial": 0, "values": {"A": "1"}, "orders": 5}]})
        self.assertEqual(swept, Swept(7, [Trial({"A": "1"}, 5), Trial({"A": "2"}, 7)]))

    def test_are_handed_to_vectorbt_as_numbers_and_milliseconds(self):
        trials = [Trial({"TICKER_VELOCITY_BUY_THRESHOLD": "0.25",
                         "TICKER_VELOCITY_SELL_THRESHOLD": sell,
                         "SIGNAL_COOLDOWN_SECONDS": seconds}, 0)
                  for sell, seconds in (("-0.5", "60"), ("-0.125", "7"))]
        terms = sweep_bench.vectorbt_terms(trials)
        self.assertEqual(terms["buy"], [0.25, 0.25])
        self.assertEqual(terms["sell"], [-0.5, -0.125])
        self.assertEqual(terms["cooldown_ms"], [60_000, 7000])
        self.assertEqual(terms["min_change"], 0.05)

    def test_of_a_grid_are_as_many_as_are_drawn(self):
        lists = [given.partition("=")[2].split(",") for given in sweep_bench.GRID[1::2]]
        combinations = 1
        for values in lists:
            combinations *= len(values)
        self.assertEqual(combinations, sweep_bench.SETTINGS)

    def test_that_are_apart_differ_in_more_than_thresholds(self):
        self.assertEqual(sweep_bench.APART[:6], sweep_bench.THRESHOLDS[:6])
        self.assertEqual([given.partition("=")[0] for given in sweep_bench.APART[7:12:2]],
                         ["ORDERBOOK_SKEW_TOP_LEVELS", "TRADE_MOMENTUM_PRICE_SCALE_PERCENT",
                          "TICKER_VELOCITY_TIME_WINDOW"])
        for drawn in (sweep_bench.APART, sweep_bench.THRESHOLDS, sweep_bench.TICKERS):
            self.assertEqual(drawn[-4:], ["--random", "499", "--seed", "1"])


class Orders(unittest.TestCase):
    def test_that_are_the_same_pass(self):
        sweep_bench.require_same("replay", [0, 3], [0, 3])

    def test_that_differ_are_named_by_their_setting(self):
        with self.assertRaisesRegex(RuntimeError, r"^replay .* 1 of 3 settings, .* \[2\]$"):
            sweep_bench.require_same("replay", [1, 2, 3], [1, 2, 4])

    def test_of_fewer_settings_are_not_the_same(self):
        with self.assertRaises(RuntimeError):
            sweep_bench.require_same("replay", [1, 2], [1])

    def test_show_nothing_where_there_are_none(self):
        with self.assertRaisesRegex(RuntimeError, "no order"):
            sweep_bench.require_same("replay", [0, 0], [0, 0])


class Cost(unittest.TestCase):
    def test_is_of_the_whole_process_and_of_no_earlier_one(self):
        burn = "import time\nwhile time.process_time() < 0.3: pass\nprint('done')"
        sweep_bench.cpu_of([sys.executable, "-c", burn], {})
        used, out = sweep_bench.cpu_of([sys.executable, "-c", burn], {})
        self.assertEqual(out, "done\n")
        self.assertGreater(used, 0.25)
        self.assertLess(used, 0.55)

    def test_is_figured_as_millions_of_combinations_a_second(self):
        bench = SweepBench(pathlib.Path("no/binary"), pathlib.Path("no/folder"), False)
        bench.add("sweep/grid", 6_000_000, 1.5)
        bench.add("sweep/grid", 1_000_000, 2)
        self.assertEqual(bench.measured, {"sweep/grid": [4.0, 0.5]})


class Rounds(unittest.TestCase):
    class Noted(SweepBench):
        """Measures nothing; the number of each part tells when it was its turn."""
        def round_of(self, name: str, *_) -> None:
            self.turn = getattr(self, "turn", 0) + 1
            self.measured.setdefault(name, []).append(self.turn)

    def measured(self, rounds: int) -> dict:
        bench = self.Noted(pathlib.Path("no/binary"), pathlib.Path("no/folder"), False)
        bench.run(rounds)
        return bench.measured

    def test_begin_with_another_each_and_the_first_does_not_count(self):
        self.assertEqual(self.measured(2),
                         {"thresholds": [5, 12], "apart": [6, 9], "tickers": [7, 10],
                          "grid": [8, 11]})

    def test_count_where_there_is_one(self):
        self.assertEqual(self.measured(1),
                         {"thresholds": [1], "apart": [2], "tickers": [3], "grid": [4]})


class Installed(unittest.TestCase):
    def test_is_what_has_the_versions_of_today(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            (folder / "wanted.txt").write_text("# a comment\nnumpy==1.2\n")
            environment = Environment(folder / "venv", folder / "wanted.txt")
            self.assertFalse(environment.is_installed())
            (folder / "venv").mkdir()
            (folder / "venv/installed.txt").write_text("numpy==1.1\n")
            self.assertFalse(environment.is_installed())
            (folder / "venv/installed.txt").write_text("# a comment\nnumpy==1.2\n")
            self.assertTrue(environment.is_installed())
            self.assertEqual(environment.versions(), {"numpy": "1.2"})

    def test_is_pinned(self):
        self.assertIn("vectorbt", VECTORBT.versions())


if __name__ == "__main__":
    unittest.main()
