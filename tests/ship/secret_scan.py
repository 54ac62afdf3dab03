#!/usr/bin/env python3
"""Looks for secrets in what git tracks: secret_scan.py [FILE...]; exit 1 with where, never what.

Keys and tokens have a shape of their own and are looked for everywhere. Passwords have none:
outside of the tests, which are full of invented ones, a name that says what it is must have no
value. What only looks like a secret stands in ALLOWED, with its reason.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {
    "a private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "an NKey seed": rb"(?<![A-Z2-7])S[ACNOU][A-Z2-7]{56}(?![A-Z2-7])",
    "a JWT": rb"eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}",
    "a token of GitHub": rb"gh[pousr]_\w{36}|github_pat_\w{22,}",
    "a token of Docker Hub": rb"dckr_(?:pat|oat)_[\w-]{20,}",
    "a key of AWS": rb"(?:AKIA|ASIA)[A-Z0-9]{16}",
    "a token of Slack": rb"xox[abprs]-[\w-]{10,}",
}
NAMES = {
    "a URL with a password": rb"[a-z]+://[^\s/:@\"'<>{}$]+:[^\s/:@\"'<>{}$]{6,}@[\w.-]+",
    "a secret that is given a value": rb"(?im)^[ +-]*(?:export +)?[\w.]*"
    rb"(?:password|passwd|secret|token|api_?key)\"? *[:=] *[\"']?[^\s\"'$<>{}()%,;*]{12,}",
}
# File → why what is found in it is none.
ALLOWED = {
    "k8s/helm/petrosa-realtime-strategies/values.yaml": "names of Secrets, not their content",
    "src/config/broker_url.cpp": "a constructor's initialiser",
    "tests/unit/nkey_test.cpp": "the seed of NKeys' own documentation",
}


def found_in(name: str, text: bytes) -> list[tuple[int, str]]:
    """Line numbers, and what seems to be there."""
    patterns = SHAPES if name.startswith("tests/") else SHAPES | NAMES
    return [
        (text.count(b"\n", 0, match.start()) + 1, what)
        for what, pattern in patterns.items()
        for match in re.finditer(pattern, text)
    ]


def tracked() -> list[str]:
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True)
    if listed.returncode == 0:
        return [name for name in listed.stdout.decode().split("\0") if name]
    # A copy without its git: everything but what was built.
    files = (p.relative_to(ROOT) for p in ROOT.rglob("*") if p.is_file())
    return [str(p) for p in files if p.parts[0] != "build" and "__pycache__" not in p.parts]


def main() -> int:
    names = sys.argv[1:] or tracked()
    problems = [
        f"{name}:{line}: looks like {what}"
        for name in names
        if name not in ALLOWED and (ROOT / name).is_file()
        for line, what in found_in(name, (ROOT / name).read_bytes())
    ]
    print("\n".join(problems) or f"secret scan: nothing in {len(names)} files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
