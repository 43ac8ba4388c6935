"""What models cost in memory, and how much of it they may have together."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rkllm_providers.engine.run import LoadSpec
from rkllm_providers.errors import InvalidRequest

Budget = int | Literal["auto"] | None
"""Bytes for all models together; ``"auto"`` what the machine has; ``None`` no bound."""

MIB: Final = 1 << 20
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?", re.IGNORECASE)
_LEAST_RESERVE: Final = 256 * MIB
# The KV cache of published models takes 23 KiB (135M parameters) to 147 KiB (4B) per token; a share of the
# weights is near enough for a budget, and no file tells it for certain.
_WEIGHTS_PER_TOKEN: Final = 16384
_TOKEN_BYTES: Final = (8 << 10, 128 << 10)


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """The machine's memory in bytes: all, and what new work can have."""

    total: int
    available: int

    @property
    def reserve(self) -> int:
        """What is left to everything that is no model."""
        return max(_LEAST_RESERVE, self.total // 20)


def parse_size(value: str | int | None) -> int | None:
    """Bytes of a size such as ``"3.5G"``, ``"800M"`` or ``1000000``; ``None`` for ``"off"`` or ``None``.

    Raises:
        InvalidRequest: It is none of these.
    """
    text = str(value).strip()
    if value is None or text.lower() == "off":
        return None
    found = _SIZE.fullmatch(text)
    size = int(float(found[1]) * _UNITS[found[2].lower()]) if found is not None else 0
    if size <= 0:
        raise InvalidRequest(f"{value!r} is no size; write bytes, or a number with K, M or G, or off.")
    return size


def parse_budget(value: str | int | None) -> Budget:
    """A budget: a size, ``"auto"`` or ``"off"`` (also ``None``).

    Raises:
        InvalidRequest: It is none of these.
    """
    return "auto" if str(value).strip().lower() == "auto" else parse_size(value)


def estimated_bytes(spec: LoadSpec) -> int:
    """What a model takes, by its files and its context window. Weights on an NPU are no worker's resident memory."""
    try:
        weights = os.stat(spec.model_path).st_size
        encoder = os.stat(spec.vision.encoder).st_size if spec.vision is not None else 0
    except OSError:
        return 0  # it cannot be loaded, and its worker says why
    least, most = _TOKEN_BYTES
    return weights + encoder + spec.context_length * min(most, max(least, weights // _WEIGHTS_PER_TOKEN))


def machine_memory() -> MachineMemory:
    """The machine's memory as the kernel counts it."""
    fields = _kibibytes(Path("/proc/meminfo"))
    return MachineMemory(fields["MemTotal"], fields["MemAvailable"])


def resident_bytes(pid: int | None, *, peak: bool = False) -> int:
    """Resident memory of a process, now or at its peak; 0 if it has ended."""
    if pid is None:
        return 0
    try:
        return _kibibytes(Path(f"/proc/{pid}/status")).get("VmHWM" if peak else "VmRSS", 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def words(size: int) -> str:
    """A size for people."""
    return f"{size / MIB / 1024:.1f} GiB" if size >= 1024 * MIB else f"{max(1, round(size / MIB))} MiB"


def _kibibytes(path: Path) -> dict[str, int]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) << 10 for line in lines if len(line) == 3 and line[2] == "kB"}
