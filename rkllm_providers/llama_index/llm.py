"""``RKLLM``: a model on the NPU, or on its CPU stand-in, as a LlamaIndex model with function calling."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool
from pydantic import Field

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.llama_index.connection import ModelConnection
from rkllm_providers.llama_index.messages import ato_chat_messages, to_chat_messages
from rkllm_providers.llama_index.requests import AnswerRequest, RawPrompt
from rkllm_providers.llama_index.responses import to_completion
from rkllm_providers.llama_index.settings import GenerationSettings, warn_of_arguments
from rkllm_providers.llama_index.structured import StructuredPrediction, read_format
from rkllm_providers.llama_index.tools import ToolWishes, choice_of, describe_tools

# What is kept free for an answer where no setting says how long one may be.
_MOST_RESERVED: Final = 1024
_RESERVED_SHARE: Final = 4


class RKLLM(ModelConnection, GenerationSettings, StructuredPrediction):
    """A model served by librkllmrt.so, by the CPU emulator for GGUF files, or by a service at ``base_url``.

    Constructing one does no I/O: the model is found and loaded on first use, in a process of its own, and shared
    with every other object of this Python process that uses the same model. Use it in a ``with`` or ``async with``
    statement, or call ``close``, to give the model back.

    All settings of ``GenerationSettings`` are arguments of every call as well, with ``tools``, ``tool_choice``,
    ``allow_parallel_tool_calls`` and ``response_format``; names that nobody knows are named in a warning.

    Example:
        >>> llm = RKLLM(model="smollm2-135m-instruct", max_tokens=40)  # doctest: +SKIP
        >>> llm.complete("Name a colour.").text  # doctest: +SKIP
        'Blue.'
    """

    function_calling: bool | None = None
    """Whether LlamaIndex is told that the model calls functions; ``None``: if its chat template knows tools."""
    additional_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Arguments for every call, under those that the call itself has."""

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises objects of this class."""
        return "RKLLM"

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex must know of the model, as it was really loaded once it is.

        Reads the model file's head if the object is not open yet: in an event loop, ``await aopen()`` before.
        ``num_output`` is ``max_tokens``, or else a quarter of the context window and at most 1,024.
        """
        facts = self._opened().facts
        calls = self.function_calling
        return LLMMetadata(
            context_window=facts.context_length,
            num_output=self.max_tokens or min(_MOST_RESERVED, facts.context_length // _RESERVED_SHARE),
            is_chat_model=True,
            is_function_calling_model=facts.capabilities.tools if calls is None else calls,
            model_name=facts.id,
        )

    def to_payload(self) -> dict[str, Any]:
        """What observers are told of this object: its model and its settings. Does no I/O, and has no secrets."""
        settings = {name: getattr(self, name) for name in GenerationSettings.model_fields}
        said = {name: value for name, value in settings.items() if value is not None}
        return {"class_name": self.class_name(), "model_name": self.model, **said}

    @property
    def tokenizer(self) -> Callable[[str], list[int]]:
        """The model's own tokenizer, for ``Settings.tokenizer``, ``PromptHelper``, splitters and token counters."""
        return self.tokenize

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, in which no control token is found.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
        """
        return self._opened().tokenize(text)

    def count_tokens(
        self, messages: Sequence[ChatMessage], tools: Sequence[BaseTool | Mapping[str, Any]] = (), **kwargs: Any
    ) -> int:
        """Number of prompt tokens of a conversation, the model's template included; not for event loops.

        It is what ``raw["usage"]["prompt_tokens"]`` of an answer to it says; an estimate where the model has no
        tokenizer.
        """
        said = to_chat_messages(messages)
        return self._opened().count_tokens(said, self._request(said, {**kwargs, "tools": tools}).options)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation.

        Raises:
            RKLLMError: The request is refused, or its run fails.
        """
        return self._request(to_chat_messages(messages), kwargs).ask(self._opened())

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The asynchronous twin of ``chat``. Cancelling its task aborts the run."""
        request = self._request(await ato_chat_messages(messages), kwargs)
        return await request.aask(await self._aopened())

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer piece by piece: the message so far, and what is new. Closing the stream aborts the run."""
        request = self._request(to_chat_messages(messages), kwargs)
        return request.stream(self._opened(), _as_it_is)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """The asynchronous twin of ``stream_chat``."""
        request = self._request(await ato_chat_messages(messages), kwargs)
        return request.astream(await self._aopened(), _as_it_is)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt, as the only message of a user.

        A ``formatted`` prompt is gone on from as it is, without the chat template; control tokens may be written in
        it, unless ``parse_special=False``.
        """
        return to_completion(self._completion(prompt, formatted, kwargs).ask(self._opened()))

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The asynchronous twin of ``complete``."""
        request = self._completion(prompt, formatted, kwargs)
        return to_completion(await request.aask(await self._aopened()))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """``complete`` piece by piece: the text so far, and what is new. Closing the stream aborts the run."""
        return self._completion(prompt, formatted, kwargs).stream(self._opened(), to_completion)

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """The asynchronous twin of ``stream_complete``."""
        request = self._completion(prompt, formatted, kwargs)
        return request.astream(await self._aopened(), to_completion)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tool calls of an answer.

        Raises:
            ValueError: There are none, and ``error_on_no_tool_call``.
        """
        calls = [
            ToolSelection(
                tool_id=block.tool_call_id or "", tool_name=block.tool_name, tool_kwargs=_object(block.tool_kwargs)
            )
            for block in response.message.blocks
            if isinstance(block, ToolCallBlock)
        ]
        if not calls and error_on_no_tool_call:
            raise ValueError(
                f"The model called no tool; it wrote {len(response.message.content or '')} characters of text. "
                f"Give tool_required=True, or a tool_choice, to have it call one."
            )
        return calls

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        messages = list(chat_history or ())
        if isinstance(user_msg, str):
            messages.append(ChatMessage(role=MessageRole.USER, content=user_msg))
        elif user_msg is not None:
            messages.append(user_msg)
        return {
            "messages": messages,
            "tools": describe_tools(tools),
            "tool_choice": choice_of(tool_required, tool_choice),
            "allow_parallel_tool_calls": allow_parallel_tool_calls,
            **kwargs,
        }

    def _request(self, said: Any, arguments: Mapping[str, Any]) -> AnswerRequest:
        """This object's settings, with the arguments of a call over them."""
        given = {**self.additional_kwargs, **arguments}
        warn_of_arguments(type(self).__name__, given)
        wishes = ToolWishes.of_call(given)
        options = GenerationSettings.of_call(self, given).options(wishes, read_format(given.get("response_format")))
        return AnswerRequest(said, options, wishes.parallel)

    def _completion(self, prompt: str, formatted: bool, arguments: dict[str, Any]) -> AnswerRequest:
        if arguments.get("tools"):
            raise InvalidRequest("A completion cannot call tools: use chat, or chat_with_tools.", "tools")
        given = dict(arguments)
        parse_special = given.pop("parse_special", True)
        if formatted:
            return self._request(RawPrompt(prompt, parse_special), given)
        return self._request(to_chat_messages([ChatMessage(role=MessageRole.USER, content=prompt)]), given)


def _as_it_is(response: ChatResponse) -> ChatResponse:
    return response


def _object(arguments: dict[str, Any] | str) -> dict[str, Any]:
    """Arguments as an object; those of a message that came from elsewhere may be its text."""
    if isinstance(arguments, dict):
        return arguments
    read = json.loads(arguments)
    if not isinstance(read, dict):
        raise ValueError(f"The arguments of a tool call are {type(read).__name__} and not a JSON object.")
    return read
