"""The tokens that a tokenizer puts around every text that is no chat: a beginning and an end token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rkllm_providers.models.head import Head


@dataclass(frozen=True, slots=True)
class TextFrame:
    """Token ids before and behind a text."""

    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()


def find_frame(
    config: Mapping[str, Any],
    post_processor: object,
    head: Head,
    special: Mapping[str, str],
    controls: Mapping[str, int],
    size: int,
) -> TextFrame:
    """What is put around a text: the ``tokenizer_config.json`` says, the ``tokenizer.json``, or the head.

    ``special`` are texts by name (``bos_token``), ``controls`` ids by text; ``size`` is that of the vocabulary.
    """
    made = _of_processor(post_processor)
    if made is None:
        made = TextFrame(_of_head(head, "bos"), _of_head(head, "eos"))
    start, end = (_said(config, name, special, controls) for name in ("bos", "eos"))
    sides = (made.start if start is None else start), (made.end if end is None else end)
    return TextFrame(*(tuple(token for token in side if 0 <= token < size) for side in sides))


def _said(
    config: Mapping[str, Any], name: str, special: Mapping[str, str], controls: Mapping[str, int]
) -> tuple[int, ...] | None:
    adds, text = config.get(f"add_{name}_token"), special.get(f"{name}_token")
    if name == "eos" and adds is False:
        return None  # some makers leave this at its default and add the token in tokenizer.json
    if not isinstance(adds, bool) or (adds and text not in controls):
        return None
    return (controls[text],) if adds and text is not None else ()


def _of_head(head: Head, name: str) -> tuple[int, ...]:
    token = head.values.get(f"tokenizer.ggml.{name}_token_id")
    adds = head.values.get(f"tokenizer.ggml.add_{name}_token")
    if adds is None:
        # llama.cpp's rule where a file does not say: SentencePiece vocabularies begin texts with one.
        adds = name == "bos" and head.values.get("tokenizer.ggml.model") == "llama"
    fits = isinstance(token, int) and 0 <= token < (head.vocabulary_size or 0)
    return (token,) if adds is True and fits and isinstance(token, int) else ()


def _of_processor(processor: object) -> TextFrame | None:
    """What the ``post_processor`` of a ``tokenizer.json`` puts around a single text; ``None`` without any."""
    if not isinstance(processor, dict):
        return None
    kind = processor.get("type")
    if kind == "Sequence":
        found = [_of_processor(one) for one in _list(processor.get("processors"))]
        framing = [one for one in found if one is not None and one != TextFrame()]
        return framing[0] if framing else TextFrame()
    if kind in ("BertProcessing", "RobertaProcessing"):
        return TextFrame(_second(processor.get("cls")), _second(processor.get("sep")))
    if kind != "TemplateProcessing":
        return TextFrame()
    tokens = processor.get("special_tokens")
    sides: tuple[list[int], list[int]] = ([], [])
    behind = 0
    for piece in _list(processor.get("single")):
        if not isinstance(piece, dict):
            continue
        if "Sequence" in piece:
            behind = 1
        about = piece.get("SpecialToken")
        name = about.get("id") if isinstance(about, dict) else None
        named = tokens.get(name) if isinstance(tokens, dict) and isinstance(name, str) else None
        ids = named.get("ids") if isinstance(named, dict) else None
        sides[behind].extend(token for token in _list(ids) if isinstance(token, int))
    return TextFrame(tuple(sides[0]), tuple(sides[1]))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _second(pair: object) -> tuple[int, ...]:
    return (pair[1],) if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], int) else ()
