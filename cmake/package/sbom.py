#!/usr/bin/env python3
"""What the binary is made of, as an SPDX 2.3 document: sbom.py BINARY > sbom.spdx.json

Three kinds of Debian packages: those whose shared libraries the loader finds for it (ldd); what it
reads when it runs, the certificates; and the -dev packages it was compiled against
(docker/build-packages), some of which are headers only and leave no other trace. The same source
and packages give the same document.
"""

import json
import platform
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
NAME = "petrosa-realtime-strategies"
HOME = "https://github.com/petrosa/petrosa-realtime-strategies"
READ = ["ca-certificates"]


def fail(text: str) -> NoReturn:
    raise SystemExit(f"sbom: {text}")


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def owner(library: str) -> str:
    """The package of a file; dpkg knows it by the path from before or after /lib became a link.
    Since Debian 13 it names diversions of it, too."""
    paths = [library, str(Path(library).resolve())]
    said = subprocess.run(["dpkg-query", "-S", *paths], capture_output=True, text=True).stdout
    found = [line for line in said.splitlines() if not line.startswith("diversion by ")]
    return found[0].split(":")[0] if found else fail(f"no package has {library}")


def linked(binary: str) -> list[str]:
    return sorted({owner(path) for path in re.findall(r"/\S+", output_of("ldd", binary))})


def compiled_against() -> list[str]:
    """Where there is a choice, what is installed of it."""
    wanted = (ROOT / "docker/build-packages").read_text().replace("/", " ").split()
    shown = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\\n", *wanted],
                           capture_output=True, text=True).stdout  # fmt: skip
    installed = {line.removesuffix(" installed") for line in shown.splitlines()}
    return sorted(name for name in wanted if name.endswith("-dev") and name in installed)


def release() -> str:
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")


def spdx_id(name: str) -> str:
    return f"SPDXRef-{re.sub('[^A-Za-z0-9.-]', '-', name)}"


def related(one: str, how: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def package(name: str) -> dict[str, Any]:
    fields = r"${Version}\t${Architecture}\t${source:Package}\t${source:Version}"
    shown = output_of("dpkg-query", "-W", f"-f={fields}", name)
    version, architecture, source, source_version = shown.split("\t")
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}"
    return {
        "SPDXID": spdx_id(name),
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"built from the Debian source package {source} {source_version}",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"{purl}?arch={architecture}&distro={release()}",
            }
        ],
    }


def document(binary: str) -> dict[str, Any]:
    said = json.loads(output_of(binary, "version", "--json"))
    seconds = int(output_of("git", "log", "-1", "--format=%ct"))
    libraries, headers = linked(binary), compiled_against()
    service = {
        "SPDXID": "SPDXRef-service",
        "name": NAME,
        "versionInfo": said["version"],
        "supplier": "Organization: Petrosa",
        "downloadLocation": f"git+{HOME}@{said['commit']}",
        "filesAnalyzed": False,
        "licenseConcluded": "MIT",
        "licenseDeclared": "MIT",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
    }

    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{NAME}-{said['version']}",
        "documentNamespace": f"{HOME}/sbom/{said['commit']}",
        "creationInfo": {
            "created": datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [f"Tool: {NAME}-sbom"],
        },
        "packages": [service, *(package(name) for name in [*libraries, *READ, *headers])],
        "relationships": [
            related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-service"),
            *(related("SPDXRef-service", "DYNAMIC_LINK", spdx_id(n)) for n in libraries),
            *(related(spdx_id(n), "RUNTIME_DEPENDENCY_OF", "SPDXRef-service") for n in READ),
            *(related(spdx_id(n), "BUILD_DEPENDENCY_OF", "SPDXRef-service") for n in headers),
        ],
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        fail("say which binary")
    print(json.dumps(document(str(Path(sys.argv[1]).resolve())), indent=1))
