#!/usr/bin/env python3
"""What the Makefile installs: only what the target needs, whatever merely seems to be there, and
without starting or enabling a service. On a machine where nothing is installed, played by stand-ins
for Debian's programs; no package is fetched.
"""

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "cmake/setup"
CHOICE = "libboost1.81-dev/libboost-dev"
BUILD = set((ROOT / "docker/build-packages").read_text().split()) - {CHOICE} | {"libboost1.81-dev"}

NOTHING_INSTALLED = "#!/bin/sh\nexit 1\n"
OTHER_INSTALLED = '#!/bin/sh\ncase "$*" in *" libboost-dev") echo installed ;; *) exit 1 ;; esac\n'
# apt's cache, that has no lists until apt-get has fetched them: it shows what is installed.
NO_LISTS_YET = """#!/bin/sh
if [ -e "$NOTES/lists" ] || [ "$*" = "show libboost-dev" ]; then echo "Package: $2"; fi
"""
# Fetches lists, and writes down what it is asked for, and where packages' scripts are to look for their helpers.
APT = """#!/bin/sh
for word; do
  case $word in DPkg::Path=*) echo "${word#*=}" >"$NOTES/path" ;; esac
done
if [ "$1" = update ]; then : >"$NOTES/lists"; fi
if [ "$1" = install ]; then echo "$@" >>"$NOTES/installed"; fi
"""
# There, prints, and fails: a docker client without a daemon, a Go without its folder.
THERE_BUT_BROKEN = "#!/bin/sh\necho Client: Version 28\nexit 1\n"
WORKS = "#!/bin/sh\necho Client: Version 28\n"
REAL_HELPER = '#!/bin/sh\necho "${0##*/} $*" >>"$NOTES/helpers"\n'


class Setup(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.environment = {
            "PATH": f"{self.folder}:/usr/bin:/bin", "NOTES": str(self.folder),
            "HOME": str(self.folder),
        }  # fmt: skip
        self.stand_in("dpkg-query", NOTHING_INSTALLED)
        self.stand_in("apt-get", APT)
        self.stand_in("apt-cache", "#!/bin/sh\necho Package: $2\n")  # it knows every package
        self.stand_in("sudo", '#!/bin/sh\nif [ "$1" != --version ]; then exec "$@"; fi\n')
        self.stand_in("cmake", "#!/bin/sh\nexit 1\n")  # nothing is built here

    def stand_in(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def installed_by(self, target: str, **changes: str) -> set[str]:
        notes = self.folder / "installed"
        notes.write_text("")
        subprocess.run(
            ["make", "-C", ROOT, target], env=self.environment | changes,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        words = [w for line in notes.read_text().splitlines() for w in line.split()[1:]]
        return {w for w in words if not w.startswith("-") and "=" not in w}

    def install(self, *packages: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SETUP / "install-packages.sh", *packages], env=self.environment,
            capture_output=True, text=True,
        )  # fmt: skip

    def shown(self, target: str, **changes: str) -> str:
        """What make would run for the target itself; nothing that comes before it is built."""
        return subprocess.run(
            ["make", "-C", ROOT, "-n", target], env=self.environment | changes,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    def test_the_demonstration_takes_what_building_takes_and_a_broker(self) -> None:
        self.assertEqual(self.installed_by("run-local"), BUILD | {"nats-server"})

    def test_what_only_tests_take_comes_with_the_tests(self) -> None:
        self.assertEqual(self.installed_by("compile"), BUILD)
        self.assertLess(BUILD | {"libgtest-dev", "prometheus"}, self.installed_by("test"))

    def test_where_there_is_a_choice_it_takes_the_first_that_the_release_has(self) -> None:
        self.stand_in("apt-cache", '#!/bin/sh\n[ "$2" = libboost1.81-dev ] || echo Package: $2\n')
        self.assertEqual(BUILD - self.installed_by("compile"), {"libboost1.81-dev"})
        self.assertEqual(self.installed_by("compile") - BUILD, {"libboost-dev"})

    def test_the_other_does_not_do_where_the_release_has_the_first(self) -> None:
        self.stand_in("dpkg-query", OTHER_INSTALLED)
        self.assertEqual(self.installed_by("compile"), BUILD)

    def test_without_apts_lists_it_fetches_them_before_it_takes_the_other(self) -> None:
        self.stand_in("dpkg-query", OTHER_INSTALLED)
        self.stand_in("apt-cache", NO_LISTS_YET)
        self.assertEqual(self.installed_by("compile"), BUILD)

    def test_it_says_so_where_apts_lists_have_neither(self) -> None:
        self.stand_in("dpkg-query", OTHER_INSTALLED)
        self.stand_in("apt-cache", NO_LISTS_YET)
        self.stand_in("apt-get", "#!/bin/sh\n")  # fetches nothing
        done = self.install(CHOICE, "nats-server")
        self.assertEqual(done.returncode, 69)
        self.assertIn(f"have none of these: {CHOICE}\n", done.stderr)

    def test_podman_comes_where_a_docker_client_finds_no_daemon(self) -> None:
        self.stand_in("docker", THERE_BUT_BROKEN)
        self.assertIn("podman", self.installed_by("setup-container"))
        self.stand_in("docker", WORKS)
        self.assertNotIn("podman", self.installed_by("setup-container"))
        wanted = self.installed_by("setup-container", CONTAINER_ENGINE="podman")
        self.assertIn("podman", wanted)

    def test_go_and_npm_come_where_those_that_are_there_do_not_work(self) -> None:
        for name, packages in {"go": {"golang-go"}, "npm": {"nodejs", "npm"}}.items():
            for text, wanted in ((THERE_BUT_BROKEN, packages), (WORKS, set())):
                self.stand_in(name, text)
                lines = self.shown("k8s-validate").splitlines()
                asked = {w for line in lines if "install-packages" in line for w in line.split()}
                self.assertEqual(asked & packages, wanted, name)

    def test_another_debian_is_made_where_it_is_asked_for_by_its_whole_name(self) -> None:
        self.assertNotIn("other_debian.py", self.shown("package", RELEASE="another"))
        self.assertIn("other_debian.py another package",
                      self.shown("package", DEBIAN_RELEASE="another"))  # fmt: skip

    def test_what_the_caller_says_reaches_another_debian_though_sudo_drops_variables(self) -> None:
        self.stand_in("id", "#!/bin/sh\necho 1000\n")
        for target in ("test-trixie", "test-arm64"):
            command = self.shown(target, CI="1", JOBS="3").replace("\\\n", "")
            self.assertRegex(command, r"sudo env CI=1 JOBS=3 +\S+python3 -B \S+other_debian\.py")

    def test_without_root_and_sudo_it_says_what_is_missing(self) -> None:
        self.stand_in("id", "#!/bin/sh\necho 1000\n")
        self.stand_in("sudo", "#!/bin/sh\nexit 1\n")
        done = self.install("nats-server", CHOICE)
        self.assertEqual(done.returncode, 69)
        self.assertIn(f"as root: {SETUP}/install-packages.sh nats-server {CHOICE}\n", done.stderr)

    def helpers(self, *script: str) -> list[int]:
        """Runs lines of packages' scripts as dpkg would; their exit codes."""
        self.install("nats-server").check_returncode()
        path, _, _ = (self.folder / "path").read_text().strip().partition(":")
        for name in ("deb-systemd-helper", "deb-systemd-invoke", "invoke-rc.d", "update-rc.d"):
            self.stand_in(name, REAL_HELPER)
        where = self.environment | {"PATH": f"{path}:{self.folder}:/usr/bin:/bin"}
        (self.folder / "helpers").write_text("")
        return [subprocess.run(["sh", "-c", line], env=where).returncode for line in script]

    def test_a_new_service_is_neither_enabled_nor_started(self) -> None:
        codes = self.helpers(
            "deb-systemd-helper unmask rts-new.service",
            "deb-systemd-helper --quiet was-enabled rts-new.service",
            "deb-systemd-helper update-state rts-new.service",
            "deb-systemd-helper --user --quiet was-enabled rts-new.socket",
            "deb-systemd-invoke start rts-new.service",
            "update-rc.d rts-new defaults",
            "invoke-rc.d --skip-systemd-native rts-new start",
        )
        self.assertEqual(codes, [0, 1, 0, 1, 0, 0, 0])
        # The real deb-systemd-invoke starts nothing that is disabled, and a service that was there
        # and has been stopped for its upgrade has to come back.
        self.assertEqual((self.folder / "helpers").read_text().splitlines(), [
            "deb-systemd-helper unmask rts-new.service",
            "deb-systemd-helper update-state rts-new.service",
            "deb-systemd-invoke start rts-new.service",
            "update-rc.d rts-new defaults-disabled",
        ])  # fmt: skip

    def test_what_was_there_before_is_left_to_its_owner(self) -> None:
        known = sorted(Path("/var/lib/systemd/deb-systemd-helper-enabled").glob("*.dsh-also"))
        if not known:
            self.skipTest("no unit of a package is here")
        unit = known[0].name.removesuffix(".dsh-also")
        lines = [f"deb-systemd-helper --quiet was-enabled {unit}",
                 f"deb-systemd-invoke restart {unit}",
                 f"deb-systemd-invoke start {unit}"]  # fmt: skip
        self.assertEqual(self.helpers(*lines), [0, 0, 0])
        self.assertEqual((self.folder / "helpers").read_text().splitlines(), lines)


if __name__ == "__main__":
    unittest.main()
