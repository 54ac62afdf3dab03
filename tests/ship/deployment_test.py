#!/usr/bin/env python3
"""docs/DEPLOYMENT.md, "Kubernetes", typed from its first line to `make deploy`, in order.

The cluster is this machine: a kubectl that keeps Secrets in folders, a broker that has the printed
permissions and no others, and the Job's and the Deployment's process with the ConfigMap's settings.
What kustomize makes of the overlay is put together here; tests/k8s/validate.py sees to the real
one.
"""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml
from smoke import eventually, free_port, nats_server

ROOT = Path(__file__).resolve().parents[2]
BINARY = str(Path(os.environ["RTS_BINARY"]).resolve())
NAME = "petrosa-realtime-strategies"
KUBECTL = r"""#!/usr/bin/env bash
args=$*
args=${args#--context $CONTEXT }
args=${args#-n petrosa-apps }
args=${args#--namespace petrosa-apps }
case $args in
  kustomize*) cat "$HERE/rendered.yaml" ;;
  "create secret generic "*)
    set -- ${args#create secret generic }
    folder=$HERE/secrets/$1; mkdir -p "$folder"
    for given in "${@:2}"; do
      case $given in
        --from-literal=*) given=${given#*=}; printf %s "${given#*=}" >"$folder/${given%%=*}" ;;
        --from-file=*=*) given=${given#*=}; cp "${given#*=}" "$folder/${given%%=*}" ;;
        --from-file=*) cp "${given#*=}" "$folder/$(basename "${given#*=}")" ;;
      esac
    done ;;
  "get namespace "*) echo namespace/petrosa-apps ;;
  "apply -f "*) echo "$args" >>"$HERE/applied" ;;
  "get job "*) echo Complete ;;
esac
"""


def settings_of_production() -> dict[str, str]:
    lines = (ROOT / "k8s/base/settings.env").read_text().splitlines()
    for folder in ("components/jetstream", "overlays/production"):
        kustomization = yaml.safe_load((ROOT / "k8s" / folder / "kustomization.yaml").read_text())
        lines += [line for g in kustomization["configMapGenerator"] for line in g["literals"]]
    return dict(line.split("=", 1) for line in lines)


def steps() -> list[str]:
    """The commands of the section up to and with `make deploy`, a shell's worth each."""
    page = (ROOT / "docs/DEPLOYMENT.md").read_text()
    section = page[page.index("\n## Kubernetes\n") :]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
    last = next(i for i, block in enumerate(blocks) if "make deploy" in block)
    blocks[last] = blocks[last].splitlines()[0]
    return blocks[: last + 1]


class Kubernetes(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.here = Path(scratch.name)
        self.settings = settings_of_production()
        rendered = {"kind": "ConfigMap", "metadata": {"name": NAME}, "data": self.settings}
        (self.here / "rendered.yaml").write_text(yaml.safe_dump(rendered) + "---\nkind: Job\n")
        for entry in ROOT.iterdir():
            if entry.name not in ("build", ".git"):
                (self.here / entry.name).symlink_to(entry)
        tools = self.here / "tools"
        tools.mkdir()
        (tools / "kubectl").write_text(KUBECTL)
        (tools / "kubectl").chmod(0o755)
        (tools / "realtime-strategies").symlink_to(BINARY)
        for who in ("password", "password-provision", "tradeengine", "relay", "operator"):
            (self.here / who).write_text(f"secret-of-{who}")
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}", "HERE": str(self.here)
        }  # fmt: skip

    def type(self, step: str) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step], cwd=self.here, env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, f"{step}\n{done.stdout}{done.stderr}")

    def start(self, *command: str, **environment: str) -> None:
        log = (self.here / "log").open("a")
        self.addCleanup(log.close)
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def start_broker(self) -> None:
        self.port = free_port()
        (self.here / "nats.conf").write_text(
            f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.here}/js" }}\n'
            "include permissions.conf\n"
        )
        secrets = self.here / "secrets"
        passwords = {
            "NATS": secrets / NAME / "password",
            "PROVISION": secrets / f"{NAME}-provision" / "password",
            **{who: secrets / f"{NAME}-nats" / who.lower()
               for who in ("TRADEENGINE", "RELAY", "OPERATOR")},
        }  # fmt: skip
        variables = {f"RTS_{who}_PASSWORD": path.read_text() for who, path in passwords.items()}
        self.start(nats_server(), "-c", str(self.here / "nats.conf"), **variables)

    def pod(self, secret: str, **changes: str) -> dict[str, str]:
        """The environment of a container, as the manifests have it."""
        files = {
            f"NATS_{what.upper()}_FILE": str(self.here / "secrets" / secret / what)
            for what in ("user", "password")
        }
        return {**self.settings, "NATS_URL": f"nats://127.0.0.1:{self.port}", **files, **changes}

    def provision(self) -> subprocess.CompletedProcess[str]:
        """As the Job does: again until it works, or a while has passed."""
        done: list[subprocess.CompletedProcess[str]] = []

        def works() -> bool:
            command = [BINARY, "provision"]
            environment = self.pod(f"{NAME}-provision")
            done.append(subprocess.run(command, env=environment, capture_output=True, text=True))
            return done[-1].returncode == 0 or "ermission" in done[-1].stderr

        eventually(works, 30)
        return done[-1]

    def test_what_the_document_says_ends_with_a_production_that_is_ready(self) -> None:
        self.type("\n".join(steps()))
        self.assertIn("deployer.yaml", (self.here / "applied").read_text())
        self.assertIn("rendered.yaml", (self.here / "applied").read_text())
        self.start_broker()
        provisioned = self.provision()
        self.assertEqual(provisioned.returncode, 0, provisioned.stderr)
        self.expect_of_ready('"ready":true')

    def test_the_permissions_of_other_settings_do_not_suffice(self) -> None:
        """What the page said before: those of the settings that nobody has given."""
        self.type("\n".join(steps()))
        self.type("realtime-strategies provision --permissions >permissions.conf")
        self.start_broker()
        self.provision()
        self.expect_of_ready("Permissions Violation for Subscription")

    def test_permissions_are_printed_for_one_configmap_that_is_right(self) -> None:
        def code(options: str, *maps: dict[str, str], **environment: str) -> int:
            objects = [{"kind": "ConfigMap", "metadata": {"name": "a"}, "data": m} for m in maps]
            return subprocess.run(
                [BINARY, "provision", *options.split()], env=environment, capture_output=True,
                text=True, input=yaml.safe_dump_all(objects),
            ).returncode  # fmt: skip

        printed, good = "--permissions --from -", {"ORDER_DELIVERY": "jetstream"}
        self.assertEqual(code(printed, good, {"rules.yaml": "a file"}), 0)
        # Of the workstation on which it is printed.
        self.assertEqual(code(printed, good, LOG_LEVEL="TRACE", NATS_CONTEXT="laptop"), 0)
        self.assertEqual(code("--from -", good), 64)
        self.assertEqual(code(printed), 65)
        self.assertEqual(code(printed, good, good), 65)
        self.assertEqual(code(printed, {"ORDER_DELIVERY": "pigeon"}), 78)

    def expect_of_ready(self, text: str) -> None:
        """The Deployment's process says so in /ready, after a while."""
        pod = self.pod(NAME, HEALTH_CHECK_PORT=str(free_port()), HEALTH_CHECK_HOST="127.0.0.1")
        self.start(BINARY, "run", **pod)
        said: list[str] = []

        def says_so() -> bool:
            ask = [BINARY, "health", "--ready", "--json"]
            said.append(subprocess.run(ask, env=pod, capture_output=True, text=True).stdout)
            return text in said[-1]

        holds = eventually(says_so, 30)
        self.assertTrue(holds, said[-1] or (self.here / "log").read_text()[-3000:])


if __name__ == "__main__":
    unittest.main()
