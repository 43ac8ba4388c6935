"""Questions about one picture: what the first costs, and what the others do.

Played on scripted models: 2.3 ms to read a token, as on a board, and an encoder of 196 tokens that takes one second
for a picture, which is a guess. The figures are those that the answers tell of themselves.
"""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.scripted import BOARD
from rkllm_providers.chat import ChatMessage, Finish, ImagePart
from rkllm_providers.emulator import write_vision_encoder
from rkllm_providers.engine import EngineLimits, EngineRegistry
from rkllm_providers.models import Catalog

TURNS: Final = 3
N_TOKENS: Final = 196
ENCODE_MS: Final = 1000
PIXELS: Final = (1200, 900)
VERSIONS: Final = ("1.2.3", "1.3.0")
SCRIPT: Final = (
    f"#!rkllm-script 1\n{BOARD}context 4096\n"
    'control "<|vision_start|>" "<|vision_end|>" "<|image_pad|>"\n'
    'rule *\n  text "{n_pictures} seen"\nend\n'
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one question took."""

    encoded: int
    encode_ms: float
    read: int
    seconds: float


def main() -> None:
    print(f"{TURNS} questions about one picture of {PIXELS[0]} x {PIXELS[1]} pixels, {N_TOKENS} tokens")
    print(f"{'runtime':<10}{'kept':<8}{'turn':>5}{'encoded':>9}{'encode ms':>11}{'read':>8}{'s to first token':>18}")
    for version in VERSIONS:
        for kept in (True, False):
            for number, turn in enumerate(ask(version, kept=kept), 1):
                print(
                    f"{version:<10}{'yes' if kept else 'no':<8}{number:>5}{turn.encoded:>9}{turn.encode_ms:>11.0f}"
                    f"{turn.read:>8}{turn.seconds:>18.2f}"
                )


def ask(version: str, *, kept: bool) -> list[Turn]:
    """The turns of one conversation, with encoded pictures kept or thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "qwen2-vl-2b.rkllm")
        path.write_text(SCRIPT)
        write_vision_encoder(path.with_suffix(".rknn"), 392, 392, n_tokens=N_TOKENS, n_embd=64, run_ms=ENCODE_MS)
        registry = EngineRegistry()
        limits = EngineLimits(picture_cache=64 << 20 if kept else 1)
        client = registry.acquire(Catalog(path.parent).find(path), runtime_version=version, limits=limits)
        messages = [ChatMessage("user", ("What is in it?", picture()))]
        turns: list[Turn] = []
        try:
            for _ in range(TURNS):
                result = client.complete(messages)
                turns.append(_turn(result.finish))
                messages += [ChatMessage("assistant", result.text), ChatMessage("user", "And what else?")]
        finally:
            registry.close()
        return turns


def picture() -> ImagePart:
    """A JPEG of noise, which no other run has seen."""
    from PIL import Image

    file = io.BytesIO()
    Image.frombytes("RGB", PIXELS, os.urandom(PIXELS[0] * PIXELS[1] * 3)).save(file, "JPEG")
    return ImagePart(file.getvalue(), "image/jpeg")


def _turn(finish: Finish) -> Turn:
    usage, timings = finish.usage, finish.timings
    read = usage.prompt_tokens - usage.cached_tokens
    return Turn(timings.encoded_pictures, timings.encode_ms, read, (timings.encode_ms + timings.prefill_ms) / 1000)


if __name__ == "__main__":
    main()
