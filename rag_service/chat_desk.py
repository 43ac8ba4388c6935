"""Where a chat request is looked at before a model is: is it a task, does it have sources, do its tools fit?"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from rag_service.answer_news import AnswerNews
from rag_service.chat_answer import About, ChatAnswer
from rag_service.grounding import Grounded, Grounding, GroundingSettings, is_long
from rag_service.kept_answers import KeptAnswers, cache_request
from rag_service.openwebui.client_events import is_openwebui
from rag_service.openwebui.sources import read_chat
from rag_service.openwebui.task_answers import TaskAnswers, TaskMode
from rag_service.openwebui.task_table import TaskKind
from rag_service.openwebui.tasks import recognise_task
from rag_service.own_clock import ClockMode, tell_moment, with_moment
from rag_service.ready_answer import ReadyAnswer
from rag_service.retrieval.answer_cache import CacheRequest
from rag_service.retrieval.queries import search_queries
from rkllm_providers.chat import ChatMessage, ChatResult, GenerateOptions
from rkllm_providers.engine import AsyncAnswer, ModelClient
from rkllm_providers.models import PromptForm

logger = logging.getLogger(__name__)

HINT_HEADER: Final = "X-RKLLM-Hint"
PLAIN_HEADER: Final = "X-RKLLM-Plain"
"""Of a request: its chat goes to the model as it is."""
CACHE_HEADER: Final = "X-RKLLM-Answer-Cache"
"""Of an answer that was given before: how many seconds ago."""
_SEARCH_TOOL: Final = "search_web"

T = TypeVar("T")
Message = Mapping[str, Any]
Convert = Callable[[Sequence[Message]], list[ChatMessage]]
"""Makes chat types of raw messages."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """How chat requests are dealt with before a model answers.

    ``tool_share`` is the share of the context window that the schemas of offered tools may take; above it they are
    left out, unless one must be called. ``search_for_model`` has a web search called where the tool is offered and
    the turn asks for something, since small models often do not. ``tasks`` says what is done with background tasks.
    ``client_events`` says whose streams carry Open WebUI's events: those of requests that are Open WebUI's
    (``auto``), all (``on``), or none (``off``). ``clock`` has the date, or date and time, said in chats. Answers are
    kept for ``cache_seconds``, 0 for not at all, in at most ``cache_size`` bytes.
    """

    grounding: GroundingSettings = field(default_factory=GroundingSettings)
    tasks: Mapping[TaskKind, TaskMode] = field(default_factory=dict)
    tool_share: float = 0.5
    search_for_model: bool = False
    client_events: Literal["auto", "on", "off"] = "auto"
    clock: ClockMode = "off"
    cache_seconds: float = 0.0
    cache_size: int = 16 << 20


@dataclass(frozen=True, slots=True)
class OpenedChat:
    """An answer under way, and headers that say what was done."""

    answer: ChatAnswer
    headers: Mapping[str, str] = field(default_factory=dict)


class ChatDesk:
    """Opens the answers to chat requests. One for a service."""

    def __init__(self, settings: DeskSettings | None = None, now: Callable[[], datetime] = datetime.now) -> None:
        """``now`` gives the local time."""
        self._now = now
        self.settings = settings or DeskSettings()
        self._grounding = Grounding(self.settings.grounding)
        self._tasks = TaskAnswers(self.settings.tasks)
        self._kept = KeptAnswers(self.settings.cache_seconds, self.settings.cache_size)

    async def open(
        self,
        raw: Sequence[Message],
        messages: list[ChatMessage],
        options: GenerateOptions,
        client: ModelClient,
        headers: Mapping[str, str],
        *,
        stream: bool,
        convert: Convert,
        caller: str = "",
    ) -> OpenedChat:
        """Open the answer to a request: ``raw`` are its messages, ``messages`` the same as chat types.

        ``headers`` are found in lower case. ``caller`` names the key of the client, whose answers nobody else is
        given. Sources are read when the answer's first events are asked for.

        Raises:
            RKLLMError: The request is refused.
        """
        if headers.get(PLAIN_HEADER.lower(), "0") == "1":
            return OpenedChat(ChatAnswer(await client.aopen(messages, options)))
        # A task's prompt can be a whole chat, and words are found in it by tables that are built at first use.
        task = await _apart(raw, lambda: recognise_task(raw, headers, stream=stream))
        if task is not None:
            reply = await asyncio.to_thread(self._tasks.reply, task)
            if reply is not None:
                return OpenedChat(ChatAnswer(ReadyAnswer.of_text(reply), About("instant", task.kind)))
            answer = await client.aopen(messages, self._tasks.options(task, options, client.facts))
            return OpenedChat(ChatAnswer(answer, About(task=task.kind)))
        asked: CacheRequest | None = None
        moment = "" if self.settings.clock == "off" else tell_moment(self.settings.clock, self._now())
        if self._kept.enabled and options.lora is None:
            asked = await _apart(raw, lambda: cache_request(raw, options, client.card.entry, caller, headers, moment))
            known = self._known(asked)
            if known is not None:
                return known
        if self._may_search(raw, options):
            search = await asyncio.to_thread(_search_call, raw)
            if search is not None:
                return OpenedChat(ChatAnswer(search, About("search")))
        options, told = await self._with_fitting_tools(messages, options, client)
        if moment:
            moves = options.volatile_system == "move" and client.card.prompt_form is not PromptForm.RUNTIME

            def timed(given: Sequence[Message]) -> list[ChatMessage]:
                return convert(with_moment(given, moment, moves=moves))

            return OpenedChat(await self._answer(raw, timed(raw), options, client, timed, asked), told)
        return OpenedChat(await self._answer(raw, messages, options, client, convert, asked), told)

    async def _answer(
        self,
        raw: Sequence[Message],
        messages: list[ChatMessage],
        options: GenerateOptions,
        client: ModelClient,
        convert: Convert,
        asked: CacheRequest | None,
    ) -> ChatAnswer:
        """The model's answer; one to a chat with sources begins by reading them."""

        def keep(result: ChatResult | None, grounded: Grounded | None) -> None:
            if asked is not None:
                self._kept.keep(asked, result, grounded)

        async def begin() -> tuple[AsyncAnswer, Grounded]:
            grounded = await self._grounding.ground(chat, client, options, convert)
            return (
                await client.aopen(convert(grounded.messages), self._grounding.options(options, client)),
                grounded,
            )

        keeping = keep if asked is not None else None
        read = await self._grounding.read(raw)
        if read is None:
            return ChatAnswer(await client.aopen(messages, options), keep=keeping)
        chat = read
        return ChatAnswer(begin, sources=len(chat.sources), keep=keeping)

    def _known(self, asked: CacheRequest) -> OpenedChat | None:
        """The answer that was given to the same request before."""
        found = self._kept.find(asked)
        if found is None:
            return None
        about = About("cache", age_seconds=found.age_seconds)
        answer = ReadyAnswer.of_result(found.answer.result)
        told = {CACHE_HEADER: f"{found.age_seconds:.0f}"}
        return OpenedChat(ChatAnswer(answer, about, grounded=found.answer.grounded), told)

    def news(self, answer: ChatAnswer, client: ModelClient, headers: Mapping[str, str]) -> AnswerNews | None:
        """What tells of an answer in Open WebUI's own events; ``None`` for clients that do not know them."""
        asked = self.settings.client_events
        if answer.about.task is not None or asked == "off" or (asked == "auto" and not is_openwebui(headers)):
            return None
        return AnswerNews(answer, lambda: client.engine.info is not None)

    async def close(self) -> None:
        """End what runs for chats."""
        await self._grounding.close()

    async def _with_fitting_tools(
        self, messages: list[ChatMessage], options: GenerateOptions, client: ModelClient
    ) -> tuple[GenerateOptions, dict[str, str]]:
        """The options without tools that the model cannot use or that leave no room, and a hint that says so.

        Those that the chat has used already stay where they fit without the others.
        """
        needed = options.tool_choice == "required" or options.forced_tool is not None
        if not options.tools or needed or options.tool_choice == "none":
            return options, {}
        facts = client.facts
        called = {call.name for message in messages for call in message.tool_calls}
        if client.card.prompt_form is PromptForm.RUNTIME:
            if called:
                return options, {}
            told = f"{len(options.tools)} tools were left out: {facts.id} has no chat template here."
            return replace(options, tools=()), _hint(told)
        used = tuple(tool for tool in options.tools if tool.name in called)
        choices = [options, *([replace(options, tools=used)] if used else ()), replace(options, tools=())]
        counts = await asyncio.gather(
            *(asyncio.to_thread(client.count_tokens, messages, choice) for choice in choices)
        )
        most = counts[-1] + self.settings.tool_share * facts.context_length
        chosen, count = next(pair for pair in zip(choices, counts, strict=True) if pair[1] <= most)
        left = len(options.tools) - len(chosen.tools)
        if not left:
            return options, {}
        return chosen, _hint(
            f"{left} tools of {counts[0] - count} tokens were left out: with them, tools take more than "
            f"{self.settings.tool_share:.0%} of the window of {facts.context_length} tokens (RKLLM_TOOL_SHARE)."
        )

    def _may_search(self, raw: Sequence[Message], options: GenerateOptions) -> bool:
        """Whether a search may be called on the model's behalf: behind a user's turn, with the tool offered."""
        offered = any(tool.name == _SEARCH_TOOL for tool in options.tools)
        asked = bool(raw) and raw[-1].get("role") == "user"
        return self.settings.search_for_model and offered and asked and options.tool_choice != "none"


def _search_call(raw: Sequence[Message]) -> ReadyAnswer | None:
    """A call of the search tool with what a turn asks for; ``None`` where it asks nothing, or has sources."""
    chat = read_chat(raw)
    queries = [] if chat.sources else search_queries(chat.turns)
    if not queries:
        return None
    arguments = json.dumps({"query": queries[0]}, ensure_ascii=False)
    return ReadyAnswer.of_call(f"call_{uuid.uuid4().hex[:24]}", _SEARCH_TOOL, arguments)


async def _apart(raw: Sequence[Message], work: Callable[[], T]) -> T:
    """Do ``work`` on a chat: on a thread where it is so long that the event loop would feel it."""
    return await asyncio.to_thread(work) if is_long(raw) else work()


def _hint(text: str) -> dict[str, str]:
    logger.info("%s", text)
    return {HINT_HEADER: text.encode("ascii", "replace").decode()}
