"""The tries of an answer that has to be JSON: whether one is right, and what the next is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rkllm_providers.chat.answer import AnswerStream
from rkllm_providers.chat.prompt import build_further_turn
from rkllm_providers.chat.prompt_types import Prompt, TextPrompt
from rkllm_providers.chat.structured import (
    JSONAnswer,
    correction_options,
    opening_of,
    schema_of,
    with_correction,
    with_instruction,
)
from rkllm_providers.chat.types import ChatMessage, GenerateOptions, ResponseFormat
from rkllm_providers.errors import ContextLengthExceeded, InvalidOutput, InvalidRequest
from rkllm_providers.models import ModelCard

MOST_TRIES: Final = 3


class OutputTries:
    """Checks one try after the other, and words the corrections in between."""

    def __init__(self, card: ModelCard, messages: Sequence[ChatMessage], options: GenerateOptions) -> None:
        """``messages`` are those of the conversation, without an instruction.

        Raises:
            InvalidRequest: There are none, or answers cannot be checked by the schema.
        """
        wanted = options.response_format
        if wanted is None or not messages:
            raise InvalidRequest(
                "response_format is for turns of a chat; a text that is continued without the chat template has "
                "none. Send messages, or leave it out.",
                "response_format",
            )
        self._card = card
        self._wanted: ResponseFormat = wanted
        self._options = correction_options(options)
        self._schema = schema_of(wanted)
        self._messages = with_instruction(messages, options)
        self._count = 0
        self._problem = ""
        self._written = ""

    def begin(self, prompt: Prompt) -> JSONAnswer:
        """What takes the text of the next try, which is that of ``prompt``."""
        self._count += 1
        return JSONAnswer(self._schema, prompt.begun)

    def checked(self, output: JSONAnswer, stream: AnswerStream, limit: int | None) -> str | None:
        """The JSON of a try that has ended; ``None`` if it is to be tried again.

        ``limit`` is the most tokens that it could have; ``None`` where only the runtime knows.

        Raises:
            InvalidOutput: It was cut off by the limit, or was the last.
        """
        cut = not output.done and stream.finish_reason == "length"
        text, problem = output.read()
        if problem is None and not cut:
            return text
        self._written, self._problem = output.written, problem or "it is not complete"
        if cut:
            # The same limit would cut it off again.
            raise self._cut_off(stream, limit)
        if self._count == MOST_TRIES:
            raise self._given_up(f"in {MOST_TRIES} tries")
        return None

    def next_prompt(self, prompt: Prompt, generated: Sequence[int]) -> Prompt:
        """The prompt of the next try, behind the one that was wrong.

        Raises:
            InvalidOutput: There is no room for it in the context window.
        """
        self._messages = with_correction(self._messages, self._written, self._problem)
        held: list[int] = []
        if not isinstance(prompt.content, TextPrompt):
            # The template writes the end of the turn itself.
            end = len(generated)
            while end and generated[end - 1] in self._card.end_tokens:
                end -= 1
            held = [*prompt.content, *generated[:end]]
        try:
            return build_further_turn(self._card, held, self._messages, self._options, opening_of(self._schema))
        except ContextLengthExceeded as error:
            raise self._given_up(
                f"in {self._count} tries, and the context window of {error.n_ctx} tokens has no room for another"
            ) from error

    def _given_up(self, how_often: str) -> InvalidOutput:
        return InvalidOutput(
            f"{self._card.entry.id} was to answer with JSON{self._named} and did not {how_often}: {self._problem}. "
            f"Simplify the schema, say in the messages what its parts mean, or use a larger model.",
            self._written,
            self._problem,
        )

    def _cut_off(self, stream: AnswerStream, limit: int | None) -> InvalidOutput:
        allowed = self._options.max_tokens
        thought = f" ({stream.reasoning_tokens} of them thinking)" if stream.reasoning_tokens else ""
        if allowed is not None and (limit is None or allowed <= limit):
            problem = f"it was cut off after {stream.n_tokens} tokens{thought}, since max_tokens is {allowed}"
            advice = "Raise max_tokens, or ask for less."
        else:
            problem = (
                f"it was cut off after {stream.n_tokens} tokens{thought}, since the context window of "
                f"{self._card.context_length} tokens was full"
            )
            advice = "Shorten the messages, or load the model with a larger context if it allows one."
        return InvalidOutput(
            f"{self._card.entry.id} was to answer with JSON{self._named}: {problem}. {advice}", self._written, problem
        )

    @property
    def _named(self) -> str:
        return f" ({self._wanted.name[:100]})" if self._wanted.name else ""
