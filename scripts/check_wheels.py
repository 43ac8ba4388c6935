"""See that everything a board installs comes as a wheel for it, so that nobody needs a compiler there.

``python scripts/check_wheels.py [EXTRA ...]`` resolves the package with those extras (by default all that a board
has use for) for an aarch64 board, once for each Python version, with wheels only. It exits with 1 and pip's reason
where that cannot be done, and says which versions it got. It needs a package index, and installs nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PYTHONS: Final = ("3.11", "3.12", "3.13")
# Debian 12 and Ubuntu 22.04, which boards run, have glibc 2.36 and 2.35; wheels for older ones run there too.
PLATFORMS: Final = (
    "manylinux_2_34_aarch64",
    "manylinux_2_28_aarch64",
    "manylinux_2_17_aarch64",
    "manylinux2014_aarch64",
)
EXTRAS: Final = ("langchain", "llama-index", "remote", "retrieval", "service", "vision")
# Published as source only, and of no use where there is an NPU.
WITHOUT_WHEELS: Final = ("llama-cpp-python",)


def main(extras: list[str]) -> int:
    """Check every Python version; the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = requirements(project, extras or list(EXTRAS))
    failed = False
    for python in PYTHONS:
        found, problem = resolve(needed, python)
        failed |= problem is not None
        print(f"Python {python}: {problem or f'{len(found)} wheels'}")
        if found:
            print("  " + ", ".join(found))
    return int(failed)


def requirements(project: dict[str, Any], extras: list[str]) -> list[str]:
    """What the package and these extras ask for; an extra that names others of this package brings theirs."""
    optional = project["optional-dependencies"]
    unknown = sorted(set(extras) - set(optional))
    if unknown:
        raise SystemExit(f"There are no extras {', '.join(unknown)}; there are {', '.join(sorted(optional))}.")
    needed, waiting, seen = list(project["dependencies"]), list(extras), set[str]()
    own = f"{project['name']}["
    while waiting:
        extra = waiting.pop()
        if extra in seen:
            continue
        seen.add(extra)
        for one in optional[extra]:
            if one.startswith(own):
                waiting += [name.strip() for name in one[len(own) : one.index("]")].split(",")]
            elif not one.startswith(WITHOUT_WHEELS):
                needed.append(one)
    return sorted(set(needed))


def resolve(needed: list[str], python: str) -> tuple[list[str], str | None]:
    """The wheels that pip would install on a board, or why it cannot."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-input", "--ignore-installed"]
        command += ["--target", folder, "--only-binary", ":all:", "--python-version", python, *platforms]
        done = subprocess.run(
            [*command, "--report", str(report), *needed], capture_output=True, text=True, check=False
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            return [], " ".join(lines) or f"pip ended with {done.returncode}"
        installed = json.loads(report.read_text())["install"]
    return sorted(f"{one['metadata']['name']} {one['metadata']['version']}" for one in installed), None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
