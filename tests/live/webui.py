"""A running Open WebUI, used by its own API and the events that its page gets."""

from __future__ import annotations

import os
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import socketio

from tests.live.processes import CheckFailed, free_port, program, wait_for

_PROGRAM: Final = Path(__file__).parents[2] / ".venv-openwebui" / "bin" / "open-webui"
_START_SECONDS: Final = 300.0
_ANSWER_SECONDS: Final = 300.0  # the first one may have the emulator compiled
_QUIET_SECONDS: Final = 1.0
_FIRST_TASKS: Final = ("title_generation", "tags_generation")

OFFLINE: Final[Mapping[str, str]] = {
    "WEBUI_AUTH": "False",
    "ENABLE_OLLAMA_API": "False",
    "OPENAI_API_KEY": "none",
    "HF_HUB_OFFLINE": "1",
    "OFFLINE_MODE": "True",
    "ENABLE_VERSION_UPDATE_CHECK": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "True",
    "USE_SLIM_DOCKER": "True",
    "no_proxy": "127.0.0.1,localhost",
}
"""What lets it run on this machine alone, and without an account."""
RECOMMENDED: Final[Mapping[str, str]] = {
    "DEFAULT_MODEL_PARAMS": '{"function_calling": "legacy"}',
    "DEFAULT_MODEL_METADATA": '{"capabilities": {"builtin_tools": false, "usage": true}}',
    "RAG_TEMPLATE": "{{CONTEXT}}",
    "RAG_SYSTEM_CONTEXT": "True",
    "RAG_SOURCE_METADATA_KEYS": "source,title,url",
    "ENABLE_QUERIES_CACHE": "True",
    "BYPASS_EMBEDDING_AND_RETRIEVAL": "True",
    "BYPASS_WEB_SEARCH_EMBEDDING_AND_RETRIEVAL": "True",
    "ENABLE_FORWARD_USER_INFO_HEADERS": "True",
}
"""The settings that docs/openwebui.md recommends."""


@dataclass(slots=True)
class Chat:
    """A chat as the page keeps it: its id once it has one, and the answer that the next turn follows."""

    model: str
    system: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    web_search: bool = False
    id: str | None = None
    newest: str | None = None
    asked: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """An answer under way: where it will stand, and what stops it."""

    chat_id: str
    message_id: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page was told of a turn, and what the chat holds after it."""

    text: str
    error: str
    usage: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]]
    statuses: Sequence[Mapping[str, Any]]
    kinds: frozenset[str]
    title: str
    tags: Sequence[str]
    seconds: float

    @property
    def prompt(self) -> int:
        """Tokens of the prompt, by the usage that Open WebUI shows."""
        return int(self.usage["prompt_tokens"])

    @property
    def prefilled(self) -> int:
        """Those of them that were not in the KV cache."""
        return self.prompt - int(self.usage["prompt_tokens_details"]["cached_tokens"])


class OpenWebUI:
    """A signed-in user of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self._socket = socketio.Client()
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def is_up(self) -> bool | None:
        """Whether it answers; ``None`` if not yet."""
        try:
            return self._http.get("/health").is_success or None
        except httpx.TransportError:
            return None

    def sign_in(self) -> None:
        """Become its only user, and listen to what the page would be told."""
        token = self._post("/api/v1/auths/signin", {"email": "", "password": ""})["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._socket.on("events", self._note)
        self._socket.connect(
            self.url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token}, wait_timeout=30
        )
        self._socket.call("user-join", {"auth": {"token": token}}, timeout=30)

    def close(self) -> None:
        """Listen no more."""
        self._socket.disconnect()
        self._http.close()

    def version(self) -> str:
        """Which one it is."""
        return str(self._http.get("/api/version").raise_for_status().json()["version"])

    def models(self) -> list[str]:
        """The models that its page offers."""
        return [model["id"] for model in self._http.get("/api/models").raise_for_status().json()["data"]]

    def set_page(self, settings: Mapping[str, Any]) -> None:
        """Settings of the user's page."""
        self._post("/api/v1/users/user/settings/update", {"ui": dict(settings)})

    def upload(self, path: Path) -> dict[str, Any]:
        """A file for chats."""
        with path.open("rb") as content:
            response = self._http.post(
                "/api/v1/files/", files={"file": (path.name, content)}, params={"process_in_background": "false"}
            )
        file: dict[str, Any] = response.raise_for_status().json()
        return {"type": "file", "id": file["id"], "name": path.name, "file": file, "status": "uploaded"}

    def say(self, chat: Chat, text: str) -> Turn:
        """Send a user's turn as the page does."""
        message = {
            "id": str(uuid.uuid4()),
            "parentId": chat.newest,
            "childrenIds": [],
            "role": "user",
            "content": text,
            "files": chat.files if chat.newest is None else [],
            "timestamp": int(time.time()),
            "models": [chat.model],
        }
        parent, chat.asked = chat.newest, message
        return self._complete(chat, parent)

    def say_again(self, chat: Chat) -> Turn:
        """Have the newest answer made again."""
        if chat.asked is None:
            raise ValueError("Nothing was asked in this chat.")
        return self._complete(chat, chat.asked["parentId"])

    def go_on(self, chat: Chat) -> Turn:
        """Have the newest answer continued where it ended."""
        return self._complete(chat, None, chat.newest)

    def stop(self, turn: Turn) -> None:
        """Press the button that stops an answer."""
        for task in turn.tasks:
            self._post(f"/api/tasks/stop/{task}", {})

    def saved(self, turn: Turn) -> dict[str, Any]:
        """A turn's answer as the chat holds it."""
        chat = self._http.get(f"/api/v1/chats/{turn.chat_id}").raise_for_status().json()
        message: dict[str, Any] = chat["chat"]["history"]["messages"][turn.message_id]
        return message

    def wait_for_text(self, turn: Turn, text: str) -> None:
        """Wait until the page was given this of an answer."""

        def came() -> bool:
            pieces = (event["data"] for event in self._events_of(turn) if event["type"] == "response:completion")
            return text in "".join(piece.get("delta", "") for piece in pieces)

        self._wait(f"{text!r}", turn, came)

    def wait(self, turn: Turn) -> Answer:
        """Wait until a turn and its background tasks are over."""
        started = time.monotonic()

        def is_over() -> bool:
            return any(
                event["type"] == "chat:active" and not event["data"]["active"] for event in self._events_of(turn)
            )

        self._wait("the end of the turn", turn, is_over)
        seconds = time.monotonic() - started
        time.sleep(_QUIET_SECONDS)  # what is written to the chat last comes after that word
        message = self.saved(turn)
        chat = self._http.get(f"/api/v1/chats/{turn.chat_id}").raise_for_status().json()
        tags = self._http.get(f"/api/v1/chats/{turn.chat_id}/tags").raise_for_status().json()
        return Answer(
            text=str(message.get("content") or ""),
            error=_error_text(message.get("error")),
            usage=message.get("usage") or {},
            sources=message.get("sources") or [],
            statuses=message.get("statusHistory") or [],
            kinds=frozenset(event["type"] for event in self._events_of(turn)),
            title=str(chat["title"]),
            tags=[str(tag["name"]) for tag in tags],
            seconds=seconds,
        )

    def _complete(self, chat: Chat, parent: str | None, begun: str | None = None) -> Turn:
        """Have an answer made behind ``parent``, or the one that was ``begun`` continued."""
        message_id = begun or str(uuid.uuid4())
        body: dict[str, Any] = {
            "model": chat.model,
            "stream": True,
            "messages": [] if chat.system is None else [{"role": "system", "content": chat.system}],
            "session_id": self._socket.get_sid(),
            "parent_id": parent,
            "message_ids": [{"model_id": chat.model, "message_id": message_id}],
            "user_message": chat.asked,
            "files": chat.files,
            "features": {"web_search": chat.web_search},
            "variables": {},
            "background_tasks": {"follow_up_generation": True, **dict.fromkeys(_FIRST_TASKS, chat.id is None)},
        }
        if chat.id is not None:
            body["chat_id"] = chat.id
        if begun is not None:
            body["assistant_message_id"] = begun
        # What was told of an answer that goes on is no word of its continuation.
        self._forget(message_id)
        started = self._post("/api/chat/completions", body)
        chat.id, chat.newest = started["chat_id"], message_id
        return Turn(started["chat_id"], message_id, tuple(started["task_ids"]))

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        response = self._http.post(path, json=dict(body))
        if not response.is_success:
            raise CheckFailed(f"Open WebUI answers POST {path} with {response.status_code}: {response.text[:400]}")
        return response.json()

    def _note(self, event: dict[str, Any]) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def _forget(self, message_id: str) -> None:
        with self._changed:
            self._events = [event for event in self._events if event.get("message_id") != message_id]

    def _events_of(self, turn: Turn) -> Iterator[dict[str, Any]]:
        for event in list(self._events):
            if event.get("chat_id") == turn.chat_id and event.get("message_id") == turn.message_id:
                yield event["data"]

    def _wait(self, what: str, turn: Turn, came: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(came, _ANSWER_SECONDS):
                told = ", ".join(event["type"] for event in self._events_of(turn))
                raise CheckFailed(f"{what} did not come within {_ANSWER_SECONDS:.0f} s; there came {told}")


def _error_text(error: Any) -> str:
    """What the page shows of an error: it is kept as the backend told it, in one of several forms."""
    while isinstance(error, dict):
        error = error.get("content", error.get("message", str(error)))
    return str(error) if error else ""


@contextmanager
def running_webui(backend: str, data: Path, log: Path, settings: Mapping[str, str]) -> Iterator[OpenWebUI]:
    """Run an Open WebUI on a service's base URL, with all it keeps in ``data``, which must not be there yet."""
    port = free_port()
    data.mkdir(parents=True)
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    environment |= {**OFFLINE, **settings}
    environment |= {
        "OPENAI_API_BASE_URL": backend,
        "DATA_DIR": str(data),
        "WEBUI_SECRET_KEY": secrets.token_hex(32),
        "WEBUI_URL": f"http://127.0.0.1:{port}",
    }
    command = [str(_PROGRAM), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with program("Open WebUI", command, environment, log):
        webui = OpenWebUI(f"http://127.0.0.1:{port}")
        wait_for(f"Open WebUI ({log})", _START_SECONDS, webui.is_up)
        webui.sign_in()
        try:
            yield webui
        finally:
            webui.close()
