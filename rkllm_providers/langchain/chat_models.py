"""``ChatRKLLM``: a model on the NPU, or on its CPU stand-in, as a LangChain chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Final, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr, model_validator

from rkllm_providers import __version__
from rkllm_providers.chat.openai_forms import read_tool_choice
from rkllm_providers.engine import ModelAddress
from rkllm_providers.errors import InvalidOutput, InvalidRequest
from rkllm_providers.langchain.answers import PROVIDER, ChunkWriter, kept_message, whole_message
from rkllm_providers.langchain.content_blocks import register_content_blocks
from rkllm_providers.langchain.errors import langchain_errors
from rkllm_providers.langchain.messages import ato_chat_messages, to_chat_messages
from rkllm_providers.langchain.options import Call, ChatSettings, chat_call, parameters
from rkllm_providers.langchain.profile import LazyProfile, model_profile
from rkllm_providers.langchain.structured import (
    Method,
    Schema,
    answer_parser,
    call_kwargs,
    plain_schema,
    structured_chain,
)
from rkllm_providers.langchain.tokens import number_of_tokens, token_ids

register_content_blocks()

# What every chat model has is no parameter of this one, but for the form of its messages. A key is a secret.
_NO_PARAMETERS: Final = frozenset({*BaseChatModel.model_fields, "api_key"}) - {"output_version"}


class ChatRKLLM(BaseChatModel, ChatSettings):
    """A chat model served by librkllmrt.so, or by the CPU emulator for GGUF files.

    Constructing one does no I/O: the model is found and loaded on first use, in a process of its
    own, and shared with every other object of this Python process that uses the same model. ``close()``, or the end
    of a ``with`` or ``async with`` block, gives it back.

    Every setting may also be given to one call (``chat.invoke(..., max_tokens=9)``) or be bound; so may ``tools``,
    ``tool_choice`` and ``response_format`` in OpenAI's form, and ``model`` for another model of the folder.

    Example:
        >>> chat = ChatRKLLM(model="smollm2-135m-instruct", max_tokens=40)  # doctest: +SKIP
        >>> chat.invoke("Name a colour.").content  # doctest: +SKIP
        'Blue.'
    """

    _whole: bool = PrivateAttr(default=False)
    _profile_read: tuple[ModelAddress, ModelProfile] | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _note_rkllm_version(self) -> Self:
        self._add_version("rkllm-providers", __version__)
        self._whole = True
        return self

    @property
    def _llm_type(self) -> str:
        return "rkllm-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """Everything that may change an answer, so that no cached answer is taken for another's."""
        return parameters(self, _NO_PARAMETERS)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        params["ls_provider"] = PROVIDER
        return params

    def _resolve_model_profile(self) -> ModelProfile | None:
        # LangChain asks while the object is made, when nothing may be read yet. See LazyProfile.
        if not self._whole:
            return None
        address = self._address()
        if self._profile_read is None or self._profile_read[0] != address:
            self._profile_read = address, model_profile(self.open())
        return self._profile_read[1]

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with tools that it may call.

        ``tool_choice`` is ``auto``, ``none``, ``any`` or ``required`` (or ``True``), a tool's name, or OpenAI's
        object. Forcing a call needs the model's tokenizer and chat template, and switches thinking off for it.

        Raises:
            InvalidRequest: The choice names a tool that is not among these; it is a ``ValueError``.
        """
        described = [convert_to_openai_tool(tool) for tool in tools]
        with langchain_errors():
            read_tool_choice(tool_choice, [tool.get("function", tool).get("name", "") for tool in described])
        chosen = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=described, **chosen, **kwargs)

    def with_structured_output(
        self,
        schema: Schema | None = None,
        *,
        method: Method = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """This model with answers of a form: a pydantic class (1 or 2), a TypedDict, a JSON schema, or OpenAI's.

        ``json_schema`` has the answer's text checked by the schema, and asks again where it is not so; the model may
        think before. ``function_calling`` has it call one tool, without thinking. ``json_mode`` takes any JSON
        object; say in the prompt what is to be in it. ``strict`` changes nothing: schemas always count.

        With ``include_raw`` the result is ``{"raw", "parsed", "parsing_error"}``, and an answer that cannot be read
        is no exception.

        Raises:
            ValueError: Anything else was given, or there is no such method.
        """
        if kwargs:
            raise InvalidRequest(f"with_structured_output takes no {', '.join(sorted(kwargs))}.")
        with langchain_errors():
            wanted = plain_schema(schema, method)
        said = call_kwargs(wanted, method)
        if include_raw and "response_format" in said:
            said["keep_invalid_output"] = True
        return structured_chain(self.bind(**said), answer_parser(wanted, method), include_raw)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with langchain_errors():
            call = chat_call(self, stop, kwargs)
            try:
                result = self._open(call.model).complete(to_chat_messages(messages), call.options)
            except InvalidOutput as error:
                return _chat_result(_kept(error, call))
            return _chat_result(whole_message(result, call.model))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with langchain_errors():
            call = chat_call(self, stop, kwargs)
            model = await self._aopen(call.model)
            try:
                result = await model.acomplete(await ato_chat_messages(messages), call.options)
            except InvalidOutput as error:
                return _chat_result(_kept(error, call))
            return _chat_result(whole_message(result, call.model))

    # LangChain tells its callbacks of each chunk by itself; doing so here would tell them twice.
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with langchain_errors():
            call = chat_call(self, stop, kwargs)
            writer = ChunkWriter(call.model)
            try:
                with closing(self._open(call.model).stream(to_chat_messages(messages), call.options)) as events:
                    for event in events:
                        yield writer.chunk(event)
            except InvalidOutput as error:
                if not call.keeps_invalid:
                    raise
                yield from writer.kept(error)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        with langchain_errors():
            call = chat_call(self, stop, kwargs)
            writer = ChunkWriter(call.model)
            model = await self._aopen(call.model)
            said = await ato_chat_messages(messages)
            try:
                async with aclosing(model.astream(said, call.options)) as events:
                    async for event in events:
                        yield writer.chunk(event)
            except InvalidOutput as error:
                if not call.keeps_invalid:
                    raise
                for chunk in writer.kept(error):
                    yield chunk

    def get_token_ids(self, text: str) -> list[int]:
        """The ids that the model's own tokenizer gives for a text, in which no control token is found.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
        """
        return token_ids(self._open, self.custom_get_token_ids, text)

    def get_num_tokens(self, text: str) -> int:
        """Number of tokens of a text; an estimate where the model has no tokenizer."""
        return number_of_tokens(self._open, self.custom_get_token_ids, text)

    def get_num_tokens_from_messages(
        self,
        messages: Sequence[BaseMessage],
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
    ) -> int:
        """Number of tokens of the prompt that these messages and tools make, the model's template included.

        It is the ``input_tokens`` of an answer to them; an estimate where the model has no tokenizer.
        """
        with langchain_errors():
            described = [convert_to_openai_tool(tool) for tool in tools or ()]
            call = chat_call(self, None, {"tools": described})
            return self._open().count_tokens(to_chat_messages(messages), call.options)


setattr(ChatRKLLM, "profile", LazyProfile())  # noqa: B010 - pydantic takes no descriptor in a field's place


def _chat_result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])


def _kept(error: InvalidOutput, call: Call) -> AIMessage:
    if not call.keeps_invalid:
        raise error
    return kept_message(error, call.model)
