#!/usr/bin/env python3
"""What other_debian.py clones into another Debian; making one and running make there are its own."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import other_debian

AUTHOR = ["-c", "user.name=A", "-c", "user.email=a@example.com"]


class Clone(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.source, self.debian = Path(scratch.name, "ours"), Path(scratch.name, "debian")
        self.debian.mkdir()
        self.git("init", "--quiet", str(self.source), inside=False)
        self.commit("first")

    def git(self, *arguments: str, inside: bool = True) -> None:
        where = ["-C", str(self.source)] if inside else []
        subprocess.run(["git", *where, *AUTHOR, *arguments], check=True)

    def commit(self, text: str) -> None:
        (self.source / "file").write_text(text)
        self.git("add", "file")
        self.git("commit", "--quiet", f"--message={text}")

    def cloned(self) -> str:
        other_debian.clone_into(self.debian, self.source)
        return (self.debian / "source/file").read_text()

    def test_it_is_what_is_committed_and_what_was_built_there_stays(self) -> None:
        (self.source / "file").write_text("not committed")
        self.assertEqual(self.cloned(), "first")
        built = self.debian / "source/built"
        built.write_text("")
        self.commit("second")
        self.assertEqual(self.cloned(), "second")
        self.assertTrue(built.exists())

    def test_root_clones_what_another_user_owns(self) -> None:
        with patch.dict(os.environ, {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}):
            with self.assertRaises(subprocess.CalledProcessError):  # git does heed the variable
                subprocess.run(
                    ["git", "ls-remote", self.source], check=True, capture_output=True
                )
            self.assertEqual(self.cloned(), "first")


if __name__ == "__main__":
    unittest.main()
