#!/usr/bin/env python3
"""What kustomize and Helm make of k8s/, held against Kubernetes' schemas, the rules and each other.

  validate.py          everything (make k8s-validate)
  validate.py helm     the chart only: lint, template, what it has to refuse (make helm-lint)

kubectl or kustomize, and helm, are taken from the machine or built with Go into build/tools; the
schemas come with npm into the same place. What cannot be had is skipped, with a line that says so;
with CI set it is an error. Needs the service's binary at RTS_BINARY. No cluster is asked.
"""

import difflib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import yaml

import manifests_test as written
import rules

sys.path.insert(0, str(written.ROOT / "tests/ship"))

from smoke import works  # noqa: E402

ROOT = written.ROOT
HERE = written.HERE
TOOLS = ROOT / "build/tools"
CHART = ROOT / "k8s/helm/petrosa-realtime-strategies"
NAME = written.NAME
NAMESPACE = "petrosa-apps"
KUBERNETES = "1.31.0"  # what the chart is rendered for
GO_TOOLS = {
    "helm": "helm.sh/helm/v3/cmd/helm@v3.19.5",
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1",
}
VARIANTS = {
    "base": ROOT / "k8s/base",
    "overlays/dev": ROOT / "k8s/overlays/dev",
    "overlays/production": ROOT / "k8s/overlays/production",
    "production with KEDA": HERE / "keda",
    "production on MicroK8s": HERE / "microk8s",
    "production with NodeLocal DNS": HERE / "node-local-dns",
}
# The kinds of these groups may be changed by whoever has the built-in role `edit`.
EDITED = {"v1", "apps/v1", "batch/v1", "autoscaling/v2", "policy/v1", "networking.k8s.io/v1"}
AS_PRODUCTION = ["--set", "monitoring.enabled=true"]
SETTINGS_AS_GIVEN = {
    "NATS_URL": "nats://a, tls://b:5222", "DRY_RUN_MODE": True,
    "TRADING_MAX_POSITION_SIZE": 2000000, "TRADE_MOMENTUM_MIN_QUANTITY": 0.00001,
    "TRADING_ORDER_NOTIONAL__BTCUSDT": 50,
}  # fmt: skip
HELM_VARIANTS = {
    "helm": [],
    "helm as production": AS_PRODUCTION,
    "helm with KEDA": [*AS_PRODUCTION, "--set", "keda.enabled=true"],
    "helm with core NATS": [
        "--set", "provision.enabled=false,credentials.files=null,settings.ORDER_DELIVERY=core"
    ],
    "helm with creds": ["--set", "credentials.files.NATS_CREDS_FILE=nats.creds"],
    "helm with a token": ["--set", "credentials.files.NATS_TOKEN_FILE=token"],
    "helm with TLS": ["--set", "credentials.files.NATS_TLS_CA_FILE=ca.crt"],
    "helm with another broker": [
        "--set-json", f"settings={json.dumps(SETTINGS_AS_GIVEN)}"
    ],
    "helm with NodeLocal DNS": ["--set", "networkPolicy.nodeLocalDns=169.254.20.10"],
    "helm with a broker outside": [
        "--set-json", 'networkPolicy.brokers=[{"ipBlock":{"cidr":"192.0.2.1/32"}}]',
        "--set-json", 'tolerations=[{"key":"market","operator":"Exists","effect":"NoSchedule"}]',
    ],
    "helm with another scale": [
        "--set", "autoscaling.minReplicas=3,autoscaling.maxReplicas=20,autoscaling.cpuPercent=300",
    ],
    "helm with names like numbers": [
        "--set", f"image.digest=sha256:{'0' * 64},keda.enabled=true",
        "--set", "keda.serverAddress=http://a: b",
        "--set-string", "networkPolicy.monitoringNamespace=123,credentials.secret=true",
        "--set-string", "provision.secret=1e3",
    ],
}  # fmt: skip
HELM_REFUSES = {
    "the tag latest": "image.tag=latest",
    "a value that is none": "image.tga=1.0.0",
    "a setting that is none": "settings.TRADING_SYMBOL=BTCUSDT",
    "a symbol of a setting that is none": "settings.TRADING_NOTIONAL__BTCUSDT=50",
    "a secret among the settings": "settings.NATS_PASSWORD=x",
    "a user in the broker's URL": "settings.NATS_URL=nats://u:s3cret@n:4222",
    "no broker": "settings.NATS_URL=null",
    "a port that nobody asks": "settings.HEALTH_CHECK_PORT=9090",
    "an address that nobody reaches": "settings.HEALTH_CHECK_HOST=127.0.0.1",
    "a shutdown that is cut short": "settings.SHUTDOWN_TIMEOUT_SECONDS=60",
    "a grace that is too short": "terminationGracePeriodSeconds=20",
    "a warm-up that is cut short": "minReadySeconds=60",
    "a window that is too long": "settings.TICKER_VELOCITY_TIME_WINDOW__BTCUSDT=90",
    "a number as text": "autoscaling.minReplicas=two",
    "a login that is none": "credentials.files.NATS_PASSWROD_FILE=x",
    "no credentials' Secret": "credentials=null",
    "no number of replicas": "autoscaling.minReplicas=null",
    "a tag that is none": "image.tag=-1.0.0",
    "a digest that is none": "image.digest=sha256:0",
    "a resource that is none": "resources.requests.memroy=1Gi",
    "a quantity that is none": "resources.limits.memory=lots",
    "no ephemeral-storage limit": "resources.limits.ephemeral-storage=null",
    "a toleration's key that is none": "tolerations[0].kye=x",
    "an effect that is none": "tolerations[0].effect=Never",
    "a broker's peer that is none": "networkPolicy.brokers[0].namespace=nats",
    "a negative quantity": "resources.requests.cpu=-1",
    "a unit that is none": "resources.limits.memory=1mi",
    "an address that NodeLocal DNS never has": "networkPolicy.nodeLocalDns=10.0.0.10",
    "no address of NodeLocal DNS": "networkPolicy.nodeLocalDns=169.254.20.256",
    "a memory target that memory would reach": "autoscaling.memoryPercent=40",
    "more replicas at least than at most": "autoscaling.minReplicas=11",
    "requests without memory": "resources.requests.memory=null",
}

# As Kubernetes reads them, and as somebody's cluster asks for them.
HELM_TAKES = {
    "whole and broken numbers": "resources.limits.memory=134217728,resources.requests.cpu=0.5",
    "a power of ten": "resources.limits.memory=1e9,resources.requests.memory=128e6",
    "the largest units": "resources.limits.ephemeral-storage=1Ei,resources.limits.memory=1P",
    "a CPU limit, which a quota may want": "resources.limits.cpu=1",
    "another address of NodeLocal DNS": "networkPolicy.nodeLocalDns=169.254.169.10",
}


def beside_the_python_service() -> list[str]:
    """What docs/MIGRATION.md has one type for the trial, without the names of release and place."""
    page = (ROOT / "docs/MIGRATION.md").read_text()
    (block,) = [b for b in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S) if "helm" in b]
    words = shlex.split(block[block.index("helm upgrade") :])
    return [w for i in range(len(words)) if words[i] == "--set" for w in words[i : i + 2]]


HELM_VARIANTS["helm beside the Python service"] = beside_the_python_service()

problems: list[str] = []
skipped: list[str] = []


def report(what: str, offences: list[str]) -> None:
    print(f"{'ok     ' if not offences else 'WRONG  '} {what}", flush=True)
    for offence in offences:
        print(f"         {offence}", flush=True)
    problems.extend(offences)


def skip(what: str, why: str) -> None:
    if os.environ.get("CI"):
        report(what, [why])
    else:
        print(f"skipped {what}: {why}", flush=True)
        skipped.append(what)


def run(
    *command: str, stdin: str | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=stdin, cwd=cwd, capture_output=True, text=True)


# --- Tools --------------------------------------------------------------------------------------


@cache
def tool(name: str) -> str | None:
    """Where it is; built with Go when the machine has it not."""
    for place in (name, str(TOOLS / name)):
        if works(place, "version"):
            return place
    if not works("go", "version"):
        return None
    print(f"building {name} with Go into {TOOLS.relative_to(ROOT)}", flush=True)
    built = run(str(ROOT / "tests/ship/go_tool.py"), GO_TOOLS[name], str(TOOLS))
    if built.returncode != 0:
        print(f"it cannot be built: {built.stderr.strip()}", flush=True)
        return None
    return str(TOOLS / name)


def kustomize() -> list[str] | None:
    if works("kubectl", "version", "--client"):
        return ["kubectl", "kustomize"]
    built = tool("kustomize")
    return [built, "build"] if built else None


def schema_checker() -> Path | None:
    """A folder with validate.mjs and what it imports."""
    if not works("npm", "--version"):
        return None
    folder = TOOLS / "schemas"
    locks = [f / "package-lock.json" for f in (HERE / "schemas", folder)]
    fresh = locks[1].exists() and locks[0].read_bytes() == locks[1].read_bytes()
    shutil.copytree(HERE / "schemas", folder, dirs_exist_ok=True)
    if not fresh or not (folder / "node_modules").exists():
        print(f"installing the schemas with npm into {folder.relative_to(ROOT)}", flush=True)
        done = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
        if done.returncode != 0:
            shutil.rmtree(folder)
            print(done.stderr, flush=True)
            return None
    return folder


# --- Renderings ---------------------------------------------------------------------------------


def objects_of(text: str) -> rules.Objects:
    return [o for o in yaml.safe_load_all(text) if o]


def rendered_by_kustomize() -> dict[str, rules.Objects]:
    command = kustomize()
    if not command:
        skip("kustomize", "no kubectl, no kustomize, and no Go to build it")
        return {}
    renderings = {}
    for name, folder in VARIANTS.items():
        done = run(*command, str(folder))
        # What kustomize thinks deprecated it says on stderr and goes on.
        report(
            f"{name} is rendered", [done.stderr.strip()] if done.stderr or done.returncode else []
        )
        if done.returncode == 0:
            renderings[name] = objects_of(done.stdout)
    return renderings


def helm_says(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout + done.stderr).splitlines()
    return "\n".join(line for line in lines if "found symbolic link" not in line)


def helm_template(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [tool("helm"), "template", NAME, str(CHART), "--namespace", NAMESPACE]
    return run(*command, "--kube-version", KUBERNETES, *arguments)


def rendered_by_helm() -> dict[str, rules.Objects]:
    if not tool("helm"):
        skip("the Helm chart", "no helm, and no Go to build it")
        return {}
    lint = run(tool("helm"), "lint", "--strict", "--kube-version", KUBERNETES, str(CHART))
    report("helm lint --strict", [helm_says(lint)] if lint.returncode else [])
    renderings = {}
    for name, arguments in HELM_VARIANTS.items():
        done = helm_template(arguments)
        report(f"{name} is rendered", [helm_says(done)] if done.returncode else [])
        if done.returncode == 0:
            renderings[name] = objects_of(done.stdout)
    for what, value in HELM_TAKES.items():
        done = helm_template(["--set", value])
        report(f"helm takes {what}", [helm_says(done)] if done.returncode else [])
    for what, value in HELM_REFUSES.items():
        done = helm_template(["--set", value])
        named = value.partition("=")[0].rpartition(".")[2] in done.stderr
        understood = done.returncode and named and "error calling" not in done.stderr
        report(f"helm refuses {what}", [] if understood else [f"--set {value}: {helm_says(done)}"])
    return renderings


# --- Checks -------------------------------------------------------------------------------------


def check_rules(name: str, objects: rules.Objects) -> None:
    """The base has no tag, and Helm cannot make the namespace that it keeps the release in."""
    but = {"base": "names-its-image-exactly", "helm": "enforces-restricted"}.get(name.split()[0])
    offences = rules.check(objects)
    expected = [o for o in offences if o.split(":")[0] == but]
    offences = [o for o in offences if o not in expected]
    if but and not expected:
        offences.append(f"it does not break {but}, which it has to")
    report(f"{name} breaks no rule" + (f" but {but}" if but else ""), offences)


def check_namespace(name: str, objects: rules.Objects) -> None:
    strays = [
        f"{rules.title(o)} is in no namespace of ours"
        for o in objects
        if o["kind"] != "Namespace" and o["metadata"].get("namespace") != NAMESPACE
    ]
    report(f"{name} stays in {NAMESPACE}", strays)


def check_settings(name: str, objects: rules.Objects) -> None:
    """The ConfigMap has every setting of the table, and the service accepts what it is given."""
    maps = [o["data"] for o in rules.of_kind(objects, "ConfigMap") if "NATS_URL" in o["data"]]
    table = written.env_file((ROOT / "k8s/base/settings.env").read_text())
    given = [{setting.split("__")[0] for setting in m} for m in maps]  # NAME__SYMBOL is of NAME
    offences = [] if given == [set(table)] else ["the ConfigMap lacks settings"]
    for o, template in rules.workloads(objects):
        if o["kind"] == "StatefulSet":  # the broker
            continue
        data = rules.settings(objects, template["spec"]["containers"][0])
        done = subprocess.run([written.BINARY, "check"], env=data, capture_output=True, text=True)
        offences += [done.stderr] if done.returncode else []
    report(f"{name} has settings that the service accepts", offences)


def check_trial(name: str, objects: rules.Objects) -> None:
    """It takes no frame from the Python service, and sends nothing."""
    (data,) = [o["data"] for o in rules.of_kind(objects, "ConfigMap") if "NATS_URL" in o["data"]]
    wanted = {"DRY_RUN_MODE": "true", "CONTROL_BUCKET": "", "ORDER_DELIVERY": "core",
              "NATS_PUBLISHER_TOPIC": "cio.intent.trading.{strategy}"}  # fmt: skip
    offences = [f"{k}={data[k]}" for k, v in wanted.items() if data[k] != v]
    if data["NATS_CONSUMER_GROUP"] in ("", "realtime-strategies-group"):
        offences.append("it is in no group of its own")
    report(f"{name} disturbs nobody", offences)


def check_given(name: str, objects: rules.Objects) -> None:
    """A number is written as the user does: 2000000, not 2e+06."""
    (data,) = [o["data"] for o in rules.of_kind(objects, "ConfigMap") if "NATS_URL" in o["data"]]
    wanted = {**SETTINGS_AS_GIVEN, "DRY_RUN_MODE": "true", "TRADE_MOMENTUM_MIN_QUANTITY": "0.00001"}
    offences = [f"{k}={data[k]}" for k, v in wanted.items() if data[k] != str(v)]
    report(f"{name} has the settings as they are given", offences)


def check_schemas(renderings: dict[str, rules.Objects]) -> None:
    folder = schema_checker()
    if not folder:
        skip("Kubernetes' schemas", "npm cannot install them")
        return
    changes = yaml.safe_load((HERE / "broken-schemas.yaml").read_text())
    production = renderings.get("overlays/production") or renderings.get("helm as production")
    spoilt = [broken_object(production, c) for c in changes] if production else []
    offences = schema_offences(folder, [o for r in renderings.values() for o in r] + spoilt)
    for name, objects in renderings.items():
        own, offences = offences[: len(objects)], offences[len(objects) :]
        report(f"{name}: {len(objects)} objects fit Kubernetes' schemas", sum(own, []))
    missed = [str(change) for change, found in zip(changes, offences) if not found]
    report(f"the schemas refuse {len(offences)} spoilt objects", missed)


def schema_offences(folder: Path, objects: rules.Objects) -> list[list[str]]:
    done = run("node", "validate.mjs", stdin=json.dumps(objects), cwd=folder)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def broken_object(objects: rules.Objects, change: dict[str, object]) -> rules.Object:
    if "add" in change:
        return change["add"]
    return written.changed(objects, change)[written.index_of(objects, change["in"])]


def comparable(objects: rules.Objects) -> dict[str, str]:
    """By kind and name, as text, without what is Helm's or kustomize's own."""
    text = json.dumps([o for o in objects if o["kind"] != "Namespace" and not is_hook(o)])
    text = re.sub(rf'"{NAME}-[a-z0-9]{{10}}"', f'"{NAME}"', text)  # kustomize's hash
    text = re.sub(rf'"{NAME}-provision-1"', f'"{NAME}-provision"', text)  # Helm's revision
    plain = {}
    for o in json.loads(text):
        o["metadata"].pop("annotations", None)
        template = o.get("spec", {}).get("template", {})
        template.get("metadata", {}).pop("annotations", None)
        plain[rules.title(o)] = yaml.safe_dump(o)
    return plain


def is_hook(o: rules.Object) -> bool:
    """Helm's own: the check before an upgrade, and its test. The settings are a hook of both."""
    hook = "helm.sh/hook" in o["metadata"].get("annotations", {})
    return hook and "NATS_URL" not in o.get("data", {})


def check_hooks(one: rules.Objects, other: rules.Objects) -> None:
    """Settings that nobody accepts have to be refused before anything of the release is changed;
    what a pod that runs reads when it restarts has to stay as it was."""
    offences = []
    names = []
    for objects in (one, other):
        (settings,) = [o for o in objects if "NATS_URL" in o.get("data", {})]
        name, hooks = settings["metadata"]["name"], settings["metadata"]["annotations"]
        names.append(name)
        before = {"pre-install", "pre-upgrade"}
        if not before | {"pre-rollback"} <= set(hooks["helm.sh/hook"].split(",")):
            offences.append(f"{name} is no hook: Helm would delete it under the pods that run")
        for kind, component in (("Deployment", None), ("Job", "check")):
            label = "app.kubernetes.io/component"
            found = [o for o in rules.of_kind(objects, kind)
                     if component in (None, o["metadata"]["labels"][label])]  # fmt: skip
            (o,) = found
            container = o["spec"]["template"]["spec"]["containers"][0]
            if container["envFrom"] != [{"configMapRef": {"name": name}}]:
                offences.append(f"{rules.title(o)} has other settings than {name}")
            if component == "check":
                own = o["metadata"]["annotations"]
                weights = [int(h["helm.sh/hook-weight"]) for h in (hooks, own)]
                if set(own["helm.sh/hook"].split(",")) != before or weights[0] >= weights[1]:
                    offences.append("the check does not come before everything but the settings")
                if not 600 <= o["spec"]["activeDeadlineSeconds"] < 1200:  # of --timeout 20m
                    offences.append("the check ends before its image may be there, or too late")
                if container["args"] != ["check"] or o["spec"]["backoffLimit"] != 0:
                    offences.append("the check does not end with the first refusal")
    if len(set(names)) != 2:
        offences.append("other settings have the same ConfigMap")
    report("Helm checks new settings first, and leaves the old ones there", offences)


def check_helm_test(objects: rules.Objects) -> None:
    """What its Job runs, as far as it goes without a cluster: it ends with 1 without the order."""
    (files,) = [o["data"] for o in objects if "frames.ndjson" in o.get("data", {})]
    (job,) = [o for o in rules.of_kind(objects, "Job") if rules.title(o) == f"Job {NAME}-test"]
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    given = rules.settings(objects, container)
    offences = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        mounted = container["volumeMounts"][0]["mountPath"]
        command = [written.BINARY, *(a.replace(mounted, folder) for a in container["args"])]
        for changes, wanted in (({}, 0), ({"TRADING_SYMBOLS": "ETHUSDT"}, 1)):
            done = subprocess.run(command, env=given | changes, capture_output=True, text=True)
            if done.returncode != wanted:
                offences.append(f"with {changes} it ends with {done.returncode}: {done.stderr}")
    asked = pod["initContainers"][0]["args"]
    if asked != ["health", "--ready", "--url", f"http://{NAME}:8080"]:
        offences.append(f"it asks {asked}")
    report("helm test asks /ready, and fails where frames do not become the order", offences)


def check_golden(kustomized: rules.Objects, helmed: rules.Objects) -> None:
    left, right = comparable(kustomized), comparable(helmed)
    offences = [f"only one of them has {o}" for o in sorted(set(left) ^ set(right))]
    for name in sorted(set(left) & set(right)):
        lines = left[name].splitlines(), right[name].splitlines()
        difference = list(difflib.unified_diff(*lines, "kustomize", "helm", lineterm="", n=1))
        offences += ["\n".join([f"{name}:", *difference])] if difference else []
    report(f"Helm renders the {len(left)} objects of kustomize", offences)


def check_permissions(name: str, objects: rules.Objects) -> None:
    """Printed for a rendering, they are those that the broker's component has."""
    command = [written.BINARY, "provision", "--permissions", "--from", "-"]
    text = yaml.safe_dump_all(objects)
    done = subprocess.run(command, env={}, input=text, capture_output=True, text=True)
    users = done.stdout.removesuffix("  ]\n}\n")
    there = (written.NATS / "permissions.conf").read_text()
    right = done.returncode == 0 and users and there.startswith(users)
    report(f"{name} has its permissions printed", [] if right else [done.stderr or done.stdout])


def check_microk8s(with_it: rules.Objects, without: rules.Objects) -> None:
    """The component asks for the Prometheus of MicroK8s' add-on, and changes nothing else."""
    there = {"monitoring.svc": "observability.svc", "metadata.name: monitoring":
             "metadata.name: observability", "kube-prometheus-stack": "kube-prom-stack"}
    left, right = comparable(with_it), comparable(without)
    offences = []
    for name, text in right.items():
        for of_ours, of_theirs in there.items():
            text = text.replace(of_ours, of_theirs)
        offences += [] if left.get(name) == text else [f"{name}: {left.get(name)}"]
    offences += [] if left != right else ["it changes nothing"]
    report("the component for MicroK8s changes the Prometheus, and nothing else", offences)


def check_dns(plain: rules.Objects, with_it: rules.Objects, helmed: rules.Objects) -> None:
    """Pods ask NodeLocal DNS where it is, and without the component nothing but the cluster's."""
    offences = []
    for objects, wanted in ((plain, []), (with_it, [rules.NODE_DNS]), (helmed, [rules.NODE_DNS])):
        policies = rules.of_kind(objects, "NetworkPolicy")
        (policy,) = [o for o in policies if o["metadata"]["name"] == NAME]
        if policy["spec"]["egress"][1]["to"] != [rules.DNS, *wanted]:
            offences.append(f"{policy['spec']['egress'][1]['to']}")
    report("NodeLocal DNS is opened where it is asked for", offences)


def check_deployer(renderings: dict[str, rules.Objects], deployer: rules.Objects) -> None:
    """Whatever is applied may be, and changed, and removed; what more there is nobody needs."""
    (role,) = rules.of_kind(deployer, "Role")
    given = {(g, r): set(rule["verbs"]) for rule in role["rules"]
             for g in rule["apiGroups"] for r in rule["resources"]}  # fmt: skip
    needed = {}
    for objects in renderings.values():
        for o in objects:
            group = o["apiVersion"].rpartition("/")[0]
            kind = (group, o["kind"].lower() + "s")
            if o["kind"] == "Namespace":
                needed[kind] = {"get", "patch"}
            elif o["apiVersion"] not in EDITED:
                needed[kind] = {"get", "list", "watch", "create", "patch", "update", "delete"}
    bound = {o["roleRef"]["name"] for o in rules.of_kind(deployer, "RoleBinding")}
    offences = [] if given == needed else [f"it gives {given}", f"what is needed is {needed}"]
    offences += [] if bound == {"edit", role["metadata"]["name"]} else [f"bound are {bound}"]
    report("the deployer's Role suffices, and has nothing else", offences)


def check_dev(objects: rules.Objects) -> None:
    """A cluster for trying things may have no StorageClass, and its broker would wait for ever."""
    claims = [o for o in objects if o["kind"] == "PersistentVolumeClaim"]
    claims += [o for o in objects if o.get("spec", {}).get("volumeClaimTemplates")]
    report("overlays/dev asks for no volume", [rules.title(o) for o in claims])


def check_readme() -> None:
    leaves = set(leaves_of(yaml.safe_load((CHART / "values.yaml").read_text())))
    documented = set(re.findall(r"^\| `([\w.-]+)` \|", (CHART / "README.md").read_text(), re.M))
    report(
        "the chart's README has its values",
        [f"{v}: in one of them only" for v in leaves ^ documented],
    )


def leaves_of(values: dict[str, object], path: str = "") -> list[str]:
    leaves = []
    for key, value in values.items():
        here = f"{path}{key}"
        free = here in ("settings", "credentials.files")
        leaves += (
            leaves_of(value, f"{here}.")
            if isinstance(value, dict) and value and not free
            else [here]
        )
    return leaves


def main() -> int:
    check_readme()
    renderings = rendered_by_helm()
    if "helm with another broker" in renderings:
        check_given("helm with another broker", renderings["helm with another broker"])
        trial = "helm beside the Python service"
        check_trial(trial, renderings[trial])
        check_hooks(renderings["helm"], renderings["helm with another broker"])
        check_helm_test(renderings["helm"])
    if sys.argv[1:] != ["helm"]:
        kustomized = rendered_by_kustomize()
        if kustomized and renderings:
            check_golden(kustomized["overlays/production"], renderings["helm as production"])
            check_golden(kustomized["production with KEDA"], renderings["helm with KEDA"])
        if kustomized:
            check_dev(kustomized["overlays/dev"])
            if renderings:
                check_dns(kustomized["overlays/production"],
                          kustomized["production with NodeLocal DNS"],
                          renderings["helm with NodeLocal DNS"])  # fmt: skip
            check_microk8s(
                kustomized["production on MicroK8s"], kustomized["production with KEDA"]
            )
        renderings |= kustomized
        deployer = rules.load([ROOT / "k8s/deployer.yaml"])
        check_deployer(renderings, deployer)
        check_schemas({**renderings, "the deployer": deployer})
    for name, objects in renderings.items():
        check_rules(name, objects)
        check_namespace(name, objects)
        check_settings(name, objects)
        if name in ("overlays/dev", "overlays/production", "helm"):
            check_permissions(name, objects)
    result = f"{len(problems)} wrong" if problems else "all well"
    print(f"{result}, {len(skipped)} skipped")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
