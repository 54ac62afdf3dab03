#!/usr/bin/env python3
"""What the documents tell people to type, typed beside a running service: each says something.

That is every line of a block of code that asks the service, by curl, `explain` or `top`, and those that
call the binary, but for those that need a broker, which have tests of their own. Needs the binary at RTS_BINARY.
"""

import gzip
import math
import os
import re
import subprocess
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

from smoke import eventually, free_port, nats_server

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ["RTS_BINARY"]).resolve()
DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
ASKS = r'(?:curl -s "?(?:\$H|localhost:8080)/|realtime-strategies (?:explain|top)\b).*'
CALLS = (
    r"realtime-strategies "
    r"(?!(?:explain|top|run|record|doctor|provision|pause|resume|set|unset|settings)\b)"
    r"(?!replay /data/).*"  # of a recorder's volume
)


def commands(pattern: str) -> dict[str, list[str]]:
    found = {}
    for name in DOCUMENTS:
        blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / name).read_text(), re.S | re.M)
        found[name] = re.findall(rf"^{pattern}$", "\n".join(blocks), re.M)
    return {name: lines for name, lines in found.items() if lines}


class Commands(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        (self.folder / "realtime-strategies").symlink_to(BINARY)
        self.environment = {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def start(self, *command: str | Path) -> None:
        process = subprocess.Popen(
            command, env=self.environment, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

    def type(self, line: str, limit: float = 20) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=limit,
        )  # fmt: skip

    def expect_each_says_something(self, found: dict[str, list[str]]) -> None:
        for name, lines in found.items():
            for line in lines:
                with self.subTest(document=name, line=line):
                    done = self.type(line.replace("localhost:8080", "$H"))
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertTrue(done.stdout + done.stderr or ">" in line or "--output" in line)

    def test_what_calls_the_binary(self) -> None:
        found = commands(CALLS)
        found.pop("docs/TUNING.md")  # they want recordings, and have a test of their own below
        self.assertGreater(sum(map(len, found.values())), 4)
        self.expect_each_says_something(found)

    def test_what_asks_the_service(self) -> None:
        broker, http = free_port(), free_port()
        # Of a symbol that is not traded, too: the lines that look for what was ignored find it.
        self.environment |= {
            "NATS_URL": f"nats://127.0.0.1:{broker}", "HEALTH_CHECK_PORT": str(http),
            "TRADING_SYMBOLS": "BTCUSDT,ETHUSDT", "H": f"127.0.0.1:{http}", "ENVIRONMENT": "test",
            "SIMULATE_ON_REAL_BROKER": "yes",
        }  # fmt: skip
        self.start(nats_server(), "-a", "127.0.0.1", "-p", str(broker))
        self.start(BINARY, "run")
        ready = "realtime-strategies health --ready"
        self.assertTrue(eventually(lambda: self.type(ready).returncode == 0, 20))
        market = self.type("realtime-strategies simulate --frames 20000 --rate 20000")
        self.assertEqual(market.returncode, 0, market.stderr)
        found = commands(ASKS)
        self.assertGreater(sum(map(len, found.values())), 10)
        self.expect_each_says_something(found)

    # docs/TUNING.md, "In five minutes": on the recorded candles where they are, else on made-up ones.
    def test_from_candles_to_a_report(self) -> None:
        corpus = Path(os.environ.get("RTS_CORPUS", "")) / "klines"
        for symbol, base in {"BTCUSDT": 29000, "ETHUSDT": 1900, "BNBUSDT": 240}.items():
            recorded = corpus / f"{symbol}_um_1m_2023.csv.gz"
            archive = self.folder / f"{symbol}-1m-2023-07.zip"
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
                text = gzip.decompress(recorded.read_bytes()) if recorded.exists() else candles(base)
                members.writestr(f"{symbol}-1m-2023-07.csv", text)
        text = (ROOT / "docs/TUNING.md").read_text()
        script = re.findall(r"^## In five minutes.*?^```sh\n(.*?)^```", text, re.S | re.M)[0]
        begun = time.monotonic()
        done = self.type(script, limit=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(time.monotonic() - begun, 300)
        self.assertEqual(done.stdout.count("settings tried: as configured, and"), 2)
        self.assertRegex(done.stdout, r"mean of \d+ tests: ")
        for report in ("sweep.html", "replay.html"):
            self.assertIn("<svg", (self.folder / report).read_text())


# Ten days of a price that swings, a candle a minute.
def candles(base: float) -> str:
    begin = 1689724800000  # 2023-07-19
    rows = []
    for minute in range(10 * 24 * 60):
        price = base * (1 + 0.01 * math.sin(minute / 40) + 0.002 * math.sin(minute / 3))
        at = begin + minute * 60000
        rows.append(
            f"{at},{price:.2f},{price:.2f},{price:.2f},{price:.2f},1,{at + 59999},{price:.2f},1,1,1,0"
        )
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    unittest.main()
