"""Two conversations of 2,000 tokens that take turns on one model, with their states kept in files and without.

Played on scripted models with a board's costs: 2.3 ms to read a token, 115 kB of state per token (really written),
and what a disk takes for them on top; the first guess of a disk's speed is that disk's too. States are kept where
that is worth it (`auto`).
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.scripted import BOARD, prefilled, scripted_model
from rkllm_providers.chat import ChatMessage, Finish
from rkllm_providers.engine import EngineLimits
from rkllm_providers.engine.kept_folder import KeptFolder
from rkllm_providers.engine.kept_states import KeptStateSettings

TURNS: Final = 4
SYSTEM_WORDS: Final = 1900
STATE_BYTES: Final = 115_000
DISKS: Final = {"SD card": (20e6, 80e6), "eMMC": (120e6, 250e6), "NVMe": (800e6, 1600e6)}
"""Bytes per second, written and read; typical figures of makers and reviews."""
WORDS: Final = [f"w{number:02}" for number in range(90)]


@dataclass
class Talk:
    """What the turns after the first cost, of both conversations."""

    tokens: int = 0
    seconds: float = 0.0
    written: int = 0


def main() -> None:
    print(f"Two conversations of {SYSTEM_WORDS} tokens in turns; {TURNS - 1} turns of each after the first")
    print(f"{'states':<18}{'tokens read':>13}{'s to first token':>18}{'of without':>12}{'MB written':>12}")
    without = talk(None)
    show("not kept", without, without)
    for name, rates in DISKS.items():
        show(f"auto, {name}", talk(rates), without)


def show(name: str, talk: Talk, without: Talk) -> None:
    share = talk.seconds / without.seconds
    print(f"{name:<18}{talk.tokens:>13}{talk.seconds:>18.1f}{share:>12.2f}{talk.written / 1e6:>12.0f}")


def talk(rates: tuple[float, float] | None) -> Talk:
    written, read = rates or (1e12, 1e12)
    script = (
        f"{BOARD}context 4096\nstate_bytes {STATE_BYTES}\nsave_ms {STATE_BYTES / written * 1000:.3f}\n"
        f'load_ms {STATE_BYTES / read * 1000:.3f}\nwords {" ".join(WORDS)}\nrule *\n  text "w01 w02 w03"\nend\n'
    )
    with tempfile.TemporaryDirectory() as folder:
        if rates is not None:
            KeptFolder.probe_write_rate = lambda _: written  # type: ignore[method-assign,assignment]
        settings = KeptStateSettings("auto" if rates else "off", Path(folder))
        with scripted_model(script, limits=EngineLimits(kept_states=settings)) as client:
            result = Talk()
            for turn in range(1, TURNS + 1):
                for who in (1, 2):
                    started = time.monotonic()
                    with_first = client.stream(conversation(who, turn))
                    next(with_first)
                    seconds = time.monotonic() - started
                    *_, finish = with_first
                    if turn > 1 and isinstance(finish, Finish):
                        result.tokens += prefilled(finish)
                        result.seconds += seconds
            result.written = sum(file.stat().st_size for file in Path(folder).rglob("*.state"))
    return result


def conversation(who: int, n_turns: int) -> list[ChatMessage]:
    chance = random.Random(who)
    turns = [ChatMessage("system", " ".join(chance.choices(WORDS, k=SYSTEM_WORDS)))]
    for number in range(n_turns):
        turns.append(ChatMessage("user", f"w{10 + number} w20 w30"))
        turns.append(ChatMessage("assistant", "w01 w02 w03"))
    return turns[:-1]


if __name__ == "__main__":
    main()
