"""Answers that are JSON: what the model is told, what of its answer is held back, and when that is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rkllm_providers.chat.conversation import is_forced, offered_tools, thinking_format, thinks
from rkllm_providers.chat.json_finder import JSONFinder
from rkllm_providers.chat.pictures import joined
from rkllm_providers.chat.types import (
    ChatEvent,
    ChatMessage,
    GenerateOptions,
    InvalidToolCall,
    ReasoningDelta,
    ResponseFormat,
    TextDelta,
    ToolCallDelta,
)
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models import ModelCard

if TYPE_CHECKING:
    from rkllm_providers.chat.output_schema import OutputSchema

_OPENINGS: Final = {"object": "{", "array": "["}
_MOST_NAME: Final = 200
_MOST_DESCRIPTION: Final = 4000

# What models are told. The schema stands last: behind it the answer begins.
_ANY_OBJECT: Final = "Answer with one JSON object only{named}: no text around it, no code fence.{described}"
_BY_SCHEMA: Final = (
    "Answer with JSON only{named}: one value that is valid by the JSON schema below, no text around it, no code "
    "fence.{described}\nJSON schema: {schema}"
)
_CORRECTION: Final = "That is not the JSON that was asked for: {problem}.\nWrite it again, corrected, JSON only."


def wanted_format(options: GenerateOptions) -> ResponseFormat | None:
    """The format that the text of an answer must have; ``None`` also where a tool call must come in its place."""
    return None if is_forced(options) else options.response_format


def schema_of(wanted: ResponseFormat) -> OutputSchema:
    """The schema of a format, checked.

    Raises:
        InvalidRequest: Answers cannot be checked by it.
    """
    # Imported where it is needed: it takes some tenths of a second, which every worker process would pay.
    from rkllm_providers.chat.output_schema import output_schema

    return output_schema(wanted.schema)


def with_instruction(messages: Sequence[ChatMessage], options: GenerateOptions) -> Sequence[ChatMessage]:
    """The conversation with what the model is told of the format, at the end of the newest turn of the user.

    There it leaves what is before it in the KV cache.

    Raises:
        InvalidRequest: Answers cannot be checked by the schema, or the last message is the assistant's.
    """
    wanted = wanted_format(options)
    if wanted is None:
        return messages
    if messages and messages[-1].role == "assistant":
        raise InvalidRequest(
            "With response_format an answer is JSON from its beginning, so the assistant's last message cannot be "
            "continued: leave one of the two out.",
            "response_format",
        )
    told = _instruction(wanted)
    newest = max((number for number, message in enumerate(messages) if message.role == "user"), default=-1)
    if newest < 0:
        return [*messages, ChatMessage("user", told)] if messages else messages
    turn = messages[newest]
    return [
        *messages[:newest],
        replace(turn, content=joined(turn.content, f"\n\n{told}") if turn.content else told),
        *messages[newest + 1 :],
    ]


def with_correction(messages: Sequence[ChatMessage], written: str, problem: str) -> list[ChatMessage]:
    """The conversation with an answer that was not right, and what is wrong with it."""
    return [*messages, ChatMessage("assistant", written), ChatMessage("user", _CORRECTION.format(problem=problem))]


def json_opening(card: ModelCard, options: GenerateOptions) -> str:
    """What of the JSON the model is given to begin with: nothing where it may think or call a tool first."""
    wanted = wanted_format(options)
    if wanted is None or offered_tools(options):
        return ""
    if thinking_format(card) is not None and thinks(options) is not False:
        return ""
    return opening_of(schema_of(wanted))


def opening_of(schema: OutputSchema) -> str:
    """How every valid value begins, where there is one way."""
    return _OPENINGS.get(next(iter(schema.kinds)), "") if len(schema.kinds) == 1 else ""


def correction_options(options: GenerateOptions) -> GenerateOptions:
    """What a further try is rendered with: the answer is to begin at once."""
    return replace(options, thinking=False, effort=None)


class JSONAnswer:
    """The text of one try, held back until it is known to be right. Reasoning passes at once.

    A call of a tool passes too, and all that is said before and after it: then there is no text to check.
    ``passes`` says so. ``written`` is the text as the model wrote it, with what it was given to begin with.
    """

    def __init__(self, schema: OutputSchema, begun: str = "") -> None:
        self.passes = False
        self._schema = schema
        self._finder = JSONFinder(schema.kinds, begun)
        self._texts = [begun]
        self._held: list[ChatEvent] = []

    @property
    def written(self) -> str:
        """All text so far."""
        return "".join(self._texts)

    @property
    def done(self) -> bool:
        """Whether what the model still writes is of no use: the value is whole, or will never be right."""
        return not self.passes and self._finder.done

    def take(self, events: Sequence[ChatEvent]) -> list[ChatEvent]:
        """Take events of the answer; return those that are not held back."""
        shown: list[ChatEvent] = []
        for event in events:
            if self.passes or isinstance(event, ReasoningDelta):
                shown.append(event)
            elif self._finder.done:
                continue
            elif isinstance(event, TextDelta):
                self._texts.append(event.text)
                self._held.append(event)
                self._finder.feed(event.text)
            elif isinstance(event, ToolCallDelta | InvalidToolCall):
                self.passes = True
                shown += [*self._held, event]
        return shown

    def read(self) -> tuple[str, str | None]:
        """The JSON text, and what is wrong with it, once no more will come.

        Control characters within its strings are replaced by their escapes; else it is as the model wrote it. May
        take seconds (see ``OutputSchema.problem_of``): not for an event loop.

        Raises:
            InvalidRequest: The schema turned out to be one that answers cannot be checked by.
        """
        self._finder.finish()
        value = self._finder.value
        if value is None:
            return "", self._finder.problem or "there is no JSON in it"
        return value, self._schema.problem_of(value)


def _instruction(wanted: ResponseFormat) -> str:
    schema = schema_of(wanted)
    name, described = wanted.name.strip()[:_MOST_NAME], wanted.description.strip()[:_MOST_DESCRIPTION]
    return (_ANY_OBJECT if wanted.schema is None else _BY_SCHEMA).format(
        named=f" ({name})" if name else "",
        described=f"\nWhat it is for: {described}" if described else "",
        schema=schema.text,
    )
