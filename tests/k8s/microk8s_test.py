#!/usr/bin/env python3
"""The component microk8s: nothing asks for a Prometheus that MicroK8s' add-on does not install.

Needs kubectl or kustomize, and is skipped where there is neither.
"""

import shutil
import subprocess
import unittest
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
KUBECTL, KUSTOMIZE = shutil.which("kubectl"), shutil.which("kustomize")


def rendered(folder: Path) -> dict[str, dict[str, Any]]:
    """The objects by their kinds; those asked for here are the only ones of theirs."""
    command = [KUBECTL, "kustomize"] if KUBECTL else [KUSTOMIZE, "build"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=True)
    return {o["kind"]: o for o in yaml.safe_load_all(done.stdout)}


def chosen(objects: dict[str, dict[str, Any]]) -> list[str]:
    """Release, release, namespace and address of the Prometheus that is asked for."""
    peers = objects["NetworkPolicy"]["spec"]["ingress"][0]["from"]
    triggers = objects["ScaledObject"]["spec"]["triggers"]
    return [
        objects["ServiceMonitor"]["metadata"]["labels"]["release"],
        objects["PrometheusRule"]["metadata"]["labels"]["release"],
        *[p["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for p in peers],
        *[t["metadata"]["serverAddress"] for t in triggers],
    ]


@unittest.skipUnless(KUBECTL or KUSTOMIZE, "no kubectl and no kustomize")
class MicroK8s(unittest.TestCase):
    maxDiff = None

    def test_it_asks_for_the_prometheus_of_the_add_on(self) -> None:
        address = "http://prometheus-operated.observability.svc.cluster.local:9090"
        self.assertEqual(
            chosen(rendered(HERE / "microk8s")),
            ["kube-prom-stack", "kube-prom-stack", "observability", address],
        )

    def test_it_changes_nothing_else(self) -> None:
        with_it, without = rendered(HERE / "microk8s"), rendered(HERE / "keda")
        for objects in (with_it, without):
            for kind in ("ServiceMonitor", "PrometheusRule"):
                del objects[kind]["metadata"]["labels"]["release"]
            del objects["NetworkPolicy"]["spec"]["ingress"][0]["from"]
            del objects["ScaledObject"]["spec"]["triggers"][0]["metadata"]["serverAddress"]
        self.assertEqual(with_it, without)


if __name__ == "__main__":
    unittest.main()
