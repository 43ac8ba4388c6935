"""How a model embeds and ranks: what is put around a text, and which of its results counts.

Taken from the files of the original model, in the form that sentence-transformers gives them, from the
model's head and from what is known of its family; ``model.toml`` has the last word, key by key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from rkllm_providers.models.families import Family
from rkllm_providers.models.head import Head
from rkllm_providers.models.overrides import Overrides
from rkllm_providers.models.side_files import POOLING, SENTENCE_CONFIG, SideFileError, read_object

Pooling = Literal["last", "mean"]
INSTRUCTION: Final = "{instruction}"

# llama.cpp's kinds of pooling, as ``ARCHITECTURE.pooling_type`` has them.
_HEAD_POOLINGS: Final[Mapping[int, Pooling]] = {1: "mean", 3: "last"}
_FILE_POOLINGS: Final[Mapping[str, Pooling]] = {
    "pooling_mode_lasttoken": "last",
    "pooling_mode_mean_tokens": "mean",
}
# A prefix with a task in it, as several makers of embedding models publish it.
_INSTRUCTED: Final = re.compile(r"(Instruct: )(.+)(\nQuery: ?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EmbeddingRecipe:
    """How a text becomes a vector.

    ``pooling`` says whether the last token's hidden state counts or the mean of all. A query stands behind
    ``query_prefix``, in which ``{instruction}`` is what the caller says or else ``instruction``; a document
    behind ``document_prefix``. ``end`` is the control token that ends every text.
    """

    pooling: Pooling = "mean"
    query_prefix: str = ""
    document_prefix: str = ""
    instruction: str = ""
    end: str = ""
    normalize: bool = True
    source: str = "the default"

    @property
    def takes_instruction(self) -> bool:
        """Whether there is a place for one in front of queries."""
        return INSTRUCTION in self.query_prefix


@dataclass(frozen=True, slots=True)
class RerankingRecipe:
    """How a pair is judged: the ``prompt`` that is answered with one of two tokens.

    ``prompt`` holds ``{query}``, ``{document}`` and perhaps ``{instruction}``; its other text is the model's
    format, control tokens included. ``yes`` and ``no`` are texts or ids of tokens.
    """

    prompt: str
    instruction: str = ""
    yes: int | str = "yes"
    no: int | str = "no"
    source: str = ""


def choose_embedding(
    overrides: Overrides,
    folder: Path,
    head: Head,
    family: Family | None,
    known: Mapping[str, EmbeddingRecipe],
    notes: list[str],
) -> tuple[EmbeddingRecipe, str | None]:
    """How a model embeds, and what says that it is meant to, if anything does.

    ``known`` are recipes by family; ``notes`` gets what is wrong with the files.
    """
    recipe = EmbeddingRecipe()
    evidence: str | None = None
    if family is not None and family.name in known:
        recipe, evidence = known[family.name], f"family {family.name}"
    if head.embeds is not None and head.values[head.embeds] in _HEAD_POOLINGS:
        pooling = _HEAD_POOLINGS[head.values[head.embeds]]
        recipe = replace(recipe, pooling=pooling, source=f"{head.embeds} in the model's head")
    written, sources = _from_files(folder, notes)
    if written:
        evidence = " and ".join(sources)
        recipe = replace(recipe, **written, source=evidence)
    if overrides.embedding:
        files = dict.fromkeys(overrides.sources[f"embedding.{name}"] for name in overrides.embedding)
        recipe = replace(recipe, **overrides.embedding, source=", ".join(files))
    return recipe, evidence


def choose_reranking(
    overrides: Overrides, family: Family | None, known: Mapping[str, RerankingRecipe]
) -> RerankingRecipe | None:
    """How a model ranks; ``None`` where nothing says how."""
    recipe = known.get(family.name) if family is not None else None
    written: dict[str, Any] = dict(overrides.reranking)
    if not written:
        return recipe
    files = ", ".join(dict.fromkeys(overrides.sources[f"reranking.{name}"] for name in written))
    if recipe is None and "prompt" not in written:
        return None
    return replace(recipe or RerankingRecipe(""), **written, source=files)


def _from_files(folder: Path, notes: list[str]) -> tuple[dict[str, Any], list[str]]:
    """What the files of sentence-transformers beside a model say."""
    written: dict[str, Any] = {}
    sources: list[str] = []
    config = _object(folder, SENTENCE_CONFIG, notes)
    prompts = config.get("prompts")
    if isinstance(prompts, dict):
        query, document = prompts.get("query"), prompts.get("document", prompts.get("passage"))
        if isinstance(query, str):
            found = _INSTRUCTED.fullmatch(query)
            written["query_prefix"] = f"{found[1]}{INSTRUCTION}{found[3]}" if found else query
            written["instruction"] = found[2] if found else ""
        if isinstance(document, str):
            written["document_prefix"] = document
    if written:
        sources.append(SENTENCE_CONFIG)
    pooling = _object(folder, POOLING, notes)
    if pooling:
        chosen = [kind for name, kind in _FILE_POOLINGS.items() if pooling.get(name) is True]
        if len(chosen) == 1:
            written["pooling"] = chosen[0]
            sources.append(POOLING)
        else:
            notes.append(f"{folder / POOLING} asks for a pooling that is neither of the last token nor of the mean.")
    return written, sources


def _object(folder: Path, name: str, notes: list[str]) -> dict[str, Any]:
    try:
        return read_object(folder, name) or {}
    except SideFileError as error:
        notes.append(f"{error} It is left out.")
        return {}
