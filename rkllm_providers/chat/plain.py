"""Texts to what the model is run on where no chat is meant: completions, texts to embed, pairs to rank.

No chat template is in play. Callers' text stays text all the same: only a recipe's own words, and a prompt
whose author asks for it, hold control tokens.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import Final, Literal

from rkllm_providers.chat.conversation import encodable
from rkllm_providers.chat.prompt_types import Prompt, TextPrompt
from rkllm_providers.chat.token_estimates import estimate_tokens, most_tokens, refuse_hopeless
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from rkllm_providers.models import ModelCard
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.recipes import INSTRUCTION, EmbeddingRecipe

TextKind = Literal["query", "document"]

MOST_TEXTS: Final = 2048
"""How many texts a request may have."""

_CUT_FACTOR: Final = 8  # characters per token that a text rarely has
_LEAST_CUT: Final = 20_000
_PLACES: Final = re.compile(r"\{(instruction|query|document)\}")


def build_plain_prompt(card: ModelCard, text: str, *, parse_special: bool = False) -> Prompt:
    """A text for the model to go on from, without a chat template.

    With ``parse_special`` the texts of control tokens in it are control tokens; else they are text.

    Raises:
        InvalidRequest: The text is empty.
        ContextLengthExceeded: It leaves no room for an answer.
    """
    if not text:
        raise InvalidRequest("The prompt is empty; the model needs a text to go on from.", "prompt")
    guard = card.guard or card.text_guard
    shown = text = encodable(text)
    if guard is not None:
        shown = guard.trust(text) if parse_special else guard.mark(text)
    if card.guard is None:
        if card.text_guard is not None:
            shown = card.text_guard.to_text(shown)
        return _text_prompt(card, shown, None)
    refuse_hopeless(card.guard, shown, card.context_length)
    ids, start = card.guard.encode(shown), list(card.text_frame.start)
    if ids[: len(start)] != start:
        ids = start + ids
    return _token_prompt(card, ids, None)


def embedding_prompts(
    card: ModelCard,
    texts: Sequence[str],
    kind: TextKind | None = None,
    instruction: str | None = None,
    *,
    truncate: bool = False,
) -> list[Prompt]:
    """Texts with what the model needs around each; ``truncate`` cuts those that are too long at their ends.

    Raises:
        InvalidRequest: A text is empty, or the model takes no instruction.
        ContextLengthExceeded: A text does not fit; ``index`` says which.
    """
    _check_texts(texts, "texts")
    recipe = card.embedding
    prefix = _prefix(recipe, kind, instruction)
    if card.guard is None and truncate:
        raise InvalidRequest(
            f"{card.entry.id} has no tokenizer, so a text cannot be cut to its window: put the model's "
            f"tokenizer.json beside its file, or send shorter texts.",
            "truncate",
        )
    said = instruction if instruction is not None else recipe.instruction
    end = _end_ids(card.guard, recipe, card.text_frame.end) if card.guard is not None else []
    prompts: list[Prompt] = []
    for index, text in enumerate(texts):
        if card.guard is None:
            plain = _as_text(card, prefix, {"instruction": said}) + _as_text(card, "{document}", {"document": text})
            prompts.append(_text_prompt(card, plain + recipe.end if plain else "", index))
            continue
        before = _filled(card.guard, prefix, {"instruction": said})
        if truncate:
            room = card.context_length - 1 - len(card.text_frame.start) - len(end)
            ids = _cut_ids(card.guard, before, text, max(0, room))
        else:
            rendered = before + card.guard.mark(encodable(text))
            ids = _ids_of(card.guard, rendered, card.context_length, index)
        prompts.append(_token_prompt(card, [*card.text_frame.start, *ids, *end], index))
    return prompts


def reranking_prompts(
    card: ModelCard, query: str, documents: Sequence[str], instruction: str | None = None
) -> tuple[list[Prompt], tuple[int, int]]:
    """What is asked of each document, and the tokens that mean yes and no.

    Raises:
        InvalidRequest: Nothing says how the model ranks, or it takes no instruction.
        ContextLengthExceeded: A pair does not fit; ``index`` says which document's.
    """
    recipe = card.reranking
    if recipe is None:
        raise InvalidRequest(
            f"Nothing says how {card.entry.id} ranks. If it is a model like Qwen3-Reranker, write "
            f'family = "qwen3-reranker" into {card.entry.path.with_suffix(".toml").name} beside it, else its prompt '
            f"under [reranking].",
            "model",
        )
    _check_texts([query], "query")
    _check_texts(documents, "documents")
    if instruction is not None and INSTRUCTION not in recipe.prompt:
        raise InvalidRequest(f"{card.entry.id} takes no instruction for ranking.", "instruction")
    said = instruction if instruction is not None else recipe.instruction
    prompts: list[Prompt] = []
    for index, document in enumerate(documents):
        values = {"instruction": said, "query": query, "document": document}
        if card.guard is None:
            prompts.append(_text_prompt(card, _as_text(card, recipe.prompt, values), index))
            continue
        rendered = _filled(card.guard, recipe.prompt, values)
        ids = _ids_of(card.guard, rendered, card.context_length, index)
        prompts.append(_token_prompt(card, [*card.text_frame.start, *ids], index))
    return prompts, (_one_token(card, recipe.yes), _one_token(card, recipe.no))


def _check_texts(texts: Sequence[str], param: str) -> None:
    if isinstance(texts, str):
        raise InvalidRequest(f"{param} is one text; a list of texts is needed.", param)
    if len(texts) > MOST_TEXTS:
        raise InvalidRequest(f"There are {len(texts)} {param}, and {MOST_TEXTS} is the most at a time.", param)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidRequest(f"Number {index} (counted from 0) of {param} is no text.", param)


def _prefix(recipe: EmbeddingRecipe, kind: TextKind | None, instruction: str | None) -> str:
    if instruction is not None and (kind != "query" or not recipe.takes_instruction):
        why = "An instruction is for queries" if kind != "query" else "This model takes no instruction"
        raise InvalidRequest(
            f"{why}; leave it out, or write a query_prefix with {INSTRUCTION} under [embedding] into the model's "
            f".toml file and ask with the kind 'query'.",
            "instruction",
        )
    return {"query": recipe.query_prefix, "document": recipe.document_prefix, None: ""}[kind]


def _filled(guard: ControlGuard, template: str, values: dict[str, str]) -> str:
    """A recipe's words with callers' texts in their places, marked."""
    return _PLACES.sub(lambda place: guard.mark(encodable(values.get(place[1], place[0]))), template)


def _as_text(card: ModelCard, template: str, values: dict[str, str]) -> str:
    """The same for a runtime that tokenises the text."""
    guard = card.text_guard
    if guard is None:
        return _PLACES.sub(lambda place: encodable(values.get(place[1], place[0])), template)
    return guard.to_text(_PLACES.sub(lambda place: guard.mark(encodable(values.get(place[1], place[0]))), template))


def _ids_of(guard: ControlGuard, rendered: str, context_length: int, index: int) -> list[int]:
    try:
        refuse_hopeless(guard, rendered, context_length)
    except ContextLengthExceeded as error:
        raise ContextLengthExceeded(error.n_prompt_tokens, error.n_ctx, at_least=True, index=index) from None
    return guard.encode_once(rendered)


def _cut_ids(guard: ControlGuard, before: str, text: str, room: int) -> list[int]:
    """The ids of a text up to ``room``; of a text far too long only the beginning is encoded."""
    text = encodable(text)
    most = max(_CUT_FACTOR * room, _LEAST_CUT)
    ids = guard.encode_once(before + guard.mark(text[:most]))
    if len(text) > most and len(ids) <= room:
        ids = guard.encode_once(before + guard.mark(text))
    return ids[:room]


def _end_ids(guard: ControlGuard, recipe: EmbeddingRecipe, otherwise: tuple[int, ...]) -> list[int]:
    if not recipe.end:
        return list(otherwise)
    ids = guard.encode_once(recipe.end)
    if len(ids) != 1:
        raise InvalidRequest(
            f"Texts are to end with {recipe.end!r} ({recipe.source}), which is no token of this model.", "model"
        )
    return ids


def _one_token(card: ModelCard, token: int | str) -> int:
    if isinstance(token, int):
        return token
    if card.guard is None:
        raise InvalidRequest(
            f"{card.entry.id} has no tokenizer, so the token {token!r} cannot be found: put the model's "
            f"tokenizer.json beside its file, or write the ids of yes and no under [reranking].",
            "model",
        )
    ids = card.guard.encode_once(card.guard.mark(token))
    if len(ids) != 1:
        raise InvalidRequest(
            f"{token!r} is {len(ids)} tokens for {card.entry.id}; one is needed to rank by.", "model"
        )
    return ids[0]


def _token_prompt(card: ModelCard, ids: list[int], index: int | None) -> Prompt:
    room = card.context_length - len(ids)
    if room < 1:
        raise ContextLengthExceeded(len(ids), card.context_length, index=index)
    if not ids:
        raise InvalidRequest(f"Text {index} (counted from 0) is empty.", "input")
    return Prompt(array("i", ids), len(ids), room, plain=True)


def _text_prompt(card: ModelCard, text: str, index: int | None) -> Prompt:
    if not text:
        raise InvalidRequest(f"Text {index} (counted from 0) is empty.", "input")
    estimate = estimate_tokens(text)
    if estimate >= 2 * card.context_length:
        raise ContextLengthExceeded(estimate, card.context_length, index=index)
    return Prompt(TextPrompt(text, most_tokens(text)), estimate, None, plain=True)
