"""What is known of one model: tokenizer, chat template, end tokens, context window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

from rkllm_providers.emulator.script import load_script
from rkllm_providers.errors import ModelLoadError
from rkllm_providers.models.catalog import ModelEntry, ModelFormat
from rkllm_providers.models.control import ControlGuard, TextGuard
from rkllm_providers.models.families import Capabilities, Family
from rkllm_providers.models.gguf import read_head
from rkllm_providers.models.template import ChatTemplate
from rkllm_providers.models.tokenizer import MARKERS, ScriptTokenizer, end_token_ids, tokenizer_from_gguf

DEFAULT_CONTEXT: Final = 4096
_NO_MODELS: Final = {
    b"version https://git-lfs": "a Git LFS pointer",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}
MOST_CONTEXT: Final = 16384


class PromptForm(Enum):
    """How a model is given its prompts; ``.value`` is the word shown to people."""

    TOKENS = "tokens"
    """Rendered with the model's template and tokenised here."""
    RAW = "raw text"
    """Rendered with the model's template, and tokenised by the runtime as it is."""
    RUNTIME = "text"
    """One user turn, to which the runtime applies a template of its own."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known of a model, in words, and where it came from."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything the floors above need to know of a model.

    ``context_length`` is the number of tokens the KV cache holds; ``knows_context`` says whether the model
    tells it, or it is only what most models can. ``guard`` is its tokenizer, ``template`` its chat template,
    ``text_guard`` what keeps callers' text apart from control tokens where there is no tokenizer.
    ``end_tokens`` end an answer; ``silent_tokens`` have no text in it. ``end_texts`` are the texts of end
    tokens, for models whose answers come as text alone. ``sampling`` holds defaults by the names of
    ``GenerateOptions``. ``facts`` are for people: each with where it came from; ``missing`` says what is not
    known, and how to add it.
    """

    entry: ModelEntry
    context_length: int
    guard: ControlGuard | None
    template: ChatTemplate | None
    end_tokens: frozenset[int]
    knows_context: bool = True
    text_guard: TextGuard | None = None
    silent_tokens: frozenset[int] = frozenset()
    end_texts: tuple[str, ...] = ()
    family: Family | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)
    sampling: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def prompt_form(self) -> PromptForm:
        """How the model is given its prompts."""
        if self.template is None:
            return PromptForm.RUNTIME
        if self.guard is not None:
            return PromptForm.TOKENS
        return PromptForm.RAW if self.text_guard is not None else PromptForm.RUNTIME

    @property
    def takes_tokens(self) -> bool:
        """Whether prompts are rendered and tokenised here."""
        return self.prompt_form is PromptForm.TOKENS

    def with_context(self, context_length: int) -> ModelCard:
        """The same card for a smaller context window."""
        return replace(self, context_length=context_length)

    def without_tokenizer(self) -> ModelCard:
        """The same card for a model whose tokenizer proved not to be the library's."""
        return replace(
            self,
            guard=None,
            text_guard=self.text_guard or self.guard,
            end_tokens=frozenset(),
            silent_tokens=frozenset(),
        )


def read_card(entry: ModelEntry) -> ModelCard:
    """Read a model's card from its file. Takes tens of milliseconds: keep it off event loops.

    Raises:
        ModelLoadError: The file, or the chat template in it, is broken.
    """
    try:
        if entry.format is ModelFormat.GGUF:
            return _gguf_card(entry, read_head(entry.path))
        if entry.format is ModelFormat.SCRIPT:
            return _script_card(entry, entry.path)
    except Exception as error:
        raise ModelLoadError(f"Model {entry.id!r} cannot be read: {error}") from error
    problem = _not_a_model(entry.path)
    if problem is not None:
        raise ModelLoadError(f"Model {entry.id!r} cannot be read: {entry.path} {problem}.")
    return ModelCard(entry, DEFAULT_CONTEXT, None, None, frozenset(), knows_context=False)


def _not_a_model(path: Path) -> str | None:
    """Why a file cannot be an .rkllm model, whose own magic is not published."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "is empty"
    for beginning, what in _NO_MODELS.items():
        if head.lstrip()[: len(beginning)].lower() == beginning:
            return f"is {what}; download the model itself"
    return "is not a GGUF file" if path.suffix.lower() == ".gguf" else None


def _gguf_card(entry: ModelEntry, head: Mapping[str, Any]) -> ModelCard:
    architecture = head.get("general.architecture", "")
    context = head.get(f"{architecture}.context_length", DEFAULT_CONTEXT)
    if not isinstance(context, int) or context < 1:
        raise ValueError(f"its context length is {context!r}")
    source = head.get("tokenizer.chat_template")
    tokens = head.get("tokenizer.ggml.tokens") or []
    special = {
        name: tokens[head[key]]
        for name, key in (
            ("bos_token", "tokenizer.ggml.bos_token_id"),
            ("eos_token", "tokenizer.ggml.eos_token_id"),
        )
        if key in head and 0 <= head[key] < len(tokens)
    }
    tokenizer = tokenizer_from_gguf(head)
    return ModelCard(
        entry,
        # A model trained for 128k tokens would take gigabytes of KV cache nobody asked for.
        min(context, MOST_CONTEXT),
        ControlGuard(tokenizer) if tokenizer is not None else None,
        ChatTemplate(source, special) if source else None,
        end_token_ids(head),
        silent_tokens=frozenset(
            number for text, number in (tokenizer.control_tokens if tokenizer else {}).items() if text not in MARKERS
        ),
    )


def _script_card(entry: ModelEntry, path: Path) -> ModelCard:
    script = load_script(path)
    return ModelCard(
        entry,
        script.context_length,
        ControlGuard(ScriptTokenizer(script)),
        ChatTemplate(script.chat_template),
        frozenset(script.eos_ids),
        silent_tokens=frozenset(script.controls.values()),
    )
