"""How Open WebUI's background tasks look: the words that its code, not its templates, fixes.

Its header values are those of ``TASKS`` in its ``constants.py``, its JSON keys what it reads from an answer, its
roles what its templates' ``{{MESSAGES}}`` becomes (versions 0.5.20 to 0.12.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

TaskKind = Literal[
    "title", "tags", "follow_ups", "queries", "autocomplete", "emoji", "image_prompt", "moa", "function_calling"
]

TASK_HEADER: Final = "x-openwebui-task"
HEADER_KINDS: Final[Mapping[str, TaskKind]] = {
    "title_generation": "title",
    "tags_generation": "tags",
    "follow_up_generation": "follow_ups",
    "query_generation": "queries",
    "autocomplete_generation": "autocomplete",
    "emoji_generation": "emoji",
    "image_prompt_generation": "image_prompt",
    "moa_response_generation": "moa",
    "function_calling": "function_calling",
}

# The key that Open WebUI reads from the answer, and so every template has to ask for.
JSON_KINDS: Final[Mapping[str, TaskKind]] = {
    "title": "title",
    "tags": "tags",
    "follow_ups": "follow_ups",
    "queries": "queries",
    "prompt": "image_prompt",
    "text": "autocomplete",
}
# Keys that mean a task also where a template names them in a sentence, without an example.
TELLING_KEYS: Final = frozenset({"title", "tags", "follow_ups", "queries"})

# Elements that templates put a conversation into.
HISTORY_TAGS: Final = ("chat_history", "chat-history", "chathistory", "history", "conversation", "messages", "chat")

# Words before "emoji" that say there shall be none, in the languages templates are written in.
NEGATIONS: Final = (
    "no, not, don't, never, avoid, without, exclude, omit, nicht, kein, keine, keinen, ohne, niemals, pas, sans, "
    "aucun, jamais, évitez, évite, sin, ningún, evita, evite, nunca, não, sem, non, senza, mai, не, без, нет, "
    "不, 勿, 无, 無, 別, 别"
)
