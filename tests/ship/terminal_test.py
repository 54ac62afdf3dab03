#!/usr/bin/env python3
"""Tests say on a terminal, below make and in another language what they say in a pipe.

They are run as `make test` runs them, in a folder of their own: those that read what other programs
print, need no broker and are quick. Needs the build's test folder at RTS_TESTS and ctest at RTS_CTEST.
"""

import os
import pty
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CTEST = os.environ["RTS_CTEST"]
SELECTED = "^(Ship|Manifests|Planted)[.]"
NOT_AGAIN = "^(Ship[.](Terminal|Commands|Hardening)|Manifests[.]Alerts)$"
# Whatever a user's shell may export, as far as programs heed it.
LOUD = {
    "CLICOLOR_FORCE": "1", "FORCE_COLOR": "1", "SYSTEMD_COLORS": "1", "GTEST_COLOR": "yes",
    "TERM": "xterm-256color", "COLUMNS": "40", "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8",
    "LANGUAGE": "de", "MAKEFLAGS": "-k", "TZ": "Asia/Tokyo",
}  # fmt: skip


def on_a_terminal(command: list[str], environment: dict[str, str], folder: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # how Linux says that the last writer has gone
        pass
    os.close(ours)
    return process.wait(), text.decode(errors="replace")


class Terminal(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        # ctest keeps its records where it is pointed to; those of the run around this one stay.
        Path(self.folder, "CTestTestfile.cmake").write_text(f'subdirs("{os.environ["RTS_TESTS"]}")')

    def makefile(self, recipe: str) -> None:
        escaped = recipe.replace("$", "$$")
        Path(self.folder, "Makefile").write_text(f".PHONY: all\nall:\n\t{escaped}\n")

    def test_tests_pass_there_the_first_time(self) -> None:
        self.makefile(f"@{CTEST} --output-on-failure --no-tests=error -j 2"
                      f" -R '{SELECTED}' -E '{NOT_AGAIN}'")  # fmt: skip
        environment = {**os.environ, **LOUD}
        code, text = on_a_terminal(["make", "-j2"], environment, self.folder)
        self.assertEqual(code, 0, text)
        self.assertIn("100% tests passed", text)

    def test_our_makefile_does_not_say_where_its_output_goes(self) -> None:
        """What make runs below it without ctest, such as docker/image.py, reads programs, too."""
        show = Path(self.folder, "show.mk")
        show.write_text(f"include {ROOT}/Makefile\nshow:\n\t@env\n")
        command = ["make", "-f", str(show), "show"]
        code, text = on_a_terminal(command, dict(os.environ), str(ROOT))
        self.assertEqual(code, 0, text)
        self.assertIn("MAKELEVEL=1", text)
        self.assertNotIn("MAKE_TERM", text)


if __name__ == "__main__":
    unittest.main()
