"""A model to talk to: messages in, chat events out, for threads and for event loops.

The synchronous and the asynchronous way share everything but the waiting. Both stream; a whole
answer is the collected stream. Leaving a stream early, in any way, aborts its run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing

from rkllm_providers.chat import (
    ChatEvent,
    ChatMessage,
    ChatResult,
    GenerateOptions,
    ImagePart,
    PicturePrompt,
    Prompt,
    build_prompt,
    count_prompt_tokens,
)
from rkllm_providers.chat.forced_calls import can_force_calls
from rkllm_providers.chat.pictures import check_bytes, markers_of, pictures_of
from rkllm_providers.chat.plain import build_plain_prompt
from rkllm_providers.chat.prompt import PICTURE_TOKENS
from rkllm_providers.engine.answer import Answer
from rkllm_providers.engine.async_answer import AsyncAnswer
from rkllm_providers.engine.engine import Engine
from rkllm_providers.engine.language_model import LanguageModel, ModelFacts
from rkllm_providers.engine.preparing import RENDERING
from rkllm_providers.engine.row_uses import SYNC_WAIT_SECONDS, RowUses
from rkllm_providers.engine.run import PromptFormChanged, RunDone, RunItem
from rkllm_providers.engine.streams import AsyncStream, SyncStream
from rkllm_providers.engine.warming import warming_request
from rkllm_providers.errors import (
    ContextLengthExceeded,
    GenerationError,
    RKLLMError,
    UnsupportedFeature,
)
from rkllm_providers.models import ModelCard, PromptForm
from rkllm_providers.models.adapters import adapter_names
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.vision import check_picture


class ModelClient(RowUses, LanguageModel):
    """A model that can be talked to. Light: the engine behind it may be shared by many."""

    def __init__(self, card: ModelCard, engine: Engine, release: Callable[[ModelClient], None] | None = None) -> None:
        """``release`` is who takes the client back; without one its engine is its own."""
        self._card = card
        self.engine = engine
        self._release = release

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

    @property
    def facts(self) -> ModelFacts:
        """What its users must know of the model, as it was really loaded once it is."""
        card = self.card
        return ModelFacts(
            card.entry.id, card.context_length, card.capabilities, card.takes_tokens, can_force_calls(card)
        )

    @property
    def closed(self) -> bool:
        """Whether its engine is closed."""
        return self.engine.closed

    def release(self) -> None:
        """Give the model back; the engine closes when nobody else in this process uses it."""
        if self._release is None:
            self.engine.close()
        else:
            self._release(self)

    def count_tokens(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> int:
        """Number of prompt tokens of a conversation, whether it fits or not.

        Exact where the model has a tokenizer (``card.takes_tokens``), else an estimate; so are pictures until the
        model has seen one.

        Raises:
            InvalidRequest: The messages cannot be rendered.
        """
        return count_prompt_tokens(self.card, messages, options, self.engine.picture_tokens or PICTURE_TOKENS)

    def warm(self, system: str, options: GenerateOptions | None = None) -> int:
        """Read ahead what all conversations with this system message begin with, tools of ``options`` included.

        It is read now, and again whenever the model was loaded anew and nobody waits. Loads the model if it is not.
        Returns the number of tokens, 0 if there is nothing to read.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
            RKLLMError: The system message is refused, or the run fails.
        """
        request, n_tokens = warming_request(self.card, system, options)
        if request is None:
            return 0
        items = SyncStream()
        run = self.engine.submit(request, items)
        done = False
        try:
            while not done:
                done = _is_end(self._next_batch(items))
        finally:
            if not done:
                self.engine.cancel(run)
        self.engine.pin(request)
        return n_tokens

    async def awarm(self, system: str, options: GenerateOptions | None = None) -> int:
        """The asynchronous twin of ``warm``."""
        request, n_tokens = await RENDERING.run(lambda: warming_request(self.card, system, options))
        if request is None:
            return 0
        items = AsyncStream()
        run = self.engine.submit(request, items)
        done = False
        try:
            while not done:
                done = _is_end(await items.get())
        finally:
            if not done:
                self.engine.cancel(run)
        self.engine.pin(request)
        return n_tokens

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
        began = False
        try:
            for event in self._stream(make()):
                began = True
                yield event
        except PromptFormChanged:
            # The load that the first request waited for found it out. Later, what was said cannot be unsaid.
            if began:
                raise
            yield from self._stream(make())

    def _stream(self, answer: Answer) -> Generator[ChatEvent, None, None]:
        items = SyncStream()
        run = self.engine.submit(answer.request, items)
        try:
            while not answer.finished:
                answer.check()
                if answer.wants_check:
                    yield from answer.check_output()
                else:
                    yield from answer.feed(self._next_batch(items))
                if answer.wants_abort:
                    self.engine.abort(run)
                if answer.next_request is not None:
                    run = self.engine.submit(answer.next_request, items)
        finally:
            if not answer.finished:
                self.engine.cancel(run)
            elif answer.gives_up_its_turn:
                self.engine.settle(run)

    async def aopen(self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> AsyncAnswer:
        """Submit a request, and return its answer to iterate over.

        Raises:
            RKLLMError: The request is refused.
        """
        self.engine.check_room((options or GenerateOptions()).priority)  # where nothing fits in, no prompt is written
        return await self._open(lambda: self._answer(messages, options))

    async def _open(self, make: Callable[[], Answer]) -> AsyncAnswer:
        return AsyncAnswer(self.engine, await RENDERING.run(make), make)

    async def _aevents(self, make: Callable[[], Answer]) -> AsyncGenerator[ChatEvent, None]:
        answer = await self._open(make)
        try:
            async for events in answer:
                for event in events:
                    yield event
        finally:
            answer.close()

    async def astream(
        self, messages: Sequence[ChatMessage], options: GenerateOptions | None = None
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream``. Closing it, or cancelling its task, aborts the run."""
        async with aclosing(self._aevents(lambda: self._answer(messages, options))) as events:
            async for event in events:
                yield event

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

    async def aopen_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> AsyncAnswer:
        """The twin of ``aopen`` for ``stream_text``."""
        self.engine.check_room((options or GenerateOptions()).priority)
        return await self._open(lambda: self._text_answer(prompt, options, parse_special))

    async def astream_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> AsyncGenerator[ChatEvent, None]:
        """The asynchronous twin of ``stream_text``."""
        async with aclosing(self._aevents(lambda: self._text_answer(prompt, options, parse_special))) as events:
            async for event in events:
                yield event

    async def acomplete_text(
        self, prompt: str, options: GenerateOptions | None = None, *, parse_special: bool = False
    ) -> ChatResult:
        """The asynchronous twin of ``complete_text``."""
        return await (await self.aopen_text(prompt, options, parse_special=parse_special)).collect()

    def _text_answer(self, prompt: str, options: GenerateOptions | None, parse_special: bool) -> Answer:
        card = self.card
        plain = build_plain_prompt(card, prompt, parse_special=parse_special)
        return Answer(card, plain, options or GenerateOptions(), self._runtime_version)

    def _answer(self, messages: Sequence[ChatMessage], options: GenerateOptions | None) -> Answer:
        card, options = self.card, options or GenerateOptions()
        self._check_pictures(card, pictures_of(messages))
        if options.volatile_system == "move" and card.prompt_form is not PromptForm.RUNTIME:
            messages = self.engine.volatile.apply(messages)
        prompt = build_prompt(card, messages, options)
        self._check_room(card, prompt)
        return Answer(card, prompt, options, self._runtime_version, messages)

    def _check_pictures(self, card: ModelCard, pictures: Sequence[ImagePart]) -> None:
        """Refuse pictures that cannot be read before they wait in a queue. Decodes nothing.

        Raises:
            InvalidRequest: The model takes none, they are too many, or one is too large, broken, or of a format that
                is not read.
        """
        if not pictures:
            return
        markers_of(card)
        check_bytes(pictures)
        limits = self.engine.limits.pictures
        limits.check_count(len(pictures))
        for picture in {picture.digest: picture for picture in pictures}.values():
            check_picture(picture.data, limits)

    def _check_room(self, card: ModelCard, prompt: Prompt) -> None:
        """Refuse a prompt with pictures that cannot fit, once it is known what a picture takes."""
        content, each = prompt.content, self.engine.picture_tokens
        if isinstance(content, PicturePrompt) and content.n_tokens is not None and each is not None:
            n_tokens = content.n_tokens + len(content.pictures) * each
            if n_tokens >= card.context_length:
                raise ContextLengthExceeded(n_tokens, card.context_length)

    @property
    def _runtime_version(self) -> str:
        info = self.engine.info
        return info.version if info is not None else ""

    def _next_batch(self, items: SyncStream) -> list[RunItem]:
        try:
            return items.get(SYNC_WAIT_SECONDS)
        except TimeoutError as error:
            raise GenerationError(f"The engine of {self.engine.spec.name} never answered.") from error


def _is_end(items: Sequence[RunItem]) -> bool:
    """Whether a run has ended with these items; raises its error."""
    if isinstance(items[-1], RKLLMError):
        raise items[-1]
    return isinstance(items[-1], RunDone)
