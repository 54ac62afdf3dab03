#!/usr/bin/env python3
"""The security checklist as rules over Kubernetes objects.

  rules.py FILE...     says what the objects in these YAML files break; exit 1 when they do

Each rule is a generator of offences over all objects of one installation. broken.yaml has, for
every rule, changes that it has to catch; manifests_test.py makes them.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
Objects = list[Object]
Rule = Callable[[Objects], Iterator[str]]

RULES: dict[str, Rule] = {}
UID = 65532
MOST_MEBIBYTES = 24  # what the service takes; k8s/base/autoscaler.yaml says where that is from
UNSET_TAG = "set-by-the-overlay"
NAMESPACE = "kubernetes.io/metadata.name"
DNS = {
    "namespaceSelector": {"matchLabels": {NAMESPACE: "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
# `helm test` runs beside the service for as long as it takes; these are all that it may.
LABELS = {"app.kubernetes.io/name": "petrosa-realtime-strategies"}
TESTER, SERVICE = (
    {"podSelector": {"matchLabels": {**LABELS, "app.kubernetes.io/component": component}}}
    for component in ("test", "service")
)
NODE_DNS = {"ipBlock": {"cidr": "169.254.20.10/32"}}
PROBES = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/ready"}
# What Pod Security "restricted" lets pods mount, and all that we say of security.
VOLUMES = {
    "name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip
POD_SECURITY = {"runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "seccompProfile"}
CONTAINER_SECURITY = {
    "runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile", "allowPrivilegeEscalation",
    "privileged", "readOnlyRootFilesystem", "capabilities",
}  # fmt: skip
SECRET_NAME = re.compile(r"(?i)password|token|secret|seed|creds|_key\b|^nats_user$")


def rule(function: Rule) -> Rule:
    RULES[function.__name__.replace("_", "-")] = function
    return function


def load(paths: list[Path]) -> Objects:
    return [o for path in paths for o in yaml.safe_load_all(path.read_text()) if o]


def check(objects: Objects) -> list[str]:
    return [f"{name}: {offence}" for name, rule in RULES.items() for offence in rule(objects)]


# --- What the rules look at ---------------------------------------------------------------------


def title(o: Object) -> str:
    return f"{o['kind']} {o['metadata']['name']}"


def of_kind(objects: Objects, *kinds: str) -> Iterator[Object]:
    return (o for o in objects if o["kind"] in kinds)


def workloads(objects: Objects) -> Iterator[tuple[Object, Object]]:
    """Every object that makes pods, with its pod template."""
    for o in objects:
        if o["kind"] == "CronJob":
            yield o, o["spec"]["jobTemplate"]["spec"]["template"]
        elif o["kind"] == "Pod":
            yield o, o
        elif "template" in o.get("spec", {}):
            yield o, o["spec"]["template"]


def pods(objects: Objects) -> Iterator[tuple[str, Object]]:
    return ((title(o), template["spec"]) for o, template in workloads(objects))


def containers(objects: Objects) -> Iterator[tuple[str, Object, Object]]:
    """(title, pod, container), init containers included."""
    for name, pod in pods(objects):
        for container in pod.get("initContainers", []) + pod["containers"]:
            yield f"{name}, container {container['name']}", pod, container


def security(pod: Object, container: Object, field: str) -> Any:
    """What holds for the container: its own value, else the pod's."""
    own = container.get("securityContext", {})
    return own.get(field, pod.get("securityContext", {}).get(field))


def settings(objects: Objects, container: Object) -> dict[str, str]:
    """What the container's environment says, of the ConfigMaps that are here and of itself."""
    data = {o["metadata"]["name"]: o.get("data", {}) for o in of_kind(objects, "ConfigMap")}
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        values |= data.get(source.get("configMapRef", {}).get("name"), {})
    return values | {v["name"]: v["value"] for v in container.get("env", []) if "value" in v}


def selects(selector: Object, labels: Object) -> bool:
    """Labels alone count: what else a selector says is not worked out, so it selects nothing."""
    return is_by_label(selector) and selector["matchLabels"].items() <= labels.items()


def is_by_label(selector: Object) -> bool:
    return list(selector) == ["matchLabels"] and bool(selector["matchLabels"])


# --- Pods: Pod Security "restricted", and what we ask beyond it ---------------------------------


@rule
def runs_as_non_root(objects: Objects) -> Iterator[str]:
    for name, pod, container in containers(objects):
        if security(pod, container, "runAsNonRoot") is not True:
            yield f"{name}: runAsNonRoot is not true"


@rule
def runs_as_uid_65532(objects: Objects) -> Iterator[str]:
    for name, pod, container in containers(objects):
        for field in ("runAsUser", "runAsGroup"):
            if security(pod, container, field) != UID:
                yield f"{name}: {field} is not {UID}"


@rule
def has_seccomp_profile(objects: Objects) -> Iterator[str]:
    for name, pod, container in containers(objects):
        if (security(pod, container, "seccompProfile") or {}).get("type") != "RuntimeDefault":
            yield f"{name}: seccompProfile is not RuntimeDefault"


@rule
def cannot_gain_privileges(objects: Objects) -> Iterator[str]:
    for name, _, container in containers(objects):
        context = container.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: allowPrivilegeEscalation is not false"
        if context.get("privileged"):
            yield f"{name}: privileged"


@rule
def has_read_only_root(objects: Objects) -> Iterator[str]:
    for name, _, container in containers(objects):
        if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{name}: readOnlyRootFilesystem is not true"


@rule
def has_no_capabilities(objects: Objects) -> Iterator[str]:
    for name, _, container in containers(objects):
        capabilities = container.get("securityContext", {}).get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            yield f"{name}: does not drop ALL capabilities"


@rule
def stays_out_of_the_host(objects: Objects) -> Iterator[str]:
    for name, pod in pods(objects):
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(field):
                yield f"{name}: {field}"
        for volume in pod.get("volumes", []):
            if strange := set(volume) - VOLUMES:
                yield f"{name}: volume {volume['name']} is a {min(strange)}"
        for field in set(pod.get("securityContext", {})) - POD_SECURITY:
            yield f"{name}: securityContext.{field}"
    for o, template in workloads(objects):
        for annotation in template["metadata"].get("annotations", {}):
            if "apparmor" in annotation or "seccomp" in annotation:
                yield f"{title(o)}: {annotation}"
    for name, _, container in containers(objects):
        for field in set(container.get("securityContext", {})) - CONTAINER_SECURITY:
            yield f"{name}: securityContext.{field}"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"{name}: hostPort"


@rule
def has_no_api_token(objects: Objects) -> Iterator[str]:
    for name, pod in pods(objects):
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name}: automountServiceAccountToken is not false"
    for account in of_kind(objects, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{title(account)}: automountServiceAccountToken is not false"


@rule
def has_no_rights(objects: Objects) -> Iterator[str]:
    for o in of_kind(objects, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"):
        yield f"{title(o)}: nothing of ours talks to the Kubernetes API"


@rule
def has_no_service_links(objects: Objects) -> Iterator[str]:
    for name, pod in pods(objects):
        if pod.get("enableServiceLinks") is not False:
            yield f"{name}: enableServiceLinks is not false"


@rule
def names_its_image_exactly(objects: Objects) -> Iterator[str]:
    for name, _, container in containers(objects):
        image = container["image"].rsplit("/", 1)[-1]
        tag = image.partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest", UNSET_TAG):
            yield f"{name}: image {container['image']} has no tag of its own"


@rule
def asks_for_resources(objects: Objects) -> Iterator[str]:
    for name, _, container in containers(objects):
        resources = container.get("resources", {})
        for field in ("cpu", "memory"):
            if field not in resources.get("requests", {}):
                yield f"{name}: requests no {field}"
        for field in ("memory", "ephemeral-storage"):
            if field not in resources.get("limits", {}):
                yield f"{name}: no {field} limit"
        if "cpu" in resources.get("limits", {}):
            yield f"{name}: a CPU limit would stop it when the market moves"


@rule
def is_probed(objects: Objects) -> Iterator[str]:
    """A broker that is away must not restart the service, so only readiness asks for it."""
    for o, template in workloads(objects):
        if o["kind"] in ("Job", "CronJob"):
            continue
        for container in template["spec"]["containers"]:
            for probe, path in PROBES.items():
                asked = container.get(probe, {}).get("httpGet", {})
                if probe not in container:
                    yield f"{title(o)}, container {container['name']}: no {probe}"
                elif o["kind"] == "Deployment" and asked != {"path": path, "port": "http"}:
                    yield f"{title(o)}: {probe} does not ask for {path}"
            port = settings(objects, container).get("HEALTH_CHECK_PORT", "8080")
            named = {p.get("name"): str(p["containerPort"]) for p in container.get("ports", [])}
            if o["kind"] == "Deployment" and named.get("http") != port:
                yield f"{title(o)}: it listens on {port}, and port http is {named.get('http')}"
            if settings(objects, container).get("HEALTH_CHECK_HOST", "::") not in ("0.0.0.0", "::"):
                yield f"{title(o)}: it does not listen for the kubelet"


@rule
def keeps_the_log_of_what_failed(objects: Objects) -> Iterator[str]:
    """With OnFailure, and at the deadline, the pod goes, and its log with it."""
    for o in of_kind(objects, "Job"):
        spec = o["spec"]
        if spec["template"]["spec"].get("restartPolicy") != "Never":
            yield f"{title(o)}: restartPolicy is not Never"
        waits = sum(min(10 * 2**n, 360) for n in range(spec.get("backoffLimit", 6)))
        if waits >= spec.get("activeDeadlineSeconds", waits + 1):
            yield f"{title(o)}: the deadline comes before the last retry, after {waits} s"
        if spec.get("ttlSecondsAfterFinished", 86400) < 86400:
            yield f"{title(o)}: is gone before somebody looks"


# --- Secrets ------------------------------------------------------------------------------------


@rule
def holds_no_secret(objects: Objects) -> Iterator[str]:
    for o in of_kind(objects, "Secret"):
        yield f"{title(o)}: secrets are made in the cluster, never written down here"
    for o in of_kind(objects, "ConfigMap"):
        for key in o.get("data", {}):
            if SECRET_NAME.search(key):
                yield f"{title(o)}: {key} belongs in a Secret"
    for name, _, container in containers(objects):
        if "@" in settings(objects, container).get("NATS_URL", ""):
            yield f"{name}: NATS_URL says who logs in"
        for variable in container.get("env", []):
            literal = variable.get("value", "")
            path = variable["name"].endswith("_FILE") and literal.startswith("/")
            if SECRET_NAME.search(variable["name"]) and literal and not path:
                yield f"{name}: the value of {variable['name']} is written down"
        for word in container.get("args", []) + container.get("command", []):
            if SECRET_NAME.search(word):
                yield f"{name}: {word.split('=')[0]} would be seen in the list of processes"


@rule
def takes_secrets_from_files(objects: Objects) -> Iterator[str]:
    """What is in the environment is inherited and shown; nats-server alone knows no other way."""
    for name, _, container in containers(objects):
        sources = [s for s in container.get("envFrom", []) if "secretRef" in s]
        sources += [v for v in container.get("env", []) if "secretKeyRef" in v.get("valueFrom", {})]
        if sources and not container["image"].split("/")[-1].startswith("nats:"):
            yield f"{name}: a secret in the environment"


# --- The network --------------------------------------------------------------------------------


def policies_of(objects: Objects, labels: Object) -> Iterator[Object]:
    return (
        p for p in of_kind(objects, "NetworkPolicy") if selects(p["spec"]["podSelector"], labels)
    )


@rule
def is_denied_by_default(objects: Objects) -> Iterator[str]:
    for o, template in workloads(objects):
        labels = template["metadata"].get("labels", {})
        types = {t for p in policies_of(objects, labels) for t in p["spec"].get("policyTypes", [])}
        for missing in {"Ingress", "Egress"} - types:
            yield f"{title(o)}: no NetworkPolicy denies {missing} by default"
    for policy in of_kind(objects, "NetworkPolicy"):
        if not is_by_label(policy["spec"]["podSelector"]):
            yield f"{title(policy)}: selects the pods of others in the shared namespace"


def open_sides(policy: Object) -> Iterator[tuple[str, Object]]:
    """Rules that leave a peer or a port open: what they allow is everybody or everything."""
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for entry in policy["spec"].get(direction) or []:
            ports = entry.get("ports") or [{}]
            named = entry.get(peers) and all(is_named(peer, direction) for peer in entry[peers])
            if not named or any("port" not in p or "endPort" in p for p in ports):
                yield direction, entry


def is_named(peer: Object, direction: str) -> bool:
    """One namespace, pods by their labels, or both; one address; any pod of ours may come in."""
    if "ipBlock" in peer:
        return re.fullmatch(r"[\d.]+/32|[\da-f:]+/128", peer["ipBlock"]["cidr"]) is not None
    namespace = peer.get("namespaceSelector")
    if namespace is not None:
        if not is_by_label(namespace) or list(namespace["matchLabels"]) != [NAMESPACE]:
            return False
    elif peer == {"podSelector": {}}:
        return direction == "ingress"
    return bool(peer) and all(
        key in ("namespaceSelector", "podSelector") and is_by_label(selector)
        for key, selector in peer.items()
    )


@rule
def reaches_nats_and_dns_only(objects: Objects) -> Iterator[str]:
    brokers = {p for _, _, c in containers(objects) for p in nats_ports(settings(objects, c))}
    opened = set()
    for policy in of_kind(objects, "NetworkPolicy"):
        if any(direction == "egress" for direction, _ in open_sides(policy)):
            yield f"{title(policy)}: egress to anybody or any port"
        for entry in policy["spec"].get("egress") or []:
            ports = {port.get("port") for port in entry.get("ports", [])}
            if 53 in ports and (ports != {53} or entry.get("to") not in ([DNS], [DNS, NODE_DNS])):
                yield f"{title(policy)}: egress to port 53 of more than the cluster's DNS"
            if policy["spec"]["podSelector"] == TESTER["podSelector"] and entry["to"] == [SERVICE]:
                ports -= {8080}
            if strangers := ports - {53} - brokers:
                yield f"{title(policy)}: egress to {sorted(strangers, key=str)}"
            opened |= ports
    for port in sorted(brokers - opened):
        yield f"no NetworkPolicy opens port {port}, which NATS_URL names"


def nats_ports(values: dict[str, str]) -> set[int]:
    urls = values["NATS_URL"].split(",") if "NATS_URL" in values else []
    return {int(m[1]) if (m := re.search(r":(\d+)$", u.strip())) else 4222 for u in urls}


@rule
def is_reached_by_monitoring_only(objects: Objects) -> Iterator[str]:
    watchers: list[Object] = []
    for policy in of_kind(objects, "NetworkPolicy"):
        if any(direction == "ingress" for direction, _ in open_sides(policy)):
            yield f"{title(policy)}: ingress from anybody or to any port"
        for entry in policy["spec"].get("ingress") or []:
            ports = {port.get("port") for port in entry.get("ports", [])}
            peers = [peer for peer in entry.get("from", []) if peer != TESTER]
            watchers += peers if 8080 in ports else []
            if ports - {8080, 4222}:
                yield f"{title(policy)}: ingress to {sorted(ports - {8080, 4222}, key=str)}"
    if len(watchers) > 1 or any("namespaceSelector" not in peer for peer in watchers):
        yield "port 8080 is open to more than the one namespace of Prometheus"


@rule
def is_not_exposed(objects: Objects) -> Iterator[str]:
    for o in of_kind(objects, "Ingress", "Gateway", "HTTPRoute", "TCPRoute"):
        yield f"{title(o)}: nothing of ours is for the outside"
    for o in of_kind(objects, "Service"):
        if o["spec"].get("type", "ClusterIP") != "ClusterIP" or o["spec"].get("externalIPs"):
            yield f"{title(o)}: is not of type ClusterIP"


@rule
def enforces_restricted(objects: Objects) -> Iterator[str]:
    if not any(of_kind(objects, "Namespace")):
        yield "no Namespace says so"
    for o in of_kind(objects, "Namespace"):
        labels = o["metadata"].get("labels", {})
        if labels.get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{title(o)}: Pod Security is not restricted"


# --- Running ------------------------------------------------------------------------------------


@rule
def drains_before_it_is_killed(objects: Objects) -> Iterator[str]:
    for o in of_kind(objects, "Deployment"):
        pod = o["spec"]["template"]["spec"]
        grace = pod.get("terminationGracePeriodSeconds", 30)
        for container in pod["containers"]:
            drain = int(settings(objects, container).get("SHUTDOWN_TIMEOUT_SECONDS", "20"))
            if grace <= drain + pre_stop_seconds(container):
                yield f"{title(o)}: terminationGracePeriodSeconds {grace} cuts the shutdown short"


def pre_stop_seconds(container: Object) -> int:
    hook = container.get("lifecycle", {}).get("preStop", {})
    slept = re.search(r"sleep (\d+)", " ".join(hook.get("exec", {}).get("command", [])))
    return hook.get("sleep", {}).get("seconds", 0) + (int(slept[1]) if slept else 0)


@rule
def rolls_without_a_gap(objects: Objects) -> Iterator[str]:
    for o in of_kind(objects, "Deployment"):
        rolling = o["spec"].get("strategy", {}).get("rollingUpdate", {})
        if rolling.get("maxUnavailable") != 0 or rolling.get("maxSurge") != 1:
            yield f"{title(o)}: not maxUnavailable 0, maxSurge 1"
        labels = o["spec"]["template"]["metadata"]["labels"]
        spread = o["spec"]["template"]["spec"].get("topologySpreadConstraints", [])
        if not any(selects(s.get("labelSelector", {}), labels) for s in spread):
            yield f"{title(o)}: no topologySpreadConstraints"
        budgets = of_kind(objects, "PodDisruptionBudget")
        if not any(selects(b["spec"]["selector"], labels) for b in budgets):
            yield f"{title(o)}: no PodDisruptionBudget"
    for o in of_kind(objects, "PodDisruptionBudget"):
        if o["spec"].get("maxUnavailable") != 1 or "minAvailable" in o["spec"]:
            yield f"{title(o)}: nodes are drained one pod at a time"
        if o["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{title(o)}: while the broker is away no node could be drained"


@rule
def is_warm_before_an_old_one_goes(objects: Objects) -> Iterator[str]:
    """The windows fill while a pod is ready already; the 100 trades are not looked at here."""
    for o in of_kind(objects, "Deployment"):
        ready = o["spec"].get("minReadySeconds", 0)
        for container in o["spec"]["template"]["spec"]["containers"]:
            values = settings(objects, container).items()
            windows = [int(v) for k, v in values if k.startswith("TICKER_VELOCITY_TIME_WINDOW")]
            if ready <= max(windows, default=60):
                yield f"{title(o)}: minReadySeconds {ready} is shorter than the warm-up"
        if o["spec"].get("progressDeadlineSeconds", 600) < ready + 60:
            yield f"{title(o)}: progressDeadlineSeconds ends a rollout before a pod is available"


@rule
def has_one_autoscaler(objects: Objects) -> Iterator[str]:
    scaled: dict[str, int] = {}
    for o in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        target = o["spec"]["scaleTargetRef"]["name"]
        scaled[target] = scaled.get(target, 0) + 1
    for o in of_kind(objects, "Deployment"):
        count = scaled.get(o["metadata"]["name"], 0)
        if count != 1:
            yield f"{title(o)}: {count} autoscalers"
        if "replicas" in o["spec"]:
            yield f"{title(o)}: replicas is the autoscaler's"


@rule
def scales_on_cpu(objects: Objects) -> Iterator[str]:
    """Memory is there to be seen. At half its target, it never holds a replica that CPU lets go."""
    asked = {
        o["metadata"]["name"]: o["spec"]["template"]["spec"]["containers"][0].get("resources", {})
        for o in of_kind(objects, "Deployment")
    }
    for o in of_kind(objects, "HorizontalPodAutoscaler"):
        requests = asked.get(o["spec"]["scaleTargetRef"]["name"], {}).get("requests", {})
        metrics = [m["resource"] for m in o["spec"]["metrics"] if m["type"] == "Resource"]
        targets = {m["name"]: m["target"].get("averageUtilization", 0) for m in metrics}
        if "cpu" not in targets:
            yield f"{title(o)}: does not look at CPU"
        if "memory" in targets and "memory" in requests:
            if targets["memory"] / 100 * mebibytes(requests["memory"]) < 2 * MOST_MEBIBYTES:
                yield f"{title(o)}: {targets['memory']} % of {requests['memory']} may be reached"


def mebibytes(quantity: str) -> float:
    units = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
    number = quantity.rstrip("kKMGi")
    return float(number) * units[quantity.removeprefix(number)] / (1 << 20)


@rule
def refers_to_what_is_there(objects: Objects) -> Iterator[str]:
    there = {title(o) for o in objects}
    for name, pod, container in containers(objects):
        wanted = [
            e["configMapRef"]["name"] for e in container.get("envFrom", []) if "configMapRef" in e
        ]
        wanted += [v["configMap"]["name"] for v in pod.get("volumes", []) if "configMap" in v]
        for config in wanted:
            if f"ConfigMap {config}" not in there:
                yield f"{name}: there is no ConfigMap {config}"
        account = pod.get("serviceAccountName", "default")
        if account != "default" and f"ServiceAccount {account}" not in there:
            yield f"{name}: there is no ServiceAccount {account}"
    for o in of_kind(objects, "Service"):
        named = {
            port.get(key)
            for _, template in workloads(objects)
            if selects({"matchLabels": o["spec"].get("selector")}, template["metadata"]["labels"])
            for container in template["spec"]["containers"]
            for port in container.get("ports", [])
            for key in ("name", "containerPort")
        }
        if any(port.get("targetPort") not in named for port in o["spec"]["ports"]):
            yield f"{title(o)}: no pod has its port"
    for o in of_kind(objects, "ServiceMonitor"):
        named = {
            port.get("name")
            for service in of_kind(objects, "Service")
            if selects(o["spec"]["selector"], service["metadata"]["labels"])
            for port in service["spec"]["ports"]
        }
        if any(endpoint.get("port") not in named for endpoint in o["spec"]["endpoints"]):
            yield f"{title(o)}: no Service has its port"


def main() -> int:
    offences = check(load([Path(a) for a in sys.argv[1:]]))
    print("\n".join(offences))
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
