#!/usr/bin/env python3
"""Builds the image, tries it out, removes it.

  image.py build    docker/Dockerfile → IMAGE, with the version and commit that git says
  image.py smoke    runs it as a cluster would and looks at everything that can be seen from outside
  image.py clean    removes what the other two have made
  image.py name     prints the image's name and tag

From the environment: IMAGE, its name; IMAGE_TAG (default: the version); CONTAINER_ENGINE, docker,
podman or buildah, which builds only (default: the first that works); DEBIAN_RELEASE, the Debian that
its libraries are of (default: bookworm; another is named in the tag's end); BASE, the builder's base
image (default: debian:DEBIAN_RELEASE-slim; where no registry has it, base-image.sh makes it).
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/ship"))

import smoke  # noqa: E402
from smoke import check, eventually, free_port, nats_server, works  # noqa: E402

NAME = os.environ.get("IMAGE", "yurisa2/petrosa-realtime-strategies")
DEFAULT_RELEASE = "bookworm"
RELEASE = os.environ.get("DEBIAN_RELEASE") or DEFAULT_RELEASE
OFFICIAL_BASE = f"docker.io/library/debian:{RELEASE}-slim"
OWN_BASE = f"localhost/debian:{RELEASE}-slim"
MAX_BYTES = 30_000_000
BINARY = "/usr/bin/realtime-strategies"
LABEL = "org.opencontainers.image."
# What k8s/base/deployment.yaml asks for.
RESTRICTED = "--read-only --cap-drop=all --security-opt=no-new-privileges --memory=256m".split()


def fail(text: str) -> NoReturn:
    raise SystemExit(f"image: {text}")


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, **options)


# --- Engine, version, base ----------------------------------------------------------------------


def answers(engine: str) -> bool:
    return works(engine, "--version" if engine == "buildah" else "info")


@cache
def engine() -> str:
    wanted = os.environ.get("CONTAINER_ENGINE")
    for candidate in [wanted] if wanted else ["docker", "podman", "buildah"]:
        if answers(candidate):
            return candidate
    fail(f"{wanted or 'docker, podman and buildah'}: not there, or not working")


def runner() -> str:
    """buildah keeps its images where podman looks for them."""
    name = "podman" if engine() == "buildah" else engine()
    return name if answers(name) else fail("buildah only builds; running needs podman")


HAS_SYSTEMD = Path("/run/systemd/system").exists()


def command(*arguments: str) -> list[str]:
    """The engine's command line. Podman has to be told where there is no systemd and no crun."""
    flags = []
    if runner() == "podman":
        flags += [] if HAS_SYSTEMD else ["--cgroup-manager=cgroupfs"]
        flags += [] if works("crun", "--version") else ["--runtime=runc"]
    return [runner(), *flags, *arguments]


def starting(verb: str, *arguments: str) -> list[str]:
    """`run` and `create`. The limits are named, for the engines' defaults may exceed the machine's;
    podman keeps the time of a HEALTHCHECK with systemd only."""
    options = ["--pull=never", "--network=host", "--ulimit=nofile=1024:1024"]
    options += ["--ulimit=nproc=4096:4096"]
    if runner() == "podman" and not HAS_SYSTEMD:
        options += ["--no-healthcheck"]
    return command(verb, *options, *arguments)


@cache
def version() -> tuple[str, str]:
    script = ["cmake", f"-DSOURCE={ROOT}", "-P", str(ROOT / "cmake/Version.cmake")]
    words = run(*script, check=True).stdout.split()
    return words[0], words[1]


def image() -> str:
    release = "" if RELEASE == DEFAULT_RELEASE else f"-{RELEASE}"
    tag = os.environ.get("IMAGE_TAG") or version()[0].replace("+", "-") + release
    return f"{NAME}:{tag}"


def base() -> str:
    if given := os.environ.get("BASE"):
        return given
    for name in (OFFICIAL_BASE, OWN_BASE):
        if run(engine(), "inspect", "--type=image", name).returncode == 0:
            return name
    if run(engine(), "pull", "-q", OFFICIAL_BASE).returncode == 0:
        return OFFICIAL_BASE
    print(f"image: no registry has {OFFICIAL_BASE}; making {OWN_BASE}", flush=True)
    subprocess.run([ROOT / "docker/base-image.sh", engine(), OWN_BASE, RELEASE], check=True)
    return OWN_BASE


def build() -> None:
    what, commit = version()
    arguments = [f"--build-arg={k}={v}" for k, v in
                 (("BASE", base()), ("VERSION", what), ("COMMIT", commit))]  # fmt: skip
    if engine() == "docker":
        first = ["docker", "build", "--pull=false"]
    else:
        # A HEALTHCHECK is Docker's, not OCI's. chroot needs no privilege beyond ours.
        first = [engine(), "build", "--pull=never", "--layers", "--isolation=chroot"]
        first += ["--format=docker"]
    file = ROOT / "docker/Dockerfile"
    done = subprocess.run([*first, *arguments, "-t", image(), "-f", str(file), str(ROOT)])
    if done.returncode != 0:
        fail("it does not build")
    print(f"built {image()} with {engine()}")


def clean() -> None:
    listed = run(*command("images", "--format={{.Repository}}:{{.Tag}}")).stdout.split()
    ours = [name for name in listed if name.removeprefix("docker.io/").startswith(f"{NAME}:")
            or name.startswith(f"localhost/{NAME}:") or name.startswith("localhost/debian:")]  # fmt: skip
    for name in ours:
        run(*command("rmi", "--force", name))
        print(f"removed {name}")
    only = f"--filter=label={LABEL}title=petrosa-realtime-strategies"
    run(*command("image", "prune", "--force", only))


# --- Trying it out ------------------------------------------------------------------------------

class Broker:
    """nats-server of this machine, with what the service wants of it."""

    def __init__(self, scratch: str) -> None:
        self.port = free_port()
        config = Path(scratch, "nats.conf")
        config.write_text(f'listen: "127.0.0.1:{self.port}"\nwrite_deadline: "2s"\n')
        command = [nats_server(), "-c", config]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Container:
    """The service, restricted as in a cluster, on the machine's network."""

    def __init__(self, broker: int, name: str = "smoke") -> None:
        self.name = f"rts-{name}-{os.getpid()}"
        self.port = free_port()
        settings = [f"--env=NATS_URL=nats://localhost:{broker}",
                    f"--env=HEALTH_CHECK_PORT={self.port}",
                    "--env=ENVIRONMENT=smoke"]  # fmt: skip
        done = run(*starting("run", "-d", f"--name={self.name}", *RESTRICTED, *settings, image()))
        if done.returncode != 0:
            fail(f"it does not start: {done.stderr}")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def inspect(self, field: str) -> str:
        return run(*command("inspect", f"--format={{{{{field}}}}}", self.name)).stdout.strip()

    def execute(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(*command("exec", self.name, *arguments))

    def logs(self) -> str:
        done = run(*command("logs", self.name))
        return done.stdout + done.stderr

    def remove(self) -> None:
        run(*command("rm", "--force", self.name))


def once(*arguments: str, options: list[str] = RESTRICTED) -> subprocess.CompletedProcess[str]:
    """One run of the image to its end."""
    return run(*starting("run", "--rm", *options, image(), *arguments))


def check_image() -> None:
    about = json.loads(run(*command("image", "inspect", image()), check=True).stdout)[0]
    size = about["Size"]
    check(f"at most {MAX_BYTES / 1e6:.0f} MB", size <= MAX_BYTES, f"{size / 1e6:.1f} MB")
    what, commit = version()
    config = about["Config"]
    labels = config["Labels"]
    seen = labels[f"{LABEL}version"], labels[f"{LABEL}revision"]
    check("its labels say what git says", seen == (what, commit), seen)
    check("its user is 65532", config["User"] == "65532:65532")
    health = (config.get("Healthcheck") or about.get("Healthcheck") or {}).get("Test")
    check("its HEALTHCHECK is the binary's own", health == ["CMD", BINARY, "health"], health)
    said = json.loads(once("version", "--json").stdout)
    check("`version` says the same", (said["version"], said["commit"]) == (what, commit))


def files_in(tar: Path) -> list[tarfile.TarInfo]:
    """Without the empty ones, such as /.dockerenv, that docker adds to what it exports."""
    with tarfile.open(tar) as archive:
        return [m for m in archive if m.isfile() and m.size]


def programs_among(files: list[tarfile.TarInfo]) -> list[str]:
    return [m.name for m in files if m.mode & 0o111 and ".so" not in m.name]


def check_content(scratch: str) -> None:
    """What is in it, as a tar of its file system."""
    name = f"rts-content-{os.getpid()}"
    tar = Path(scratch, "image.tar")
    run(*starting("create", f"--name={name}", image()), check=True)
    run(*command("export", f"--output={tar}", name), check=True)
    run(*command("rm", name), check=True)
    files = files_in(tar)
    programs = programs_among(files)
    check("the binary is the only program", programs == [BINARY[1:]], programs)
    odd = [m.name for m in files if m.uid != 0 or m.mode & 0o6022]
    names = {m.name for m in files}
    known = {"etc/os-release", "var/lib/dpkg/status.d/libc6"}
    lost = sorted(known - names)
    check("a scanner finds the release and the packages", not lost, lost or "")
    check("its files are root's, and nobody else may change them", odd == [], odd or len(files))


def check_root_is_not_writable() -> None:
    for options in (RESTRICTED, []):
        for folder in ("", "/etc", "/usr/bin"):
            done = once("simulate", f"--output={folder}/x", "--frames=1", options=options)
            how = "read-only" if options is RESTRICTED else "writable"
            check(f"on a {how} root it cannot write to {folder or '/'}", done.returncode != 0)


def check_endpoints(container: Container) -> None:
    what, commit = version()
    check("/healthz", container.get("/healthz")[0] == 200)
    check("/ready", eventually(lambda: container.get("/ready")[0] == 200))
    info = json.loads(container.get("/info")[1])
    check("/info says what git says", (info["version"], info["commit"]) == (what, commit))
    metrics = container.get("/metrics")[1].splitlines()
    series = next(line for line in metrics if line.startswith("rts_build_info{"))
    said = f'version="{what}"' in series and f'commit="{commit}"' in series
    check("rts_build_info says what git says", said, series)
    check("/ shows the status page", "<html" in container.get("/")[1])
    check("its HEALTHCHECK is well", container.execute(BINARY, "health").returncode == 0)
    doctor = container.execute(BINARY, "doctor", "--seconds=1", "--json").stdout
    rows = {row["check"]: row["status"] for row in json.loads(doctor)["checks"]}
    check("its doctor looks at broker and port", rows["broker"] == rows["HTTP port"] == "ok", rows)


def check_order(container: Container, broker: Broker) -> None:
    """The made-up market is the image's own; what it prints is what a TradeEngine would get."""
    market = ["simulate", "--rate=2000", "--frames=20000", "--show-orders", "--json",
              f"--nats-url=nats://localhost:{broker.port}"]  # fmt: skip
    meant = [*RESTRICTED, "--env=SIMULATE_ON_REAL_BROKER=yes"]
    lines = once(*market, options=meant).stdout.splitlines()
    orders = [json.loads(line) for line in lines if line.startswith('{"order_id"')]
    check("frames go in and orders come out", bool(orders), f"{len(orders)} orders")
    check("an order is whole", bool(orders) and orders[0]["metadata"]["schema"] == "trade_order.v1")


def check_confinement(container: Container) -> None:
    for shell in ("/bin/sh", "sh", "/bin/bash", "/bin/busybox"):
        check(f"exec of {shell} fails", container.execute(shell, "-c", "true").returncode != 0)
    text = Path(f"/proc/{container.inspect('.State.Pid')}/status").read_text()
    status = dict(line.split(":", 1) for line in text.splitlines())
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check(f"{field} is 0", int(status[field], 16) == 0)
    check("NoNewPrivs", status["NoNewPrivs"].strip() == "1")
    check("its uid is 65532", status["Uid"].split() == ["65532"] * 4)
    check("resident memory", True, f"{int(status['VmRSS'].split()[0]) / 1024:.1f} MiB")


def check_end(container: Container) -> None:
    run(*command("kill", "--signal=TERM", container.name), check=True)
    code = run(*command("wait", container.name)).stdout.strip()
    check("SIGTERM ends it with 0", code == "0", code)
    check("it drained", '"event":"stopped"' in container.logs())


def check_crash(broker: Broker) -> None:
    """The first process of a container is not ended by a signal of its own: it exits as if."""
    commit = version()[1]
    for signal, code in (("SEGV", 139), ("ABRT", 134)):
        container = Container(broker.port, f"crash-{signal.lower()}")
        try:
            ready = eventually(lambda: container.get("/ready")[0] == 200)
            run(*command("kill", f"--signal={signal}", container.name), check=True)
            ended = run(*command("wait", container.name)).stdout.strip()
            check(f"SIG{signal} ends it with {code}", ready and ended == str(code), ended)
            lines = [line for line in container.logs().splitlines() if '"event":"crashed"' in line]
            said = json.loads(lines[0]) if len(lines) == 1 else {}
            seen = said.get("signal"), said.get("commit")
            check("one line of its log says so", seen == (f"SIG{signal}", commit), len(lines))
        finally:
            container.remove()


def try_out() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        print(f"trying {image()} with {engine()}", flush=True)
        check_image()
        check_content(scratch)
        check_root_is_not_writable()
        broker = Broker(scratch)
        container = Container(broker.port)
        try:
            if not eventually(lambda: container.get("/healthz")[0] == 200):
                fail(f"it does not answer:\n{container.logs()}")
            check_endpoints(container)
            check_order(container, broker)
            check_confinement(container)
            check_end(container)
            check_crash(broker)
            if smoke.problems:
                print(*container.logs().splitlines()[-20:], sep="\n")
        finally:
            container.remove()
            broker.stop()
    if smoke.problems:
        fail(f"{smoke.problems} wrong")


if __name__ == "__main__":
    COMMANDS = {"build": build, "smoke": try_out, "clean": clean, "name": lambda: print(image())}
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        fail(f"say one of: {', '.join(COMMANDS)}")
    COMMANDS[sys.argv[1]]()
