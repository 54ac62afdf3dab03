#!/usr/bin/env python3
"""The Debian package in a fresh Debian: package_test.py PACKAGE.deb (`make package-test`).

Makes a small Debian with mmdebstrap (once, kept in build/package), of DEBIAN_RELEASE or of this
machine's release, which has to be that the package was built in. It installs the package there, starts
the service as its unit would, against a broker of this machine, upgrades, removes and purges it. Needs
root for chroot, Debian's archive, mmdebstrap and nats-server.

No systemd runs in there; a datagram socket hears what the service would tell it. A copy of the same
Debian is then booted, systemd first, and its unit runs there with all of its restrictions. Where
systemd does not boot, as in a container that may not mount, a line says "not run", and why.
"""

import gzip
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

import smoke
from other_debian import make_debian
from smoke import check, eventually, free_port, nats_server

ROOT = Path(__file__).resolve().parents[2]
RELEASE = os.environ.get("DEBIAN_RELEASE") or platform.freedesktop_os_release()["VERSION_CODENAME"]
DEBIAN = ROOT / f"build/package/{RELEASE}.tar"
NAME = "petrosa-realtime-strategies"
USER = "realtime-strategies"
BINARY = "/usr/bin/realtime-strategies"
UNIT = "/usr/lib/systemd/system/realtime-strategies.service"
WANTS = "/etc/systemd/system/multi-user.target.wants/realtime-strategies.service"
SETTINGS = "/etc/realtime-strategies/environment"
COMPLETIONS = {
    "/usr/share/bash-completion/completions/realtime-strategies": "complete -F",
    "/usr/share/zsh/vendor-completions/_realtime-strategies": "#compdef realtime-strategies",
    "/usr/share/fish/vendor_completions.d/realtime-strategies.fish": "complete -c",
}
# The most `systemd-analyze security` may complain of; 10 is a service without any restriction.
MAX_EXPOSURE = 2.0
LONGEST = 300  # seconds that a command may take
# What package managers write for themselves.
THEIRS = re.compile(r"/(proc|run|tmp|var/(lib/dpkg|lib/apt|cache|log))/|/etc/[a-z]+-$|/etc/\.pwd")

def fail(text: str) -> NoReturn:
    raise SystemExit(f"package_test: {text}")


def check_success(what: str, done: subprocess.CompletedProcess[str]) -> None:
    check(what, done.returncode == 0, done.stderr if done.returncode else "")


class Debian:
    """A folder with a Debian in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        if not DEBIAN.exists():
            make_debian(DEBIAN, RELEASE, "adduser", "ca-certificates", "systemd")
        subprocess.run(["tar", "-xf", DEBIAN, "-C", folder], check=True)
        subprocess.run(["mount", "-t", "proc", "proc", folder / "proc"], check=True)
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        inside = ["chroot", str(self.folder), *command]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(
            inside, env=environment | options.pop("env", {}),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST,
        )  # fmt: skip

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
    linked = re.search(r"\blibnats\d\S* ", depends)
    check("it depends on the libraries it is linked to", linked, depends)
    check("its user is there", debian.has_user())
    folder = owner_and_mode(debian, "/etc/realtime-strategies")
    check("its settings are for root and itself", folder == f"root:{USER} 750", folder)
    file = owner_and_mode(debian, SETTINGS)
    check("the file, too", file == f"root:{USER} 640", file)
    secrets = owner_and_mode(debian, "/etc/realtime-strategies/secrets")
    check("there is a folder for secrets", secrets == f"root:{USER} 750", secrets)
    started = debian.path("/etc/systemd/system/multi-user.target.wants").glob("realtime*")
    check("installing enables nothing", list(started) == [])
    for path, holds in COMPLETIONS.items():
        check(f"{path} is there", holds in debian.path(path).read_text())
    page = gzip.decompress(debian.path("/usr/share/man/man1/realtime-strategies.1.gz").read_bytes())
    check("the manual page is there", b".SH NAME\nrealtime" in page)
    documents = debian.path(f"/usr/share/doc/{NAME}").rglob("*.md")
    links = [(page, link) for page in documents
             for link in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text())]  # fmt: skip
    lost = [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()]
    check("no link of its documents leads nowhere", lost == [], lost or "")


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


def start_broker(port: int, *inside: str) -> subprocess.Popen[bytes]:
    command = [nats_server(), "-a", "127.0.0.1", "-p", str(port)]
    return subprocess.Popen([*inside, *command], stderr=subprocess.DEVNULL)


def check_run(debian: Debian) -> None:
    """As its unit starts it, but for the restrictions, which need systemd."""
    broker_port, port = free_port(), free_port()
    broker = start_broker(broker_port)
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
        check("it becomes ready with a broker", eventually(lambda: answers(port, "/ready")))
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


# --- Upgrade and removal, where no systemd runs ---------------------------------------------------


def newer(package: str, to: Path, number: int) -> None:
    """The same package with a higher version and one line more in the settings."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["dpkg-deb", "-R", package, scratch], check=True)
        control = Path(scratch, "DEBIAN/control")
        control.write_text(re.sub(r"(?m)^(Version: .*)", rf"\1+{number}", control.read_text()))
        with Path(scratch + SETTINGS).open("a") as file:
            file.write(f"# of version {number}\n")
        build = ["dpkg-deb", "--build", "--root-owner-group", scratch, str(to)]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)


def upgrade(debian: Any, number: int, **options: Any) -> subprocess.CompletedProcess[str]:
    """--force-confdef: what dpkg would propose, if it asked, is the answer."""
    file = f"/var/cache/newer{number}.deb"
    done: subprocess.CompletedProcess[str] = debian.run(
        "dpkg", "--force-confdef", "--install", file, **options
    )
    return done


def check_upgrade(debian: Debian, package: str) -> None:
    for number in (1, 2):
        newer(package, debian.path(f"/var/cache/newer{number}.deb"), number)
    debian.do("chown", "root:root", SETTINGS)
    debian.do("chmod", "0600", SETTINGS)
    check_success("an upgrade succeeds", upgrade(debian, 1))
    came = "# of version 1\n" in debian.path(SETTINGS).read_text()
    check("settings that nobody has touched become the new version's", came)
    file = owner_and_mode(debian, SETTINGS)
    check("who may read them stays as the administrator has it", file == "root:root 600", file)
    with debian.path(SETTINGS).open("a") as settings:
        settings.write("TRADING_LEVERAGE=2\n")
    check_success("the next upgrade succeeds", upgrade(debian, 2))
    text = debian.path(SETTINGS).read_text()
    kept = "TRADING_LEVERAGE=2\n" in text and "# of version 2\n" not in text
    check("settings that somebody has changed are kept", kept)
    debian.path(SETTINGS + ".dpkg-dist").unlink()


# A systemd that can nothing but write down what it is asked for, and refuses to restart a service.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>/tmp/systemctl.log
if [ "$1" = try-restart ]; then exit 1; fi
"""


def check_restart(debian: Debian) -> None:
    """An upgrade restarts the service, and is complete even if that fails."""
    stub = debian.path("/tmp/stub/systemctl")
    stub.parent.mkdir()
    stub.write_text(SYSTEMCTL)
    stub.chmod(0o755)
    debian.path("/run/systemd/system").mkdir(parents=True)
    done = upgrade(debian, 2, env={"PATH": "/tmp/stub:/usr/sbin:/usr/bin:/sbin:/bin"})
    asked = debian.path("/tmp/systemctl.log").read_text().splitlines()
    check("an upgrade asks for a restart", f"try-restart {USER}.service" in asked, asked)
    said = done.returncode == 0 and "not been restarted" in done.stderr
    check("and succeeds without it, saying so", said, done.stderr.strip())
    state = debian.do("dpkg-query", "-W", "-f=${db:Status-Status}", NAME)
    check("the package is installed then", state == "installed", state)
    debian.path("/run/systemd/system").rmdir()


def check_removal(debian: Debian, before: set[str]) -> None:
    debian.do("systemctl", "enable", USER)
    debian.do("dpkg", "--remove", NAME)
    check("removed: nothing starts it any more", not os.path.lexists(debian.path(WANTS)))
    check("removed: the program has gone", not debian.path(BINARY).exists())
    check("removed: the settings are still there", debian.path(SETTINGS).exists())
    debian.do("dpkg", "--purge", NAME)
    odd = sorted(debian.files() ^ before)
    check("purged: nothing is left, nothing is missing", odd == [], odd or "")
    check("purged: the user has gone", not debian.has_user())


# --- Under systemd --------------------------------------------------------------------------------

# Makes the folder $1 the root, with what a container has, and becomes systemd. The kernel's
# settings are the machine's, hence not to be written.
BOOT = """
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
ln -s pts/ptmx dev/ptmx
mkdir -p .old
pivot_root . .old
umount -l /.old
exec env -i container=rts PATH=/usr/sbin:/usr/bin /lib/systemd/systemd systemd.unit=basic.target
"""


class CannotBoot(Exception):
    """Nothing is wrong with the package: this machine does not let systemd start."""


class Booted:
    """A copy of a Debian, with systemd as its first process, a network and a cgroup of its own."""

    def __init__(self, debian: Debian, scratch: Path) -> None:
        root = scratch / "booted"
        subprocess.run(["cp", "-ax", debian.folder, root], check=True)
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        hierarchy = scratch / "cgroup"
        hierarchy.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "cgroup2", "none", hierarchy], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            raise CannotBoot(mounted.stderr.strip())
        self.group = hierarchy / scratch.name
        self.errors = scratch / "errors"
        try:
            self.group.mkdir()
            self.start(root)
        except OSError as error:
            raise CannotBoot(str(error)) from error

    def start(self, root: Path) -> None:
        enter = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
        apart = "unshare --cgroup --mount --pid --net --ipc --uts --fork --kill-child".split()
        command = ["sh", "-c", enter, self.group, *apart, "sh", "-c", BOOT, "boot", root]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(command, stdout=errors, stderr=errors)
        up = eventually(lambda: self.process.poll() is not None or self.is_up(), 30)
        if not up or self.process.poll() is not None:
            self.stop()
            raise CannotBoot(self.errors.read_text().strip() or "it was not up after 30 s")

    def first(self) -> str:
        """Its first process, as this namespace counts; empty when there is none."""
        pid = self.process.pid
        if self.process.poll() is not None:
            return ""
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()

    def is_up(self) -> bool:
        # Until its shell has become systemd, the root is still the machine's.
        if not self.first() or Path(f"/proc/{self.first()}/comm").read_text() != "systemd\n":
            return False
        return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        inside = ["nsenter", "--all", "--root", "--wd", f"--target={self.first()}"]
        path = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        return subprocess.run(
            [*inside, *path, *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST,
        )  # fmt: skip

    def service(self) -> dict[str, str]:
        shown = self.run("systemctl", "show", USER).stdout.splitlines()
        return dict(line.split("=", 1) for line in shown if "=" in line)

    def is_active(self) -> bool:
        return self.service()["ActiveState"] == "active"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        eventually(lambda: "populated 0" in (self.group / "cgroup.events").read_text())
        for folder, _, _ in os.walk(self.group, topdown=False):
            os.rmdir(folder)


def check_confined(booted: Booted, pid: str) -> None:
    text = booted.run("cat", f"/proc/{pid}/status").stdout
    status = {k: v.strip() for k, v in (line.split(":", 1) for line in text.splitlines())}
    seen = {name: status[name] for name in ("CapBnd", "NoNewPrivs", "Seccomp")}
    held = seen == {"CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
    check("its restrictions are in force", held, seen)


def check_restarts(booted: Booted) -> None:
    """By the watchdog; by an upgrade; and an upgrade to settings it cannot start with."""
    booted.run("systemctl", "kill", "--signal=STOP", USER)
    again = eventually(lambda: booted.service()["NRestarts"] == "1" and booted.is_active(), 30)
    check("the watchdog restarts a process that stands still", again)
    before = booted.service()["MainPID"]
    done = upgrade(booted, 1)
    after = booted.service()
    check_success("an upgrade succeeds", done)
    restarted = after["ActiveState"] == "active" and after["MainPID"] != before
    check("and has restarted the service", restarted)
    booted.run("sh", "-c", f"echo HEALTH_CHECK_PORT=none >>{SETTINGS}")
    done = upgrade(booted, 2)
    check_success("an upgrade succeeds with settings that are wrong", done)
    after = booted.service()
    wrong = after["ActiveState"] == "failed" and after["ExecMainStatus"] == "78"
    check("which end the service with 78 and are not tried again", wrong)
    booted.run("sed", "-i", "$d", SETTINGS)


def check_service(booted: Booted) -> None:
    # A service in production refuses a made-up market.
    booted.run("sh", "-c", f"echo ENVIRONMENT=test >>{SETTINGS}")
    check_success("systemd starts it", booted.run("systemctl", "start", USER))
    said = eventually(lambda: booted.service()["StatusText"].startswith("connected to nats://"))
    shown = booted.service()
    check("its status line has the broker", said, shown["StatusText"])
    quiet = shown["ActiveState"] == "active" and shown["NRestarts"] == "0"
    check("it is active and has not been restarted", quiet)
    check_confined(booted, shown["MainPID"])
    market = [BINARY, "simulate", "--rate=2000", "--frames=20000", "--show-orders", "--json"]
    meant = ["env", "SIMULATE_ON_REAL_BROKER=yes", "timeout", "60"]
    orders = booted.run(*meant, *market).stdout.count('{"order_id"')
    check("frames go in and orders come out", orders > 0, f"{orders} orders")
    check_restarts(booted)
    check_success("it starts again", booted.run("systemctl", "enable", "--now", USER))
    booted.run("systemctl", "stop", USER)
    shown = booted.service()
    seen = {name: shown[name] for name in ("ActiveState", "Result", "ExecMainStatus")}
    held = seen == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
    check("it stops when asked to", held, seen)
    booted.run("systemctl", "start", USER)
    booted.run("dpkg", "--remove", NAME)
    gone = booted.service()["ActiveState"] == "inactive"
    check("removing the package stops it", gone, booted.service()["ActiveState"])


def check_under_systemd(debian: Debian, package: str, scratch: Path) -> None:
    print("== under systemd", flush=True)
    try:
        booted = Booted(debian, scratch)
    except CannotBoot as reason:
        print(f"not run: systemd does not boot on this machine: {reason}", flush=True)
        if os.environ.get("CI"):
            check("with CI set, what cannot be tried is an error", False)
        return
    broker = start_broker(4222, "nsenter", f"--net=/proc/{booted.first()}/ns/net")
    try:
        for number in (1, 2):
            newer(package, scratch / f"booted/var/cache/newer{number}.deb", number)
        check_service(booted)
        if smoke.problems:
            print(booted.run("journalctl", "--no-pager", f"--unit={USER}").stdout[-5000:])
    finally:
        broker.terminate()
        broker.wait()
        booted.stop()


def try_out(package: str, folder: str) -> None:
    debian = Debian(Path(folder, "debian"))
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
    check_under_systemd(debian, package, Path(folder))
    print("== without systemd", flush=True)
    check_upgrade(debian, package)
    check_restart(debian)
    check_removal(debian, before)
    if smoke.problems:
        fail(f"{smoke.problems} wrong")


def main(package: str) -> int:
    if os.geteuid() != 0:
        fail("chroot needs root")
    # Mounts and processes are of namespaces that end with the inner run, however it ends. Only
    # then, and from outside, the folder is removed: nothing is mounted in it any more.
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with tempfile.TemporaryDirectory(prefix="rts-package-") as folder:
        return subprocess.run([*apart, sys.executable, __file__, package, folder]).returncode


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit(main(sys.argv[1]))
    elif len(sys.argv) == 3:
        try_out(sys.argv[1], sys.argv[2])
    else:
        fail("say which package")
