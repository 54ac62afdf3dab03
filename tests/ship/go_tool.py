#!/usr/bin/env python3
"""go_tool.py MODULE@VERSION FOLDER: builds a Go program into FOLDER, with whatever Go there is.

A Go before 1.21, such as Debian 12's, neither reads the modules of today nor fetches the toolchain
that they ask for, as later ones do. It is told to: the toolchain is a module like any other, and is
held against the same checksums.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

TOOLCHAIN = "golang.org/toolchain@v0.0.1-go1.24.6"


def ask(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def go() -> str:
    release = re.search(r"go1\.(\d+)", ask("go", "version"))
    if release is None or int(release[1]) >= 21:
        return "go"
    system = ask("go", "env", "GOOS", "GOARCH").split()
    module = f"{TOOLCHAIN}.{'-'.join(system)}"
    folder = Path(json.loads(ask("go", "mod", "download", "-json", module))["Dir"])
    # Modules are unpacked without the right to be run.
    for program in [*folder.glob("bin/*"), *folder.glob("pkg/tool/*/*")]:
        program.chmod(0o555)
    return str(folder / "bin/go")


def main() -> None:
    module, folder = sys.argv[1:]
    environment = {**os.environ, "GOBIN": str(Path(folder).resolve()), "GOFLAGS": "-buildvcs=false"}
    # GOROOT of the Go that was found is not the one of the toolchain.
    environment.pop("GOROOT", None)
    subprocess.run([go(), "install", module], env=environment, check=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{sys.argv[1]} cannot be built: {error} {error.stderr or ''}")
