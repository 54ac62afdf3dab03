#!/usr/bin/env python3
"""Where the broker becomes the limit, and what partitions change.

1. One nats-server on one core, frames of 780 bytes: how many it takes a second and what one costs
   it, with 1, 2 and 5 readers that each get every frame (an empty group), and with 1, 2 and 5
   members of a queue group that share them. Publisher and readers have the other core and do next
   to nothing. First as fast as it takes them, many frames a packet; then 5,000 a second, a packet
   a frame.
2. The same with subjects that carry the symbol, mapped onto partitions by the broker.
3. Partitions with the real service: a replica a partition. Each symbol has to reach one replica
   only, no frame may be lost, and together they decide what one replica decides.

  broker_limits.py [--quick] [--json FILE] [--binary FILE]
  broker_limits.py --show FILE      the table of an earlier run's JSON, once more
"""
from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter, defaultdict

import local_nats

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FRAME = b'{"stream":"btcusdt@depth20@100ms","data":{"e":"depthUpdate"'.ljust(779) + b"}"
ROUNDS = 5
READERS = (1, 2, 5)
SLOW_RATE = 5_000
SLOW_FRAMES = 5_000
LIMIT_S = 60
# The broker has to wait for slow readers, or what is measured is how it cuts them off.
PATIENT = 'write_deadline: "60s"\nmax_pending: 1GB'
PARTITIONS = 3
MAPPING = """mappings: {
  "binance.websocket.data.*": "binance.websocket.part.{{partition(%d,1)}}.{{wildcard(1)}}"
}""" % PARTITIONS
SYMBOLS = [f"{base}USDT" for base in ("BTC", "ETH", "BNB")]
# Limits over all symbols would make the replicas' decisions differ from one replica's.
SETTINGS = {"MESSAGE_TTL_SECONDS": "0", "DRY_RUN_MODE": "true",
            "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": "0", "SIGNAL_COOLDOWN_SECONDS": "10",
            "RISK_MAX_ORDERS_PER_MINUTE": "0", "RISK_MAX_DAILY_SIGNALS": "0"}


# --- what a frame costs the broker -------------------------------------------------------------


class Readers:
    """Connections that read and count, a thread each."""

    def __init__(self, port: int, subject: str, count: int, queue: str) -> None:
        self._read = [0] * count
        self._connections = [local_nats.Connection(port) for _ in range(count)]
        self._threads = [threading.Thread(target=self._count, args=(index,))
                         for index in range(count)]
        for connection, thread in zip(self._connections, self._threads):
            connection.subscribe(subject, queue)
            thread.start()

    def _count(self, index: int) -> None:
        room = bytearray(local_nats.READ_BYTES)
        connection = self._connections[index].socket
        while True:
            try:
                read = connection.recv_into(room)
            except OSError:
                return
            if not read:
                return
            self._read[index] += read

    def wait_for(self, expected_bytes: int) -> None:
        deadline = time.monotonic() + LIMIT_S
        while sum(self._read) < expected_bytes:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{sum(self._read):,} of {expected_bytes:,} bytes came")
            time.sleep(0.001)

    def close(self) -> None:
        for connection, thread in zip(self._connections, self._threads):
            connection.close()
            thread.join()


def flood(broker: local_nats.Broker, frames: int, readers: int, queue: str, mapped: bool,
          rate: int) -> dict[str, float]:
    """Publishes as fast as the broker takes it, or one by one; what that cost the broker."""
    subjects = ([f"binance.websocket.data.{symbol}" for symbol in SYMBOLS] if mapped
                else [local_nats.FRAMES])
    delivered = "binance.websocket.part.0.BTCUSDT" if mapped else local_nats.FRAMES
    reading = Readers(broker.port, "binance.websocket.part.*.*" if mapped else delivered,
                      readers, queue)
    messages = [local_nats.publications([FRAME], subject)[0] for subject in subjects]
    publisher = local_nats.Connection(broker.port)
    bytes_a_frame = len(f"MSG {delivered} 1 {len(FRAME)}\r\n") + len(FRAME) + 2
    cpu, begun = broker.cpu_seconds(), time.monotonic()
    try:
        send(publisher, messages, frames, rate)
        reading.wait_for(frames * bytes_a_frame * (1 if queue else readers))
        took, used = time.monotonic() - begun, broker.cpu_seconds() - cpu
    finally:
        publisher.close()
        reading.close()
    return {"frames_s": frames / took, "cpu_us": used / frames * 1e6, "busy": used / took}


def send(publisher: local_nats.Connection, messages: list[bytes], frames: int, rate: int) -> None:
    if not rate:
        block = b"".join(messages[index % len(messages)] for index in range(1000))
        for _ in range(frames // 1000):
            publisher.send(block)
        return
    begun = time.monotonic()
    for index in range(frames):
        pause = begun + index / rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        publisher.send(messages[index % len(messages)])


def measure_floods(folder: pathlib.Path, frames: int, rounds: int) -> list[dict[str, object]]:
    cores = sorted(os.sched_getaffinity(0))
    rows: dict[tuple[int, str, int], dict[str, list[float]]] = defaultdict(
        lambda: defaultdict(list))
    with local_nats.Broker(folder, {cores[0]}, PATIENT) as plain, \
            local_nats.Broker(folder, {cores[0]}, PATIENT + "\n" + MAPPING) as mapping:
        os.sched_setaffinity(0, set(cores[1:]) or {cores[0]})
        ways = (("each gets every frame", plain, ""), ("they share the frames", plain, "group"),
                ("each gets every frame, mapped onto partitions", mapping, ""))
        for number, readers, rate in itertools.product(range(rounds), READERS, (0, SLOW_RATE)):
            for way, broker, queue in ways:
                # A name of its own: the broker may not have noticed yet that the last ones left.
                group = f"{queue}-{number}-{readers}-{rate}" if queue else ""
                found = flood(broker, frames if not rate else SLOW_FRAMES, readers, group,
                              broker is mapping, rate)
                for name, value in found.items():
                    rows[rate, way, readers][name].append(value)
        os.sched_setaffinity(0, set(cores))
    return [{"rate": rate, "way": way, "readers": readers, **values}
            for (rate, way, readers), values in sorted(rows.items())]


def print_floods(rows: list[dict[str, object]]) -> None:
    def middle(row: dict[str, object], name: str) -> float:
        return statistics.median(row[name])

    print(f"One nats-server on one core, {len(FRAME)} bytes a frame; median of the rounds\n\n"
          "| sent | readers | frames/s in | frames/s out | of its core | CPU a frame, µs "
          "| least … most | frames/s of a whole core |\n"
          "|---|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        copies = 1 if "share" in row["way"] else row["readers"]
        sent = f"{row['rate']:,}/s, one by one" if row["rate"] else "as fast as taken"
        cpu = row["cpu_us"]
        print(f"| {sent} | {row['readers']}, {row['way']} | {middle(row, 'frames_s'):,.0f} "
              f"| {middle(row, 'frames_s') * copies:,.0f} | {middle(row, 'busy'):.0%} "
              f"| {middle(row, 'cpu_us'):.2f} | {min(cpu):.2f} … {max(cpu):.2f} "
              f"| {1e6 / middle(row, 'cpu_us'):,.0f} |")


# --- partitions with the real service ----------------------------------------------------------


def symbol_of(frame: bytes) -> str:
    stream = re.search(rb'"stream":"([a-z]+)@', frame)
    return stream[1].decode().upper() if stream else "NONE"


def run_replicas(binary: str, broker: local_nats.Broker, topics: list[str],
                 messages: list[bytes]) -> tuple[list[int], Counter[str]]:
    """How many frames each replica got, and what all of them decided."""
    replicas = [local_nats.Service(binary, broker.url, SETTINGS | {"NATS_CONSUMER_TOPIC": topic})
                for topic in topics]
    try:
        publisher = local_nats.Connection(broker.port)
        local_nats.publish(publisher, messages)
        publisher.close()
        local_nats.wait_until(lambda: sum(replica.frames() for replica in replicas)
                              >= len(messages), "all frames have come")
        return ([replica.frames() for replica in replicas],
                sum((Counter(replica.counters("rts_decisions_total")) for replica in replicas),
                    Counter()))
    finally:
        for replica in replicas:
            local_nats.stop(replica.process)


def check_partitions(folder: pathlib.Path, binary: str) -> dict[str, object]:
    recording = folder / "market.log"
    subprocess.run([binary, "simulate", "--output", str(recording), "--frames", "20000"],
                   check=True, capture_output=True)
    frames = [line.partition(b" ")[2] for line in recording.read_bytes().splitlines()]
    by_symbol = Counter(symbol_of(frame) for frame in frames)
    messages = [local_nats.publications([frame], f"binance.websocket.data.{symbol_of(frame)}")[0]
                for frame in frames]
    with local_nats.Broker(folder, settings=PATIENT + "\n" + MAPPING) as broker:
        alone, decided_alone = run_replicas(broker=broker, binary=binary, messages=messages,
                                            topics=["binance.websocket.part.*.*"])
        shares, decided = run_replicas(
            broker=broker, binary=binary, messages=messages,
            topics=[f"binance.websocket.part.{number}.*" for number in range(PARTITIONS)])
        spread = partition_of_symbols(broker)
    whole_symbols = any(sum(chosen) == share for share in shares if share
                        for chosen in subsets(list(by_symbol.values())))
    if sum(shares) != len(frames) or decided != decided_alone or not whole_symbols:
        raise RuntimeError(f"partitions differ from one replica: {shares}, "
                           f"{decided - decided_alone}, {decided_alone - decided}")
    return {"frames": len(frames), "by_symbol": by_symbol, "one_replica": alone[0],
            "replicas": shares, "decisions": sum(decided.values()),
            "orders": sum(n for labels, n in decided.items() if "signal_" in labels),
            "symbols_a_partition_of_512": spread}


def subsets(values: list[int]) -> list[list[int]]:
    return [[value for index, value in enumerate(values) if chosen >> index & 1]
            for chosen in range(1, 1 << len(values))]


def partition_of_symbols(broker: local_nats.Broker) -> list[int]:
    """512 made-up symbols, each sent twice: how many of them each partition has."""
    names = [f"SYMBOL{number}USDT" for number in range(512)]
    reader, publisher = local_nats.Connection(broker.port), local_nats.Connection(broker.port)
    reader.subscribe("binance.websocket.part.*.*")
    for name in names * 2:
        publisher.send(local_nats.publications([b"{}"], f"binance.websocket.data.{name}")[0])
    publisher.flush()
    text = b""
    while text.count(b"\r\n{}") < 2 * len(names):
        text += reader.socket.recv(local_nats.READ_BYTES)
    found = re.findall(rb"MSG binance\.websocket\.part\.([0-9]+)\.(\S+) ", text)
    homes = defaultdict(set)
    for partition, name in found:
        homes[name].add(int(partition))
    if any(len(partitions) != 1 for partitions in homes.values()) or len(homes) != len(names):
        raise RuntimeError("a symbol is in two partitions, or in none")
    reader.close()
    publisher.close()
    counts = Counter(partition for partitions in homes.values() for partition in partitions)
    return [counts[number] for number in range(PARTITIONS)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options.add_argument("--binary", default=str(SOURCE / "build/release/realtime-strategies"))
    options.add_argument("--show", type=pathlib.Path, metavar="FILE")
    given = options.parse_args()
    if given.show:
        print_floods(json.loads(given.show.read_text())["floods"])
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        partitions = check_partitions(folder, given.binary)
        print(f"partitions, with\n{MAPPING}\n{json.dumps(partitions)}\n", flush=True)
        floods = measure_floods(folder, 50_000 if given.quick else 200_000,
                                3 if given.quick else ROUNDS)
    print_floods(floods)
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"partitions": partitions, "floods": floods},
                                         indent=1) + "\n")


if __name__ == "__main__":
    main()
