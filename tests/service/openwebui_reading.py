"""How Open WebUI reads what a backend answers: streams, whole answers, and the JSON of background tasks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Read:
    """An answer as its page gets it."""

    content: str = ""
    reasoning: str = ""
    role: str = ""
    finish: str | None = None
    usage: dict[str, Any] | None = None
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    done: bool = False


def read_answer(response: httpx.Response) -> Read:
    """What a response says, streamed or whole, or the message of its error."""
    if response.status_code >= 400:
        return Read(error=response.json()["error"]["message"])
    if response.headers["content-type"].startswith("text/event-stream"):
        return read_stream(response.text)
    body = response.json()
    message = body["choices"][0]["message"]
    return Read(
        message["content"] or "",
        message.get("reasoning_content", ""),
        message["role"],
        body["choices"][0]["finish_reason"],
        body.get("usage"),
        message.get("tool_calls", []),
        annotations=message.get("annotations", []),
        done=True,
    )


def read_stream(text: str) -> Read:
    """A stream, line by line: comments are skipped, and whatever follows the end is an error of the sender."""
    read = Read()
    for line in text.splitlines():
        if not line or line.startswith(":"):
            continue
        assert line.startswith("data: "), line
        assert not read.done, "something follows the end"
        if line == "data: [DONE]":
            read.done = True
            continue
        _take(read, json.loads(line[6:]))
    return read


def _take(read: Read, chunk: dict[str, Any]) -> None:
    if "error" in chunk:
        assert "choices" not in chunk
        read.error = chunk["error"]["message"]
        return
    if "event" in chunk:
        assert "choices" not in chunk
        read.events.append(chunk["event"])
        return
    read.usage = chunk.get("usage") or read.usage
    for choice in chunk["choices"]:
        delta = choice["delta"]
        read.role = delta.get("role") or read.role
        read.content += delta.get("content") or ""
        read.reasoning += delta.get("reasoning_content") or ""
        read.tool_calls += delta.get("tool_calls", [])
        read.annotations += delta.get("annotations", [])
        read.finish = choice["finish_reason"] or read.finish


def read_json(content: str) -> Any:
    """The JSON of a task: from the first brace to the last."""
    return json.loads(content[content.index("{") : content.rindex("}") + 1])


def read_queries(content: str) -> list[str]:
    """Search queries: from the last opening brace on, so that the object must be flat."""
    return list(json.loads(content[content.rindex("{") : content.rindex("}") + 1])["queries"])
