"""One answer: the runs it takes, and what comes out of them.

Most answers are one run. Some take several *segments*, each a run over all ids so far: the prompt, what was
generated exactly as it was delivered, and what is put in, such as the end of a thinking that has used up its
budget, or a turn that says what is wrong with the JSON so far. They are one stream and one usage.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rkllm_providers.chat.answer import AnswerStream
from rkllm_providers.chat.conversation import is_forced, offered_tools, thinking_budget, thinking_format, tool_format
from rkllm_providers.chat.garbage import GarbageWatch, garbage_message
from rkllm_providers.chat.pictures import continued
from rkllm_providers.chat.prompt import build_second_call
from rkllm_providers.chat.prompt_types import PicturePrompt, Prompt, TextPrompt
from rkllm_providers.chat.stream import Token
from rkllm_providers.chat.structured import JSONAnswer
from rkllm_providers.chat.token_estimates import most_tokens
from rkllm_providers.chat.tool_calls import collect_tool_calls
from rkllm_providers.chat.types import ChatEvent, ChatMessage, Finish, GenerateOptions, TextDelta
from rkllm_providers.engine.account import finish_of, joined
from rkllm_providers.engine.limits import check_sampling
from rkllm_providers.engine.output_tries import OutputTries
from rkllm_providers.engine.run import PrefillProgress, RunDone, RunItem, RunRequest
from rkllm_providers.errors import GenerationError, InvalidRequest, RKLLMError
from rkllm_providers.models import ModelCard, ModelFormat, PromptForm
from rkllm_providers.models.adapters import find_adapter

_NO_ID: Final = -1


class Answer:
    """Turns the items of an answer's runs into chat events: what both ways of waiting share.

    ``request`` is the run to submit first; after a batch that ends a run, ``next_request`` is the one to submit
    then, ``None`` if there is no more. Where the answer ``wants_check`` then, ``check_output`` comes before both.
    """

    def __init__(
        self,
        card: ModelCard,
        prompt: Prompt,
        options: GenerateOptions,
        runtime: str,
        messages: Sequence[ChatMessage] = (),
    ) -> None:
        """``messages`` are what ``prompt`` was made of, where it is a turn of a chat."""
        limit = _limit_of(prompt, options)
        check_sampling(options.sampling)
        self.request = RunRequest(
            prompt=prompt.content,
            max_tokens=limit,
            sampling=options.sampling.over(card.sampling),
            timeout=options.timeout,
            first_token_timeout=options.first_token_timeout,
            priority=options.priority,
            keep_alive=options.keep_alive,
            plain=prompt.plain,
            lora=None if options.lora is None else find_adapter(card.entry.path, card.lora, options.lora),
        )
        self.next_request: RunRequest | None = None
        self.finished = False
        self.wants_check = False
        self.progress: PrefillProgress | None = None
        self._card = card
        self._first_prompt = self._prompt = prompt
        self._options = options
        self._runtime = runtime
        self._limit = limit
        # What goes on from a plain prompt is text as it is: no thinking, and no calls.
        self._thinking = None if prompt.plain else thinking_format(card)
        self._budget = None if prompt.plain else thinking_budget(card, options)
        self._tries: OutputTries | None = None
        self._output: JSONAnswer | None = None
        if options.response_format is not None and (prompt.plain or not is_forced(options)):
            self._tries = OutputTries(card, messages, options)
            self._output = self._tries.begin(prompt)
        self._text = self._new_stream()
        # A script may repeat itself on purpose.
        watched = card.entry.format is not ModelFormat.SCRIPT
        self._watch = GarbageWatch(card.end_tokens) if watched else None
        self._generated: list[int] = []
        self._said = bytearray()
        self._done: RunDone | None = None
        self._failure: RKLLMError | None = None
        self._wants_abort = False
        self._run_ended = False
        self._abandoned = self._abandoned_reasoning = 0
        self._began_at = time.monotonic()
        self._before_segment = 0
        self._closes_thinking = False
        self._went_on = False
        # A forced call is told of once it is whole, so that it can be tried again.
        self._withheld: list[ChatEvent] | None = [] if is_forced(options) and not prompt.plain else None
        self._retried = False
        has_segments = self._thinking is not None and card.guard is not None and not prompt.plain
        if has_segments or self._withheld is not None or self._tries is not None:
            self.request = replace(self.request, may_continue=True)

    @property
    def wants_abort(self) -> bool:
        """Whether the run that is under way is to end: what it would still give is not wanted."""
        return self._wants_abort and not self.finished and not self._run_ended

    @property
    def gives_up_its_turn(self) -> bool:
        """Whether the engine waits to hear that no further segment comes."""
        return self.finished and self.request.may_continue

    def feed(self, items: Sequence[RunItem]) -> list[ChatEvent]:
        """The events of a batch of items; an error comes when what was before it has been taken.

        Raises:
            RKLLMError: The run failed.
        """
        self.next_request = None
        tokens: list[Token] = []
        end: RunDone | RKLLMError | None = None
        for item in items:
            if isinstance(item, RunDone | RKLLMError):
                end = item
                break
            if isinstance(item, PrefillProgress):
                self.progress = item
                continue
            tokens.append(item)
        events = self._read(tokens) if tokens else []
        if isinstance(end, RunDone):
            events += self._end_of_run(end)
        elif end is not None:
            self._failure = end
        if self._failure is not None and not events:
            self.check()
        return events

    def check(self) -> None:
        """Raise the error that ended the answer, if one did and all before it was taken."""
        if self._failure is not None:
            self.finished = True
            raise self._failure

    def _new_stream(self) -> AnswerStream:
        card, options = self._card, self._options
        stops = options.stop
        if card.prompt_form is PromptForm.RAW:
            # A runtime without a template of its own has been seen to go on past the end token.
            stops += card.end_texts
        # A text to be corrected was chosen over a call.
        without_tools = self._prompt.plain or (self._tries is not None and self._prompt is not self._first_prompt)
        tools = () if without_tools else offered_tools(options)
        ids = card.guard.control_ids if card.guard is not None else {}
        stream = AnswerStream(
            card.end_tokens,
            self._limit,
            stops,
            card.silent_tokens,
            thinking=self._thinking,
            starts_in_reasoning=self._prompt.starts_in_reasoning,
            tool_format=tool_format(card) if tools else None,
            tools=tools,
            marker_ids={number: text for text, number in ids.items()},
        )
        if self._prompt.begun and is_forced(options):
            marker = tool_format(card).begins[0]
            rest = self._prompt.begun.removeprefix(marker)
            self._begun = stream.feed([(ids.get(marker, _NO_ID), marker.encode()), (_NO_ID, rest.encode())])
            stream.n_tokens = 0
            stream.reasoning_tokens = 0
        else:
            self._begun = []
        return stream

    def _read(self, tokens: list[Token]) -> list[ChatEvent]:
        if self._wants_abort:
            return []  # late tokens of a run that was to end
        if self._budget is None and self._output is None:
            return self._shown(self._take(tokens))
        # What a run may have to end at is to be found at the very token.
        events: list[ChatEvent] = []
        for token in tokens:
            events += self._shown(self._take([token]))
            if self._budget is not None and self._text.in_reasoning and self._text.reasoning_tokens >= self._budget:
                self._closes_thinking = self._wants_abort = True
            if self._wants_abort:
                break
        return events

    def _take(self, tokens: list[Token]) -> list[ChatEvent]:
        self._generated += [token[0] for token in tokens]
        if isinstance(self._prompt.content, PicturePrompt):
            self._said += b"".join(token[1] for token in tokens if token[1])
        if self._watch is not None and self._watch.feed(tokens) is not None and self._watch.problem is not None:
            self._wants_abort = True
            message = garbage_message(self._watch.problem, self._card.entry.id, self._runtime)
            self._failure = GenerationError(message)
        events = self._text.feed(tokens)
        # A model that makes no call by itself does not find its end behind one either.
        if self._text.stopped or (self._retried and self._text.has_called):
            self._wants_abort = True
        return events

    def _shown(self, events: list[ChatEvent]) -> list[ChatEvent]:
        if self._output is not None:
            events = self._output.take(events)
            self._wants_abort |= self._output.done
            return events
        if self._withheld is None:
            return events
        self._withheld += events
        return []

    def _end_of_run(self, done: RunDone) -> list[ChatEvent]:
        self._done = joined(self._done, done)
        self._run_ended = True
        if self._failure is not None:
            return []
        request = self._further_segment(done)
        if request is not None:
            self._begin_run(request)
            return []
        events = self._shown(self._text.close())
        self._text.max_tokens = self._before_segment + done.max_tokens
        if self._output is not None and not self._output.passes:
            self.wants_check = True
            return events
        if self._withheld is not None:
            request = self._check_forced()
            if request is not None:
                self._begin_run(request)
                return []
            events = self._withheld
        events.append(self._finish(self._done))
        self.finished = True
        return events

    def _begin_run(self, request: RunRequest) -> None:
        """Have the next segment run, in what is left of the answer's time."""
        timeout = self._options.timeout
        if timeout is not None:
            timeout = max(0.001, timeout - (time.monotonic() - self._began_at))
        self.next_request = replace(request, continues=True, timeout=timeout, first_token_timeout=None)
        self._wants_abort = self._closes_thinking = self._run_ended = False

    def _further_segment(self, done: RunDone) -> RunRequest | None:
        """What is run next, where the run that ended is not the end of the answer."""
        guard, thinking = self._card.guard, self._thinking
        content = self._prompt.content
        if (
            guard is None
            or thinking is None
            or (isinstance(content, TextPrompt) and not isinstance(content, PicturePrompt))
        ):
            return None
        close_id = guard.control_ids.get(thinking.close, _NO_ID)
        if self._closes_thinking:
            # Once: a model that begins to think again is ended by the limit on all tokens.
            self._budget = None
            counts = self._text.n_tokens, self._text.reasoning_tokens
            self._text.feed([(_NO_ID, b"\n"), (close_id, thinking.close.encode())])
            self._text.n_tokens, self._text.reasoning_tokens = counts
            return self._continued(f"\n{thinking.close}\n\n")
        limit = self._before_segment + done.max_tokens
        ended = done.last_token in self._card.end_tokens or self._text.n_tokens >= limit
        if done.last_token == close_id and not ended and not self._text.stopped and not self._went_on:
            # Runtime 1.3.0 has been seen to end a run at the closing tag.
            self._went_on = True
            return self._continued("")
        return None

    def _continued(self, text: str) -> RunRequest | None:
        """The next segment, behind what was generated and a text that is put in."""
        guard = self._card.guard
        if guard is None:
            return None
        put_in = guard.encode_once(text) if text else []
        if isinstance(self._prompt.content, PicturePrompt):
            return self._continued_text(self._prompt.content, text, len(put_in))
        if isinstance(self._prompt.content, TextPrompt):
            return None
        ids = array("i", [*self._prompt.content, *self._generated, *put_in])
        self._generated += put_in
        room = self._card.context_length - len(ids)
        left = room if self._limit is None else min(room, self._limit - self._text.n_tokens)
        if left < 1:
            return None
        self._before_segment = self._text.n_tokens
        return replace(self.request, prompt=ids, max_tokens=left)

    def _continued_text(self, prompt: PicturePrompt, text: str, n_put_in: int) -> RunRequest | None:
        """The same for a prompt with pictures, which is text: what was generated goes back as its text."""
        self._said += text.encode()
        left = None if self._limit is None else self._limit - self._text.n_tokens
        if left is not None and left < 1:
            return None
        self._before_segment = self._text.n_tokens
        n_tokens = None if prompt.n_tokens is None else prompt.n_tokens + len(self._generated) + n_put_in
        longer_text = continued(prompt.text, self._said.decode(errors="replace"), self._card)
        bound = prompt.bound + most_tokens(longer_text[len(prompt.text) :])
        longer = replace(prompt, text=longer_text, bound=bound, n_tokens=n_tokens)
        self._generated += [_NO_ID] * n_put_in
        return replace(self.request, prompt=longer, max_tokens=left)

    def _begin_anew(self) -> None:
        """Forget what was written, but for what it took."""
        self._abandoned += self._text.n_tokens
        self._abandoned_reasoning += self._text.reasoning_tokens
        self._generated = []
        self._said.clear()
        self._before_segment = 0
        self._text = self._new_stream()

    def check_output(self) -> list[ChatEvent]:
        """See that what was written is the JSON that was asked for: its text and the end, or ``next_request``.

        Takes milliseconds, and up to seconds at the worst. Not for an event loop.

        Raises:
            InvalidOutput: It is not, however often it was tried.
            InvalidRequest: Answers cannot be checked by the schema.
        """
        self.next_request, self.wants_check = None, False
        if self._tries is None or self._output is None or self._done is None:
            return []
        text = self._tries.checked(self._output, self._text, self._limit)
        if text is not None:
            self.finished = True
            return [TextDelta(text), self._finish(self._done)]
        prompt = self._tries.next_prompt(self._prompt, self._generated)
        self._prompt, self._limit = prompt, _limit_of(prompt, self._options)
        self._output = self._tries.begin(prompt)
        self._begin_anew()
        self._begin_run(replace(self.request, prompt=prompt.content, max_tokens=self._limit))
        return []

    def _check_forced(self) -> RunRequest | None:
        """See that a forced call was made; the run to try once more where it was not.

        Raises:
            GenerationError: It was not made twice.
        """
        events = [*self._begun, *(self._withheld or [])]
        calls, invalid = collect_tool_calls(events)
        wanted = self._options.forced_tool
        if calls and not invalid and wanted in (None, calls[0].name):
            self._withheld = events
            return None
        said = "".join(call.text for call in invalid) or f"{len(self._generated)} tokens without a call"
        if not self._retried:
            self._retried = True
            self._withheld = []
            prompt = build_second_call(self._card, self._prompt, self._options)
            self._prompt, self._limit = prompt, _limit_of(prompt, self._options)
            self._begin_anew()
            return replace(self.request, prompt=prompt.content, max_tokens=self._limit)
        self.finished = True
        raise GenerationError(
            f"{self._card.entry.id} was to call {wanted or 'a tool'} and did not, twice. It wrote: {said[:2000]}"
        )

    def _finish(self, done: RunDone) -> Finish:
        finish = finish_of(
            done,
            self._first_prompt,
            "stop" if self._output is not None and not self._output.passes else self._text.finish_reason,
            self._abandoned + self._text.n_tokens,
            self._abandoned_reasoning + self._text.reasoning_tokens,
            self._card.entry.id,
        )
        # The texts of end tokens end an answer too, but are nothing that was asked for.
        return replace(finish, stop=self._text.stop) if self._text.stop in self._options.stop else finish


def _limit_of(prompt: Prompt, options: GenerateOptions) -> int | None:
    limit = options.max_tokens
    if limit is not None and limit < 1:
        raise InvalidRequest(f"max_tokens is {limit}; at least 1 is needed.", "max_tokens")
    if prompt.room is None:
        return limit
    return prompt.room if limit is None else min(limit, prompt.room)
