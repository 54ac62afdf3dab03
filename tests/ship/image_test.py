#!/usr/bin/env python3
"""What docker/image.py makes of an exported file system; building and running it are its own."""

import io
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docker"))

import image  # noqa: E402

BINARY = "usr/bin/realtime-strategies"


class Content(unittest.TestCase):
    def programs(self, **files: bytes) -> list[str]:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "image.tar")
            with tarfile.open(path, "w") as archive:
                for name, content in files.items():
                    entry = tarfile.TarInfo(name)
                    entry.mode, entry.size = 0o755, len(content)
                    archive.addfile(entry, io.BytesIO(content))
            return image.programs_among(image.files_in(path))

    def test_what_docker_adds_is_no_program(self) -> None:
        """It exports five empty files of mode 0755 that are in no image."""
        added = [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"]
        empty = {name: b"" for name in added}
        self.assertEqual(self.programs(**{BINARY: b"ELF"}, **empty), [BINARY])

    def test_a_shell_is_one(self) -> None:
        files = {BINARY: b"ELF", "bin/sh": b"ELF", "usr/lib/libc.so.6": b"ELF"}
        self.assertEqual(self.programs(**files), [BINARY, "bin/sh"])


if __name__ == "__main__":
    unittest.main()
