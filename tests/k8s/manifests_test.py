#!/usr/bin/env python3
"""The manifests, the alerts and the dashboard against the rules, the settings and the metrics.

Needs no cluster and no tool for one: it reads k8s/ as it is written. What the renderings of
kustomize and Helm have to pass beyond that is in validate.py. The service's binary is at
RTS_BINARY; with RTS_UPDATE_DOCS set, what is generated is written anew.
"""

import copy
import json
import os
import re
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import rules

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
MONITORING = K8S / "components/monitoring"
NATS = K8S / "components/nats"
HERE = ROOT / "tests/k8s"
BINARY = os.environ.get("RTS_BINARY", str(ROOT / "build/release/realtime-strategies"))
NAME = "petrosa-realtime-strategies"
UPDATE = "RTS_UPDATE_DOCS" in os.environ
RUNBOOKS = "https://github.com/petrosa/petrosa-realtime-strategies/blob/main/docs/OPERATIONS.md"
RUNBOOK_PAGE = ROOT / "docs/OPERATIONS.md"


def output_of(*arguments: str, **environment: str) -> str:
    """What the service's binary prints, with these settings and no others."""
    command = [BINARY, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def env_file(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line)


def config_map(name: str, data: dict[str, str]) -> rules.Object:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def written_objects() -> rules.Objects:
    """Every object as it stands in k8s/, with the tag that an overlay gives and the ConfigMaps."""
    names = ["base/*.yaml", "components/*/*.yaml"]
    paths = sorted(p for n in names for p in K8S.glob(n) if p.name != "kustomization.yaml")
    objects = [o for o in rules.load(paths) if o.get("kind") not in (None, "ScaledObject")]
    text = json.dumps(objects).replace(rules.UNSET_TAG, "1.0.0")
    settings = env_file((K8S / "base/settings.env").read_text())
    return json.loads(text) + [
        config_map(NAME, settings),
        config_map(f"{NAME}-nats", {}),
    ]


def changed(objects: rules.Objects, change: dict[str, Any]) -> rules.Objects:
    """A copy with one change, as broken.yaml writes it."""
    objects = copy.deepcopy(objects)
    if "add" in change:
        return objects + [change["add"]]
    if "drop" in change:
        del objects[index_of(objects, change["drop"])]
        return objects
    at = objects[index_of(objects, change["in"])]
    *way, last = steps(change["path"])
    for step in way:
        at = at[step]
    if "value" in change and isinstance(at, list):
        at[last : last + 1] = [change["value"]]  # one past the end: one more
    elif "value" in change:
        at[last] = change["value"]
    else:
        del at[last]
    return objects


def index_of(objects: rules.Objects, which: str) -> int:
    kind, _, suffix = which.partition(" ")
    titles = (which, f"{kind} {NAME}" + (f"-{suffix}" if suffix else ""))
    (index,) = [i for i, o in enumerate(objects) if rules.title(o) in titles]
    return index


def steps(path: str) -> list[Any]:
    path = re.sub(r"^container\.", "pod.containers.0.", path)
    path = re.sub(r"^pod\.", "spec.template.spec.", path)
    return [int(step) if step.isdigit() else step for step in path.split(".")]


class Rules(unittest.TestCase):
    """The security checklist."""

    def test_the_manifests_break_none(self) -> None:
        self.assertEqual(rules.check(written_objects()), [])

    def test_every_rule_catches_what_breaks_it(self) -> None:
        broken = yaml.safe_load((HERE / "broken.yaml").read_text())
        self.assertEqual(sorted(broken), sorted(rules.RULES), "a rule without a failing fixture")
        objects = written_objects()
        for name, changes in broken.items():
            for change in changes:
                with self.subTest(rule=name, change=change):
                    offences = rules.check(changed(objects, change))
                    self.assertEqual({o.split(":")[0] for o in offences}, {name})


class Docs(unittest.TestCase):
    """What is generated is up to date."""

    maxDiff = None

    def expect(self, path: Path, current: str) -> None:
        if UPDATE:
            path.write_text(current)
        self.assertEqual(path.read_text(), current, f"{path} is stale: make docs")

    def test_settings_are_those_of_the_table(self) -> None:
        self.expect(K8S / "base/settings.env", output_of("config", "--format", "env"))

    def test_both_forms_of_the_table_agree(self) -> None:
        printed = yaml.safe_load(output_of("config", "--format", "configmap"))
        self.assertEqual(printed["data"], env_file((K8S / "base/settings.env").read_text()))

    def test_prometheus_rule_holds_the_alerts(self) -> None:
        source = (MONITORING / "rules.yaml").read_text()
        groups = source[source.index("groups:") :]
        indented = "".join(
            f"  {line}" if line.strip() else line for line in groups.splitlines(True)
        )
        self.expect(MONITORING / "prometheus-rule.yaml", PROMETHEUS_RULE + indented)


PROMETHEUS_RULE = """\
# Written from rules.yaml by `make docs`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: petrosa-realtime-strategies
  labels:
    app.kubernetes.io/name: petrosa-realtime-strategies
    app.kubernetes.io/part-of: petrosa
    release: kube-prometheus-stack
spec:
"""


class Broker(unittest.TestCase):
    """The broker's configuration."""

    PASSWORDS = {
        f"RTS_{u}_PASSWORD": u for u in "NATS PROVISION TRADEENGINE RELAY OPERATOR".split()
    }

    def test_permissions_are_those_that_are_printed(self) -> None:
        printed = output_of(
            "provision", "--permissions",
            NATS_CONSUMER_GROUP="", ORDER_DELIVERY="jetstream",
        )  # fmt: skip
        users, closing = printed[: -len("  ]\n}\n")], printed[-len("  ]\n}\n") :]
        self.assertEqual(closing, "  ]\n}\n")
        self.assertTrue((NATS / "permissions.conf").read_text().startswith(users))

    def test_nats_server_accepts_it(self) -> None:
        command = ["nats-server", "-t", "-c", str(NATS / "nats-server.conf")]
        path = os.environ["PATH"] + ":/usr/sbin"
        done = subprocess.run(
            command, env={"PATH": path, **self.PASSWORDS}, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0, "it starts without passwords")

    def test_a_stalled_reader_is_cut_off_after_two_seconds(self) -> None:
        self.assertIn('\nwrite_deadline: "2s"\n', (NATS / "nats-server.conf").read_text())


def metric_names() -> set[str]:
    """The registry, from its page; a unit test compares that with the code."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/METRICS.md").read_text(), re.M)
    suffixes = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + suffix for name, kind in rows for suffix in suffixes.get(kind, ("",))}


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:rts|process)_\w+", expression))


def label_values_in(expression: str) -> set[str]:
    """The reasons, outcomes and results it asks for; the e2e test sees to the other labels."""
    matchers = re.findall(r'\b(?:kind|reason|strategy|outcome|result)=~?"([^"$]+)"', expression)
    return {value for matcher in matchers for value in matcher.split("|")}


def known_values() -> set[str]:
    return set(re.findall(r"`(\w+)`", (ROOT / "docs/METRICS.md").read_text()))


class Scaling(unittest.TestCase):
    """Both autoscalers scale at the same rate, and that is what was measured."""

    def test_cpu_is_what_the_frames_of_keda_cost(self) -> None:
        (autoscaler,) = rules.load([K8S / "base/autoscaler.yaml"])
        (scaled,) = rules.load([K8S / "components/keda/scaled-object.yaml"])
        (deployment,) = rules.load([K8S / "base/deployment.yaml"])
        frames = int(scaled["spec"]["triggers"][0]["metadata"]["threshold"])
        rows = json.loads((ROOT / "docs/performance.json").read_text())["figures"]
        figure = f"CPU a frame, at {frames:,} frames/s"
        cost = {r["median"] for r in rows if r["figure"] == figure and r["unit"] == "us"}
        self.assertEqual(len(cost), 1, figure)
        requests = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
        metric = autoscaler["spec"]["metrics"][0]["resource"]
        self.assertEqual(metric["name"], "cpu")
        share = metric["target"]["averageUtilization"] / 100
        scales_at = share * float(requests["cpu"].removesuffix("m")) / 1000
        self.assertAlmostEqual(scales_at, frames * cost.pop() / 1e6, delta=0.05)


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"]
    return [r for g in groups for r in g["rules"]]


class Alerts(unittest.TestCase):
    """The Prometheus rules."""

    def promtool(self, *arguments: str) -> None:
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_accepts_them(self) -> None:
        self.promtool("check", "rules", "--lint-fatal", str(MONITORING / "rules.yaml"))

    def test_each_fires_and_is_silent_as_it_should(self) -> None:
        self.promtool("test", "rules", str(HERE / "alerts.test.yaml"))

    def test_each_has_a_case_that_fires_and_one_that_does_not(self) -> None:
        cases: dict[str, set[bool]] = {a["alert"]: set() for a in alerts()}
        for test in yaml.safe_load((HERE / "alerts.test.yaml").read_text())["tests"]:
            for query in test.get("promql_expr_test", []):
                name = re.search(r'alertname="(\w+)"', query["expr"])
                cases[name[1]].add("exp_samples" in query)
        self.assertEqual({a for a, seen in cases.items() if seen != {True, False}}, set())

    def test_cases_can_fail(self) -> None:
        """One alert that always and one that never fires: promtool has to say so."""
        for expression in ("vector(1)", "vector(1) < 0"):
            for alert in [a["alert"] for a in alerts()]:
                with self.subTest(alert=alert, expr=expression):
                    self.assertNotEqual(self.run_cases_with(alert, expression), 0)

    def run_cases_with(self, alert: str, expression: str) -> int:
        spoilt = yaml.safe_load((MONITORING / "rules.yaml").read_text())
        for r in spoilt["groups"][0]["rules"]:
            if r["alert"] == alert:
                r["expr"] = expression
        cases = yaml.safe_load((HERE / "alerts.test.yaml").read_text())
        cases["rule_files"] = ["rules.yaml"]
        cases["tests"] = [t for t in cases["tests"] if t["name"].startswith(alert + " ")]
        with tempfile.TemporaryDirectory() as scratch:
            Path(scratch, "rules.yaml").write_text(yaml.safe_dump(spoilt))
            Path(scratch, "cases.yaml").write_text(yaml.safe_dump(cases))
            command = ["promtool", "test", "rules", f"{scratch}/cases.yaml"]
            return subprocess.run(command, capture_output=True).returncode

    def test_each_says_what_and_what_to_do(self) -> None:
        anchors = self.headings()
        for alert in alerts():
            with self.subTest(alert=alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ("critical", "warning", "info"))
                self.assertEqual(
                    sorted(alert["annotations"]), ["description", "runbook_url", "summary"]
                )
                anchor = alert["alert"].lower()
                self.assertEqual(alert["annotations"]["runbook_url"], f"{RUNBOOKS}#{anchor}")
                self.assertIn(anchor, anchors, "the runbook has no such section")

    def headings(self) -> set[str]:
        return {h.lower() for h in re.findall(r"^#+ (\w+)$", RUNBOOK_PAGE.read_text(), re.M)}

    def test_every_metric_exists(self) -> None:
        for alert in alerts():
            self.assertLessEqual(metrics_in(alert["expr"]), metric_names(), alert["alert"])
            self.assertLessEqual(label_values_in(alert["expr"]), known_values(), alert["alert"])

    def test_an_invented_metric_is_seen(self) -> None:
        self.assertFalse(metrics_in("rate(rts_invented_total[5m])") <= metric_names())
        self.assertFalse(label_values_in('x{result=~"expired|invented"}') <= known_values())


class Dashboard(unittest.TestCase):
    """The Grafana dashboard. That its queries return series is in tests/e2e/monitoring_test.cpp."""

    def setUp(self) -> None:
        self.dashboard = json.loads((MONITORING / "dashboard.json").read_text())
        self.panels = [p for p in self.dashboard["panels"] if p["type"] != "row"]

    def test_every_metric_exists(self) -> None:
        for panel in self.panels:
            for target in panel["targets"]:
                named = metrics_in(target["expr"])
                self.assertTrue(named, panel["title"])
                self.assertLessEqual(named, metric_names(), panel["title"])
                self.assertLessEqual(label_values_in(target["expr"]), known_values())

    def test_every_metric_is_shown(self) -> None:
        shown = {m for p in self.panels for t in p["targets"] for m in metrics_in(t["expr"])}
        histograms = {m.removesuffix("_bucket") for m in shown}
        missing = {m for m in metric_names() if not m.endswith(("_sum", "_count"))} - shown
        self.assertEqual(missing - histograms, {"process_max_fds"})

    def test_panels_have_their_place_and_their_number(self) -> None:
        numbers = [p["id"] for p in self.dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))
        taken: set[tuple[int, int]] = set()
        for cell in (c for p in self.dashboard["panels"] for c in cells(p["gridPos"])):
            self.assertNotIn(cell, taken)
            taken.add(cell)

    def test_it_asks_the_chosen_prometheus(self) -> None:
        for panel in self.panels:
            for part in [panel, *panel["targets"]]:
                self.assertEqual(part["datasource"]["uid"], "${datasource}")


def cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def workflow_offences(text: str) -> list[str]:
    workflow = yaml.safe_load(text)
    offences = [] if True in workflow else ["no `on`"]  # YAML 1.1 takes the key for a boolean
    offences += [] if workflow.get("jobs") else ["no jobs"]
    used = [u for u in re.findall(r"uses: *(\S+)", text) if not u.startswith("./")]
    return offences + [f"{u} is not pinned" for u in used if not re.search(r"@[0-9a-f]{40}$", u)]


class Workflows(unittest.TestCase):
    """The workflows of GitHub Actions, where there are any."""

    def test_they_parse_and_pin_their_actions(self) -> None:
        for path in sorted(ROOT.glob(".github/workflows/*.y*ml")):
            with self.subTest(workflow=path.name):
                self.assertEqual(workflow_offences(path.read_text()), [])

    def test_bad_ones_are_seen(self) -> None:
        good = f"on: push\njobs:\n  a:\n    steps:\n      - uses: a/b@{'0' * 40}  # v4\n"
        self.assertEqual(workflow_offences(good), [])
        self.assertEqual(workflow_offences(good.replace("on: push\n", "")), ["no `on`"])
        self.assertEqual(workflow_offences("on: push\n"), ["no jobs"])
        self.assertEqual(workflow_offences(good.replace("0" * 40, "v4")), ["a/b@v4 is not pinned"])
        with self.assertRaises(yaml.YAMLError):
            workflow_offences("on: push\njobs: {a\n")


if __name__ == "__main__":
    unittest.main()
