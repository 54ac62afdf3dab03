#!/usr/bin/env python3
"""The Debian package in a fresh Debian: package_test.py PACKAGE.deb (`make package-test`).

Makes a small Debian 12 with mmdebstrap (once, kept as build/package/debian.tar), installs the
package there, starts the service as its unit would, against a broker of this machine, upgrades,
removes and purges it. Needs root for chroot, Debian's archive, mmdebstrap and nats-server. No systemd runs in
there; its own checker reads the unit, and a datagram socket hears what the service would tell it.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "build/package/debian.tar"
NAME = "petrosa-realtime-strategies"
USER = "realtime-strategies"
BINARY = "/usr/bin/realtime-strategies"
UNIT = "/usr/lib/systemd/system/realtime-strategies.service"
SETTINGS = "/etc/realtime-strategies/environment"
# The most `systemd-analyze security` may complain of; 10 is a service without any restriction.
MAX_EXPOSURE = 2.0
# What package managers write for themselves.
THEIRS = re.compile(r"/(proc|run|tmp|var/(lib/dpkg|lib/apt|cache|log))/|/etc/[a-z]+-$|/etc/\.pwd")

problems = 0


def fail(text: str) -> NoReturn:
    raise SystemExit(f"package_test: {text}")


def check(what: str, holds: bool, seen: object = "") -> None:
    global problems
    problems += not holds
    detail = "" if seen == "" else f": {seen}"
    print(f"{'ok    ' if holds else 'WRONG '} {what}{detail}", flush=True)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Debian:
    """A folder with a Debian in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not DEBIAN.exists():
            DEBIAN.parent.mkdir(parents=True, exist_ok=True)
            made = DEBIAN.with_suffix(".new.tar")
            wanted = "--include=adduser,ca-certificates,systemd"
            subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=minbase", wanted, "bookworm", made], check=True
            )
            made.rename(DEBIAN)
        subprocess.run(["tar", "-xf", DEBIAN, "-C", folder], check=True)
        subprocess.run(["mount", "-t", "proc", "proc", folder / "proc"], check=True)
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        inside = ["chroot", str(self.folder), *command]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(
            inside, env=environment | options.pop("env", {}), capture_output=True, text=True
        )

    def do(self, *command: str) -> str:
        done = self.run(*command)
        if done.returncode != 0:
            fail(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def path(self, name: str) -> Path:
        return Path(f"{self.folder}{name}")

    def files(self) -> set[str]:
        """Every file and folder, but for what package managers write for themselves."""
        found = set()
        for folder, folders, files in os.walk(self.folder):
            inside = folder.removeprefix(str(self.folder)) + "/"
            if inside == "/proc/":
                folders.clear()
                continue
            found |= {inside + name for name in [*folders, *files]}
        return {f for f in found if not THEIRS.match(f)}

    def has_user(self) -> bool:
        return self.run("getent", "passwd", USER).returncode == 0


def owner_and_mode(debian: Debian, path: str) -> str:
    return debian.do("stat", "-c", "%U:%G %a", path).strip()


def check_installed(debian: Debian, package: str) -> None:
    depends = subprocess.run(
        ["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True
    ).stdout.strip()
    check("it depends on the libraries it is linked to", "libnats3.4" in depends, depends)
    check("its user is there", debian.has_user())
    folder = owner_and_mode(debian, "/etc/realtime-strategies")
    check("its settings are for root and itself", folder == f"root:{USER} 750", folder)
    file = owner_and_mode(debian, SETTINGS)
    check("the file, too", file == f"root:{USER} 640", file)
    secrets = owner_and_mode(debian, "/etc/realtime-strategies/secrets")
    check("there is a folder for secrets", secrets == f"root:{USER} 750", secrets)
    started = debian.path("/etc/systemd/system/multi-user.target.wants").glob("realtime*")
    check("installing enables nothing", list(started) == [])


def check_unit(debian: Debian) -> None:
    done = debian.run("systemd-analyze", "verify", "--man=no", UNIT)
    said = (done.stdout + done.stderr).strip()
    check("systemd-analyze verify has nothing to say", done.returncode == 0 and not said, said)
    text = debian.path(UNIT).read_text().replace("ProtectSystem=strict", "ProtectSystm=strict")
    debian.path("/tmp/broken.service").write_text(text)
    spoilt = debian.run("systemd-analyze", "verify", "--man=no", "/tmp/broken.service")
    check("and would", "ProtectSystm" in spoilt.stderr)
    debian.path("/tmp/broken.service").unlink()
    lines = debian.do("systemd-analyze", "security", "--offline=true", UNIT).splitlines()
    score = re.search(r"exposure level for \S+: ([\d.]+)", lines[-1])
    check("systemd-analyze security", float(score[1]) <= MAX_EXPOSURE, lines[-1].strip())


def settings_of(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if re.match(r"[A-Z]", line)]
    return dict(line.split("=", 1) for line in lines)


def check_settings(debian: Debian) -> None:
    text = debian.path(SETTINGS).read_text()
    commented = re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.M)
    done = debian.run(BINARY, "check", env=settings_of(commented))
    check("what its settings suggest is valid", done.returncode == 0, done.stderr)
    check("its HTTP is this machine's only",
          settings_of(text)["HEALTH_CHECK_HOST"] == "127.0.0.1")  # fmt: skip


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.HTTPError, OSError):
        return False


def wait_for(port: int, path: str) -> bool:
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if answers(port, path):
            return True
        time.sleep(0.05)
    return False


def check_run(debian: Debian) -> None:
    """As its unit starts it, but for the restrictions, which need systemd."""
    broker_port, port = free_port(), free_port()
    server = shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin")
    broker = subprocess.Popen(
        [server or fail("nats-server is not installed"), "-a", "127.0.0.1", "-p", str(broker_port)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(15)
    manager.bind(str(debian.path("/run/notify")))
    debian.path("/run/notify").chmod(0o666)
    settings = settings_of(debian.path(SETTINGS).read_text())
    settings |= {"NATS_URL": f"nats://127.0.0.1:{broker_port}", "HEALTH_CHECK_PORT": str(port),
                 "NOTIFY_SOCKET": "/run/notify"}  # fmt: skip
    start = ["/usr/sbin/chroot", f"--userspec={USER}:{USER}", str(debian.folder), BINARY, "run"]
    service = subprocess.Popen(start, env=settings, stdout=subprocess.PIPE, text=True)
    try:
        check("it says READY=1", manager.recv(512).startswith(b"READY=1\n"))
        check("it becomes ready with a broker", wait_for(port, "/ready"))
        health = debian.run(BINARY, "health", "--ready", env={"HEALTH_CHECK_PORT": str(port)})
        check("`health --ready` says so", health.returncode == 0, health.stdout.strip())
        service.terminate()
        check("SIGTERM ends it with 0", service.wait(15) == 0)
    finally:
        service.kill()
        broker.terminate()
        broker.wait()
        manager.close()
        debian.path("/run/notify").unlink()


def check_upgrade(debian: Debian) -> None:
    with debian.path(SETTINGS).open("a") as file:
        file.write("TRADING_LEVERAGE=2\n")
    debian.do("dpkg", "--force-confdef", "--install", "/tmp/package.deb")
    kept = "TRADING_LEVERAGE=2" in debian.path(SETTINGS).read_text()
    check("an upgrade keeps the settings", kept)
    file = owner_and_mode(debian, SETTINGS)
    check("and who may read them", file == f"root:{USER} 640", file)


def check_removal(debian: Debian, before: set[str]) -> None:
    debian.do("dpkg", "--remove", NAME)
    check("removed: the program has gone", not debian.path(BINARY).exists())
    check("removed: the settings are still there", debian.path(SETTINGS).exists())
    debian.do("dpkg", "--purge", NAME)
    odd = sorted(debian.files() ^ before)
    check("purged: nothing is left, nothing is missing", odd == [], odd or "")
    check("purged: the user has gone", not debian.has_user())


def try_out(package: str, folder: str) -> None:
    debian = Debian(Path(folder))
    shutil.copy(package, debian.path("/tmp/package.deb"))
    debian.do("apt-get", "update", "-q")
    needs = debian.do("dpkg-deb", "-f", "/tmp/package.deb", "Depends").strip()
    debian.do("apt-get", "satisfy", "-qy", "--no-install-recommends", needs)
    before = debian.files()
    debian.do("dpkg", "--install", "/tmp/package.deb")
    check_installed(debian, package)
    check_unit(debian)
    check_settings(debian)
    check_run(debian)
    check_upgrade(debian)
    check_removal(debian, before)
    if problems:
        fail(f"{problems} wrong")


def main(package: str) -> int:
    if os.geteuid() != 0:
        fail("chroot needs root")
    # Mounts and processes are of namespaces that end with the inner run, however it ends. Only then,
    # and from outside, the folder is removed: nothing is mounted in it any more.
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    with tempfile.TemporaryDirectory(prefix="rts-package-") as folder:
        return subprocess.run([*apart, sys.executable, __file__, package, folder]).returncode


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit(main(sys.argv[1]))
    elif len(sys.argv) == 3:
        try_out(sys.argv[1], sys.argv[2])
    else:
        fail("say which package")
