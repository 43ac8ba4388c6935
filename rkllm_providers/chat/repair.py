"""Conversations that a chat template refuses, or loses parts of, and what is done about them.

Some templates know no system role, want users and assistants to take turns, or pass over a system or a
tool message where they do not expect one. The conversation is then rendered in the first of these forms
that the template takes without losing anything:

1. as it is;
2. with all system texts joined at the beginning;
3. so, and with neighbouring turns of one role joined;
4. so, and with tool results as turns of the user;
5. so, and with the system text at the beginning of the first turn of the user.

If it loses something in all of them, the first that it takes counts. If it takes none, its refusal of
the first is the error. Any other error of a template is one at once, and no further form is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.template import ChatTemplate, TemplateError, TemplateRefusal
from rkllm_providers.models.template_limits import bounded

Turn = Mapping[str, Any]
_BREAK = "\n\n"
END_OF_TEXT: Final = "\ufdde\ufddf\ufdde"
"""Marks the end of a turn's text. Noncharacters, which are taken out of callers' strings when these are marked."""


def render_conversation(
    template: ChatTemplate, turns: Sequence[Turn], *, continue_final_message: bool = False, **variables: Any
) -> str:
    """Render turns, repaired where the template needs it.

    With ``continue_final_message`` the prompt ends right behind the text of the last turn, which is the
    assistant's, for the model to go on with it.

    Raises:
        TemplateRefusal: The template refuses all forms.
        TemplateError: The template fails, or does not write the text that is to be continued.
        InvalidRequest: The last turn cannot be continued.
    """
    # All forms together may cost what one rendering may: a limit that is reached is no refusal, and ends it.
    with bounded():
        if continue_final_message:
            return _render_open(template, turns, {**variables, "add_generation_prompt": False})
        return _render_repaired(template, turns, variables)


def _render_open(template: ChatTemplate, turns: Sequence[Turn], variables: Mapping[str, Any]) -> str:
    """Render up to the end of the last turn's text, found by a text behind it that nobody else can write."""
    last: Turn = turns[-1] if turns else {}
    text = last.get("content")
    if last.get("role") != "assistant" or not isinstance(text, str) or last.get("tool_calls"):
        raise InvalidRequest(
            "Only a last message of the assistant that has text and no tool calls can be continued.", "messages"
        )
    ended = _render_repaired(template, [*turns[:-1], {**last, "content": text + END_OF_TEXT}], variables)
    cut = ended.rfind(END_OF_TEXT)
    if cut < 0:
        raise TemplateError(
            "The model's chat template does not write the last message's text, so it cannot be continued.", "messages"
        )
    ended = ended[:cut]
    bare = text.rstrip()
    if bare == text:
        return ended
    # A template may trim what it is given: then the prompt ends where it would have ended the text.
    plain = _render_repaired(template, turns, variables)
    same = next((at for at, (one, other) in enumerate(zip(ended, plain, strict=False)) if one != other), len(ended))
    if min(same, len(plain)) < len(ended) - (len(text) - len(bare)):
        raise TemplateError(
            "The model's chat template writes the last message in a way that cannot be continued.", "messages"
        )
    return ended[:same]


def _render_repaired(template: ChatTemplate, turns: Sequence[Turn], variables: Mapping[str, Any]) -> str:
    refusal: TemplateRefusal | None = None
    lossy: str | None = None
    for form in _forms(turns):
        try:
            rendered = template.render(form, **variables)
        except TemplateRefusal as error:
            refusal = refusal or error
            continue
        if not _loses_something(turns, rendered):
            return rendered
        lossy = rendered if lossy is None else lossy
    if lossy is not None:
        return lossy
    if refusal is None:
        raise ValueError("A conversation without turns has no form.")
    raise refusal


def _forms(turns: Sequence[Turn]) -> Iterator[list[Turn]]:
    form = list(turns)
    yield form
    steps: tuple[Callable[[list[Turn]], list[Turn]], ...] = (
        _system_first,
        _neighbours_joined,
        _tool_results_as_user,
        _system_in_user_turn,
    )
    for step in steps:
        changed = step(form)
        if changed != form:
            form = changed
            yield form


def _loses_something(turns: Sequence[Turn], rendered: str) -> bool:
    """Whether something that was said to the model is not in its prompt.

    What the assistant said may be left out: templates drop old reasoning.
    """
    at = 0
    for turn in turns:
        content = turn.get("content")
        if turn["role"] == "assistant" or not isinstance(content, str):
            continue
        text = content.strip()
        # Templates keep the order: where one text was found the next is searched first.
        found = rendered.find(text, at)
        if found >= 0:
            at = found + len(text)
        elif text not in rendered:
            return True
    return False


def _system_first(turns: list[Turn]) -> list[Turn]:
    texts = [turn["content"] for turn in turns if turn["role"] == "system"]
    if not texts:
        return turns
    return [{"role": "system", "content": _BREAK.join(texts)}, *(turn for turn in turns if turn["role"] != "system")]


def _neighbours_joined(turns: list[Turn]) -> list[Turn]:
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        plain = set(turn) <= {"role", "content"}
        if last is not None and plain and set(last) <= {"role", "content"} and last["role"] == turn["role"]:
            joined[-1] = {"role": turn["role"], "content": last["content"] + _BREAK + turn["content"]}
        else:
            joined.append(turn)
    return joined


def _tool_results_as_user(turns: list[Turn]) -> list[Turn]:
    changed: list[Turn] = [
        {"role": "user", "content": turn["content"]} if turn["role"] == "tool" else turn for turn in turns
    ]
    return _neighbours_joined(changed) if changed != turns else turns


def _system_in_user_turn(turns: list[Turn]) -> list[Turn]:
    if not turns or turns[0]["role"] != "system":
        return turns
    system, rest = turns[0]["content"], turns[1:]
    for number, turn in enumerate(rest):
        if turn["role"] == "user":
            content = system + _BREAK + turn["content"]
            return [*rest[:number], {**turn, "content": content}, *rest[number + 1 :]]
    return [{"role": "user", "content": system}, *rest]
