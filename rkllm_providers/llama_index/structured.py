"""Objects instead of text: structured prediction by the engine's own checked JSON."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, Final

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.instrumentation.events.llm import LLMStructuredPredictEndEvent, LLMStructuredPredictStartEvent
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.program.utils import create_flexible_model
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from rkllm_providers.chat.openai_forms import read_response_format
from rkllm_providers.chat.types import ResponseFormat
from rkllm_providers.errors import InvalidOutput, InvalidRequest

_dispatcher = get_dispatcher(__name__)
# What the framework's programs set themselves, whatever a caller gives.
_OWN_ARGUMENTS: Final = frozenset({"tool_required", "tool_choice", "allow_parallel_tool_calls", "response_format"})
_MOST_SHOWN: Final = 200


class StructuredPrediction(FunctionCallingLLM):
    """Structured prediction by ``response_format``; with ``PydanticProgramMode.FUNCTION`` by a forced tool call.

    Streams give objects of a class with the same fields, all optional, while the answer grows, and at last the
    object itself. What does not validate is an error, never an object.
    """

    def structured_predict(
        self,
        output_cls: type[Any],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Any:
        """An object of ``output_cls`` for a prompt.

        Raises:
            InvalidOutput: The model did not write one, however often it was tried.
        """
        if self.pydantic_program_mode is not PydanticProgramMode.DEFAULT:
            return super().structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
        _dispatcher.event(
            LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args)
        )
        messages = self._prompted(prompt, prompt_args)
        output = read_output(output_cls, self.chat(messages, **_asking_for(output_cls, llm_kwargs)))
        _dispatcher.event(LLMStructuredPredictEndEvent(output=output))
        return output

    async def astructured_predict(
        self,
        output_cls: type[Any],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Any:
        """The asynchronous twin of ``structured_predict``."""
        if self.pydantic_program_mode is not PydanticProgramMode.DEFAULT:
            return await super().astructured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
        _dispatcher.event(
            LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args)
        )
        messages = self._prompted(prompt, prompt_args)
        output = read_output(output_cls, await self.achat(messages, **_asking_for(output_cls, llm_kwargs)))
        _dispatcher.event(LLMStructuredPredictEndEvent(output=output))
        return output

    def _structured_stream_call(
        self,
        output_cls: type[Any],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any, None, None]:
        mode, messages = self.pydantic_program_mode, self._prompted(prompt, prompt_args)
        if mode is PydanticProgramMode.DEFAULT:
            responses = self.stream_chat(messages, **_asking_for(output_cls, llm_kwargs))
        elif mode is PydanticProgramMode.FUNCTION:
            responses = self.stream_chat_with_tools(**_calling_for(output_cls, messages, llm_kwargs))
        else:
            yield from super()._structured_stream_call(output_cls, prompt, llm_kwargs, **prompt_args)
            return
        growth = OutputGrowth(output_cls)
        for response in responses:
            yield from growth.take(response)
        yield growth.whole()

    async def _structured_astream_call(
        self,
        output_cls: type[Any],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        mode, messages = self.pydantic_program_mode, self._prompted(prompt, prompt_args)
        if mode is PydanticProgramMode.DEFAULT:
            responses = await self.astream_chat(messages, **_asking_for(output_cls, llm_kwargs))
        elif mode is PydanticProgramMode.FUNCTION:
            responses = await self.astream_chat_with_tools(**_calling_for(output_cls, messages, llm_kwargs))
        else:
            return await super()._structured_astream_call(output_cls, prompt, llm_kwargs, **prompt_args)

        async def grow() -> AsyncGenerator[Any, None]:
            growth = OutputGrowth(output_cls)
            async for response in responses:
                for partial in growth.take(response):
                    yield partial
            yield growth.whole()

        return grow()

    def _prompted(self, prompt: PromptTemplate, prompt_args: dict[str, Any]) -> list[ChatMessage]:
        return self._extend_messages(prompt.format_messages(llm=self, **prompt_args))


class OutputGrowth:
    """The object that a stream of responses grows into."""

    def __init__(self, output_cls: type[BaseModel]) -> None:
        self._output_cls = output_cls
        self._partial_cls = create_flexible_model(output_cls)
        self._seen: Any = None
        self._last: ChatResponse | None = None

    def take(self, response: ChatResponse) -> list[BaseModel]:
        """The object so far, where the response shows more of it and it is not whole yet."""
        self._last = response
        text = response.message.content or ""
        try:
            from_json(text)
        except ValueError:
            return self._partial(text)
        return []

    def _partial(self, text: str) -> list[BaseModel]:
        try:
            partial = from_json(text, allow_partial="trailing-strings")
        except ValueError:  # not the beginning of anything
            return []
        if not isinstance(partial, dict) or not partial or partial == self._seen:
            return []
        self._seen = partial
        return [self._partial_cls.model_validate(partial)]

    def whole(self) -> BaseModel:
        """The object.

        Raises:
            InvalidOutput: What came does not validate.
        """
        if self._last is None:
            raise InvalidOutput("The answer ended before it began.", "", "nothing was written")
        return read_output(self._output_cls, self._last)


def read_output(output_cls: type[BaseModel], response: ChatResponse) -> BaseModel:
    """The object that a whole answer is, by its tool call if it has one.

    Raises:
        InvalidOutput: It does not validate.
    """
    calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    text = response.message.content or ""
    try:
        if calls:
            return output_cls.model_validate(calls[0].tool_kwargs)
        return output_cls.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        problem = f"{place}: {first['msg']}" if place else first["msg"]
        text = text or str(calls[0].tool_kwargs if calls else "")
        raise InvalidOutput(
            f"The model's answer is no {output_cls.__name__}: {problem}. It wrote: {text[:_MOST_SHOWN]}",
            text,
            problem,
        ) from error


def read_format(wanted: Any) -> ResponseFormat | None:
    """What ``response_format`` asks for: a ``ResponseFormat``, a model class, or OpenAI's form of either.

    Raises:
        InvalidRequest: It is none of these.
    """
    if wanted is None or isinstance(wanted, ResponseFormat):
        return wanted
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        return ResponseFormat(wanted.model_json_schema(), wanted.__name__, (wanted.__doc__ or "").strip())
    if isinstance(wanted, Mapping):
        return read_response_format(wanted)
    raise InvalidRequest(
        f"response_format is of type {type(wanted).__name__}; it is to be a pydantic model class, or a description "
        f"in OpenAI's form.",
        "response_format",
    )


def _asking_for(output_cls: type[BaseModel], arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**_without_own(arguments), "response_format": read_format(output_cls)}


def _calling_for(
    output_cls: type[BaseModel], messages: list[ChatMessage], arguments: Mapping[str, Any] | None
) -> dict[str, Any]:
    tool = get_function_tool(output_cls)
    return {**_without_own(arguments), "tools": [tool], "chat_history": messages, "tool_required": True}


def _without_own(arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (arguments or {}).items() if name not in _OWN_ARGUMENTS}
