"""What those share that try out what is shipped: a line for each thing seen, patience, a broker,
whether a tool works."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable

problems = 0


def check(what: str, holds: bool, seen: object = "") -> None:
    global problems
    problems += not holds
    detail = "" if seen == "" else f": {seen}"
    print(f"{'ok    ' if holds else 'WRONG '} {what}{detail}", flush=True)


def eventually(question: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not question():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def works(*command: str) -> bool:
    """By its exit code: what is only there may print, too, and fail."""
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nats_server() -> str:
    """Debian keeps it where only root's PATH leads."""
    found = shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        raise SystemExit("nats-server is not installed")
    return found
