"""A projector of a few thousand random numbers, in the form of LLaVA's, as GGUF: small enough to make for a test."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

_LAYERS, _WIDTH, _INNER, _HEADS = 2, 32, 64, 2
_ALIGNMENT = 32


def write_projector(path: Path, n_embd: int, side: int = 28, patch: int = 14) -> Path:
    """Write a projector of pictures of ``side`` pixels: ``(side / patch)²`` rows of ``n_embd`` numbers."""
    pairs: dict[str, Any] = {
        "general.architecture": "clip",
        "clip.has_vision_encoder": True,
        "clip.projector_type": "mlp",
        "clip.vision.image_size": side,
        "clip.vision.patch_size": patch,
        "clip.vision.embedding_length": _WIDTH,
        "clip.vision.feed_forward_length": _INNER,
        "clip.vision.projection_dim": n_embd,
        "clip.vision.block_count": _LAYERS,
        "clip.vision.attention.head_count": _HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-5,
        "clip.use_gelu": True,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes := _shapes(n_embd, side, patch)), len(pairs))
    head += b"".join(_text(key) + _value(value) for key, value in pairs.items())
    data = b""
    rng = np.random.default_rng(1)
    for name, shape in shapes.items():
        head += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *reversed(shape))
        head += struct.pack("<IQ", 0, len(data))
        data += _padded((rng.standard_normal(shape) * 0.1).astype("<f4").tobytes())
    path.write_bytes(_padded(head) + data)
    return path


def _shapes(n_embd: int, side: int, patch: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "v.patch_embd.weight": (_WIDTH, 3, patch, patch),
        "v.class_embd": (_WIDTH,),
        "v.position_embd.weight": ((side // patch) ** 2 + 1, _WIDTH),
        "v.pre_ln.weight": (_WIDTH,),
        "v.pre_ln.bias": (_WIDTH,),
        "mm.0.weight": (n_embd, _WIDTH),
        "mm.0.bias": (n_embd,),
        "mm.2.weight": (n_embd, n_embd),
        "mm.2.bias": (n_embd,),
    }
    for layer in range(_LAYERS):
        parts = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_out"), (_WIDTH, _WIDTH))
        parts |= {"ffn_up": (_INNER, _WIDTH), "ffn_down": (_WIDTH, _INNER)}
        for name, shape in parts.items():
            shapes[f"v.blk.{layer}.{name}.weight"] = shape
            shapes[f"v.blk.{layer}.{name}.bias"] = shape[:1]
        for name in ("ln1.weight", "ln1.bias", "ln2.weight", "ln2.bias"):
            shapes[f"v.blk.{layer}.{name}"] = (_WIDTH,)
    return shapes


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    return struct.pack("<IIQ", 9, 6, len(value)) + struct.pack(f"<{len(value)}f", *value)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)
