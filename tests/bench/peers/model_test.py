#!/usr/bin/env python3
"""An independent model as a test of the engine: python_service.py over the hand-made recordings.

python_service.py was written from the specification alone. Over every recording of tests/data it
has to give the orders and the counts that are expected of the engine: strings and whole numbers
exactly, floating-point numbers to a relative 1e-9, for the two do not add up in the same order.
Where both follow the specification and still differ, the recording is to be named below, with the
reason.

  model_test.py FOLDER     with x.ndjson (or .gz), x.env, x.orders.ndjson and x.counts.json
"""
from __future__ import annotations

import contextlib
import io
import json
import pathlib
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import python_service as service

TOLERANCE = 1e-9


def settings_of(path: pathlib.Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def differences(expected: Any, actual: Any, at: str = "") -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            yield from differences(expected.get(key), actual.get(key), f"{at}.{key}")
    elif is_number(expected) and is_number(actual):
        if abs(expected - actual) > TOLERANCE * max(abs(expected), abs(actual)):
            yield f"{at}: expected {expected!r}, got {actual!r}"
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{at}: expected {expected!r}, got {actual!r}"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def replayed(recording: pathlib.Path, settings: dict[str, str]) -> tuple[list[Any], Any]:
    """The orders and the counts of one recording."""
    engine = service.Engine(service.Settings.from_environment(settings),
                            load=service.load_json_first_key)
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(out):
        counts = pathlib.Path(scratch, "counts.json")
        service.replay(engine, str(recording), str(counts))
        counted = json.loads(counts.read_text(encoding="utf-8"))
    return [json.loads(line) for line in out.getvalue().splitlines()], counted


def found_in(folder: pathlib.Path, name: str) -> Iterator[str]:
    plain = folder / f"{name}.ndjson"
    recording = plain if plain.exists() else folder / f"{name}.ndjson.gz"
    orders, counts = replayed(recording, settings_of(folder / f"{name}.env"))
    lines = (folder / f"{name}.orders.ndjson").read_text(encoding="utf-8").splitlines()
    if len(orders) != len(lines):
        yield f"{name}: expected {len(lines)} orders, got {len(orders)}"
    for index, (line, order) in enumerate(zip(lines, orders), 1):
        for difference in differences(json.loads(line), order):
            yield f"{name}: order {index}{difference}"
    expected = json.loads((folder / f"{name}.counts.json").read_text(encoding="utf-8"))
    for difference in differences(expected, counts):
        yield f"{name}: counts{difference}"
    print(f"{name}: {counts['frames']['events']} events, {len(orders)} orders")


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    names = sorted(path.name.removesuffix(".env") for path in folder.glob("*.env"))
    if not names:
        sys.exit(f"no recordings in {folder}")
    wrong = [difference for name in names for difference in found_in(folder, name)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
