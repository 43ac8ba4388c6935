"""What is known of whole families of models, as data: markers, template, capabilities, sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do beyond text in, text out."""

    thinking: bool = False
    tools: bool = False
    vision: bool = False
    embedding: bool = False
    reranking: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Models that share a prompt format.

    ``architectures`` are the values of ``general.architecture`` (GGUF, .rkllm) and ``model_type``
    (config.json) that tell it. ``control_texts`` are the texts of its control tokens, markers of thinking and
    tools included; ``end_texts`` are those of them that end an answer. ``template`` is a Jinja chat
    template in the family's format, ``special_tokens`` its variables such as ``bos_token``. ``sampling``
    has what its makers recommend, under the names of ``GenerateOptions``. ``source`` says where the facts are from.
    """

    name: str
    architectures: frozenset[str]
    template: str
    control_texts: tuple[str, ...]
    end_texts: tuple[str, ...]
    capabilities: Capabilities = field(default_factory=Capabilities)
    sampling: Mapping[str, float] = field(default_factory=dict)
    special_tokens: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
