"""What a family of models is, and how a model's family is told. The families are data in ``families_table``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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

    Several families share an architecture. ``marks`` are texts that the vocabulary and the template of a
    model of this family both hold, ``vocabulary_marks`` are in its vocabulary, and ``foreign_marks`` in neither.
    ``name_hints`` are beginnings of file names; they never tell a family, they are only good for a question.
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
    marks: frozenset[str] = frozenset()
    vocabulary_marks: frozenset[str] = frozenset()
    foreign_marks: frozenset[str] = frozenset()
    name_hints: tuple[str, ...] = ()


def tell_family(
    families: Iterable[Family],
    architecture: str | None,
    vocabulary: Collection[str] | None,
    template: str | None,
) -> Family | None:
    """The one family of this architecture that fits the vocabulary and the template, as far as they are known.

    ``vocabulary`` are the texts of the model's added tokens. ``None`` where several fit, or none does.
    """
    if not architecture:
        return None
    fitting = [
        family
        for family in families
        if architecture.lower() in family.architectures and _fits(family, vocabulary, template)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _fits(family: Family, vocabulary: Collection[str] | None, template: str | None) -> bool:
    if vocabulary is not None:
        wanted = family.marks | family.vocabulary_marks
        if not all(mark in vocabulary for mark in wanted):
            return False
        if any(mark in vocabulary for mark in family.foreign_marks):
            return False
    if template is not None:
        if not all(mark in template for mark in family.marks):
            return False
        if any(mark in template for mark in family.foreign_marks):
            return False
    return True


def hinted_family(families: Iterable[Family], name: str) -> Family | None:
    """The family whose models have names that begin like this one. Only good for asking whether it is it."""
    best: tuple[int, Family] | None = None
    for family in families:
        for hint in family.name_hints:
            if name.lower().startswith(hint) and (best is None or len(hint) > best[0]):
                best = len(hint), family
    return best[1] if best is not None else None
