"""A broker on loopback, and the least that can publish to it and read from it, for the benchmarks.

The publisher and the reader speak the protocol themselves: what they send is made beforehand and
what they get is counted by bytes, so that the broker and the measured programs have the machine.
"""
from __future__ import annotations

import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable

FRAMES = "binance.websocket.data"
READY_WITHIN_S = 10
LIMIT_S = 120
READ_BYTES = 1 << 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid: int) -> float:
    """What the threads of a process have used, to the nanosecond."""
    used = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def peak_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {LIMIT_S} s: {what}")
        time.sleep(0.02)


def clean_environment() -> dict[str, str]:
    """Nothing that sets the service, whoever calls."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: value for name, value in os.environ.items() if name in kept}


class Service:
    """The service behind a broker, ready."""

    def __init__(self, binary: str, url: str, settings: dict[str, str]) -> None:
        self._port = free_port()
        self.process = subprocess.Popen(
            [binary, "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=clean_environment() | settings | {
                "NATS_URL": url, "HEALTH_CHECK_HOST": "127.0.0.1",
                "HEALTH_CHECK_PORT": str(self._port), "LOG_LEVEL": "ERROR",
                "ENVIRONMENT": "test"})  # production refuses a made-up market
        wait_until(lambda: self._get("/ready") is not None, "the service is ready")

    def frames(self) -> int:
        return self.counters("rts_frames_received_total").get("", 0)

    def counters(self, name: str) -> dict[str, int]:
        """The series of a counter that are above 0, by their labels."""
        lines = re.findall(rf"^{name}(\S*) (\S+)$", self._get("/metrics") or "", re.MULTILINE)
        return {labels: int(float(value)) for labels, value in lines if float(value)}

    def _get(self, path: str) -> str | None:
        address = f"http://127.0.0.1:{self._port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            if self.process.poll() is not None:
                raise RuntimeError("the service has ended") from None
            return None


class Broker:
    """nats-server on a free port. `cores` are the ones it may use, with as many threads of Go."""

    def __init__(self, folder: pathlib.Path, cores: set[int] | None = None,
                 settings: str = "") -> None:
        self.port = free_port()
        config = folder / f"broker-{self.port}.conf"
        config.write_text(f'listen: "127.0.0.1:{self.port}"\n{settings}\n')
        environment = dict(os.environ)
        if cores:
            environment["GOMAXPROCS"] = str(len(cores))
        self._log = open(folder / f"broker-{self.port}.log", "wb")
        self.process = subprocess.Popen(["nats-server", "-c", str(config)], env=environment,
                                        stdout=self._log, stderr=self._log)
        if cores:
            os.sched_setaffinity(self.process.pid, cores)
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"nats-server does not listen: {self._log.name}") from None
                time.sleep(0.02)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *_: object) -> None:
        stop(self.process)
        self._log.close()


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(120)
        self._in = self.socket.makefile("rb")
        self._in.readline()  # INFO
        self.send(b'CONNECT {"verbose":false,"pedantic":false}\r\n')
        self.flush()

    def send(self, protocol: bytes) -> None:
        self.socket.sendall(protocol)

    def subscribe(self, subject: str, queue: str = "") -> None:
        self.send(f"SUB {subject} {queue} 1\r\n".encode())
        self.flush()

    def flush(self) -> None:
        """Returns when the broker has handled all that was sent; not with messages on the way."""
        self.send(b"PING\r\n")
        while (line := self._in.readline()) != b"PONG\r\n":
            if not line:
                raise RuntimeError("the broker is gone")
            if line.startswith(b"-ERR"):
                raise RuntimeError(line.decode())

    def close(self) -> None:
        # Whoever still reads it is woken; else the broker would keep its subscription.
        self.socket.shutdown(socket.SHUT_RDWR)
        self._in.close()
        self.socket.close()


def publications(frames: Iterable[bytes], subject: str = FRAMES) -> list[bytes]:
    head = f"PUB {subject} ".encode()
    return [b"%s%d\r\n%s\r\n" % (head, len(frame), frame) for frame in frames]


def publish(connection: Connection, messages: list[bytes], rate: int = 0) -> None:
    """All of them, `rate` a second in steps of 10 ms, or as fast as the broker takes them."""
    if not rate:
        for begin in range(0, len(messages), 1000):
            connection.send(b"".join(messages[begin:begin + 1000]))
        connection.flush()
        return
    step = max(1, rate // 100)
    begun = time.monotonic()
    for begin in range(0, len(messages), step):
        pause = begun + begin / rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        connection.send(b"".join(messages[begin:begin + step]))
    connection.flush()
