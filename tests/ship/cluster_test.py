#!/usr/bin/env python3
"""k8s/cluster.sh against a kubectl that records what it is asked and answers as a scene wants.

What a real API server makes of it cannot be seen here; what is asked of it, in which order, and
what is not asked when something is missing or fails, can.
"""

import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "k8s/cluster.sh"
# Fails what matches a line of $FAILS ("<exit code> <always or once> <beginning of the arguments>").
# In the cluster are the namespace, unless $NAMESPACE is empty, a Deployment of revision $REVISION
# whose condition Progressing has $REASON, $REPLICA_SETS (as the script has them),
# $PODS and settings for $ENVIRONMENT. What begins with $HANGS goes on until it is ended; the Job has
# come to $JOB. What runs has $SETTINGS; $DIFFERS are the files
# that kubectl gives to who compares them.
KUBECTL = r"""#!/usr/bin/env bash
args=$*
args=${args#--context test }
args=${args#--namespace petrosa-apps }
# Not even TERM ends at once what hangs: what it has sent is on its way.
if [[ $HANGS && $args == "$HANGS"* && $args != *--request-timeout=5s ]]; then
  trap 'kill $! 2>/dev/null; sleep 0.3; echo "it is gone" >>"$CALLS"; exit 1' TERM
fi
printf '%s\n' "$*" >>"$CALLS"
if [[ $1 == kustomize ]]; then
  cat "$2/kustomization.yaml"; printf -- '---\ndata:\n'
  if grep -q overlays/production "$2/kustomization.yaml"; then echo '  ENVIRONMENT: production'; fi
  printf '  %s\n' 'LOG_LEVEL: INFO' "NATS_URL: 'nats://a: b'" 'TRADING_LEVERAGE: "3"'
  printf 'kind: ConfigMap\n---\nkind: Job\n'
fi
while read -r code times beginning; do
  [[ $code && $args == "$beginning"* ]] || continue
  [[ $LISTS && $args == api-resources* ]] && printf '%s\n' $KINDS
  if [[ $times == once ]]; then [[ -e $CALLS.$code ]] && continue; touch "$CALLS.$code"; fi
  exit "$code"
done <<<"$FAILS"
if [[ $HANGS && $args == "$HANGS"* ]]; then
  [[ $args == *--request-timeout=5s ]] && exec sleep 3
  sleep 60 & wait
fi
case $args in
  "get namespace"*) echo "$NAMESPACE" ;;
  "get deployment "*'"Progressing"'*) echo "$REVISION $REASON" ;;
  "get deployment "*configMapRef*) echo "$SETTINGS" | head -c1 | grep -q . && echo map-of-now ;;
  "get configmap map-of-now "*) echo "$SETTINGS" ;;
  "diff "*)
    mkdir -p "$CALLS.d/LIVE-1" "$CALLS.d/MERGED-1"
    for file in $DIFFERS; do echo new >"$CALLS.d/MERGED-1/$file"; : >"$CALLS.d/LIVE-1/$file"; done
    exec $KUBECTL_EXTERNAL_DIFF "$CALLS.d/LIVE-1" "$CALLS.d/MERGED-1" ;;
  "apply -f "*) cp "${args#apply -f }" "$CALLS.applied" ;;
  "get deployment "*) echo "  Progressing False ProgressDeadlineExceeded: no progress" ;;
  "get replicasets "*) echo "$REPLICA_SETS" ;;
  "get pods "*jsonpath*) echo "$PODS" ;;
  api-resources*) printf '%s\n' $KINDS ;;
  "get events "*)
    echo "Warning pod/petrosa-realtime-strategies-1 Readiness probe failed: HTTP 503"
    echo "Warning pod/of-others-1 Back-off" ;;
  "get configmaps"*) echo "$ENVIRONMENT" ;;
  "logs "*) echo "a line of $2 $*" ;;
  "get job "*) echo "$JOB" ;;
esac
exit 0
"""
DELETE_JOB = "delete job petrosa-realtime-strategies-provision --ignore-not-found"
STATUS = "rollout status deployment/petrosa-realtime-strategies --timeout 1200s"
# Whoever waits for these two may be killed.
UNDO = "rollout undo deployment/petrosa-realtime-strategies --to-revision 7 --request-timeout=5s"
DELETE_JOB_SOON = f"{DELETE_JOB} --wait=false --request-timeout=5s"
ALL_KINDS = """configmaps secrets services serviceaccounts persistentvolumeclaims deployments.apps
statefulsets.apps jobs.batch horizontalpodautoscalers.autoscaling poddisruptionbudgets.policy
networkpolicies.networking.k8s.io scaledobjects.keda.sh servicemonitors.monitoring.coreos.com
prometheusrules.monitoring.coreos.com""".split()
IN_THE_CLUSTER = {
    "NAMESPACE": "namespace/petrosa-apps", "REVISION": "7", "ENVIRONMENT": "production",
    "REASON": "NewReplicaSetAvailable", "REPLICA_SETS": "6||\n7|2|2", "PODS": "old-1 true Running",
    "KINDS": " ".join(ALL_KINDS), "JOB": "SuccessCriteriaMet Complete", "HANGS": "",
    "SETTINGS": "", "DIFFERS": "", "LISTS": "",
}  # fmt: skip
NOT_INSTALLED = {"NAMESPACE": "", "REVISION": "", "REASON": "", "REPLICA_SETS": "", "PODS": ""}
DEPLOYMENT_FILE = "apps.v1.Deployment.petrosa-apps.petrosa-realtime-strategies"
HALF_DONE = {"REVISION": "8", "REASON": "ReplicaSetUpdated", "REPLICA_SETS": "6||\n7|2|2\n8||"}


class Cluster(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        kubectl = self.folder / "kubectl"
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)
        self.calls_file = self.folder / "calls"

    def run_command(
        self, *command: str | Path, fails: str = "", **changes: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=self.environment(fails, **changes),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50,
        )  # fmt: skip

    def environment(self, fails: str = "", **changes: str) -> dict[str, str]:
        self.calls_file.write_text("")
        return {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "CALLS": str(self.calls_file),
            "FAILS": fails,
            **IN_THE_CLUSTER,
            **changes,
        }

    def run_script(
        self, *arguments: str, fails: str = "", **changes: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run_command(SCRIPT, *arguments, fails=fails, **changes)

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

    def applied(self) -> str:
        return Path(f"{self.calls_file}.applied").read_text()

    def changes(self) -> list[str]:
        harmless = ("get", "api-resources", "diff", "rollout status", "rollout history", "logs")
        return [call for call in self.calls() if not call.startswith(harmless)]

    def test_refuses_what_does_not_say_which_image_and_cluster(self) -> None:
        for arguments in (["deploy"], ["deploy", "1.0.0"], ["deploy", "", "test"],
                          ["deploy", "latest", "test"], ["deploy", "a b", "test"],
                          ["deploy", "1.0.0", "test", "nowhere"], ["clean"], ["status"],
                          ["deploy", "1.0.0", "test", "../base"], ["deploy", "1.0.0", "--help"],
                          ["logs"], ["undo"], ["restart", "test"], []):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_script(*arguments).returncode, 64)
                self.assertEqual(self.calls(), [])

    def test_refuses_a_time_that_it_cannot_reckon_with(self) -> None:
        done = self.run_script("deploy", "1.0.0", "test", ROLLOUT_TIMEOUT="20m")
        self.assertEqual(done.returncode, 64)
        self.assertEqual(self.calls(), [])

    def test_refuses_a_context_that_kubectl_does_not_know(self) -> None:
        done = self.run_script("deploy", "1.0.0", "test", fails="1 always config get-contexts test")
        self.assertEqual(done.returncode, 64)
        self.assertEqual(self.calls(), [])

    def test_shows_the_difference_applies_and_waits(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", DIFFERS=DEPLOYMENT_FILE)
        self.assertEqual(done.returncode, 0, done.stderr)
        order = [c for c in self.calls() if not c.startswith("get ")]
        rendered = next(c for c in order if c.startswith("apply ")).split()[-1]
        self.assertFalse(Path(rendered).parent.exists(), "it stays")
        difference = f"diff -f {rendered} -l app.kubernetes.io/component!=provision"
        self.assertEqual(order, [difference, DELETE_JOB, f"apply -f {rendered}", STATUS])
        self.assertTrue([c for c in self.calls() if c.startswith("get job ")])
        text = self.applied()
        self.assertIn('newTag: "1.2.3"', text)
        self.assertIn("overlays/production\n", text)

    def test_shows_settings_from_old_to_new_and_objects_by_name(self) -> None:
        there = (
            "ENVIRONMENT=production\nLOG_LEVEL=DEBUG\nNATS_URL=nats://a: b\n"
            "GONE=a=b\nTRADING_LEVERAGE=2"
        )
        files = [DEPLOYMENT_FILE,
                 "v1.ConfigMap.petrosa-apps.petrosa-realtime-strategies-0123456789",
                 "v1.Namespace..petrosa-apps",
                 "monitoring.coreos.com.v1.PrometheusRule.petrosa-apps.rules.of.ours"]  # fmt: skip
        done = self.run_script("deploy", "1.2.3", "test", SETTINGS=there, DIFFERS=" ".join(files))
        self.assertEqual(done.returncode, 0, done.stderr)
        said = done.stdout.splitlines()
        first, second = (i for i, line in enumerate(said) if line.startswith("== "))
        self.assertEqual(
            said[first + 1 : second],
            ["  GONE: a=b → (none)", "  LOG_LEVEL: DEBUG → INFO", "  TRADING_LEVERAGE: 2 → 3"],
        )
        self.assertEqual(
            sorted(said[second + 1 : -1]),
            ["  Deployment petrosa-realtime-strategies", "  Namespace petrosa-apps",
             "  PrometheusRule rules.of.ours"],
        )  # fmt: skip

    def test_says_that_nothing_changes(self) -> None:
        there = "ENVIRONMENT=production\nLOG_LEVEL=INFO\nNATS_URL=nats://a: b\nTRADING_LEVERAGE=3"
        done = self.run_script("deploy", "1.2.3", "test", SETTINGS=there)
        self.assertEqual(done.stdout.count("  (none)\n"), 2, done.stdout)

    def test_takes_another_overlay(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", "dev", ENVIRONMENT="development")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("overlays/dev\n", self.applied())

    def test_no_other_overlay_replaces_production(self) -> None:
        there = "development production"
        done = self.run_script("deploy", "1.2.3", "test", "dev", ENVIRONMENT=there)
        self.assertEqual(done.returncode, 64)
        self.assertIn("production is in test", done.stderr)
        self.assertEqual(self.changes(), [])

    def test_a_first_installation_has_nothing_to_compare(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", **NOT_INSTALLED)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("all of this is new", done.stdout)
        self.assertEqual([c.split()[0] for c in self.changes()], ["apply"])

    def test_changes_nothing_when_a_question_is_not_answered(self) -> None:
        """Forbidden, logged out, out of reach: none of them means that there is nothing."""
        for question in ("get namespace", "get deployment", "get replicasets", "get configmaps"):
            with self.subTest(question=question):
                named = ["deploy", "1.2.3", "test", "dev"]
                done = self.run_script(*named, fails=f"1 always {question}", ENVIRONMENT="")
                self.assertEqual(done.returncode, 69)
                self.assertIn("nothing was changed", done.stderr)
                self.assertEqual(self.changes(), [])

    def test_changes_nothing_when_the_comparison_fails(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", fails="2 always diff")
        self.assertEqual(done.returncode, 69)
        self.assertEqual(self.changes(), [])

    def test_goes_back_to_the_revision_that_was_there(self) -> None:
        """Not to the one before it, which is what kubectl takes when nothing new was rolled out."""
        done = self.run_script("deploy", "1.2.3", "test", fails="3 once rollout status")
        self.assertEqual(done.returncode, 69)
        self.assertIn("revision 7 runs in test again", done.stderr)
        calls = self.calls()
        self.assertEqual(calls[calls.index(UNDO) + 1 :], [DELETE_JOB_SOON, STATUS])

    def test_goes_back_when_only_a_part_could_be_applied(self) -> None:
        done = self.run_script("deploy", "1.2.3", "test", fails="5 always apply")
        self.assertEqual(done.returncode, 69)
        self.assertIn("not all of 1.2.3", done.stderr)
        self.assertIn(UNDO, self.calls())

    def test_goes_back_to_what_had_ready_pods(self) -> None:
        """While the broker is away none has any: then to what was rolled out to its end. And what is
        ready for a moment, again and again, is not."""
        for there in ("6||\n7|2|2\n8||", "6||\n7||", "10||\n7|1|2\n8||1", "6||\n7||1"):
            named = ["deploy", "1.2.3", "test"]
            self.run_script(*named, fails="3 always rollout status", REPLICA_SETS=there)
            self.assertIn(UNDO, self.calls())

    def test_does_not_begin_over_half_a_rollout(self) -> None:
        """The next failure would go back to the broken version."""
        for reason in ("ReplicaSetUpdated", "ProgressDeadlineExceeded"):
            half_done = {**HALF_DONE, "REASON": reason}
            done = self.run_script("deploy", "1.2.3", "test", **half_done)
            self.assertEqual(done.returncode, 69)
            self.assertIn("revision 8 stands half rolled out", done.stderr)
            self.assertIn("make k8s-undo", done.stderr)
            self.assertEqual(self.changes(), [])

    def test_takes_half_a_rollout_back_to_what_has_ready_pods(self) -> None:
        """Also where the broken version has ready pods itself."""
        for sets in ("6||\n7|2|2\n8||", "7|1|1\n8|1|1", "8|1|1\n7|2|2", "7||1\n8|1|2"):
            with self.subTest(sets=sets):
                half_done = {**HALF_DONE, "REPLICA_SETS": sets}
                done = self.run_script("deploy", "1.2.3", "test", **half_done)
                self.assertEqual(done.returncode, 69)
                self.assertIn("revision 7 has ready pods", done.stderr)
                done = self.run_script("undo", "test", **half_done)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(
                    sorted(c.split()[0] for c in self.changes()), ["delete", "rollout"]
                )
                self.assertIn(UNDO, self.calls())
        self.assertEqual(self.run_script("undo", "test").returncode, 64)
        self.assertEqual(self.changes(), [])

    def test_tries_again_where_nothing_ever_became_ready(self) -> None:
        """Or only for a moment, again and again."""
        for sets in ("1||", "1||1", "1|1|1"):
            never = {"REVISION": "1", "REASON": "ReplicaSetUpdated", "REPLICA_SETS": sets}
            done = self.run_script("deploy", "1.2.3", "test", **never)
            self.assertEqual(done.returncode, 0, done.stderr)
            fails = "3 always rollout status"
            done = self.run_script("deploy", "1.2.3", "test", fails=fails, **never)
            self.assertIn("there is nothing to go back to", done.stderr)
            self.assertFalse([c for c in self.calls() if c.startswith("rollout undo")])
            done = self.run_script("undo", "test", **never)
            self.assertEqual(done.returncode, 69)
            self.assertIn("no other revision in test has ready pods", done.stderr)
            self.assertEqual(self.changes(), [])

    def interrupted(
        self, by: int, while_it: str, is_heard: bool = True, **changes: str
    ) -> tuple[int, str]:
        """The exit code and stderr of a deployment that is ended while it does that."""
        command = [str(SCRIPT), "deploy", "1.2.3", "test"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment(**{"HANGS": while_it, **changes}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not [c for c in self.calls() if c.startswith(while_it)]:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        if not is_heard:
            process.stdout.close()
            process.stderr.close()
        process.send_signal(by)
        if not is_heard:
            return process.wait(timeout=30), ""
        _, said = process.communicate(timeout=30)
        return process.returncode, said

    def test_takes_back_what_it_has_begun_when_it_is_interrupted(self) -> None:
        """And not before what it has begun is over."""
        for by in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for while_it in ("rollout status", "apply", "delete job"):
                with self.subTest(by=by, while_it=while_it):
                    code, said = self.interrupted(by, while_it)
                    self.assertEqual(code, 69, said)
                    self.assertIn("revision 7 is on its way back", said)
                    asked = self.calls_file.read_text().splitlines()[-3:]
                    self.assertEqual(asked[0], "it is gone")
                    self.assertTrue(asked[1].endswith(UNDO))
                    self.assertTrue(asked[2].endswith(DELETE_JOB_SOON))

    def test_takes_it_back_also_while_it_says_why(self) -> None:
        fails = "3 always rollout status"
        code, said = self.interrupted(signal.SIGTERM, "get pods", FAILS=fails)
        self.assertEqual(code, 69)
        self.assertIn("interrupted; revision 7 is on its way back", said)
        self.assertNotIn("the last warnings", said)
        self.assertEqual(self.changes()[-2:], [UNDO, DELETE_JOB_SOON])

    def test_takes_it_back_once(self) -> None:
        """A revision that is there again has another number."""
        fails = "5 always apply"
        _, said = self.interrupted(signal.SIGTERM, "rollout status", FAILS=fails)
        self.assertIn("interrupted; revision 7 is on its way back", said)
        self.assertEqual(self.calls().count(UNDO), 1)

    def test_takes_it_back_also_where_nobody_hears_of_it(self) -> None:
        """A terminal that is gone."""
        self.interrupted(signal.SIGHUP, "rollout status", is_heard=False)
        self.assertEqual(self.changes()[-2:], [UNDO, DELETE_JOB_SOON])

    def test_an_interrupted_first_installation_has_nothing_to_go_back_to(self) -> None:
        code, said = self.interrupted(signal.SIGTERM, "rollout status", **NOT_INSTALLED)
        self.assertEqual(code, 69)
        self.assertIn("there is nothing to go back to", said)
        self.assertNotIn(UNDO, self.calls())

    def test_what_runs_stays_when_waiting_for_the_job_is_interrupted(self) -> None:
        code, said = self.interrupted(signal.SIGTERM, "get job", HANGS="", JOB="")
        self.assertEqual(code, 69)
        self.assertIn("1.2.3 runs", said)
        self.assertNotIn(UNDO, self.calls())

    def test_says_why_before_those_who_know_are_gone(self) -> None:
        pods = "old-1 true Running\nnew-1 false Running\nnew-2 Pending\ndone-1 false Succeeded"
        named = ["deploy", "1.2.3", "test"]
        done = self.run_script(*named, fails="3 once rollout status", PODS=pods)
        self.assertIn("ProgressDeadlineExceeded: no progress", done.stderr)
        self.assertIn("Readiness probe failed: HTTP 503", done.stderr)
        self.assertNotIn("of-others", done.stderr)
        self.assertIn("the last lines of new-1:\na line of", done.stderr)
        calls = self.calls()
        logs = [c.split()[1] for c in calls if c.startswith("logs ")]
        self.assertEqual(logs, ["new-1", "new-1", "new-2", "new-2"])
        last = max(calls.index(c) for c in calls if c.startswith("logs "))
        self.assertLess(last, calls.index(UNDO))
        # Whose settings would be made at the broker while the earlier version runs.
        self.assertEqual(self.changes()[-2:], [UNDO, DELETE_JOB_SOON])

    def test_says_so_when_there_is_nothing_to_go_back_to(self) -> None:
        fails = "3 always rollout status"
        done = self.run_script("deploy", "1.2.3", "test", fails=fails, **NOT_INSTALLED)
        self.assertEqual(done.returncode, 69)
        self.assertIn("there is nothing to go back to", done.stderr)
        self.assertFalse([c for c in self.calls() if c.startswith("rollout undo")])

    def test_says_so_when_what_was_there_does_not_become_ready_either(self) -> None:
        for fails in ("3 always rollout status", "3 once rollout status\n4 always rollout undo"):
            done = self.run_script("deploy", "1.2.3", "test", fails=fails)
            self.assertEqual(done.returncode, 69)
            self.assertIn("revision 7 does not become ready either", done.stderr)

    def test_a_stream_that_is_not_made_is_no_success(self) -> None:
        named = ["deploy", "1.2.3", "test"]
        for job in ("FailureTarget Failed", ""):
            done = self.run_script(*named, JOB=job, ROLLOUT_TIMEOUT="1200s" if job else "1s")
            self.assertEqual(done.returncode, 69)
            self.assertIn("its stream is not made so far", done.stderr)
            self.assertTrue([c for c in self.calls() if c.startswith("logs ")])
            self.assertNotIn(UNDO, self.calls())

    def test_what_a_form_was_filled_with_is_run_by_nobody(self) -> None:
        """Through make, too, which reads the environment's variables as its own language."""
        trace = self.folder / "trace"
        for text in (f'1"; touch {trace}; "', f"$(shell touch {trace})1", f"$(touch {trace})1"):
            for variable in ("IMAGE_TAG", "CONTEXT", "OVERLAY"):
                with self.subTest(text=text, variable=variable):
                    given = {"IMAGE_TAG": "1.2.3", "CONTEXT": "test", "OVERLAY": "", variable: text}
                    refused = "1 always config get-contexts"
                    done = self.run_command("make", "deploy", fails=refused, **given)
                    self.assertEqual(done.returncode, 2)
                    self.assertFalse(trace.exists())
                    self.assertEqual(self.calls(), [])

    def test_cleaning_leaves_the_namespace_and_the_secrets(self) -> None:
        self.assertEqual(self.run_script("clean", "test").returncode, 0)
        (call,) = self.changes()
        self.assertIn("-l app.kubernetes.io/name in (", call)
        self.assertNotRegex(call, "namespace|secret|persistentvolume")

    def test_cleaning_removes_by_label_whatever_an_overlay_makes(self) -> None:
        """Nobody has to say which overlay it was."""
        self.assertEqual(self.run_script("clean", "test").returncode, 0)
        (call,) = self.changes()
        named = set(re.split("[, ]", call)[1:])
        kinds = {kind.split(".")[0] for kind in named}
        for path in (ROOT / "k8s").glob("[bc]*/**/*.yaml"):
            if path.name in ("kustomization.yaml", "namespace.yaml", "rules.yaml"):
                continue
            for o in yaml.safe_load_all(path.read_text()):
                plural = o["kind"].lower().replace("policy", "policie") + "s"
                self.assertIn(plural, kinds, path)
                label = o["metadata"]["labels"]["app.kubernetes.io/name"]
                self.assertIn(label, call.replace(")", ",").replace("(", ","))

    def test_cleaning_asks_for_no_kind_that_the_cluster_does_not_know(self) -> None:
        kinds = "deployments.apps configmaps"
        self.assertEqual(self.run_script("clean", "test", KINDS=kinds).returncode, 0)
        self.assertIn("delete deployments.apps,configmaps -l", self.changes()[0])

    def test_cleaning_needs_a_list_and_not_every_aggregated_api(self) -> None:
        """kubectl fails, with its list, where one of them is away."""
        done = self.run_script("clean", "test", fails="1 always api-resources", LISTS="yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("deployments.apps", self.changes()[0])
        for no_list in ({"fails": "1 always api-resources"}, {"KINDS": "configmaps"}):
            done = self.run_script("clean", "test", **no_list)
            self.assertEqual(done.returncode, 69)
            self.assertIn("nothing was changed", done.stderr)
            self.assertEqual(self.changes(), [])

    def test_cleaning_says_when_something_cannot_be_deleted(self) -> None:
        done = self.run_script("clean", "test", fails="7 always delete")
        self.assertEqual(done.returncode, 69)

    def test_logs_are_of_all_pods_also_where_one_has_not_begun(self) -> None:
        """kubectl alone follows five."""
        self.run_script("logs", "test", FOLLOW="true")
        (call,) = self.calls()
        self.assertIn("--ignore-errors", call)
        self.assertGreater(int(re.search(r"--max-log-requests=(\d+)", call)[1]), 20)

    def test_looking_changes_nothing(self) -> None:
        for command in ("status", "logs"):
            self.assertEqual(self.run_script(command, "test").returncode, 0)
            self.assertNotEqual(self.calls(), [])
            self.assertEqual(self.changes(), [])


if __name__ == "__main__":
    unittest.main()
