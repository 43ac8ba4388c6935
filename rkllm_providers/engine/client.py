"""A model to talk to: messages in, chat events out, for threads and for event loops.

The synchronous and the asynchronous way share everything but the waiting. Both stream; a whole
answer is the collected stream. Leaving a stream early, in any way, aborts its run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final, Self

from rkllm_providers.chat import (
    ChatEvent,
    ChatMessage,
    ChatResult,
    Finish,
    GenerateOptions,
    Prompt,
    TextDelta,
    TextPrompt,
    TextStream,
    Timings,
    Usage,
    build_prompt,
    count_prompt_tokens,
)
from rkllm_providers.chat.plain import build_plain_prompt
from rkllm_providers.chat.stream import Token
from rkllm_providers.engine.engine import Engine
from rkllm_providers.engine.limits import check_sampling
from rkllm_providers.engine.row_uses import SYNC_WAIT_SECONDS, RowUses
from rkllm_providers.engine.run import PromptFormChanged, RunDone, RunItem, RunRequest
from rkllm_providers.engine.streams import AsyncStream, SyncStream
from rkllm_providers.errors import GenerationError, InvalidRequest, RKLLMError, UnsupportedFeature
from rkllm_providers.models import ModelCard, PromptForm
from rkllm_providers.models.adapters import adapter_names, find_adapter
from rkllm_providers.models.control import ControlGuard

_rendering: Final = ThreadPoolExecutor(2, thread_name_prefix="rkllm-render")


class Answer:
    """Turns the items of one run into chat events: what both ways of waiting share."""

    def __init__(self, card: ModelCard, prompt: Prompt, options: GenerateOptions) -> None:
        limit = options.max_tokens
        if limit is not None and limit < 1:
            raise InvalidRequest(f"max_tokens is {limit}; at least 1 is needed.", "max_tokens")
        if prompt.room is not None:
            limit = prompt.room if limit is None else min(limit, prompt.room)
        check_sampling(options.sampling)
        lora = None if options.lora is None else find_adapter(card.entry.path, card.lora, options.lora)
        self.request = RunRequest(
            prompt=prompt.content,
            max_tokens=limit,
            sampling=options.sampling.over(card.sampling),
            timeout=options.timeout,
            plain=prompt.plain,
            lora=lora,
        )
        self._prompt = prompt
        stops = options.stop
        if card.prompt_form is PromptForm.RAW:
            # A runtime without a template of its own has been seen to go on past the end token.
            stops += card.end_texts
        self._text = TextStream(card.end_tokens, limit, stops, card.silent_tokens)
        self.finished = False
        self._failure: RKLLMError | None = None

    def feed(self, items: Sequence[RunItem]) -> list[ChatEvent]:
        """The events of a batch of items; an error comes when what was before it has been taken.

        Raises:
            RKLLMError: The run failed.
        """
        tokens: list[Token] = []
        end: RunDone | RKLLMError | None = None
        for item in items:
            if isinstance(item, RunDone | RKLLMError):
                end = item
                break
            tokens.append(item)
        events: list[ChatEvent] = list(self._text.feed(tokens))
        if isinstance(end, RunDone):
            events += self._text.close()
            events.append(self._finish(end))
            self.finished = True
        elif end is not None:
            self._failure = end
            if not events:
                self.check()
        return events

    def check(self) -> None:
        """Raise the error that ended the run, if one did and all before it was taken."""
        if self._failure is not None:
            self.finished = True
            raise self._failure

    @property
    def wants_abort(self) -> bool:
        """Whether a stop sequence was met while the run is still under way."""
        return self._text.stopped and not self.finished

    def _finish(self, done: RunDone) -> Finish:
        n_prompt = self._prompt.n_tokens
        estimated = isinstance(self._prompt.content, TextPrompt)
        if estimated and done.kv_size is not None:
            # The last sampled token is not in the cache.
            n_prompt = max(1, done.kv_size - max(0, done.n_tokens - 1))
            estimated = False
        cached = 0 if done.prefill_tokens is None else max(0, n_prompt - done.prefill_tokens)
        self._text.max_tokens = done.max_tokens
        return Finish(
            self._text.finish_reason,
            Usage(n_prompt, self._text.n_tokens, cached, estimated),
            Timings(done.queue_ms, done.load_ms, done.prefill_ms, done.decode_ms),
            done.warnings,
        )


class AsyncAnswer:
    """A submitted request of a coroutine: iterate for batches of events, or collect it.

    A batch is everything that has arrived at once, so that a fast model costs few steps of the loop.
    """

    def __init__(self, client: ModelClient, answer: Answer, make_anew: Callable[[], Answer]) -> None:
        self._engine = client.engine
        self._answer = answer
        self._make_anew: Callable[[], Answer] | None = make_anew
        self._items = AsyncStream()
        self._run = self._engine.submit(answer.request, self._items)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[ChatEvent]:
        if self._answer.finished:
            raise StopAsyncIteration
        try:
            while True:
                try:
                    self._answer.check()
                    events = self._answer.feed(await self._items.get())
                except PromptFormChanged:
                    await self._render_anew()
                    continue
                if self._answer.wants_abort:
                    self._engine.abort(self._run)
                if events:
                    return events
        except BaseException:
            self.close()
            raise

    async def _render_anew(self) -> None:
        """Loading showed that the model takes prompts in another form: that happens once."""
        make, self._make_anew = self._make_anew, None
        if make is None:
            raise GenerationError("The form of the model's prompts changed twice.")
        self._answer = await asyncio.get_running_loop().run_in_executor(_rendering, make)
        self._items = AsyncStream()
        self._run = self._engine.submit(self._answer.request, self._items)

    async def collect(self) -> ChatResult:
        """The whole answer. Cancelling the waiting task aborts the run."""
        text: list[str] = []
        async for events in self:
            for event in events:
                if not isinstance(event, TextDelta):
                    return ChatResult("".join(text), event)
                text.append(event.text)
        raise GenerationError("The answer ended without saying how.")

    def close(self) -> None:
        """Abort the run if it is still under way."""
        if not self._answer.finished:
            self._answer.finished = True
            self._engine.cancel(self._run)


class ModelClient(RowUses):
    """A model that can be talked to. Light: the engine behind it may be shared by many."""

    def __init__(self, card: ModelCard, engine: Engine) -> None:
        self._card = card
        self.engine = engine

    @property
    def card(self) -> ModelCard:
        """What is known of the model, as it was really loaded once it is."""
        card, plan = self._card, self.engine.plan
        if card.takes_tokens and plan.form is not PromptForm.TOKENS:
            card = card.without_tokenizer()
        if plan.context_length < card.context_length:
            card = card.with_context(plan.context_length)
        self._card = card
        return card

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Number of prompt tokens of a conversation, whether it fits or not.

        Exact where the model has a tokenizer (``card.takes_tokens``), else an estimate.

        Raises:
            InvalidRequest: The messages cannot be rendered.
        """
        return count_prompt_tokens(self.card, messages)

    def adapters(self) -> list[str]:
        """The names of the LoRA adapters that ``GenerateOptions.lora`` may have. Looks at the model's folder."""
        return adapter_names(self._card.entry.path, self._card.lora)

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, in which no control token is found.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
        """
        guard = self._guard()
        return guard.encode(guard.mark(text))

    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens as they are written; what is no whole character becomes U+FFFD.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
            InvalidRequest: There is no such token.
        """
        return self._guard().decode(ids)

    def _guard(self) -> ControlGuard:
        guard = self.card.guard
        if guard is None:
            raise UnsupportedFeature(
                f"{self.engine.spec.name} has no tokenizer, so its tokens cannot be told. "
                f"Put the model's tokenizer.json beside its file."
            )
        return guard

    def stream(
        self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None
    ) -> Generator[ChatEvent, None, None]:
        """Answer, event by event; the last one is a ``Finish``. Closing it aborts the run.

        Raises:
            RKLLMError: The request is refused, or its run fails.
        """
        yield from self._events(lambda: self._answer(messages, options))

    def _events(self, make: Callable[[], Answer]) -> Generator[ChatEvent, None, None]:
        try:
            yield from self._stream(make())
        except PromptFormChanged:
            # Nothing was delivered yet: the load that the first request waited for found it out.
            yield from self._stream(make())

    def _stream(self, answer: Answer) -> Generator[ChatEvent, None, None]:
        items = SyncStream()
        run = self.engine.submit(answer.request, items)
        try:
            while not answer.finished:
                answer.check()
                yield from answer.feed(self._next_batch(items))
                if answer.wants_abort:
                    self.engine.abort(run)
        finally:
            if not answer.finished:
                self.engine.cancel(run)

    def complete(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> ChatResult:
        """Answer in one piece. Raises what ``stream`` raises."""
        with closing(self.stream(messages, options)) as events:
            return collect(events)

    async def aopen(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> AsyncAnswer:
        """Submit a request, and return its answer to iterate over.

        Raises:
            RKLLMError: The request is refused.
        """

        return await self._open(lambda: self._answer(messages, options))

    async def _open(self, make: Callable[[], Answer]) -> AsyncAnswer:
        # Rendering and tokenising take milliseconds on a board: not on the loop, nor where everything
        # else that is kept off the loop would have to wait for a huge prompt.
        return AsyncAnswer(self, await asyncio.get_running_loop().run_in_executor(_rendering, make), make)

    async def astream(
        self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream``. Closing it, or cancelling its task, aborts the run."""
        answer = await self.aopen(messages, options)
        try:
            async for events in answer:
                for event in events:
                    yield event
        finally:
            answer.close()

    async def acomplete(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> ChatResult:
        """The asynchronous twin of ``complete``."""
        answer = await self.aopen(messages, options)
        return await answer.collect()

    def stream_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> Generator[ChatEvent, None, None]:
        """Go on from a text without the chat template, as ``stream`` does with messages.

        With ``parse_special`` control tokens may be written in the prompt.
        """
        yield from self._events(lambda: self._text_answer(prompt, options, parse_special))

    def complete_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> ChatResult:
        """Go on from a text in one piece. Raises what ``stream_text`` raises."""
        with closing(self.stream_text(prompt, options, parse_special=parse_special)) as events:
            return collect(events)

    async def aopen_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> AsyncAnswer:
        """The twin of ``aopen`` for ``stream_text``."""
        return await self._open(lambda: self._text_answer(prompt, options, parse_special))

    async def astream_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream_text``."""
        answer = await self.aopen_text(prompt, options, parse_special=parse_special)
        try:
            async for events in answer:
                for event in events:
                    yield event
        finally:
            answer.close()

    async def acomplete_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> ChatResult:
        """The asynchronous twin of ``complete_text``."""
        return await (await self.aopen_text(prompt, options, parse_special=parse_special)).collect()

    def _text_answer(self, prompt: str, options: GenerateOptions | None, parse_special: bool) -> Answer:
        card = self.card
        plain = build_plain_prompt(card, prompt, parse_special=parse_special)
        return Answer(card, plain, options or GenerateOptions())

    def _answer(self, messages: Sequence[ChatMessage], options: GenerateOptions | None) -> Answer:
        card = self.card
        return Answer(card, build_prompt(card, messages), options or GenerateOptions())

    def _next_batch(self, items: SyncStream) -> list[RunItem]:
        try:
            return items.get(SYNC_WAIT_SECONDS)
        except TimeoutError as error:
            raise GenerationError(f"The engine of {self.engine.spec.name} never answered.") from error


def collect(events: Iterable[ChatEvent]) -> ChatResult:
    """The whole answer of a stream."""
    text: list[str] = []
    for event in events:
        if isinstance(event, TextDelta):
            text.append(event.text)
        else:
            return ChatResult("".join(text), event)
    raise GenerationError("The answer ended without saying how.")
