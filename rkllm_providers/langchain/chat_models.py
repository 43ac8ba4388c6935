"""``ChatRKLLM``: a model on the NPU, or on its CPU stand-in, as a LangChain chat model."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, closing
from typing import Any, Final, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr, model_validator

from rkllm_providers import __version__
from rkllm_providers.chat import ChatEvent, Finish, GenerateOptions, Sampling, estimate_tokens
from rkllm_providers.engine import LanguageModel, ModelAddress, ModelLease, parse_keep_alive
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain.messages import (
    PROVIDER,
    chunk_of,
    last_chunk,
    to_chat_messages,
    whole_message,
)

_SAMPLING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
)
# Names that LangChain or its users give to any chat model, and that mean nothing for a local one.
_ACCEPTED_ELSEWHERE: Final = frozenset({"api_key", "base_url", "max_retries", "streaming"})
_UNSUPPORTED: Final = ("tools", "tool_choice", "functions", "response_format")


class ChatRKLLM(BaseChatModel):
    """A chat model served by librkllmrt.so, or by the CPU emulator for GGUF files.

    Constructing one does no I/O: the model is found and loaded on first use, in a process of its
    own, and shared with every other object of this Python process that uses the same model.

    Example:
        >>> chat = ChatRKLLM(model="smollm2-135m-instruct", max_tokens=40)  # doctest: +SKIP
        >>> chat.invoke("Name a colour.").content  # doctest: +SKIP
        'Blue.'
    """

    model: str
    """Id of a model in the models folder, or path of a model file."""
    models_dir: str | None = None
    """The models folder; ``RKLLM_MODELS_DIR`` or ``~/models`` where it is ``None``."""
    library: str | None = None
    """Path of librkllmrt.so; found as ``rkllm_providers.runtime.find_library`` says where it is ``None``."""
    runtime_version: str | None = None
    """Overrides the version that is read from the library, e.g. ``"1.3.0"``."""
    context_length: int | None = Field(default=None, gt=0)
    """Context window in tokens, where less than the model's own is wanted."""
    max_tokens: int | None = Field(default=None, gt=0)
    """Most tokens to generate; what the prompt leaves of the context window where it is ``None``."""
    temperature: float | None = Field(default=None, ge=0)
    """Sampling temperature; 0 always takes the likeliest token."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling: the least set of tokens with this probability mass is drawn from."""
    top_k: int | None = Field(default=None, gt=0)
    """Only so many of the likeliest tokens are drawn from."""
    repeat_penalty: float | None = Field(default=None, gt=0)
    """Divides the logits of recent tokens; 1 is off."""
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted from a token's logit for each time it occurred."""
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    """Subtracted from a token's logit once it occurred."""
    stop: list[str] | None = None
    """Texts that end the answer and are not part of it."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for a whole request, the wait in the queue included."""
    keep_alive: float | str | None = None
    """How long the model stays loaded after its last request: seconds, ``"5m"`` or ``"forever"``."""

    _lease: ModelLease = PrivateAttr(default_factory=ModelLease)

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_settings(cls, values: Any) -> Any:
        if isinstance(values, dict):
            unknown = sorted(set(values) - set(cls.model_fields) - _ACCEPTED_ELSEWHERE)
            if unknown:
                warnings.warn(f"ChatRKLLM has no settings {', '.join(unknown)}; they are ignored.", stacklevel=2)
        return values

    @model_validator(mode="after")
    def _note_rkllm_version(self) -> Self:
        self._add_version("rkllm-providers", __version__)
        return self

    @property
    def _llm_type(self) -> str:
        return "rkllm-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("model", "models_dir", "library", "runtime_version", "context_length", "max_tokens", "stop")
        return {name: getattr(self, name) for name in (*names, *_SAMPLING)}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        params["ls_provider"] = PROVIDER
        params["ls_model_name"] = self.model
        return params

    def __copy__(self) -> Self:
        # A copy may get other settings, so it opens the model they name for itself.
        copied = super().__copy__()
        copied._lease = ModelLease()
        return copied

    def close(self) -> None:
        """Give the model back. It is unloaded when nobody else in this process uses it."""
        self._lease.close()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        options = self._options(stop, kwargs)
        result = self._open().complete(to_chat_messages(messages), options)
        return ChatResult(generations=[ChatGeneration(message=whole_message(result, self.model))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        options = self._options(stop, kwargs)
        client = await self._aopen()
        result = await client.acomplete(to_chat_messages(messages), options)
        return ChatResult(generations=[ChatGeneration(message=whole_message(result, self.model))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        options = self._options(stop, kwargs)
        with closing(self._open().stream(to_chat_messages(messages), options)) as events:
            for event in events:
                yield self._chunk(event)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        options = self._options(stop, kwargs)
        client = await self._aopen()
        async with aclosing(client.astream(to_chat_messages(messages), options)) as events:
            async for event in events:
                yield self._chunk(event)

    def get_token_ids(self, text: str) -> list[int]:
        """The ids that the model's own tokenizer gives for a text, in which no control token is found.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
        """
        return self._open().tokenize(text)

    def get_num_tokens(self, text: str) -> int:
        """Number of tokens of a text; an estimate where the model has no tokenizer."""
        model = self._open()
        return len(model.tokenize(text)) if model.facts.counts_tokens else estimate_tokens(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Number of tokens of the prompt that these messages make, the model's template included.

        An estimate where the model has no tokenizer.
        """
        if tools:
            raise InvalidRequest("Not supported yet by ChatRKLLM: tools.", "tools")
        return self._open().count_tokens(to_chat_messages(messages))

    def _chunk(self, event: ChatEvent) -> ChatGenerationChunk:
        if isinstance(event, Finish):
            return ChatGenerationChunk(message=last_chunk(event, self.model))
        return ChatGenerationChunk(message=chunk_of(event))

    def _options(self, stop: list[str] | None, overrides: dict[str, Any]) -> GenerateOptions:
        """This object's settings, with those of one call over them."""
        refused = [name for name in _UNSUPPORTED if overrides.get(name) is not None]
        if refused:
            raise InvalidRequest(f"Not supported yet by ChatRKLLM: {', '.join(refused)}.", refused[0])
        keep_alive = overrides.get("keep_alive", self.keep_alive)
        stops = stop if stop is not None else overrides.get("stop", self.stop)
        return GenerateOptions(
            max_tokens=overrides.get("max_tokens", self.max_tokens),
            stop=tuple(stops or ()),
            sampling=Sampling(**{name: overrides.get(name, getattr(self, name)) for name in _SAMPLING}),
            timeout=overrides.get("timeout", self.timeout),
            keep_alive=None if keep_alive is None else parse_keep_alive(keep_alive),
        )

    @property
    def _address(self) -> ModelAddress:
        return ModelAddress(self.model, self.models_dir, self.library, self.runtime_version, self.context_length)

    def _open(self) -> LanguageModel:
        return self._lease.take(self._address)

    async def _aopen(self) -> LanguageModel:
        return await self._lease.atake(self._address)
