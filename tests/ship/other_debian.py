#!/usr/bin/env python3
"""A make target in another Debian: other_debian.py RELEASE[+ARCHITECTURE] TARGET…

Makes a small Debian RELEASE with mmdebstrap and runs make there, in a clone of what is committed: as
on a fresh machine, make installs what it needs. Packages of ARCHITECTURE can be installed beside its
own. What was made stays in build/debian/RELEASE, so that the next run only builds what has changed.
Needs root for chroot, Debian's archive and mmdebstrap.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "/source"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED = ["CI", "JOBS"]  # what the caller may say to make and to the tests


def archive() -> list[str]:
    """Where this machine has its Debian from; without one mmdebstrap knows where."""
    wanted = ["$(REPO_URI)", "Created-By: Packages", "Origin: Debian", "Label: Debian"]
    done = subprocess.run(["apt-get", "indextargets", "--format", *wanted],
                          capture_output=True, text=True)  # fmt: skip
    return sorted(set(done.stdout.split()))[:1]


def make_debian(what: Path | str, name: str, *packages: str) -> None:
    """A folder, or a tar by that suffix. It is there as a whole or not at all."""
    made = Path(f"{what}.new{Path(what).suffix}")
    shutil.rmtree(made, ignore_errors=True)
    release, _, other = name.partition("+")
    native = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True,
                            check=True).stdout.strip()  # fmt: skip
    made.parent.mkdir(parents=True, exist_ok=True)
    architectures = dict.fromkeys(filter(None, (native, other)))
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}",
         f"--architectures={','.join(architectures)}", release, made, *archive()],
        check=True,
    )  # fmt: skip
    made.rename(what)


def clone_into(debian: Path, source: Path = ROOT) -> None:
    """What is committed, with its tags; what an earlier run has built there stays."""
    # root reads a repository of somebody else, which git refuses: here, and in the program that
    # sends, which gets none of our -c.
    sender = "--upload-pack=git -c 'safe.directory=*' upload-pack"
    clone = debian / SOURCE[1:]
    git = ["git", "-c", "safe.directory=*", "-C", clone]
    if not clone.exists():
        subprocess.run(["git", "init", "--quiet", clone], check=True)
    fetch = ["fetch", "--quiet", "--force", "--tags", sender, source, "HEAD"]
    subprocess.run([*git, *fetch], check=True)
    subprocess.run([*git, "checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"], check=True)


def run_inside(debian: Path, *targets: str) -> int:
    # Itself first: tests make namespaces of their own, which takes a root that is mounted.
    places = {debian: debian} | {f"/{system}": debian / system for system in ("proc", "sys", "dev")}
    for what, where in places.items():
        subprocess.run(["mount", "--rbind", what, where], check=True)
    shutil.copy("/etc/resolv.conf", debian / "etc/resolv.conf")
    kept = {name: os.environ[name] for name in PASSED if os.environ.get(name)}
    command = ["chroot", debian, "make", "-C", SOURCE, *targets]
    return subprocess.run(
        command, env={"PATH": PATH, "HOME": "/root"} | kept, stdin=subprocess.DEVNULL
    ).returncode


def main(name: str, *targets: str) -> int:
    if os.geteuid() != 0:
        raise SystemExit("other_debian: chroot needs root")
    debian = ROOT / "build/debian" / name
    if not debian.exists():
        print(f"making a Debian {name} in {debian.relative_to(ROOT)}", flush=True)
        make_debian(debian, name, "git", "make", "ca-certificates")
    clone_into(debian)
    # Mounts and processes are of namespaces that end with the inner run, however it ends.
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return subprocess.run([*apart, sys.executable, __file__, "--inside", debian, *targets]).returncode


if __name__ == "__main__":
    if len(sys.argv) > 3 and sys.argv[1] == "--inside":
        sys.exit(run_inside(Path(sys.argv[2]), *sys.argv[3:]))
    if len(sys.argv) < 3:
        raise SystemExit("other_debian: say which release, and which targets")
    sys.exit(main(*sys.argv[1:]))
