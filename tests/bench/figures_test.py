#!/usr/bin/env python3
"""Tests of what can be wrong between a measured number and a figure that is read."""
import math
import re
import unittest

import figures
from figures import Target


def every_number() -> dict:
    """Something measured under every name that a figure asks for."""
    class Names(dict):
        def __missing__(self, name: str) -> list:
            many = name.startswith(("latency/", "stream/", "scrape_time"))
            self[name] = [[1.0, 2.0], [3.0, 4.0]] if many else [1.0, 2.0]
            return self[name]

    measured = Names()
    figures.figures(measured)
    return dict(measured)


def report(made: list[dict]) -> dict:
    return {"date": "2026-01-02", "commit": "abc", "rounds": 2, "effort": "full",
            "machine": {"cores": 2, "cpu": "a CPU", "kernel": "6"}, "versions": {"nats.c": "3"},
            "figures": made}


class Percentile(unittest.TestCase):
    def test_is_the_nearest_rank(self):
        hundred = list(range(100, 0, -1))
        for percent, expected in ((50, 50), (90, 90), (99, 99), (99.9, 100), (100, 100), (0, 1)):
            self.assertEqual(figures.percentile(hundred, percent), expected, percent)
        thousand = list(range(1, 1001))
        self.assertEqual(figures.percentile(thousand, 99.9), 999)
        self.assertEqual(figures.percentile([7], 99.9), 7)
        self.assertEqual(figures.percentile([1, 2], 50), 1)
        self.assertEqual(figures.percentile([1, 2], 51), 2)

    def test_of_nothing_is_refused(self):
        with self.assertRaises(ValueError):
            figures.percentile([], 50)


class Ratio(unittest.TestCase):
    def test_is_taken_within_each_round(self):
        # The machine was ten times slower in the second round: for both.
        self.assertEqual(figures.ratios([2, 20, 2], [1, 10, 1]), [2, 2, 2])

    def test_needs_as_many_rounds_on_either_side(self):
        with self.assertRaises(ValueError):
            figures.ratios([1, 2], [1])


class Targets(unittest.TestCase):
    def test_are_met_at_their_bound_and_missed_beyond_it(self):
        self.assertTrue(Target(most=1.6).met(1.6))
        self.assertFalse(Target(most=1.6).met(math.nextafter(1.6, 2)))
        self.assertTrue(Target(least=300).met(300))
        self.assertFalse(Target(least=300).met(299.9))
        self.assertTrue(Target(most=0).met(0))

    def test_read_as_they_are(self):
        self.assertEqual(str(Target(most=1.15)), "<= 1.15")
        self.assertEqual(str(Target(least=300_000)), ">= 300,000")

    def test_judge_the_median_of_the_ratio(self):
        wanted = figures.Wanted("cost", "x", "us", figures.value("a"), None, "b",
                                figures.value("b"), Target(most=1.5))
        made = figures.figure(wanted, {"a": [1, 2, 3], "b": [1, 1, 1]})
        self.assertEqual(made["ratio"]["median"], 2)
        self.assertFalse(made["ratio"]["met"])
        self.assertNotIn("met", made)


class Figures(unittest.TestCase):
    def test_are_each_named_once(self):
        names = [(w.section, w.label, w.beside) for w in figures.WANTED]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual({w.section for w in figures.WANTED}, set(figures.SECTIONS))

    def test_want_every_number_unless_a_part_was_asked_for(self):
        measured = every_number()
        self.assertEqual(len(figures.figures(measured)), len(figures.WANTED))
        del measured["replay"]
        with self.assertRaises(KeyError):
            figures.figures(measured)
        self.assertEqual(len(figures.figures(measured, partial=True)), len(figures.WANTED) - 1)

    def test_do_without_a_peer_that_is_not_installed(self):
        measured = {name: rounds for name, rounds in every_number().items()
                    if not name.startswith("vectorbt/")}
        left = [one for one in figures.figures(measured) if one["section"] == "sweep"]
        self.assertEqual([one["figure"] for one in left],
                         ["All strategies, a grid", "All strategies, all thresholds differ",
                          "All strategies, next to nothing shared", figures.VELOCITY])
        self.assertEqual({one["reference"]["name"] for one in left}, {figures.REPLAY})
        del measured["replay/tickers"]
        with self.assertRaises(KeyError):
            figures.figures(measured)

    def test_are_the_median_with_least_and_most(self):
        wanted = figures.Wanted("other", "x", "us", figures.share_of("x", 50))
        made = figures.figure(wanted, {"x": [[9, 1, 5], [30], [2, 2]]})
        self.assertEqual((made["median"], made["least"], made["most"]), (5, 2, 30))
        self.assertEqual(made["rounds"], [5, 30, 2])

    def test_count_millicores_from_cost_and_rate(self):
        taken = figures.millicores("1000", "service")
        self.assertEqual(taken({"cpu/1000/service": [12.0], "rate/1000/service": [500.0]}), [6.0])


class Tables(unittest.TestCase):
    def test_show_three_digits(self):
        for n, text in ((0, "0"), (0.0045, "0.00450"), (0.99996, "1.00"), (1.236, "1.24"),
                        (99.96, "100"), (1234.5, "1,234"), (640_123, "640,123"), (-2.5, "-2.50")):
            self.assertEqual(figures.number(n), text)

    def test_of_a_terminal_have_every_figure_and_say_what_was_missed(self):
        made = figures.figures(every_number())
        text = figures.printed(report(made))
        for one in made:
            self.assertIn(one["figure"].partition(": ")[0], text)
        self.assertIn("Ready after start", text)
        self.assertRegex(text, r"Ready after start .* <= 100 met")
        self.assertRegex(text, r"Replay from plain NDJSON .* >= 600,000 MISSED")
        self.assertRegex(text, r"\n\d+ of \d+ targets met$")

    def test_have_straight_columns(self):
        lines = figures.text_table([("figure", "median", "target"), ("a", "1", "<= 2 met"),
                                    ("longer", "1,000", "")]).splitlines()
        self.assertEqual(lines, ["figure  median  target", "a            1  <= 2 met",
                                 "longer   1,000"])

    def test_of_the_page_are_markdown(self):
        text = figures.markdown_table([("a", "b"), ("1", "2")])
        self.assertEqual(text, "| a | b |\n|---|---|\n| 1 | 2 |")


class Page(unittest.TestCase):
    def skeleton(self) -> str:
        made = report(figures.figures(every_number()))
        return "\n".join(f"words on {name}\n{figures.begin(name)}\nold\n{figures.END}"
                         for name in figures.page_parts(made)) + "\nlast words\n"

    def test_keeps_what_people_wrote_and_makes_the_rest(self):
        made = report(figures.figures(every_number()))
        page = figures.page(self.skeleton(), made)
        self.assertNotIn("\nold\n", page)
        self.assertTrue(page.endswith(f"{figures.END}\nlast words\n"))
        for name in figures.page_parts(made):
            self.assertIn(f"words on {name}\n", page)
        self.assertEqual(len(re.findall(r"^\|---", page, re.MULTILINE)),
                         len(figures.SECTIONS) + 1)
        self.assertEqual(figures.page(page, made), page)

    def test_without_a_place_for_something_is_refused(self):
        made = report(figures.figures(every_number()))
        with self.assertRaises(ValueError):
            figures.page(self.skeleton().replace(figures.begin("cost"), ""), made)


if __name__ == "__main__":
    unittest.main()
