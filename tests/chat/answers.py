"""Answers in pieces: what an ``AnswerStream`` makes of them, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from rkllm_providers.chat.answer import AnswerStream
from rkllm_providers.chat.stream import Token
from rkllm_providers.chat.tool_calls import collect_tool_calls
from rkllm_providers.chat.types import ChatEvent, InvalidToolCall, ReasoningDelta, TextDelta, Tool

END = 2
TOOLS = (
    Tool(
        "get_weather", "", {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
    ),
    Tool("get_time"),
    Tool(
        "save",
        "",
        {
            "properties": {
                "text": {"type": "string"},
                "tags": {"type": "array"},
                "draft": {"type": "boolean"},
                "limit": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            }
        },
    ),
)


@dataclass(frozen=True)
class Read:
    reasoning: str
    text: str
    calls: tuple[tuple[str, str], ...]
    invalid: tuple[InvalidToolCall, ...]


def tokens_of(text: str, size: int = 1, marker_ids: dict[int, str] | None = None) -> list[Token]:
    """Tokens of ``size`` bytes; markers that have an id are one token without text."""
    tokens: list[Token] = []
    while text:
        starts = [(text.find(marker), token_id) for token_id, marker in (marker_ids or {}).items() if marker in text]
        at, token_id = min(starts) if starts else (len(text), -1)
        raw = text[:at].encode()
        tokens += [(100, raw[cut : cut + size]) for cut in range(0, len(raw), size)]
        if token_id >= 0 and marker_ids is not None:
            tokens.append((token_id, b""))
            at += len(marker_ids[token_id])
        text = text[at:]
    return tokens


def cut_tokens(text: str, data: st.DataObject) -> list[Token]:
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=30)))
    return [(100, raw[a:b]) for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


def events_of(stream: AnswerStream, tokens: list[Token]) -> list[ChatEvent]:
    events: list[ChatEvent] = []
    for token in tokens:
        events += stream.feed([token])
    return events + stream.close()


def together(events: list[ChatEvent]) -> Read:
    calls, invalid = collect_tool_calls(events)
    return Read(
        "".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        "".join(event.text for event in events if isinstance(event, TextDelta)),
        tuple((call.name, call.arguments) for call in calls),
        tuple(invalid),
    )


def read(tokens: list[Token], **options: Any) -> Read:
    return together(events_of(AnswerStream({END}, 10_000, **options), tokens))
