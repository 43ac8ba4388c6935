"""Pictures of one colour, and scripted models that say what they saw of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from rkllm_providers.chat import ChatMessage, ImagePart
from rkllm_providers.emulator import write_vision_encoder

CONTROLS = 'control "<|vision_start|>" "<|vision_end|>" "<|image_pad|>"\n'
TELLS = CONTROLS + 'rule *\n  text "{n_pictures} seen: {pictures}"\nend\n'
N_TOKENS = 4


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (32, 32)) -> ImagePart:
    """A PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return ImagePart(file.getvalue(), "image/png")


RED, GREEN = picture((255, 0, 0)), picture((0, 255, 0))


def write_seeing_model(
    write: Callable[..., Path],
    script: str = TELLS,
    *,
    name: str = "qwen2-vl-2b",
    n_tokens: int = N_TOKENS,
    n_embd: int = 64,
    n_outputs: int = 1,
    faults: tuple[str, ...] = (),
) -> Path:
    """A scripted model with a scripted encoder beside it."""
    path = write(script, name)
    write_vision_encoder(
        path.with_suffix(".rknn"), n_tokens=n_tokens, n_embd=n_embd, n_outputs=n_outputs, faults=faults
    )
    return path


def seen(answer: str) -> list[str]:
    """The colours of the pictures that reached a decoder of ``TELLS``, each whole and in the encoder's size."""
    number, _, told = answer.partition(" seen: ")
    pictures = told.split("; ") if told else []
    assert number == str(len(pictures)), answer
    assert all(one.startswith(f"tokens={N_TOKENS} size=28x28 rows=") for one in pictures), answer
    return [one.rpartition("=")[2] for one in pictures]


def ask(text: str, *pictures: ImagePart) -> ChatMessage:
    """A question about pictures, which come first."""
    return ChatMessage("user", (*pictures, text))
