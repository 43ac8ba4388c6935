"""Chats with a running service, in few words."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

Message = dict[str, Any]
PATH = "/v1/chat/completions"


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


class ChatClient:
    """Asks the model ``talker`` of a service. For several threads."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def ask(self, *messages: Message, **fields: Any) -> httpx.Response:
        """The response to a chat that is not streamed."""
        return self.http.post(PATH, json={"model": "talker", "messages": messages, **fields})

    def say(self, *messages: Message, **fields: Any) -> str:
        """The text of its answer."""
        response = self.ask(*messages, **fields)
        assert response.status_code == 200, response.text
        return str(response.json()["choices"][0]["message"]["content"])

    def events(self, *messages: Message, **fields: Any) -> Generator[dict[str, Any], None, None]:
        """The events of a streamed answer; closing the generator closes the connection."""
        body = {"model": "talker", "messages": messages, "stream": True, **fields}
        with self.http.stream("POST", PATH, json=body) as response:
            assert response.status_code == 200, response.read()
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))

    def pieces(self, *messages: Message, **fields: Any) -> Generator[str, None, None]:
        """The pieces of a streamed answer's text."""
        for event in self.events(*messages, **fields):
            for choice in event.get("choices", []):
                if choice["delta"].get("content"):
                    yield choice["delta"]["content"]


@contextmanager
def connected(url: str) -> Iterator[ChatClient]:
    """A client of the service at this base URL."""
    with httpx.Client(base_url=url, timeout=60) as http:
        yield ChatClient(http)
