#!/usr/bin/env python3
"""Is a binary built as the security checklist says?  hardening.py BINARY...

Most of what the compiler and linker were asked for shows in the file: readelf reads it. What does
not show is read from how each file under src was compiled, in the compile_commands.json beside the
binary. Exit 1 with what is missing. hardening_test.py shows it binaries that lack each.
"""

import json
import re
import subprocess
import sys
from pathlib import Path


# Which options decide → what the last of them has to be.
ASKED = {
    r"-O\S*": "-O2",
    r"-[DU]_FORTIFY_SOURCE\S*": "-D_FORTIFY_SOURCE=3",
    r"-f(no-)?stack-clash-protection": "-fstack-clash-protection",
    r"-ftrivial-auto-var-init=\S+": "-ftrivial-auto-var-init=zero",
}


def unasked(binary: str) -> list[str]:
    path = Path(binary).with_name("compile_commands.json")
    if not path.exists():
        return [f"{path}, to see what its files were compiled with"]
    ours = [entry for entry in json.loads(path.read_text()) if " -o src/" in entry["command"]]
    missing = [] if ours else [f"a file under src in {path}"]
    for entry in ours:
        words = entry["command"].split()
        for pattern, wanted in ASKED.items():
            last = [word for word in words if re.fullmatch(pattern, word)][-1:]
            if last != [wanted]:
                missing.append(f"{wanted} for {Path(entry['file']).name}")
    return missing


def readelf(binary: str, *what: str) -> str:
    command = ["readelf", "--wide", *what, binary]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def code_bytes(segments: str) -> int:
    return sum(int(size, 16) for size in re.findall(r"LOAD .* 0x(\w+) 0x\w+ R E ", segments))


PACIASP = b"\x3f\x23\x03\xd5"  # on arm64 the first instruction of a function that calls others


def has_pads(binary: str, segments: str) -> bool:
    """endbr64, once per KiB of code at least, besides the two that start-up code has. The note that
    says so for a whole file is never there on Debian 12: its start-up code is compiled without."""
    pads = Path(binary).read_bytes().count(b"\xf3\x0f\x1e\xfa") - 2
    return pads * 1024 >= max(code_bytes(segments), 1)


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
        "checked libc functions (-D_FORTIFY_SOURCE)": re.search(r"__\w+_chk@", symbols),
        "checked library ranges (-D_GLIBCXX_ASSERTIONS)": "__glibcxx_assert_fail" in symbols,
        "no path to look for libraries in": "(RPATH)" not in dynamic and "(RUNPATH)" not in dynamic,
    }
    if "AArch64" in header:
        holds["signed returns and landing pads (-mbranch-protection=standard)"] = (
            Path(binary).read_bytes().count(PACIASP) * 1024 >= code_bytes(segments)
        )
    if "X86-64" in header:
        holds["landing pads for indirect jumps (-fcf-protection=full)"] = has_pads(binary, segments)
    return [what for what, held in holds.items() if not held]


def main() -> int:
    missing = [f"{binary}: {what}" for binary in sys.argv[1:]
               for what in offences(binary) + unasked(binary)]  # fmt: skip
    print("\n".join(f"missing: {m}" for m in missing) or "hardening: nothing is missing")
    return 1 if missing or not sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
