"""Prompts of the shapes that Open WebUI sends, in words of our own."""

from __future__ import annotations

from typing import Any


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def parts(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]


HISTORY = "USER: Where do puffins breed?\nASSISTANT: On cliffs in Iceland."

TEMPLATES: dict[str, str] = {
    "title": '### Task:\nName this chat in few words.\n### Output:\nJSON format: { "title": "the name" }\n'
    "### Chat History:\n<chat_history>\n{history}\n</chat_history>",
    "tags": '### Task:\nLabel the chat below.\n\n### Output:\nJSON format: { "tags": ["one", "two"] }\n\n'
    "### Chat History:\n<chat_history>\n{history}\n</chat_history>\n",
    "follow_ups": '### Task:\nWhat may come next? No: write it down.\n### Output:\n{ "follow_ups": ["one"] }\n'
    "### Chat History:\n<chat_history>\n{history}\n</chat_history>",
    "queries": '### Task:\nPropose searches.\n### Output:\nStrictly JSON:\n{\n  "queries": ["one", "two"]\n}\n\n'
    "### Chat History:\n<chat_history>\n{history}\n</chat_history>\n",
    "image_prompt": '### Task:\nDescribe a picture.\n### Output:\n{\n    "prompt": "A picture."\n}\n\n'
    "### Chat History:\n<chat_history>\n{history}\n</chat_history>",
    "autocomplete": "### Task:\nGo on writing `<text>` as `<type>` says.\n### Examples:\n<type>General</type>\n"
    '<text>The sea was</text>\n{ "text": "calm." }\n---\n### Context:\n<chat_history>\n{history}\n</chat_history>\n'
    "<type>search query</type>\n<text>puffin colonies in</text>\n#### Output:\n",
}
# The same tasks as an administrator may have rewritten them.
EDITED: dict[str, tuple[str, str]] = {
    "German, other headings": (
        "title",
        '## Aufgabe\nGib dem Gespräch einen Namen.\n## Ausgabe\n{"title": "Name"}\n## Verlauf\n'
        "<chat_history>\n{history}\n</chat_history>",
    ),
    "no headings": (
        "tags",
        'Label chats. Reply with JSON: {"tags": ["a", "b"]}.\n\n<chat_history>\n{history}\n</chat_history>',
    ),
    "instructions behind the chat": (
        "queries",
        'Here is a chat.\n<chat_history>\n{history}\n</chat_history>\nReply as JSON: {"queries": ["a"]}',
    ),
    "a reminder behind the chat": (
        "title",
        '### Task:\nName it.\n### Output:\n{ "title": "x" }\n<chat_history>\n{history}\n</chat_history>\n'
        "Remember: raw JSON and nothing else.",
    ),
    "another tag": ("title", '### Task:\nName it as {"title": "x"}\n<conversation>\n{history}\n</conversation>'),
    "no tags": ("follow_ups", '### Task:\nGuess on.\n### Output:\n{ "follow_ups": ["x"] }\n### Chat:\n{history}'),
    "the key in words": (
        "follow_ups",
        '### Task:\nAnswer with JSON under the key "follow_ups".\n<chat_history>\n{history}\n</chat_history>',
    ),
    "Windows line ends": (
        "title",
        '### Task:\r\nName it.\r\n{ "title": "x" }\r\n<chat_history>\r\n{history}\r\n</chat_history>\r\n',
    ),
}

EMOJI = "Your task is to answer with the emoji that the writer's face shows (😊, 😢, 😡).\n\nMessage: ```{text}```"
MOA = (
    'Several models have answered the question "{text}"\n\nMake one good answer of them.\n\n'
    'Answers of the models: """First."""\n\n"""Second."""'
)
TOOLS = (
    'Available Tools: [{"name":"count_boats","parameters":{"properties":{"harbour":{"type":"string"}}}}]\n\n'
    'Choose tools. The form is:\n{\n  "tool_calls": [\n    {"name": "tool", "parameters": {"key": "value"}}\n  ]\n}'
)

RAG = (
    "### Task:\nAnswer from the context and cite with [id].\n\n### Guidelines:\n- Say when you do not know.\n\n"
    "<context>\n{sources}\n</context>\n\n{question}"
)


def element(identity: str, name: str, text: str, more: str = "") -> str:
    return f'<source id="{identity}" name="{name}"{more}>{text}</source>'
