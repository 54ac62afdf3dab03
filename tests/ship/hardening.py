#!/usr/bin/env python3
"""Is a binary built as the security checklist says?  hardening.py BINARY...

What the compiler and linker were asked for shows in the file: readelf reads it. Exit 1 with what is
missing. hardening_test.py shows it binaries that lack each.
"""

import re
import subprocess
import sys
from pathlib import Path


def readelf(binary: str, *what: str) -> str:
    command = ["readelf", "--wide", *what, binary]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def has_pads(binary: str, segments: str) -> bool:
    """endbr64, once per KiB of code at least, besides the two that start-up code has. The note that
    says so for a whole file is never there on Debian 12: its start-up code is compiled without."""
    code = sum(int(size, 16) for size in re.findall(r"LOAD .* 0x(\w+) 0x\w+ R E ", segments))
    return (Path(binary).read_bytes().count(b"\xf3\x0f\x1e\xfa") - 2) * 1024 >= max(code, 1)


def offences(binary: str) -> list[str]:
    header = readelf(binary, "--file-header")
    segments = readelf(binary, "--program-headers")
    dynamic = readelf(binary, "--dynamic")
    symbols = readelf(binary, "--dyn-syms")
    holds = {
        "position independent (-fPIE -pie)": re.search(r"FLAGS_1\).*PIE", dynamic),
        "relocations read-only (-z relro)": "GNU_RELRO" in segments,
        "all symbols bound at the start (-z now)": re.search(r"FLAGS_1\).*NOW", dynamic),
        "stack not executable (-z noexecstack)": re.search(r"GNU_STACK.* RW +0x", segments),
        "no segment writable and executable": not re.search(r"LOAD.* RWE ", segments),
        "stack protector (-fstack-protector-strong)": "__stack_chk_fail" in symbols,
        "checked libc functions (-D_FORTIFY_SOURCE=3)": re.search(r"__\w+_chk@", symbols),
        "checked library ranges (-D_GLIBCXX_ASSERTIONS)": "__glibcxx_assert_fail" in symbols,
        "no path to look for libraries in": "(RPATH)" not in dynamic and "(RUNPATH)" not in dynamic,
    }
    if "X86-64" in header:
        holds["landing pads for indirect jumps (-fcf-protection=full)"] = has_pads(binary, segments)
    return [what for what, held in holds.items() if not held]


def main() -> int:
    missing = [f"{binary}: {what}" for binary in sys.argv[1:] for what in offences(binary)]
    print("\n".join(f"missing: {m}" for m in missing) or "hardening: nothing is missing")
    return 1 if missing or not sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
