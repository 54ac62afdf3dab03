#!/usr/bin/env python3
"""Looks for secrets in what git tracks: secret_scan.py [--history]

With --history in what each commit up to this one has added, too: what was taken out again is still
there for whoever clones. Exit 1 with where, never what.

Keys and tokens have a shape of their own. Passwords have none: a name that says what it is must
have no value, but for a reference to one. In program text only a literal is a value; in the tests,
which are full of invented ones, a value that says so is none. Not found is what has less than six
characters, or a name that does not say what it is.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Row(NamedTuple):
    """With an example of what is found and of what is not. They are meant without the "~", which is
    there so that nothing is found in this file."""

    what: str
    pattern: str
    found: str
    passed: str


NAME = (r"(?:password|passwd|passphrase|(?<=_)pass|(?-i:pwd)|secret|token"
        r"|(?:api|access|private)[_-]?key|client-key-data)")  # fmt: skip
# Not $VARIABLE, ${{ secrets.X }}, {{ .Values.x }}, <yours>, ***, a file, a URL, a variable's name.
VALUE = (r"(?![$<{]|\*\*\*|\.{1,2}/|/(?:etc|run|var|tmp|usr|path)/|[a-z]+://"
         r"|[A-Z]+(?:_[A-Z]+)+\b|(?:false|string)\b)[^\s\"'`]{6,}")  # fmt: skip

SHAPES = [
    Row("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
        "-----BEGIN PGP PRIVATE~ KEY BLOCK-----", "-----BEGIN PUBLIC KEY-----"),
    Row("a private key in base64",
        r"LS0tLS1CRUdJTiB(?:QUklWQVRF|SU0EgUFJJ|FQyBQUklW|PUEVOU1NI|FTkNSWVBURUQ|QR1AgUFJJ)",
        "key: LS0tLS1CRUdJTiB~SU0EgUFJJVkFURSBLRVk", "ca: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS"),
    Row("an NKey seed", r"(?<![A-Z2-7])S[ACNOUX][A-Z2-7]{56}(?![A-Z2-7])",
        "SU~" + "A" * 56, "UA" + "A" * 56),
    Row("a JWT", r"eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}",
        "eyJ~" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 30, "eyJhbGciOiJFZDI1NTE5In0"),
    Row("a token of GitHub", r"gh[pousr]_\w{36}|github_pat_\w{22,}",
        "ghp_~" + "a1" * 18, "ghp_short"),
    Row("a token of GitLab", r"glpat-[\w-]{20,}", "glpat-~" + "x1" * 10, "glpat-short"),
    Row("a token of Docker Hub", r"dckr_(?:pat|oat)_[\w-]{20,}",
        "dckr_pat_~" + "x" * 24, "dckr_pat_short"),
    Row("a login of Docker", r"\"auth\"\s*:\s*\"[A-Za-z0-9+/]{8,}={0,2}\"",
        '{"auth"~: "dXNlcjpodW50ZXIyMg=="}', '{"auth": ""}'),
    Row("a key of AWS", r"(?:AKIA|ASIA)[A-Z0-9]{16}", "AKIA~" + "Z" * 16, "AKIA"),
    Row("a key of Google", r"AIza[\w-]{35}", "AIza~" + "x1_-z" * 7, "AIza"),
    Row("a token of npm", r"npm_[A-Za-z0-9]{36}", "npm_~" + "a1" * 18, "npm_config_cache"),
    Row("a token of Slack", r"xox[abprs]-[\w-]{10,}", "xoxb-~" + "1" * 12, "xoxb-"),
]  # fmt: skip
NAMES = [
    Row("a URL with a password",
        r"[a-z]+://[^\s/:@\"'<>{}$]*:(?P<value>[^\s/:@\"'<>{}$]{6,})@[\w.\[{-]",
        "nats://relay:blue-horse@broker.internal", "nats://user:pass@host:4222"),
    Row("a URL with a token", r"\b(?!ssh:)[a-z]+://(?P<value>[^\s/:@\"'<>{}$*]{6,})@[\w.\[{-]",
        "nats://blue-horse@broker.internal", "nats://broker:4222/one@two"),
    Row("a secret in quotes",
        rf"(?i:{NAME})(?:[\"'`]?\]?[ \t]*:?[:=]|[\"'][ \t]*,)[ \t]*"
        rf"([\"'`])(?P<value>{VALUE})\1",
        '  "apiSecret": "blue-horse"', '{"NATS_PASSWORD", "RTS_NATS_PASSWORD"}'),
    Row("an environment's secret",
        rf"(?i:name[\"']?:[ \t]*[\"']?[\w-]*{NAME}[\"']?\s*,?\s*[\"']?value[\"']?:)"
        rf"[ \t]*[\"']?(?P<value>{VALUE})",
        "- name: NATS_PASSWORD\n  value: blue-horse",
        "- name: NATS_PASSWORD\n  valueFrom: {secretKeyRef: {name: broker, key: password}}"),
]  # fmt: skip
# Not in program text, where what follows a name is more program.
BARE = [
    Row("a secret that is given a value", rf"(?i:{NAME})`?[ \t]*[:?]?[:=][ \t]*(?P<value>{VALUE})",
        "authorization {user: relay, password: blue;(horse), timeout: 1}",
        "DOCKERHUB_TOKEN: ${{ secrets.DOCKERHUB_TOKEN }}"),
    Row("an option or variable with a secret",
        rf"(?im:--[\w-]*{NAME}|^[ \t]*ENV[ \t]+\w*{NAME})[ \t]+(?!-)(?P<value>{VALUE})",
        "ENV NATS_PASSWORD blue-horse", "run --nats-token-file /etc/token"),
]  # fmt: skip
PROGRAM = (".cpp", ".hpp", ".py", ".go", ".js", ".css", ".html", ".cmake")
# In the tests: what says of itself that it is invented.
INVENTED = re.compile(r"(?i)canary|horse|credential|password|s[e3]cret|token|userinfo|wrong|right")
# File, and what stands in the find → why that is none.
CHART = "k8s/helm/petrosa-realtime-strategies/values.yaml"
ALLOWED = {
    (CHART, "secret: petrosa-realtime-strategies"): "the name of a Secret",
    ("tests/unit/nkey_test.cpp", "SUACSSL3UAHU"): "the seed of NKeys' own documentation",
    ("tests/unit/regressions_config_test.cpp", "1234,rest"): "invented",
}


def finds(name: str, text: str) -> list[tuple[int, str, str]]:
    """Line number, what seems to be there, and the find itself, for nobody else's eyes."""
    found = []
    for row in [*SHAPES, *NAMES, *([] if name.endswith(PROGRAM) else BARE)]:
        for match in re.finditer(row.pattern, text):
            value = match.groupdict().get("value") or ""
            invented = name.startswith("tests/") and INVENTED.search(value)
            # "The token: whatever the broker asks for."
            prose = name.endswith(".md") and value.isalpha() and "=" not in match[0]
            if not (invented or prose):
                line = text.count("\n", 0, match.start()) + 1
                found.append((line, row.what, match[0]))
    return found


def found_in(name: str, text: str) -> list[tuple[int, str]]:
    none = [part for file, part in ALLOWED if file == name]
    return [(line, what) for line, what, find in finds(name, text)
            if not any(part in find for part in none)]  # fmt: skip


def git(*command: str) -> str | None:
    run = ["git", "-c", "safe.directory=*", "-c", "core.quotePath=false", *command]
    done = subprocess.run(run, cwd=ROOT, capture_output=True)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def tracked() -> list[str]:
    listed = git("ls-files", "-z")
    if listed is not None:
        return [name for name in listed.split("\0") if name]
    # A copy without its git: everything but what was built.
    files = (p.relative_to(ROOT) for p in ROOT.rglob("*") if p.is_file())
    return [str(p) for p in files if p.parts[0] != "build" and "__pycache__" not in p.parts]


def in_files(names: list[str]) -> list[str]:
    return [
        f"{name}:{line}: looks like {what}"
        for name in names
        if (ROOT / name).is_file()
        for line, what in found_in(name, (ROOT / name).read_text(errors="replace"))
    ]


def in_log(log: str) -> list[str]:
    """In what each commit of `git log --patch` has added."""
    problems = []
    for commit in re.split(r"(?m)^commit ", log)[1:]:
        for patch in commit.split("\ndiff --git ")[1:]:
            name = re.search(r"(?m)^\+\+\+ b/(.*?)\t?$", patch)
            added = "\n".join(line[1:] for line in patch.split("\n@@", 1)[-1].split("\n")
                              if line.startswith("+"))  # fmt: skip
            # Files move: what is allowed in one of today was allowed where it came from.
            found = [what for _, what, find in (finds(name[1], added) if name else [])
                     if not any(part in find for _, part in ALLOWED)]  # fmt: skip
            problems += [f"commit {commit[:12]}, {name[1]}: looks like {what}" for what in found]
    return problems


def main() -> int:
    names = tracked()
    problems, read = in_files(names), f"{len(names)} files"
    if sys.argv[1:] == ["--history"]:
        log = git("log", "--patch", "--unified=0", "--diff-merges=first-parent",
                  "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/",
                  "--dst-prefix=b/", "--format=commit %H")  # fmt: skip
        problems += in_log(log or "")
        commits = len(re.findall(r"(?m)^commit ", log or ""))
        read += f" and {commits} commits" if log else "; there is no history to read"
    print("\n".join(problems) or f"secret scan: nothing in {read}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
