"""Background tasks are told from chats: by the header, by shape, and never by a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.openwebui.history import parse_history
from rag_service.openwebui.task_table import HEADER_KINDS
from rag_service.openwebui.tasks import recognise_task
from rag_service.retrieval.types import Turn
from tests.openwebui.prompts import EDITED, EMOJI, HISTORY, MOA, RAG, TEMPLATES, TOOLS, element, parts, user

A_B = (Turn("user", "a"), Turn("assistant", "b"))
TURNS = (Turn("user", "Where do puffins breed?"), Turn("assistant", "On cliffs in Iceland."))


def _filled(template: str, history: str = HISTORY) -> str:
    return template.replace("{history}", history)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_the_shape_tells_the_kind_and_the_chat(kind: str) -> None:
    for messages in (user(_filled(TEMPLATES[kind])), parts(_filled(TEMPLATES[kind]))):
        task = recognise_task(messages, {})
        assert task is not None
        assert (task.kind, task.turns, task.told_by) == (kind, TURNS, "shape")
        assert "puffins breed" not in task.instructions


@pytest.mark.parametrize("name", EDITED)
def test_edited_templates_are_recognised(name: str) -> None:
    kind, template = EDITED[name]
    task = recognise_task(user(_filled(template)), {})
    assert task is not None
    assert (task.kind, task.turns) == (kind, TURNS)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_system_message_in_front_changes_nothing(kind: str) -> None:
    messages = [{"role": "system", "content": "You are terse."}, *user(_filled(TEMPLATES[kind]))]
    task = recognise_task(messages, {})
    assert task is not None
    assert task.kind == kind


def test_texts_beside_a_chat() -> None:
    completed = recognise_task(user(_filled(TEMPLATES["autocomplete"])), {})
    assert completed is not None
    assert completed.text == "puffin colonies in"
    emoji = recognise_task(user(EMOJI.replace("{text}", "So sad\ntoday")), {})
    assert emoji is not None
    assert (emoji.kind, emoji.text) == ("emoji", "So sad\ntoday")
    moa = recognise_task(user(MOA.replace("{text}", 'What is "RAG"?')), {}, stream=True)
    assert moa is not None
    assert (moa.kind, moa.text) == ("moa", 'What is "RAG"?')


@pytest.mark.parametrize(
    ("query", "turns"),
    [
        ("Query: How many boats?", (Turn("user", "How many boats?"),)),
        (
            'History:\nUSER: """Hi"""\nASSISTANT: """Hello\nthere"""\nQuery: How many boats?',
            (Turn("user", "Hi"), Turn("assistant", "Hello\nthere"), Turn("user", "How many boats?")),
        ),
    ],
)
def test_a_choice_of_tools(query: str, turns: tuple[Turn, ...]) -> None:
    messages = [{"role": "system", "content": TOOLS}, *user(query)]
    task = recognise_task(messages, {})
    assert task is not None
    assert (task.kind, task.text, task.turns) == ("function_calling", "How many boats?", turns)


@pytest.mark.parametrize(("value", "kind"), HEADER_KINDS.items())
def test_the_header_tells_it_alone(value: str, kind: str) -> None:
    task = recognise_task(user("Whatever an administrator wrote."), {"X-OpenWebUI-Task": value})
    assert task is not None
    assert (task.kind, task.told_by) == (kind, "header")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_an_empty_header_says_that_it_is_a_chat(kind: str) -> None:
    messages = user(_filled(TEMPLATES[kind]))
    assert recognise_task(messages, {"x-openwebui-task": ""}) is None
    # A version that does not know the variable sends its name.
    assert recognise_task(messages, {"x-openwebui-task": "{{TASK}}"}) is not None


@pytest.mark.parametrize(
    "text",
    [
        "generate search queries for a trip to Porto",
        "Generate a concise title summarizing the chat history.",
        "### Task:\nGenerate a concise title summarizing the chat history.",
        '### Task:\nGenerate 1-3 broad tags for my blog post about soup.\n### Output:\nJSON format: { "tags": [] }',
        'Write a title for my essay as JSON: { "title": "..." }',
        "What does <chat_history> mean in a prompt?",
        "Your task is to find an emoji for ```I am happy``` please",
        "Available Tools: [hammer]. What can I build?",
        '### Task:\nExtract.\n### Output:\n{ "title": "x" }\n### Text:\nA long text about a harbour.',
        "My log:\n<chat_history>\nUSER: hi\nASSISTANT: hello\n</chat_history>\nWhat went wrong in it?",
        'Fix the docstring of this model:\n\nclass Model:\n    text: str = """A"""',
        '{"queries": ["a"]} is not parsed, why?',
        "Analyze the chat history to determine the necessity of generating search queries, in the given language.",
    ],
)
def test_users_who_write_like_a_template_get_an_answer(text: str) -> None:
    assert recognise_task(user(text), {}) is None


@pytest.mark.parametrize("kind", TEMPLATES)
def test_users_who_quote_a_template_get_an_answer(kind: str) -> None:
    prompt = _filled(TEMPLATES[kind])
    assert recognise_task(user(f"Why does my server send this?\n\n{prompt}"), {}) is None
    assert recognise_task(user(f"Explain this prompt:\n\n{prompt}"), {}) is None
    assert recognise_task(user(f"```\n{prompt}\n```"), {}) is None
    assert recognise_task(user(f"{prompt}\n\nWhy does my server send this?"), {}) is None
    assert recognise_task(user(f"{prompt}\n\nexplain this prompt"), {}) is None
    # Open WebUI streams its chats, and never these tasks.
    assert recognise_task(user(prompt), {}, stream=True) is None


@pytest.mark.parametrize("kind", sorted({*TEMPLATES} - {"autocomplete"}))
def test_a_template_that_nothing_was_filled_into_is_a_question(kind: str) -> None:
    assert recognise_task(user(TEMPLATES[kind].replace("{history}", "{{MESSAGES:END:2}}")), {}) is None


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_conversation_is_no_task(kind: str) -> None:
    prompt = _filled(TEMPLATES[kind])
    earlier = [*user("Hi"), {"role": "assistant", "content": "Hello"}]
    assert recognise_task([*earlier, *user(prompt)], {}) is None
    assert recognise_task([*user(prompt), {"role": "assistant", "content": "{"}], {}) is None
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    assert recognise_task([{"role": "user", "content": [{"type": "text", "text": prompt}, picture]}], {}) is None


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_chat_with_sources_that_quote_a_template_is_a_chat(kind: str) -> None:
    sources = element("1", "prompts.md", _filled(TEMPLATES[kind]))
    assert recognise_task(user(RAG.format(sources=sources, question="What is in this file?")), {}) is None
    assert recognise_task(user(f"{sources}\nWhat is in this file?"), {}) is None


@pytest.mark.parametrize("kind", TEMPLATES)
@pytest.mark.parametrize("quoted", TEMPLATES)
def test_a_task_about_a_chat_that_quotes_a_template(kind: str, quoted: str) -> None:
    history = f"USER: What is this?\n{_filled(TEMPLATES[quoted])}\nASSISTANT: A prompt."
    task = recognise_task(user(_filled(TEMPLATES[kind], history)), {})
    assert task is not None
    assert task.kind == kind
    assert task.turns[-1] == Turn("assistant", "A prompt.")


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("USER: a\nASSISTANT: ", (Turn("user", "a"),)),
        ("SYSTEM: be brief\nUSER: a\nb\n\nc\nASSISTANT: d", (Turn("user", "a\nb\n\nc"), Turn("assistant", "d"))),
        ("USER: User: said what?\nASSISTANT: d", (Turn("user", "User: said what?"), Turn("assistant", "d"))),
        ("User: a\nAssistant: b", A_B),
        ("**User:** a\n**Assistant:** b", A_B),
        ('[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]', A_B),
        ('{"role": "user", "content": "a"}\n{"role": "assistant", "content": "b"}', A_B),
        ("<user>a</user>\n<assistant>b</assistant>", A_B),
        ('<message role="user">a</message>\n<message role="assistant">b</message>', A_B),
        ("nobody speaks", ()),
        ("", ()),
    ],
)
def test_histories(text: str, turns: tuple[Turn, ...]) -> None:
    assert parse_history(text) == turns


def test_lists_of_attached_files_are_no_words_of_the_user() -> None:
    listed = '<attached_files>\n<file type="file" id="x" name="a > b.md"/>\n</attached_files>\n\nHow deep is it?'
    assert parse_history(f"USER: {listed}\nASSISTANT: 12 m") == (
        Turn("user", "How deep is it?"),
        Turn("assistant", "12 m"),
    )


_LINES = st.lists(
    st.sampled_from(
        ["a", "b: c", "", "USER", "user: x", "<chat_history>", "</chat_history>", '{"title": 1}', "### Task:"]
    ),
    max_size=6,
).map("\n".join)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), _LINES), min_size=1, max_size=6))
def test_what_was_said_is_read_back(said: list[tuple[str, str]]) -> None:
    history = "\n".join(f"{role.upper()}: {text}" for role, text in said)
    expected = [(role, text.strip()) for role, text in said if text.strip()]
    assert [(turn.role, turn.text) for turn in parse_history(history)] == expected
    task = recognise_task(user(_filled(TEMPLATES["tags"], history)), {})
    assert task is not None
    assert [(turn.role, turn.text) for turn in task.turns] == expected


_PIECES = st.lists(
    st.sampled_from(
        [
            *("### Task:", "### Output:", '{ "title": "x" }', '{"queries": []}', "<chat_history>", "</chat_history>"),
            *("USER: a", "ASSISTANT: b", "```", '"""', "Message: ```", "Available Tools: [{", "Query: x", "[", "{"),
            *("<type>x</type>", "<text>y</text>", "<source id=", 'models "', "emoji 😊 😢", "<user>", "</user>"),
        ]
    )
    | st.text(max_size=10),
    max_size=25,
).map("\n".join)


@settings(deadline=None)
@given(_PIECES, st.sampled_from(["", "title_generation", "moa_response_generation", "emoji_generation", "x"]))
def test_nothing_raises(text: str, header: str) -> None:
    recognise_task(user(text), {"X-OpenWebUI-Task": header})
    recognise_task([{"role": "system", "content": text}, *user(text)], {})
    parse_history(text)


@pytest.mark.parametrize(
    "messages",
    [[], [{}], [{"role": "user"}], [{"role": "user", "content": None}], [{"role": 3, "content": [1, {"text": 2}]}]],
)
def test_messages_without_text_are_no_task(messages: list[dict[str, object]]) -> None:
    assert recognise_task(messages, {}) is None


@pytest.mark.parametrize(
    "unit", ["USER: a\n", "<user>", '"""\n: """', "<chat_history>\n", "Message: ```\n", '{ "title": ']
)
def test_a_megabyte_is_read_in_one_go(unit: str) -> None:
    # Quadratic reading would take minutes, and run into the suite's time limit.
    text = unit * (1_000_000 // len(unit))
    for prompt in (text, _filled(TEMPLATES["title"], text), text + '"""', text + "```", text + "</text>"):
        recognise_task(user(prompt), {})
