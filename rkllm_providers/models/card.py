"""What is known of one model: tokenizer, chat template, end tokens, context window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from rkllm_providers.models.catalog import ModelEntry
from rkllm_providers.models.control import ControlGuard, TextGuard
from rkllm_providers.models.encoders import ModelVision
from rkllm_providers.models.families import Capabilities, Family
from rkllm_providers.models.override_tables import AdapterNote
from rkllm_providers.models.recipes import EmbeddingRecipe, RerankingRecipe
from rkllm_providers.models.template import ChatTemplate
from rkllm_providers.models.text_frame import TextFrame


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
    known, and how to add it. ``embedding`` and ``reranking`` (``None``: nothing says how) tell how the model is
    used for these, ``text_frame`` what its tokenizer puts around a text that is no chat, and ``lora`` what its
    owner wrote about adapters. ``keep_alive`` (seconds) and ``base_domain_id`` are his word on where and how long it
    is loaded, ``None`` where there is none. ``vision`` is how it sees pictures, ``None`` where no encoder lies
    beside it.
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
    embedding: EmbeddingRecipe = field(default_factory=EmbeddingRecipe)
    reranking: RerankingRecipe | None = None
    text_frame: TextFrame = field(default_factory=TextFrame)
    lora: Mapping[str, AdapterNote] = field(default_factory=dict)
    keep_alive: float | None = None
    base_domain_id: int | None = None
    vision: ModelVision | None = None

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
