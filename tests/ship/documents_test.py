#!/usr/bin/env python3
"""What the documents name is there: files, headings, make targets, commands, settings, metrics.

And the workflows and `make pipeline` do the same. Needs the service's binary at RTS_BINARY.
"""

import os
import re
import subprocess
import unittest
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ["RTS_BINARY"]
WORKFLOWS = ROOT / ".github/workflows"
# What the seed's users type.
SEED_TARGETS = (
    "help setup run-local test unit integration e2e coverage format lint type-check security build "
    "container deploy k8s-status k8s-logs k8s-clean pipeline docker-clean pre-commit"
).split()
# Settings begin with these; other capitals in a document mean something else.
PREFIXES = (
    "NATS_ TRADING_ STRATEGY_ ORDERBOOK_ TRADE_ TICKER_ SIGNAL_ RISK_ ORDER_ CIRCUIT_ HEALTH_ LOG_"
).split()
# A command and what follows it on its line; not a chart's name, and not the user after `-g`.
COMMAND = r"(?<![\w-])(?<!-g )realtime-strategies (\w+)((?: [^\n;&|#]+)?)"


@cache
def output_of(*arguments: str) -> str:
    done = subprocess.run([BINARY, *arguments], env={}, capture_output=True, text=True, check=True)
    return done.stdout


@cache
def documents() -> dict[str, str]:
    patterns = ["*.md", "docs/*.md", ".github/**/*.md", "k8s/**/*.md"]
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))


def words_of_code(text: str) -> list[str]:
    """Blocks of code and what stands between backquotes."""
    blocks = re.findall(r"```.*?```", text, re.S)
    rest = re.sub(r"```.*?```", "", text, flags=re.S)
    return blocks + re.findall(r"`([^`\n]+)`", rest)


def link_offences(name: str, text: str) -> list[str]:
    offences = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists():
            offences.append(f"{name}: {link} is not there")
        elif anchor and anchor not in anchors(target.read_text()):
            offences.append(f"{name}: {link} has no such heading")
    return offences


def target_offences(name: str, text: str) -> list[str]:
    used = {t for code in words_of_code(text) for t in re.findall(r"\bmake ([a-z0-9-]+)", code)}
    return [f"{name}: make {t} is no target" for t in used - targets()]


def command_offences(name: str, text: str) -> list[str]:
    offences = []
    known = set(re.findall(r"^  (\w+) ", output_of("--help"), re.M))
    for code in words_of_code(text):
        for command, rest in re.findall(COMMAND, code):
            if command not in known:
                offences.append(f"{name}: realtime-strategies {command} is no command")
                continue
            options = set(re.findall(r"(?<!\S)(--[a-z-]+)", rest)) - {"--help"}
            told = output_of(command, "--help") + output_of("help", "settings")
            described = set(re.findall(r"--[a-z-]+", told))
            offences += [f"{name}: {command} has no {o}" for o in options - described]
    return offences


def name_offences(name: str, text: str) -> list[str]:
    settings = set(re.findall(r"^(\w+)=", output_of("config", "--format", "env"), re.M))
    settings |= set(re.findall(r"^(?:\| |- )`(\w+)`", documents()["docs/CONFIGURATION.md"], re.M))
    metrics = set(re.findall(r"^\| `(\w+)`", documents()["docs/METRICS.md"], re.M))
    metrics |= {"rts_core"}  # the library
    metrics |= {f"{m}_{part}" for m in set(metrics) for part in ("bucket", "sum", "count")}
    offences = []
    for code in words_of_code(text):
        for word in re.findall(r"(?<![\w$-])[A-Z][A-Z0-9]*_[A-Z0-9_]+(?![\w…])", code):
            if word.startswith(tuple(PREFIXES)) and not word.endswith("_"):
                setting = word.split("__")[0]  # NAME__SYMBOL is of NAME
                offences += [] if setting in settings else [f"{name}: {word} is no setting"]
        for word in re.findall(r"(?<!\w)rts_[a-z_]+[a-z](?![\w(*])", code):
            offences += [] if word in metrics else [f"{name}: {word} is no metric"]
    return offences


CHECKS = [link_offences, target_offences, command_offences, name_offences]


class Documents(unittest.TestCase):
    def test_what_they_name_is_there(self) -> None:
        for name, text in documents().items():
            for check in CHECKS:
                with self.subTest(document=name, check=check.__name__):
                    self.assertEqual(check(name, text), [])

    def test_what_is_not_there_is_seen(self) -> None:
        for check, text in {
            link_offences: "[a](nowhere.md) [b](README.md#no-such-heading)",
            target_offences: "`make trouble` and `make test`\n```sh\nmake mischief\n```",
            command_offences: "`realtime-strategies dance` `realtime-strategies replay --loud`",
            name_offences: "`NATS_URI` `rts_invented_total` `NATS_URL` `rts_ready`",
        }.items():
            with self.subTest(check=check.__name__):
                self.assertEqual(len(check("docs/x.md", text)), 2)

    def test_the_map_has_every_page(self) -> None:
        linked = set(re.findall(r"\]\((\w+\.md)\)", documents()["docs/README.md"]))
        pages = {p.name for p in (ROOT / "docs").glob("*.md")} - {"README.md"}
        self.assertEqual(linked, pages)

    def test_migration_has_every_name_of_the_python_service(self) -> None:
        """What replaces it, or that it has no effect; and only names that it is known to have."""
        rows = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| [^|]+ \| ([^|]+) \|$",
                               documents()["docs/MIGRATION.md"], re.M))  # fmt: skip
        retired = re.findall(r"^- `(\w+)`: ", documents()["docs/CONFIGURATION.md"], re.M)
        settings = set(re.findall(r"^(\w+)=", output_of("config", "--format", "env"), re.M))
        self.assertGreater(len(retired), 60)
        self.assertEqual(set(retired) - set(rows), set())
        self.assertEqual(set(rows) - set(retired) - settings, set())
        for name in retired:
            with self.subTest(name=name):
                self.assertRegex(rows[name], "no effect|no such strategy|`[A-Z_…{}]+`")

    def test_a_configmap_of_the_python_service_is_checked(self) -> None:
        """Each name of it that does nothing here is a warning, and none is refused."""
        ours = dict(re.findall(r"^(\w+)=(.*)$", output_of("config", "--format", "env"), re.M))
        names = re.findall(r"^\| `([A-Z0-9_]+)` \|", documents()["docs/MIGRATION.md"], re.M)
        data = {name: ours.get(name, "1") for name in names}
        one = {"kind": "ConfigMap", "metadata": {"name": "old"}, "data": data}
        done = subprocess.run(
            [BINARY, "check", "--from", "-"], env={}, capture_output=True, text=True,
            input=yaml.safe_dump({"kind": "List", "items": [one]}),
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in names:
            with self.subTest(name=name):
                warned = f": {name}: is of the Python service" in done.stderr
                self.assertEqual(warned, name not in ours)

    def test_migration_leaves_nothing_of_the_python_service_that_disturbs(self) -> None:
        """By its label: two autoscalers would hold one Deployment."""
        page = documents()["docs/MIGRATION.md"]
        going_over = page[page.index("\n## Going over\n") :]
        (kinds,) = re.findall(
            r"kubectl -n petrosa-apps delete (\S+) -l app=realtime-strategies`", going_over
        )
        self.assertEqual(
            set(kinds.split(",")), {"deployment", "hpa", "service", "networkpolicy", "ingress"}
        )
        for suffix in ("hpa", "allow-egress", "allow-ingress", "ingress"):
            self.assertRegex(going_over, f"(?:petrosa-realtime-strategies|…)-{suffix}`")
        self.assertIn("helm uninstall", going_over[going_over.index("Going back") :])

    def test_the_trial_hears_what_the_python_service_hears(self) -> None:
        """Of its ConfigMaps; and all pods are compared, whole, without a trace that stays."""
        page = documents()["docs/MIGRATION.md"]
        trial = page[page.index("\n## Side by side\n") :]
        blocks = re.findall(r"^```sh\n(.*?)^```$", trial, re.M | re.S)
        for name in ("NATS_URL", "NATS_CONSUMER_TOPIC"):
            self.assertRegex(blocks[0], rf'(?m)^  {name}: "\$\w+"$')
            self.assertRegex(blocks[0], rf"\$\(setting petrosa-\S+ {name}\)")
            self.assertNotIn(f"settings.{name}=", trial)
        self.assertIn(" -f values.yaml ", blocks[0])
        for command in re.findall(r"kubectl .* logs .*", blocks[1]):
            self.assertRegex(command, r" -l \S+ --prefix --tail=-1")
        self.assertIn("kubectl delete namespace petrosa-trial", trial)

    def test_helm_goes_back_by_itself_and_finds_its_secrets(self) -> None:
        """Without --atomic what is never ready stays; without the Secrets nothing ever is."""
        upgrades = {
            name: re.findall(r"^helm (?:upgrade|install)\b(?:.*\\\n)*.*$", text, re.M)
            for name, text in documents().items()
        }
        self.assertGreaterEqual(sum(map(bool, upgrades.values())), 3)
        for name, commands in upgrades.items():
            for command in commands:
                with self.subTest(document=name, command=command):
                    self.assertRegex(command, r"--atomic --wait-for-jobs --timeout \d+m")
        page = documents()["docs/DEPLOYMENT.md"]
        section = page[page.index("\n## Helm\n") :]
        self.assertIn("create secret generic", section[: section.index("helm upgrade")])

    def test_removing_old_settings_leaves_those_that_run(self) -> None:
        page = documents()["k8s/helm/petrosa-realtime-strategies/README.md"]
        (block,) = [b for b in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S)
                    if "delete" in b and "configMapRef" in b]  # fmt: skip
        name = "petrosa-realtime-strategies"
        there = "\n".join(f"configmap/{name}-{end}" for end in
                          ("0123456789", "abcdef0123", "dashboard", "test", "nats-0123"))  # fmt: skip
        kubectl = f"""kubectl() {{ case "$*" in *"get deployment"*) echo "$NOW" ;;
            *"get configmap"*) echo '{there}' ;; esac; }}
            xargs() {{ while read -r line; do echo "deleted $line"; done; }}\n"""
        for now, deleted in ((f"{name}-0123456789", f"deleted configmap/{name}-abcdef0123\n"),
                             ("", "")):  # fmt: skip
            done = subprocess.run(["bash", "-c", kubectl + block], env={**os.environ, "NOW": now},
                                  capture_output=True, text=True)  # fmt: skip
            self.assertEqual(done.stdout, deleted, done.stderr)

    def test_what_the_seed_named_is_there(self) -> None:
        explained = re.findall(r"^([a-z0-9-]+):.*## \S", (ROOT / "Makefile").read_text(), re.M)
        self.assertLessEqual(set(SEED_TARGETS), set(explained))

    def test_the_setup_has_the_dry_run_before_the_deployment(self) -> None:
        steps = re.findall(r"^\| \d+ \| .+$", documents()["docs/COMPLETE_SETUP_SUMMARY.md"], re.M)
        number = {word: next(n for n, step in enumerate(steps) if word in step)
                  for word in ("DRY_RUN_MODE=true", "make deploy")}  # fmt: skip
        self.assertLess(number["DRY_RUN_MODE=true"], number["make deploy"])

    def test_no_document_knows_a_machine(self) -> None:
        for name, text in documents().items():
            self.assertNotRegex(text, r"/(?:home|root|tmp/wt)/\w", name)


class Pipeline(unittest.TestCase):
    def test_it_does_what_the_workflow_does(self) -> None:
        text = (WORKFLOWS / "ci.yaml").read_text()
        in_ci = set(re.findall(r"run: make ([^},\n]+)", text))
        makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
        in_make = set(re.search(r"^PIPELINE := (.+)$", makefile, re.M)[1].split())
        self.assertEqual(in_ci, in_make)
        self.assertLessEqual(in_make, targets())

    def test_what_a_container_has_not_is_installed_before_make_runs(self) -> None:
        """The runners' own machine has git and make; Debian's image has neither."""
        jobs = yaml.safe_load((WORKFLOWS / "ci.yaml").read_text())["jobs"]
        contained = {name: job for name, job in jobs.items() if "container" in job}
        self.assertEqual(set(jobs) - set(contained), {"container"})
        for name, job in contained.items():
            first, *others = (step["run"] for step in job["steps"] if "run" in step)
            self.assertLessEqual({"git", "make", "ca-certificates"}, set(first.split()), name)
            self.assertIn("safe.directory", others[0], name)

    def test_an_image_is_published_for_each_release_and_processor(self) -> None:
        job = yaml.safe_load((WORKFLOWS / "image.yaml").read_text())["jobs"]["build"]
        built = [(row["release"], row["arch"], row["suffix"], row["runner"])
                 for row in job["strategy"]["matrix"]["include"]]  # fmt: skip
        wanted = [(release, arch, suffix, "ubuntu-24.04" + kind)
                  for release, suffix in (("bookworm", ""), ("trixie", "-trixie"))
                  for arch, kind in (("amd64", ""), ("arm64", "-arm"))]  # fmt: skip
        self.assertEqual(built, wanted)

    def test_every_workflow_may_only_read_unless_it_says_so(self) -> None:
        for path in WORKFLOWS.glob("*.yaml"):
            workflow = yaml.safe_load(path.read_text())
            self.assertEqual(workflow["permissions"], {"contents": "read"}, path.name)
            for name, job in workflow["jobs"].items():
                limited = "timeout-minutes" in job or job.get("uses", "").startswith("./")
                self.assertTrue(limited, f"{path.name}: {name}")

    def test_actions_have_their_version_in_a_comment(self) -> None:
        for path in WORKFLOWS.glob("*.yaml"):
            for line in path.read_text().splitlines():
                if "uses:" in line and "uses: ./" not in line:
                    self.assertRegex(line, r"@[0-9a-f]{40}  # v\d+\.\d+\.\d+$", path.name)

    def test_what_anybody_types_is_not_run(self) -> None:
        """Names of branches and inputs reach a shell as variables only."""
        for path in WORKFLOWS.glob("*.yaml"):
            for job in yaml.safe_load(path.read_text())["jobs"].values():
                for step in job.get("steps", []):
                    spliced = re.findall(r"\$\{\{ *(\w+)", step.get("run", ""))
                    self.assertLessEqual(set(spliced), {"matrix"}, path.name)


if __name__ == "__main__":
    unittest.main()
