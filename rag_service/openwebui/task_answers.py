"""What is done with Open WebUI's background tasks, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from rag_service.openwebui.instant import QueryCache, instant_reply
from rag_service.openwebui.task_table import TaskKind
from rag_service.openwebui.tasks import Task
from rkllm_providers.chat import GenerateOptions
from rkllm_providers.engine import ModelFacts

TaskMode = Literal["instant", "model", "decline"]

DEFAULT_MODES: Final[Mapping[TaskKind, TaskMode]] = {
    "title": "instant",
    "tags": "instant",
    "queries": "instant",
    "follow_ups": "decline",
    "autocomplete": "decline",
    "emoji": "decline",
    "image_prompt": "model",
    "moa": "model",
    "function_calling": "model",
}
# What is said to decline: of JSON an empty value, which Open WebUI takes for none.
_DECLINED: Final[Mapping[TaskKind, str]] = {
    "title": '{"title": ""}',
    "tags": '{"tags": []}',
    "queries": '{"queries": []}',
    "follow_ups": '{"follow_ups": []}',
    "autocomplete": '{"text": ""}',
    "image_prompt": '{"prompt": ""}',
    "function_calling": '{"tool_calls": []}',
    "emoji": "",
    "moa": "",
}
_MOST_TOKENS: Final[Mapping[TaskKind, int]] = {"moa": 2048, "function_calling": 512}
_FEW_TOKENS: Final = 200


@dataclass(slots=True)
class TaskAnswers:
    """Answers background tasks: at once (``instant``), by the model after chats, or with nothing (``decline``)."""

    modes: Mapping[TaskKind, TaskMode] = field(default_factory=dict)
    _queries: QueryCache = field(default_factory=QueryCache)

    def reply(self, task: Task) -> str | None:
        """The answer to a task; ``None`` where the model is to answer."""
        mode = self.modes.get(task.kind, DEFAULT_MODES[task.kind])
        if mode == "decline":
            return _DECLINED[task.kind]
        return instant_reply(task, self._queries) if mode == "instant" else None

    def options(self, task: Task, options: GenerateOptions, facts: ModelFacts) -> GenerateOptions:
        """The options of a task that the model answers: after the chats, without thinking, in few tokens."""
        most = _MOST_TOKENS.get(task.kind, _FEW_TOKENS)
        wanted = options.max_tokens
        return replace(
            options,
            # The merging of answers is what the user waits for.
            priority="chat" if task.kind == "moa" else "background",
            thinking=False if facts.capabilities.thinking else options.thinking,
            effort=None,
            max_tokens=most if wanted is None else min(most, wanted),
        )
