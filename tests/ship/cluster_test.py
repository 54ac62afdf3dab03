#!/usr/bin/env python3
"""k8s/cluster.sh against a kubectl that records what it is asked and answers as a scene wants.

What a real API server makes of it cannot be seen here; what is asked of it, in which order, and
what is not asked when something is missing or fails, can.
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "k8s/cluster.sh"
# Fails what matches a line of $FAILS ("<exit code> <beginning of the arguments>"), once each for
# lines that begin with "once".
KUBECTL = r"""#!/usr/bin/env bash
printf '%s\n' "$*" >>"$CALLS"
args=$*
args=${args#--context test }
args=${args#--namespace petrosa-apps }
if [[ $1 == kustomize ]]; then cat "$2/kustomization.yaml"; fi
while read -r code times beginning; do
  [[ $code && $args == "$beginning"* ]] || continue
  if [[ $times == once ]]; then [[ -e $CALLS.$code ]] && continue; touch "$CALLS.$code"; fi
  exit "$code"
done <<<"$FAILS"
exit 0
"""
DELETE_JOB = "delete job petrosa-realtime-strategies-provision --ignore-not-found"
STATUS = "rollout status deployment/petrosa-realtime-strategies --timeout 180s"
UNDO = "rollout undo deployment/petrosa-realtime-strategies"


class Cluster(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        kubectl = self.folder / "kubectl"
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)
        self.calls_file = self.folder / "calls"

    def run_script(self, *arguments: str, fails: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "CALLS": str(self.calls_file),
            "FAILS": fails,
        }
        self.calls_file.write_text("")
        return subprocess.run(
            [SCRIPT, *arguments],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip

    def calls(self) -> list[str]:
        """What was asked of the cluster, without the words that say which."""
        lines = self.calls_file.read_text().splitlines()
        asked = [line for line in lines if line.startswith("--context ")]
        for line in asked:
            self.assertTrue(line.startswith("--context test "), line)
        return [
            line.removeprefix("--context test ").removeprefix("--namespace petrosa-apps ")
            for line in asked
        ]

    def changes(self) -> list[str]:
        harmless = ("get", "diff", "rollout status", "rollout history", "logs")
        return [call for call in self.calls() if not call.startswith(harmless)]

    def test_refuses_what_does_not_say_which_image_and_cluster(self) -> None:
        for arguments in (["deploy"], ["deploy", "1.0.0"], ["deploy", "", "test"],
                          ["deploy", "latest", "test"], ["deploy", "a b", "test"],
                          ["deploy", "1.0.0", "test", "nowhere"], ["clean"], ["status"],
                          ["logs"], ["restart", "test"], []):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_script(*arguments).returncode, 64)
                self.assertEqual(self.calls(), [])

    def test_refuses_a_context_that_kubectl_does_not_know(self) -> None:
        done = self.run_script("deploy", "1.0.0", "test", fails="1 always config get-contexts test")
        self.assertEqual(done.returncode, 64)
        self.assertEqual(self.calls(), [])

    def test_shows_the_difference_applies_and_waits(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", fails="1 always diff")
        self.assertEqual(done.returncode, 0, done.stderr)
        rendered = ROOT / "build/deploy/rendered.yaml"
        order = [c for c in self.calls() if not c.startswith("get ")]
        difference = f"diff -f {rendered} -l app.kubernetes.io/component!=provision"
        self.assertEqual(order, [difference, DELETE_JOB, f"apply -f {rendered}", STATUS])
        text = rendered.read_text()
        self.assertIn('newTag: "1.2.3"', text)
        self.assertIn("overlays/production\n", text)

    def test_takes_another_overlay(self) -> None:
        self.assertEqual(self.run_script("deploy", "1.2.3", "test", "dev").returncode, 0)
        self.assertIn("overlays/dev\n", (ROOT / "build/deploy/rendered.yaml").read_text())

    def test_a_first_installation_has_nothing_to_compare(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", fails="1 always get namespace")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("all of this is new", done.stdout)
        self.assertEqual([c.split()[0] for c in self.changes()], ["apply"])

    def test_changes_nothing_when_the_comparison_fails(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", fails="2 always diff")
        self.assertEqual(done.returncode, 69)
        self.assertEqual(self.changes(), [])

    def test_goes_back_when_it_does_not_become_ready(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", fails="3 once rollout status")
        self.assertEqual(done.returncode, 69)
        self.assertIn("the previous version runs", done.stderr)
        calls = self.calls()
        self.assertEqual(calls[calls.index(UNDO) + 1], STATUS)

    def test_says_so_when_there_is_nothing_to_go_back_to(self) -> None:
        fails = "3 always rollout status\n4 always rollout undo"
        done = self.run_script("deploy", "1.2.3", "test", fails=fails)
        self.assertEqual(done.returncode, 69)
        self.assertIn("there is no previous version", done.stderr)

    def test_a_failing_apply_is_not_waited_for(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", fails="5 always apply")
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(STATUS, self.calls())

    def test_cleaning_leaves_the_namespace_and_the_secrets(self) -> None:
        self.assertEqual(self.run_script("clean", "test").returncode, 0)
        for call in self.changes():
            self.assertIn("-l app.kubernetes.io/name in (", call)
            self.assertNotRegex(call, "namespace|secret")

    def test_looking_changes_nothing(self) -> None:
        for command in ("status", "logs"):
            self.assertEqual(self.run_script(command, "test").returncode, 0)
            self.assertNotEqual(self.calls(), [])
            self.assertEqual(self.changes(), [])


if __name__ == "__main__":
    unittest.main()
