#!/usr/bin/env python3
"""The systemd unit, the image's build and what says what is in it, as far as they can be read
without installing them."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cmake/package"
UNIT = (PACKAGE / "realtime-strategies.service").read_text()
BINARY = os.environ["RTS_BINARY"]


def verify(text: str) -> str:
    """What systemd's checker says. The program is where it was built, not where it is installed."""
    with tempfile.TemporaryDirectory() as scratch:
        unit = Path(scratch, "realtime-strategies.service")
        unit.write_text(text.replace("/usr/bin/realtime-strategies", BINARY))
        command = ["systemd-analyze", "verify", "--man=no", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True)
    # It complains of the machine's other units, too.
    said = [line for line in (done.stdout + done.stderr).splitlines() if scratch in line
            or line.startswith("realtime-strategies.service")]  # fmt: skip
    return "\n".join(said)


class Unit(unittest.TestCase):
    def test_systemd_has_nothing_to_say(self) -> None:
        self.assertEqual(verify(UNIT), "")

    def test_it_would(self) -> None:
        for right, wrong in {"Type=notify": "Type=notfy", "ProtectHome=yes": "ProtectHom=yes",
                             "/usr/bin/realtime-strategies": "/nowhere"}.items():  # fmt: skip
            self.assertNotEqual(verify(UNIT.replace(right, wrong)), "", wrong)

    def test_a_drain_is_never_cut_short(self) -> None:
        env = (ROOT / "k8s/base/settings.env").read_text()
        drain = int(re.search(r"^SHUTDOWN_TIMEOUT_SECONDS=(\d+)$", env, re.M)[1])
        self.assertGreater(int(re.search(r"^TimeoutStopSec=(\d+)s$", UNIT, re.M)[1]), drain)
        compose = (ROOT / "docker/compose.yaml").read_text()
        self.assertGreater(int(re.search(r"stop_grace_period: (\d+)s", compose)[1]), drain)

    def test_the_settings_it_suggests_are_settings(self) -> None:
        text = (PACKAGE / "environment").read_text()
        lines = [line.lstrip("#") for line in text.splitlines() if re.match(r"#?[A-Z_]+=", line)]
        self.assertGreater(len(lines), 5)
        settings = dict(line.split("=", 1) for line in lines)
        done = subprocess.run([BINARY, "check"], env=settings, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_maintainer_scripts_are_shell(self) -> None:
        for name in ("postinst", "prerm", "postrm"):
            done = subprocess.run(["sh", "-n", PACKAGE / name], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)


def git(folder: str, *command: str) -> str:
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@petrosa.invalid"]
    done = subprocess.run(
        ["git", *who, *command], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class PackageVersion(unittest.TestCase):
    """What cpack.cmake makes of what git says, in a repository made for it."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        git(self.folder, "init", "-q")
        os.symlink(ROOT / "cmake", Path(self.folder, "cmake"))

    def of_next_commit(self) -> str:
        git(self.folder, "commit", "-q", "--allow-empty", "--message=one more")
        # Into a file: cmake colours its messages where make or a terminal seems to want that.
        show, shown = (Path(self.folder, name) for name in ("show.cmake", "shown"))
        show.write_text(f'include({PACKAGE}/cpack.cmake)\n'
                        f'file(WRITE {shown} "${{CPACK_PACKAGE_VERSION}}")\n')  # fmt: skip
        command = ["cmake", f"-DCPACK_SOURCE_DIR_OF_GIT={self.folder}", "-P", str(show)]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("RTS_")}
        subprocess.run(command, capture_output=True, check=True, env=clean)
        return shown.read_text()

    def test_each_commit_is_newer_than_the_one_before(self) -> None:
        versions = [self.of_next_commit() for _ in range(12)]
        git(self.folder, "tag", "v1.2.3")
        versions += [self.of_next_commit() for _ in range(2)]
        self.assertEqual(versions[11], f"0.0.0+12.g{git(self.folder, 'rev-parse', 'v1.2.3')[:12]}")
        self.assertRegex(versions[12], r"^1\.2\.3\+1\+g[0-9a-f]+$")
        for older, newer in zip(versions, versions[1:]):
            compared = subprocess.run(["dpkg", "--compare-versions", newer, "gt", older])
            self.assertEqual(compared.returncode, 0, f"{newer} is not newer than {older}")


class Image(unittest.TestCase):
    """docker/Dockerfile; `make container` looks at what comes of it."""

    def setUp(self) -> None:
        self.text = (ROOT / "docker/Dockerfile").read_text()

    def test_it_copies_only_what_the_context_has(self) -> None:
        ignore = (ROOT / ".dockerignore").read_text().splitlines()
        there = {line[1:] for line in ignore if line.startswith("!")}
        self.assertIn("*", ignore)
        copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", self.text, re.M))
        self.assertEqual({name for line in copied for name in line.split()}, there)
        for name in there:
            self.assertTrue((ROOT / name).exists(), name)

    def test_it_ends_from_scratch_as_nobody(self) -> None:
        last = self.text[self.text.rindex("FROM ") :]
        self.assertTrue(last.startswith("FROM scratch\n"))
        self.assertIn("\nUSER 65532:65532\n", last)
        self.assertIn('["/usr/bin/realtime-strategies", "health"]', last)
        self.assertNotRegex(last, r"(?m)^(RUN|ADD) ")

    def test_the_version_is_gits(self) -> None:
        script = ["cmake", f"-DSOURCE={ROOT}", "-P", str(ROOT / "cmake/Version.cmake")]
        command = ["git", "rev-parse", "HEAD"]
        commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
        said = subprocess.run(script, capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(said[1], commit or "unknown")
        told = {**os.environ, "RTS_VERSION": "9.8.7", "RTS_COMMIT": "f" * 40}
        said = subprocess.run(script, capture_output=True, text=True, check=True, env=told).stdout
        self.assertEqual(said.split(), ["9.8.7", "f" * 40])

    def test_its_root_says_which_release_and_packages_it_is_of(self) -> None:
        names = laid_out(self)
        self.assertIn("libc6", names)
        release = Path(self.root, "etc/os-release").read_text()
        self.assertRegex(release, r"(?m)^ID=debian$")
        self.assertRegex(release, r'(?m)^VERSION_ID="\d+"$')


def laid_out(case: Any) -> set[str]:
    """The packages that the image's root, in a scratch folder, says something is taken from."""
    scratch = tempfile.TemporaryDirectory()
    case.addCleanup(scratch.cleanup)
    case.root = scratch.name
    subprocess.run([ROOT / "docker/collect.sh", BINARY, scratch.name], cwd=ROOT, check=True)
    return {path.name for path in Path(scratch.name, "var/lib/dpkg/status.d").iterdir()}


class Sbom(unittest.TestCase):
    """cmake/package/sbom.py: SPDX 2.3, sections 6, 7 and 11."""

    document: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        command = ["python3", "-B", PACKAGE / "sbom.py", BINARY]
        cls.document = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def related(self, how: str) -> set[str]:
        """The names of the packages that are in this relation to the service."""
        names = {package["SPDXID"]: package["name"] for package in self.document["packages"]}
        ends = {r["spdxElementId"] for r in self.document["relationships"]
                if r["relationshipType"] == how}  # fmt: skip
        ends |= {r["relatedSpdxElement"] for r in self.document["relationships"]
                 if r["relationshipType"] == how}  # fmt: skip
        return {names[end] for end in ends - {"SPDXRef-service", "SPDXRef-DOCUMENT"}}

    def test_it_has_what_the_image_has_and_what_was_compiled_in(self) -> None:
        there = self.related("DYNAMIC_LINK") | self.related("RUNTIME_DEPENDENCY_OF")
        self.assertEqual(there, laid_out(self))
        self.assertIn("libsimdjson-dev", self.related("BUILD_DEPENDENCY_OF"))
        self.assertEqual(len(self.document["packages"]),
                         1 + len(there) + len(self.related("BUILD_DEPENDENCY_OF")))  # fmt: skip

    def test_ids_are_valid_and_there_once(self) -> None:
        ids = [package["SPDXID"] for package in self.document["packages"]]
        self.assertEqual(len(ids), len(set(ids)))
        for one in ids:
            self.assertRegex(one, r"^SPDXRef-[A-Za-z0-9.-]+$")
        for relation in self.document["relationships"]:
            for end in ("spdxElementId", "relatedSpdxElement"):
                self.assertIn(relation[end], [*ids, "SPDXRef-DOCUMENT"])
        self.assertIn({"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                       "relatedSpdxElement": "SPDXRef-service"},
                      self.document["relationships"])  # fmt: skip

    def test_what_the_specification_asks_for_is_there(self) -> None:
        said = self.document
        self.assertEqual((said["spdxVersion"], said["dataLicense"], said["SPDXID"]),
                         ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))  # fmt: skip
        self.assertTrue(said["name"])
        self.assertRegex(said["documentNamespace"], r"^https://[^#\s]+$")
        created = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
        self.assertRegex(said["creationInfo"]["created"], created)
        for creator in said["creationInfo"]["creators"]:
            self.assertRegex(creator, r"^(Tool|Organization|Person): \S")
        for package in said["packages"]:
            for field in ("name", "versionInfo", "downloadLocation"):
                self.assertTrue(package[field], package)
            self.assertRegex(package["supplier"], r"^Organization: (Debian|Petrosa)$")

    def test_each_of_debians_can_be_looked_up(self) -> None:
        for package in self.document["packages"][1:]:
            purl = package["externalRefs"][0]["referenceLocator"]
            version = re.search(r"^pkg:deb/debian/[a-z0-9.+-]+@([^+:?]+)\?arch=\w+&distro=", purl)
            decoded = version[1].replace("%2B", "+").replace("%3A", ":")
            self.assertEqual(decoded, package["versionInfo"])


if __name__ == "__main__":
    unittest.main()
