"""The answer cache of the service: what of a chat request determines its answer, and what of an answer is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from rag_service.grounding import Grounded
from rag_service.retrieval.answer_cache import AnswerCache, CachedAnswer, CacheRequest
from rkllm_providers.chat import ChatResult, GenerateOptions
from rkllm_providers.models import ModelEntry

# How Open WebUI names the chat: by itself, or as a header of the connection that an administrator wrote.
_CHAT_HEADERS: Final = ("x-openwebui-chat-id", "x-openwebui-chat")
# What changes when an answer comes, and not which.
_WITHOUT_EFFECT: Final = frozenset({"timeout", "first_token_timeout", "priority", "keep_alive"})
_ENTRY_BYTES: Final = 1000


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, and what it rests on, without the texts of its sources."""

    result: ChatResult
    grounded: Grounded | None


class KeptAnswers:
    """Answers to chats for requests that are the same in everything. One for a service."""

    def __init__(self, seconds: float, size: int) -> None:
        """``seconds`` is how long an answer is kept, 0 for not at all; ``size`` is in bytes, of all together."""
        self._cache: AnswerCache[KeptAnswer] = AnswerCache(seconds, size)

    @property
    def enabled(self) -> bool:
        """Whether anything is kept at all."""
        return self._cache.enabled

    def find(self, request: CacheRequest) -> CachedAnswer[KeptAnswer] | None:
        """The answer to the same request, as ``AnswerCache.get`` says."""
        return self._cache.get(request)

    def keep(self, request: CacheRequest, result: ChatResult | None, grounded: Grounded | None) -> None:
        """Keep an answer; of one that was not completed, or calls tools, only that there was one."""
        if result is None or result.tool_calls or result.invalid_tool_calls:
            self._cache.note_answered(request)
            return
        kept = KeptAnswer(result, None if grounded is None else _trimmed(grounded))
        self._cache.put(request, kept, _size(kept))


def cache_request(
    raw: Sequence[Mapping[str, Any]],
    options: GenerateOptions,
    entry: ModelEntry,
    caller: str,
    headers: Mapping[str, str],
    moment: str = "",
) -> CacheRequest:
    """What determines the answer to a chat.

    ``raw`` are its messages, ``caller`` is the name of the client's key, ``moment`` what is said of date and time.
    """
    given = {name: value for name, value in asdict(options).items() if name not in _WITHOUT_EFFECT}
    # A file may change under its name.
    given |= {"modified_ns": entry.modified_ns, "moment": moment}
    chat = next((value for name in _CHAT_HEADERS if (value := headers.get(name, "").strip())), None)
    sampling = options.sampling
    return CacheRequest(
        caller,
        entry.id,
        [(str(message.get("role")), json.dumps(message, sort_keys=True, default=str)) for message in raw],
        given,
        chat,
        tools=bool(options.tools) or any(_uses_tools(message) for message in raw),
        pictures=any(_has_more_than_text(message.get("content")) for message in raw),
        repeatable=sampling.temperature == 0 or sampling.top_k == 1,
    )


def _uses_tools(message: Mapping[str, Any]) -> bool:
    return message.get("role") == "tool" or bool(message.get("tool_calls"))


def _has_more_than_text(content: Any) -> bool:
    return isinstance(content, list) and any(
        not (isinstance(part, Mapping) and part.get("type") in ("text", "refusal")) for part in content
    )


def _trimmed(grounded: Grounded) -> Grounded:
    shown = tuple(replace(source, text="") for source in grounded.shown)
    return Grounded(
        (), shown, grounded.excerpts, replace(grounded.retrieved, excerpts=(), notes=()), grounded.sources
    )


def _size(kept: KeptAnswer) -> int:
    texts = [kept.result.text, kept.result.reasoning]
    texts += [one.text for one in kept.grounded.excerpts] if kept.grounded is not None else []
    return _ENTRY_BYTES + sum(len(text.encode(errors="replace")) for text in texts)
