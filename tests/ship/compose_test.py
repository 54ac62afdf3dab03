#!/usr/bin/env python3
"""docker/compose.yaml: what it mounts and asks for, and what the loader of docker compose says.

  compose_test.py            everything (make compose-validate)
  compose_test.py Compose    what needs neither docker nor Go (the ordinary tests)
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml

from smoke import nats_server, works

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker/compose.yaml"
# What `docker compose` itself reads its files with.
LOADER = "github.com/compose-spec/compose-go/v2/cmd@v2.4.7"


def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(FILE.read_text())["services"]


class Compose(unittest.TestCase):
    def test_what_is_mounted_is_there(self) -> None:
        mounted = [m for s in services().values() for m in s.get("volumes", [])]
        files = [m for m in mounted if m.startswith(".")]
        self.assertGreater(len(files), 4)
        for mount in files:
            path, _, options = mount.split(":")
            self.assertTrue((FILE.parent / path).is_file(), path)
            self.assertEqual(options, "ro", path)

    def test_what_is_referred_to_is_there(self) -> None:
        for name, service in services().items():
            self.assertLessEqual(set(service.get("depends_on", [])), set(services()), name)
            mounted = {m.split(":")[0] for m in service.get("volumes", []) if m[0] != "."}
            self.assertLessEqual(mounted, set(yaml.safe_load(FILE.read_text())["volumes"]), name)

    def test_every_image_is_named_exactly(self) -> None:
        for name, service in services().items():
            self.assertRegex(service["image"], r":(v?\d+\.\d+\.\d+|compose)$", name)

    def test_nothing_listens_beyond_this_machine(self) -> None:
        for name, service in services().items():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")

    def test_everything_is_confined(self) -> None:
        for name, service in services().items():
            self.assertIs(service["read_only"], True, name)
            self.assertEqual(service["cap_drop"], ["ALL"], name)

    def test_our_settings_are_settings(self) -> None:
        for name in ("service", "simulator"):
            done = subprocess.run(
                [os.environ["RTS_BINARY"], "check"],
                env=services()[name]["environment"], capture_output=True, text=True,
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_prometheus_knows_the_alerts_and_the_job_they_ask_for(self) -> None:
        config = yaml.safe_load((ROOT / "docker/compose/prometheus.yaml").read_text())
        self.assertEqual(config["rule_files"], ["rules.yaml"])
        job = config["scrape_configs"][0]["job_name"]
        rules = (ROOT / "k8s/components/monitoring/rules.yaml").read_text()
        self.assertEqual(set(re.findall(r'job="([^"]+)"', rules)), {job})

    def test_promtool_accepts_the_configuration(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copy(ROOT / "docker/compose/prometheus.yaml", scratch)
            shutil.copy(ROOT / "k8s/components/monitoring/rules.yaml", scratch)
            done = subprocess.run(
                ["promtool", "check", "config", f"{scratch}/prometheus.yaml"],
                capture_output=True, text=True,
            )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_nats_server_accepts_its_configuration(self) -> None:
        config = ROOT / "docker/compose/nats-server.conf"
        done = subprocess.run([nats_server(), "-t", "-c", config], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


def loader() -> list[str] | None:
    """The command line before the file's name; with Go where there is no docker compose."""
    if works("docker", "compose", "version"):
        return ["docker", "compose", "--file"]
    folder = ROOT / "build/tools/compose"
    if not (folder / "cmd").exists():
        if not works("go", "version"):
            return None
        if subprocess.run([ROOT / "tests/ship/go_tool.py", LOADER, folder]).returncode != 0:
            return None
    return [str(folder / "cmd")]


class Loader(unittest.TestCase):
    def load(self, text: str) -> subprocess.CompletedProcess[str]:
        command = loader()
        if command is None:
            if os.environ.get("CI"):
                self.fail("no docker compose, and no Go to build its loader")
            self.skipTest("no docker compose, and no Go to build its loader")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=FILE.parent) as copy:
            copy.write(text)
            copy.flush()
            after = ["config", "--quiet"] if command[0] == "docker" else []
            return subprocess.run([*command, copy.name, *after], capture_output=True, text=True)

    def test_it_is_accepted(self) -> None:
        done = self.load(FILE.read_text())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_wrong_is_refused(self) -> None:
        for right, wrong in {
            "mem_limit:": "memory_limit:",
            "read_only: true": "read_only: perhaps",
            "ports:": "port:",
        }.items():
            with self.subTest(wrong=wrong):
                spoilt = FILE.read_text().replace(right, wrong)
                self.assertNotEqual(spoilt, FILE.read_text())
                self.assertNotEqual(self.load(spoilt).returncode, 0)


if __name__ == "__main__":
    unittest.main()
