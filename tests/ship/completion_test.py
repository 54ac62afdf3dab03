#!/usr/bin/env python3
"""Shells complete what is typed, really: bash and zsh on a terminal, with the tab key, fish by its own
`complete -C`. And the manual page is one that groff and mandoc have nothing to say about. What is not
installed is skipped, by name, and fails where CI is set. Needs the service's binary at RTS_BINARY.
"""

import os
import pty
import select
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

BINARY = Path(os.environ["RTS_BINARY"]).resolve()
LONGEST = 30  # seconds until a shell has answered on a busy machine

# What is typed in front of the tab, and what has to come of it.
TYPED = [
    ("realtime-strategies conf", "realtime-strategies config "),
    ("realtime-strategies config --for", "realtime-strategies config --format "),
    ("realtime-strategies config --format=j", "realtime-strategies config --format=json "),
    ("realtime-strategies config --format j", "realtime-strategies config --format json "),
    ("realtime-strategies run --order-del", "realtime-strategies run --order-delivery "),
    ("realtime-strategies help settings TRADING_LEV",
     "realtime-strategies help settings TRADING_LEVERAGE "),
    ("realtime-strategies set SIGNAL_COOL", "realtime-strategies set SIGNAL_COOLDOWN_SECONDS="),
    ("realtime-strategies set STRATEGY_ENABLED_TRADE_MOMENTUM=f",
     "realtime-strategies set STRATEGY_ENABLED_TRADE_MOMENTUM=false "),
    ("realtime-strategies replay --quiet mark", "realtime-strategies replay --quiet market.log "),
    ("realtime-strategies replay --orders=mark", "realtime-strategies replay --orders=market.log "),
]  # fmt: skip
# Without anything that the user's own files would set.
BASH = ["bash", "--norc", "--noprofile", "-i"]
ZSH = ["zsh", "-f", "-i"]
BASH_SETUP = "source <(realtime-strategies completion bash)"
ZSH_SETUP = "autoload -Uz compinit && compinit -u -D && source <(realtime-strategies completion zsh)"


def need(test: unittest.TestCase, tool: str) -> None:
    if shutil.which(tool) is None:
        if os.environ.get("CI"):
            test.fail(f"{tool} is not installed")
        test.skipTest(f"{tool} is not installed")


class Shell:
    """An interactive shell on a terminal."""

    def __init__(self, command: list[str], folder: str, setup: str) -> None:
        self.ours, theirs = pty.openpty()
        environment = {
            "PATH": f"{folder}:/usr/bin:/bin", "HOME": folder, "PS1": "$ ", "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        self.process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.text = ""
        self.send(setup + "; echo is''ready\n")
        self.wait_for("isready")

    def send(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def wait_for(self, text: str) -> bool:
        deadline = time.monotonic() + LONGEST
        while text not in self.text and time.monotonic() < deadline:
            if select.select([self.ours], [], [], 0.1)[0]:
                self.text += os.read(self.ours, 65536).decode(errors="replace")
        return text in self.text

    def completed(self, typed: str, number: int) -> str:
        """What becomes of the line: with ^A and ^E it is made an argument, and printed."""
        self.text = ""
        self.send(f"{typed}\t%\x01echo 'begin{number}:\x05end{number}:'\n")
        self.wait_for(f"end{number}:\r\n")
        return self.text.rpartition(f"begin{number}:")[2].partition(f"%end{number}:")[0]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


class Completion(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        Path(self.folder, "realtime-strategies").symlink_to(BINARY)
        Path(self.folder, "market.log").write_text("")

    def expect_completes(self, command: list[str], setup: str) -> None:
        need(self, command[0])
        shell = Shell(command, self.folder, setup)
        self.addCleanup(shell.close)
        for number, (typed, wanted) in enumerate(TYPED):
            with self.subTest(shell=command[0], typed=typed):
                self.assertEqual(shell.completed(typed, number), wanted, shell.text)

    def test_bash(self) -> None:
        self.expect_completes(BASH, BASH_SETUP)

    def test_zsh(self) -> None:
        self.expect_completes(ZSH, ZSH_SETUP)

    def test_fish(self) -> None:
        need(self, "fish")
        for typed, wanted in TYPED:
            script = f"realtime-strategies completion fish | source; complete -C '{typed}'"
            environment = {"PATH": f"{self.folder}:/usr/bin:/bin", "HOME": self.folder}
            done = subprocess.run(
                ["fish", "--no-config", "-c", script], env=environment, cwd=self.folder,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST,
            )  # fmt: skip
            offered = [line.partition("\t")[0] for line in done.stdout.splitlines()]
            with self.subTest(shell="fish", typed=typed):
                self.assertEqual(offered, [wanted.split()[-1]], done.stderr)

    def test_a_shell_that_cannot_find_it_says_nothing(self) -> None:
        Path(self.folder, "realtime-strategies").unlink()
        script = subprocess.run([BINARY, "completion", "bash"], capture_output=True, text=True)
        done = subprocess.run(
            ["bash", "-c", script.stdout + "COMP_WORDS=(realtime-strategies r) COMP_CWORD=1;"
             "_realtime_strategies realtime-strategies; echo ${#COMPREPLY[@]}"],
            env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        )  # fmt: skip
        self.assertEqual((done.stdout, done.stderr), ("0\n", ""))


class Manual(unittest.TestCase):
    def expect_no_word(self, *command: str) -> None:
        need(self, command[0])
        page = subprocess.run([BINARY, "help", "man"], capture_output=True, check=True).stdout
        done = subprocess.run(command, input=page, capture_output=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        # The same of a page with a fault, or nothing was looked at.
        spoilt = subprocess.run(command, input=page + b".TP\n.nosuchmacro\n\\[nochar]\n",
                                capture_output=True)  # fmt: skip
        self.assertNotEqual(spoilt.stdout + spoilt.stderr, b"")

    def test_groff_has_nothing_to_say(self) -> None:
        self.expect_no_word("groff", "-man", "-ww", "-z")

    def test_mandoc_has_nothing_to_say(self) -> None:
        self.expect_no_word("mandoc", "-Tlint", "-Werror")


if __name__ == "__main__":
    unittest.main()
