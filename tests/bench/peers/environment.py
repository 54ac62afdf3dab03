#!/usr/bin/env python3
"""The virtual environments of the peers: in build/peers, from PyPI, at pinned versions.

  environment.py vectorbt    installs it where it is not there; says nothing otherwise
"""
from __future__ import annotations

import pathlib
import subprocess
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build" / "peers"


@dataclass(frozen=True)
class Environment:
    folder: pathlib.Path
    requirements: pathlib.Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def _stamp(self) -> pathlib.Path:
        return self.folder / "installed.txt"

    def is_installed(self) -> bool:
        """All of it, at the versions that are pinned today."""
        wanted = self.requirements.read_text()
        return self._stamp.exists() and self._stamp.read_text() == wanted

    def install(self) -> None:
        if self.is_installed():
            return
        print("installing the peers into", self.folder, file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        subprocess.run([self.python, "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "-r", str(self.requirements)], check=True)
        self._stamp.write_text(self.requirements.read_text())

    def versions(self) -> dict[str, str]:
        return dict(line.split("==") for line in self.requirements.read_text().split()
                    if "==" in line)


PEERS = Environment(BUILD / "venv", HERE / "requirements.txt")
VECTORBT = Environment(BUILD / "vectorbt", HERE / "vectorbt_requirements.txt")


if __name__ == "__main__":
    if sys.argv[1:] != ["vectorbt"]:
        sys.exit(__doc__)
    VECTORBT.install()
