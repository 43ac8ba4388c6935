"""Makes .venv and installs this package into it with the extras that are named as arguments.

A second run with nothing changed installs nothing. llama-cpp-python has no wheels and is compiled
first, with its progress shown; pip keeps the wheel, so that the next environment gets it at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
PYTHON = VENV / "bin" / "python"

# The compiled wheel stays in pip's cache, so it must not use instructions that only the compiling
# machine has. x86: what every processor since 2013-2015 has (x86-64-v3). ARM: plain ARMv8.
BASELINE = "-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF"
X86_V3_FLAGS = ("AVX", "AVX2", "FMA", "F16C", "BMI2")
PROGRESS = re.compile(r"\[(\d+)/(\d+)\]")


def main(extras: list[str]) -> int:
    """Bring .venv up to date; return an exit code."""
    project = ROOT / "pyproject.toml"
    digest = hashlib.sha256(project.read_bytes()).hexdigest()
    installed = read_stamp()
    same = installed.get("pyproject") == digest and installed.get("python") == sys.version
    if same and set(extras) <= set(installed["extras"]) and PYTHON.exists():
        return 0
    if not has_pip() or installed.get("python") not in (None, sys.version):
        make_venv(VENV)
        installed = {}
    wanted = sorted({*extras, *installed.get("extras", [])})
    print(f"Installing into {VENV.name} with the extras {', '.join(wanted)}.", flush=True)
    if "cpu" in wanted:
        compile_llama(tomllib.loads(project.read_text())["project"]["optional-dependencies"]["cpu"])
    install(["--editable", f"{ROOT}[{','.join(wanted)}]"])
    STAMP.write_text(json.dumps({"pyproject": digest, "python": sys.version, "extras": wanted}))
    return 0


def read_stamp() -> dict[str, Any]:
    """What the last run installed; nothing if it left no word of it."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and isinstance(stamp.get("extras"), list) else {}


def has_pip() -> bool:
    """Whether .venv is whole: Debian leaves one without pip where python3-venv is missing."""
    if not PYTHON.exists():
        return False
    return subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def make_venv(folder: Path) -> None:
    """Make a virtual environment with the Python that runs this script."""
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        print(made.stdout + made.stderr, file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit("The virtual environment could not be made. On Debian and Ubuntu: apt install python3-venv")


def compile_llama(requirements: list[str]) -> None:
    """Install llama-cpp-python, compiling it unless pip has a wheel of it."""
    requirement = next(name for name in requirements if name.startswith("llama-cpp-python"))
    options = []
    cmake = os.environ.get("CMAKE_ARGS", "")
    if platform.machine() in ("x86_64", "AMD64"):
        modern = has_x86_v3()
        cmake += "".join(f" -DGGML_{flag}={'ON' if modern else 'OFF'}" for flag in X86_V3_FLAGS)
        if not modern:
            # An older processor: its build must neither come from the cache nor go into it.
            options = ["--no-cache-dir"]
    environment = os.environ | {"CMAKE_ARGS": f"{BASELINE} {cmake}".strip(), "PYTHONUNBUFFERED": "1"}
    command = [str(PYTHON), "-m", "pip", "install", "--verbose", *options, requirement]
    started = time.monotonic()
    kept: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, errors="replace"
    ) as pip:
        if pip.stdout is None:
            raise RuntimeError("pip's output is not a pipe.")
        show_progress(keep(iter(pip.stdout), kept), started)
    if pip.returncode:
        print("".join(kept), file=sys.stderr)
        sys.exit("llama-cpp-python could not be installed. A C and a C++ compiler are needed: apt install gcc g++")


def has_x86_v3() -> bool:
    """Whether this processor has the instructions of the baseline."""
    try:
        flags = Path("/proc/cpuinfo").read_text().lower().split()
    except OSError:
        return False
    return all(flag.lower() in flags for flag in X86_V3_FLAGS)


def keep(lines: Iterator[str], kept: list[str], most: int = 60) -> Iterator[str]:
    """Pass lines on, and keep the last of them for an error message."""
    for line in lines:
        kept.append(line)
        del kept[:-most]
        yield line


def show_progress(lines: Iterator[str], started: float) -> None:
    """Show what pip does in one line that moves, or on a log now and then a new one."""
    moving = sys.stdout.isatty()
    shown = -1
    for line in lines:
        found = PROGRESS.search(line)
        if found is None:
            continue
        done, total = int(found[1]), int(found[2])
        step = done if moving else done * 10 // total
        if step != shown:
            shown = step
            text = f"Compiling llama.cpp (once, 5 to 10 minutes on two cores): {done}/{total} files"
            print(f"{text}, {time.monotonic() - started:.0f} s", end="\r" if moving else "\n", flush=True)
    if shown >= 0 and moving:
        print(flush=True)


def install(arguments: list[str], python: Path = PYTHON) -> None:
    """Run pip of an environment, naming each package as it comes."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    kept: list[str] = []
    moving = sys.stdout.isatty()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        if pip.stdout is None:
            raise RuntimeError("pip's output is not a pipe.")
        for line in keep(iter(pip.stdout), kept):
            if moving and line.startswith(("Collecting", "Installing", "Building")):
                print(f"  {line.strip()[:70]:<70}", end="\r", flush=True)
    if moving:
        print(" " * 74, end="\r")
    if pip.returncode:
        print("".join(kept), file=sys.stderr)
        sys.exit("The packages could not be installed; pip's last lines are above.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
