"""Makes .venv-openwebui: an Open WebUI in its slim variant, and what drives its page.

It is apart from .venv: Open WebUI pins hundreds of packages, and this project depends on none of them. About 1 GB. A
second run installs nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from environment import install, make_venv

VERSION: Final = "0.12.4"
"""Of Open WebUI; its slim variant comes with a list of requirements of its own."""
# Playwright comes with its driver, and drives the Chromium that is installed. The other one is for chat events.
DRIVERS: Final = ("playwright>=1.60", "websocket-client>=1.8")
VENV: Final = Path(__file__).resolve().parent.parent / ".venv-openwebui"
STAMP: Final = VENV / "installed.json"
PYTHON: Final = VENV / "bin" / "python"


def main() -> int:
    """Bring the environment up to date; return an exit code."""
    wanted = {"open-webui": VERSION, "python": sys.version, "drivers": list(DRIVERS)}
    if read_stamp() == wanted and PYTHON.exists():
        return 0
    if sys.version_info >= (3, 13):
        print(
            f"Open WebUI {VERSION} needs Python 3.11 or 3.12: make test-openwebui PYTHON=python3.12", file=sys.stderr
        )
        return 1
    print(f"Installing Open WebUI {VERSION} into {VENV.name}: about 1 GB, some minutes.", flush=True)
    make_venv(VENV)
    with tempfile.TemporaryDirectory() as folder:
        wheel = download(Path(folder))
        requirements = Path(folder) / "requirements.txt"
        requirements.write_bytes(slim_requirements(wheel))
        install(["--requirement", str(requirements)], PYTHON)
        install(["--no-deps", str(wheel)], PYTHON)
    install(list(DRIVERS), PYTHON)
    STAMP.write_text(json.dumps(wanted))
    return 0


def read_stamp() -> object:
    """What the last run installed; nothing if it left no word of it."""
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return None


def download(folder: Path) -> Path:
    """Open WebUI's wheel without what it depends on."""
    command = [str(PYTHON), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    done = subprocess.run([*command, f"open-webui=={VERSION}"], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        sys.exit(f"{done.stderr}Open WebUI {VERSION} could not be downloaded; pip's last lines are above.")
    return wheels[0]


def slim_requirements(wheel: Path) -> bytes:
    """The list of requirements of the slim variant, which lies in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith("requirements-slim.txt")]
        if not names:
            sys.exit(f"{wheel.name} has no requirements-slim.txt: this version has no slim variant.")
        return archive.read(names[0])


if __name__ == "__main__":
    sys.exit(main())
