"""What planting by hand (defects.py) and by rule (mutants.py) share: a copy of the source that is
changed, and its build. Both are under build/: never in the working tree, and what has stayed as it
was is not built again.
"""

import filecmp
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOWN_LINES = 20  # of what a failing command wrote


class Problem(Exception):
    """Why a run says nothing about the tests."""


def run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-SHOWN_LINES:])
        raise Problem(f"{' '.join(command)} failed:\n{end}")


@dataclass(frozen=True)
class Trial:
    work: Path

    @property
    def copy(self) -> Path:
        return self.work / "src"

    @property
    def build_folder(self) -> Path:
        return self.work / "build"

    def copy_sources(self, changed: dict[str, str] | None = None) -> None:
        """Makes the copy like the working tree, but for the files that are given with their text.
        What is alike stays untouched and is not built again; what is not, a defect of an
        interrupted run for one, is written with the time of now."""
        changed = changed or {}
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        wanted = {name for name in names.stdout.split("\0") if name and (ROOT / name).is_file()}
        for path in [path for path in self.copy.rglob("*") if path.is_file()]:
            if str(path.relative_to(self.copy)) not in wanted | set(changed):
                path.unlink()
        for name in wanted - set(changed):
            source, target = ROOT / name, self.copy / name
            if not target.is_file() or not filecmp.cmp(source, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        for name, text in changed.items():
            target = self.copy / name
            if not target.is_file() or target.read_text() != text:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)

    def configure(self, *options: str) -> None:
        launcher = "ccache" if shutil.which("ccache") else ""
        run(["cmake", "--preset", "release", "-S", str(self.copy), "-B", str(self.build_folder),
             "-DRTS_TESTS=ON", f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}", *options])  # fmt: skip

    def build(self, suites: set[str], jobs: int) -> None:
        """Each suite is a directory of tests; "<suite>_tests" is what is built."""
        run(["ninja", "-C", str(self.build_folder), "-j", str(jobs),
             *(f"{suite}_tests" for suite in sorted(suites))])  # fmt: skip
