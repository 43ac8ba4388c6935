"""Families of models that see pictures: what stands around a picture's rows in a prompt, as data.

The facts are those of the vendor's samples and release notes. Where there are none, there are none here: such a
family needs a ``[vision]`` table in ``model.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.runtime.parameters import Markers

ENCODER_DOMAIN: Final = 0
"""The NPU memory domain that an encoder lies in; ``librknnrt.so`` lets nobody choose another."""

# The vendor's multimodal sample puts the decoder into the next domain where the chip has several.
_DECODER_DOMAINS: Final[Mapping[str, int]] = {"rk3588": 1, "rk3576": 1, "rk3562": 0, "rv1126b": 0}


@dataclass(frozen=True, slots=True)
class VisionFamily:
    """Models whose pictures are given to the decoder in one way.

    ``start``, ``end`` and ``content`` are the texts around a picture's rows and of the token they stand for;
    ``None`` where nobody published them. ``image_size`` is the width and height in pixels that the vendor's sample
    scales pictures to; an encoder's own input size is what counts. ``since`` is the first runtime that is known to
    run the family, ``several_images`` the first that takes several pictures at once. ``architectures`` are values of
    ``general.architecture`` (a model's head) and ``model_type`` (config.json), ``name_hints`` beginnings of file
    names.
    """

    name: str
    start: str | None
    end: str | None
    content: str | None
    image_size: int | None = None
    since: str | None = None
    several_images: str = "1.2.1b1"
    architectures: frozenset[str] = frozenset()
    name_hints: tuple[str, ...] = ()
    notes: str = ""

    @property
    def markers(self) -> Markers:
        """The three texts as the runtime takes them; unknown ones are empty."""
        return Markers(self.start or "", self.end or "", self.content or "")

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those of the three texts that nobody published."""
        return tuple(name for name in ("start", "end", "content") if getattr(self, name) is None)


_QWEN: Final = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>")

VISION_FAMILIES: Final = (
    VisionFamily(
        "qwen2-vl",
        *_QWEN,
        392,
        since="1.1.4",
        architectures=frozenset({"qwen2vl", "qwen2_vl"}),
        name_hints=("qwen2-vl",),
    ),
    VisionFamily(
        "qwen2.5-vl",
        *_QWEN,
        392,
        architectures=frozenset({"qwen2_5_vl", "qwen25vl"}),
        name_hints=("qwen2.5-vl", "qwen2-5-vl"),
    ),
    VisionFamily(
        "qwen3-vl",
        *_QWEN,
        448,
        since="1.2.3",
        several_images="1.3.0",
        architectures=frozenset({"qwen3vl", "qwen3_vl"}),
        name_hints=("qwen3-vl",),
        notes="The encoder has several outputs. Several pictures are told apart wrongly before 1.3.0.",
    ),
    VisionFamily(
        "qwen3.5",
        *_QWEN,
        448,
        since="1.3.0",
        several_images="1.3.0",
        architectures=frozenset({"qwen35", "qwen3_5"}),
        name_hints=("qwen3.5", "qwen3-5"),
        notes="The runtime reuses no KV cache with this family.",
    ),
    VisionFamily(
        "internvl3",
        "<img>",
        "</img>",
        "<IMG_CONTEXT>",
        448,
        architectures=frozenset({"internvl", "internvl_chat"}),
        name_hints=("internvl3",),
    ),
    VisionFamily(
        "minicpm-v",
        "<image>",
        "</image>\n",
        "<unk>",
        448,
        architectures=frozenset({"minicpmv"}),
        name_hints=("minicpm-v",),
    ),
    VisionFamily(
        "deepseek-ocr",
        "",
        "",
        "<｜▁pad▁｜>",
        448,
        since="1.2.3",
        name_hints=("deepseek-ocr", "deepseekocr"),
    ),
    VisionFamily(
        "smolvlm",
        "",
        "",
        "<image>",
        512,
        architectures=frozenset({"smolvlm"}),
        name_hints=("smolvlm",),
    ),
    VisionFamily(
        "janus",
        None,
        None,
        None,
        name_hints=("janus",),
        notes="The vendor's samples have no markers for it.",
    ),
)
VISION_FAMILY_BY_NAME: Final[Mapping[str, VisionFamily]] = {family.name: family for family in VISION_FAMILIES}


def decoder_domain(platform: str | None) -> int:
    """The NPU memory domain for a decoder beside an encoder, on a chip such as ``rk3588``; 1 where it is unknown."""
    return _DECODER_DOMAINS.get((platform or "").lower(), 1)


def find_vision_family(
    name: str,
    overrides: Mapping[str, Any] | None = None,
    *,
    architectures: Iterable[str] = (),
    toml: str = "model.toml",
) -> VisionFamily:
    """The family of a model, with what its owner wrote in place of the table's.

    Told by ``overrides`` (the ``[vision]`` of ``model.toml``), else by ``architectures``, else by how the model's
    file or id is named. A name is enough here, unlike for a text model's family: that the model sees is certain from
    the encoder beside it, and models with one name have one set of markers.

    Raises:
        InvalidRequest: The family, or a marker of it, is not known; the error tells what to write into ``toml``.
    """
    written = dict(overrides or {})
    family, _ = tell_vision_family(name, written.get("family"), architectures)
    texts: dict[str, Any] = {key: written[key] for key in ("start", "end", "content") if key in written}
    if family is None:
        if len(texts) < 3:
            raise InvalidRequest(_what_to_write(f"It is not known to which family {name!r} belongs", texts, toml))
        return VisionFamily("own", **texts)
    family = replace(family, **texts)
    if family.unknown:
        raise InvalidRequest(
            _what_to_write(f"The markers of the family {family.name} are not published", texts, toml)
        )
    return family


def tell_vision_family(
    name: str, written: str | None, architectures: Iterable[str]
) -> tuple[VisionFamily | None, str]:
    """The family as the table has it, and what told it; ``None`` where nothing does.

    ``written`` is the owner's word, one of the table's names.
    """
    if written is not None:
        return VISION_FAMILY_BY_NAME[written], "[vision]"
    for word in architectures:
        for family in VISION_FAMILIES:
            if word.lower() in family.architectures:
                return family, f"the architecture {word}"
    plain = re.sub(r"[\s_-]+", "-", name.strip().lower())
    hinted = [
        (len(hint), family) for family in VISION_FAMILIES for hint in family.name_hints if plain.startswith(hint)
    ]
    return (max(hinted, key=lambda found: found[0])[1], "the file's name") if hinted else (None, "")


def _what_to_write(problem: str, texts: Mapping[str, str], toml: str) -> str:
    usable = ", ".join(family.name for family in VISION_FAMILIES if not family.unknown)
    missing = ", ".join(f'{key} = "…"' for key in ("start", "end", "content") if key not in texts)
    return (
        f"{problem}, so no pictures can be given to it. Into [vision] of {toml} write family = one of {usable}, "
        f"or the texts around its pictures: {missing} (empty texts where it has none)."
    )
