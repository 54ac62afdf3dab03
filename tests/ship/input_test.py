#!/usr/bin/env python3
"""Each example of docs/INPUT.md ends as the page says: in a replay, or live where it says so.

A paragraph that begins with outcomes, and the block behind it. Needs the binary at RTS_BINARY.
"""

import json
import os
import re
import socket
import subprocess
import tempfile
import unittest
import urllib.request
from collections import Counter
from pathlib import Path

from smoke import eventually, free_port, nats_server

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ["RTS_BINARY"]
PAGE = (ROOT / "docs/INPUT.md").read_text()
CODE = r"`(?:evaluated|ignored|dropped): \w+`"
EXAMPLE = rf"^({CODE}(?:\s+and\s+{CODE})*)(?:(?!\n\n).)*\n\n```(\w+)( live)?\n(.*?)^```$"
STRATEGIES = {"orderbook_skew": "book", "trade_momentum": "trade", "ticker_velocity": "ticker"}
FEED = "binance.websocket.data"


class Example:
    def __init__(self, codes: str, language: str, live: str, block: str) -> None:
        self.expected = Counter(re.findall(r"(\w+: \w+)", codes))
        self.live = bool(live)
        # A frame that is broken over lines goes on with a blank.
        self.lines = re.sub(r"\n +", " ", block) if language == "json" else block

    def replayed(self) -> Counter[str]:
        done = subprocess.run(
            [BINARY, "replay", "--quiet", "--orders=/dev/null", "--counts=-"],
            input=self.lines, env={}, capture_output=True, text=True,
        )  # fmt: skip
        counts = json.loads(done.stdout)
        seen = Counter()
        for name, count in counts["frames"].items():
            if "/" in name:
                seen[name.replace("/", ": ")] += count
        for name, count in counts["outcomes"].items():
            seen["evaluated: " + STRATEGIES[name.split("/")[0]]] += count
        return seen


EXAMPLES = [Example(*found) for found in re.findall(EXAMPLE, PAGE, re.S | re.M)]


class Input(unittest.TestCase):
    def test_every_block_is_an_example(self) -> None:
        self.assertEqual(len(EXAMPLES), len(re.findall(r"^```\w", PAGE, re.M)))
        self.assertGreater(len(EXAMPLES), 30)

    def test_the_examples_end_as_the_page_says(self) -> None:
        for example in EXAMPLES:
            if not example.live:
                with self.subTest(lines=example.lines):
                    self.assertEqual(example.replayed(), example.expected)


class Live(unittest.TestCase):
    """The running service, of its own: it ends as much as it must, and no more."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.broker, self.http = free_port(), free_port()
        environment = {
            "NATS_URL": f"nats://127.0.0.1:{self.broker}", "HEALTH_CHECK_PORT": str(self.http),
            "HEALTH_CHECK_HOST": "127.0.0.1", "DRY_RUN_MODE": "true",
        }  # fmt: skip
        broker = [nats_server(), "-a", "127.0.0.1", "-p", str(self.broker)]
        for command, env in ((broker, None), ([BINARY, "run"], environment)):
            process = subprocess.Popen(
                command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            self.addCleanup(process.wait)
            self.addCleanup(process.terminate)
        self.assertTrue(eventually(lambda: "\nrts_ready 1\n" in self.metrics(), 20))

    def metrics(self) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=5) as page:
                return page.read().decode()
        except OSError:
            return ""

    def ended(self) -> Counter[str]:
        rows = r'^rts_events_(ignored|dropped)_total\{.*?reason="(\w+)".*?\} (\d+)$'
        seen = Counter()
        for disposition, reason, count in re.findall(rows, self.metrics(), re.M):
            seen[f"{disposition}: {reason}"] += int(count)
        return seen

    def test_the_examples_end_as_the_page_says_and_it_names_every_reason(self) -> None:
        named = set(re.findall(r"`((?:ignored|dropped): \w+)`", PAGE))
        self.assertEqual(named, set(self.ended()))
        for example in EXAMPLES:
            if example.live:
                with self.subTest(lines=example.lines):
                    before = self.ended()
                    self.publish(example.lines.encode().strip())
                    as_said = lambda: self.ended() - before == example.expected
                    self.assertTrue(eventually(as_said))

    def publish(self, frame: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.broker), timeout=10) as to:
            answers = to.makefile("rb")
            hello = b'CONNECT {"verbose":false}\r\n'
            to.sendall(hello + b"PUB %s %d\r\n%s\r\nPING\r\n" % (FEED.encode(), len(frame), frame))
            while answers.readline().strip() != b"PONG":
                pass


if __name__ == "__main__":
    unittest.main()
