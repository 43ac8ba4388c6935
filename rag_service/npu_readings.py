"""What a board's kernel tells of its NPU: load, frequency, temperature. Elsewhere nothing is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The vendor's driver: "NPU load:  Core0: 12%, Core1:  0%, Core2:  0%," (older ones: "NPU load:  12%").
_LOADS: Final = ("sys/kernel/debug/rknpu/load", "proc/rknpu/load")
_FREQUENCIES: Final = "sys/class/devfreq/*npu*/cur_freq"
_ZONES: Final = "sys/class/thermal/thermal_zone*"
_CORE: Final = re.compile(r"Core(\d+):\s*(\d+)%")
_WHOLE: Final = re.compile(r"NPU load:\s*(\d+)%")
_MOST_CHARACTERS: Final = 4096


@dataclass(frozen=True, slots=True)
class NPUReadings:
    """``loads`` are shares (0..1) by core, ``frequency`` is in hertz, ``temperature`` in degrees Celsius."""

    loads: dict[str, float]
    frequency: float | None
    temperature: float | None


def read_npu(root: Path = Path("/")) -> NPUReadings:
    """What is told now, below a root folder."""
    return NPUReadings(_loads(root), _frequency(root), _temperature(root))


def parse_load(text: str) -> dict[str, float]:
    """The load of each core, as the driver writes it; under ``all`` where it does not tell them apart."""
    cores = {core: min(int(percent), 100) / 100 for core, percent in _CORE.findall(text)}
    if cores:
        return cores
    whole = _WHOLE.search(text)
    return {} if whole is None else {"all": min(int(whole[1]), 100) / 100}


def _loads(root: Path) -> dict[str, float]:
    for name in _LOADS:
        text = _text(root / name)
        if text is not None:
            return parse_load(text)
    return {}


def _frequency(root: Path) -> float | None:
    return next((value for path in sorted(root.glob(_FREQUENCIES)) if (value := _number(path)) is not None), None)


def _temperature(root: Path) -> float | None:
    for zone in _npu_zones(root):
        value = _number(zone / "temp")
        if value is not None:
            return value / 1000
    return None


def _npu_zones(root: Path) -> Iterator[Path]:
    for zone in sorted(root.glob(_ZONES)):
        if "npu" in (_text(zone / "type") or ""):
            yield zone


def _number(path: Path) -> float | None:
    text = (_text(path) or "").strip()
    return float(text) if re.fullmatch(r"-?\d{1,15}", text, re.ASCII) else None


def _text(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_CHARACTERS)
    except OSError:
        return None  # no such device, or not for this user
