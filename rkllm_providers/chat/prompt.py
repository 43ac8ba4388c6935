"""Messages to what the model is run on: token ids, or text where it has no tokenizer."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from rkllm_providers.chat.conversation import (
    check_options,
    encodable,
    is_forced,
    marked_content,
    needs_closed_thinking,
    template_input,
    thinking_format,
    thinks,
)
from rkllm_providers.chat.forced_calls import begun_call
from rkllm_providers.chat.pictures import (
    IMAGE_TAG,
    check_places,
    markers_of,
    picture_guard,
    pictures_of,
    told,
    with_tags,
)
from rkllm_providers.chat.prompt_types import NewestTurn, PicturePrompt, Prompt, PromptOrigin, TextPrompt
from rkllm_providers.chat.repair import END_OF_TEXT, render_conversation
from rkllm_providers.chat.structured import json_opening, with_instruction
from rkllm_providers.chat.token_estimates import estimate_tokens, most_tokens, refuse_hopeless
from rkllm_providers.chat.types import ChatMessage, GenerateOptions
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from rkllm_providers.models import ModelCard, PromptForm
from rkllm_providers.models.control import TextGuard

_LABELS: Final = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool result"}
PICTURE_TOKENS: Final = 256
"""About what a picture takes where its encoder, which knows, is not loaded: published ones make 64 to 256 of it."""


def build_prompt(card: ModelCard, messages: Sequence[ChatMessage], options: GenerateOptions | None = None) -> Prompt:
    """Render a conversation for a model, and open the assistant's turn.

    Where the last message is the assistant's, the model goes on with it.

    Raises:
        InvalidRequest: There are no messages, the model's template refuses them, or the last cannot be continued.
        ContextLengthExceeded: The prompt leaves no room for an answer.
    """
    options = options or GenerateOptions()
    check_options(card, options)
    messages = with_instruction(messages, options)
    if pictures_of(messages):
        return _picture_prompt(card, messages, options)
    if card.prompt_form is PromptForm.TOKENS and card.guard is not None:
        rendered, contents = _rendered(card, card.guard, messages, options)
        in_thinking = _ends_in_thinking(card, rendered)
        rendered, begun = _with_beginning(card, card.guard, rendered, options)
        refuse_hopeless(card.guard, rendered, card.context_length)
        encoded = card.guard.encode_prompt(rendered)
        ids = array("i", encoded.ids)
        room = card.context_length - len(ids)
        if room < 1:
            raise ContextLengthExceeded(len(ids), card.context_length)
        origin = PromptOrigin(encoded, contents)
        return Prompt(ids, len(ids), room, in_thinking and not begun, begun, origin)
    content, in_thinking = _text_prompt(card, messages, options)
    estimate = estimate_tokens(content.text)
    if estimate >= 2 * card.context_length:
        raise ContextLengthExceeded(estimate, card.context_length)
    return Prompt(content, estimate, None, in_thinking)


def build_further_turn(
    card: ModelCard, held: Sequence[int], messages: Sequence[ChatMessage], options: GenerateOptions, begun: str
) -> Prompt:
    """A prompt that goes on behind an answer, whose turn and the one that replies to it are the last of ``messages``.

    ``held`` are the ids of the prompt that was answered and of the answer, as far as it counts. They stay as they
    are, so that the KV cache holds them: only what the template writes behind the answer is new. Without a tokenizer
    the whole is rendered, and ``begun`` left out.

    Raises:
        InvalidRequest: The model's template refuses the conversation.
        ContextLengthExceeded: The prompt leaves no room for an answer.
    """
    guard = card.guard
    if pictures_of(messages):
        return _picture_prompt(card, messages, options)
    if card.prompt_form is not PromptForm.TOKENS or guard is None or card.template is None:
        content, in_thinking = _text_prompt(card, messages, options)
        return Prompt(content, estimate_tokens(content.text), None, in_thinking)
    turns, variables = template_input(card, guard, messages, options)
    turns[-2]["content"] += END_OF_TEXT
    rendered = _with_closed_thinking(card, render_conversation(card.template, turns, **variables), options)
    in_thinking = _ends_in_thinking(card, rendered)
    begun = "" if in_thinking else begun
    before, marked, behind = rendered.rpartition(END_OF_TEXT)
    # A template that does not write what the assistant said is given all anew.
    ids = array("i", [*held, *guard.encode_once(behind + begun)] if marked else guard.encode(before + behind + begun))
    room = card.context_length - len(ids)
    if room < 1:
        raise ContextLengthExceeded(len(ids), card.context_length)
    return Prompt(ids, len(ids), room, in_thinking, begun)


def build_second_call(card: ModelCard, prompt: Prompt, options: GenerateOptions) -> Prompt:
    """The prompt of a forced call that was not made, with more of the call begun, as far as there is room for it."""
    guard = card.guard
    if guard is None or isinstance(prompt.content, TextPrompt):
        return prompt
    begun, marked = begun_call(card, options, further=True), begun_call(card, options, guard.mark, further=True)
    before = guard.encode_once(begun_call(card, options, guard.mark))
    ids = list(prompt.content)
    if ids[-len(before) :] != before:  # merged with what stands before it
        return prompt
    ids[-len(before) :] = guard.encode_once(marked)
    room = card.context_length - len(ids)
    return prompt if room < 1 else replace(prompt, content=array("i", ids), n_tokens=len(ids), room=room, begun=begun)


def count_prompt_tokens(
    card: ModelCard,
    messages: Sequence[ChatMessage],
    options: GenerateOptions | None = None,
    picture_tokens: int = PICTURE_TOKENS,
) -> int:
    """Number of tokens of a conversation's prompt, whether it fits or not; an estimate without a tokenizer.

    Each picture has ``picture_tokens``, which its encoder tells once it is loaded.

    Raises:
        InvalidRequest: There are no messages, or the model's template refuses them.
    """
    options = options or GenerateOptions()
    check_options(card, options)
    messages = with_instruction(messages, options)
    pictures = pictures_of(messages)
    if pictures:
        return _made_picture_prompt(card, messages, options).n_tokens + len(pictures) * picture_tokens
    if card.prompt_form is PromptForm.TOKENS and card.guard is not None:
        rendered, _ = _rendered(card, card.guard, messages, options)
        return len(card.guard.encode(_with_beginning(card, card.guard, rendered, options)[0]))
    return estimate_tokens(_text_prompt(card, messages, options)[0].text)


def _rendered(
    card: ModelCard, guard: TextGuard, messages: Sequence[ChatMessage], options: GenerateOptions
) -> tuple[str, tuple[str, ...]]:
    """The conversation in the model's template, and the messages' texts as they are in it."""
    _require(messages)
    if card.template is None:
        raise ValueError("A model without a template has no rendered prompts.")
    turns, variables = template_input(card, guard, messages, options)
    continues = messages[-1].role == "assistant"
    rendered = render_conversation(card.template, turns, continue_final_message=continues, **variables)
    if not continues:
        rendered = _with_closed_thinking(card, rendered, options)
    return rendered, tuple(turn["content"] for turn in turns)


def _with_closed_thinking(card: ModelCard, rendered: str, options: GenerateOptions) -> str:
    """A prompt behind which the model does not think, where thinking is off and the template has no switch for it."""
    thinking = thinking_format(card)
    if thinking is None or not needs_closed_thinking(card, options):
        return rendered
    if not _ends_in_thinking(card, rendered):
        rendered += f"{thinking.open}\n"
    return f"{rendered}\n{thinking.close}\n\n"


def _ends_in_thinking(card: ModelCard, rendered: str) -> bool:
    thinking = thinking_format(card)
    if thinking is None:
        return False
    _, opened, after = rendered[-200:].rpartition(thinking.open)
    return bool(opened) and not after.removeprefix(thinking.label).strip()


def _with_beginning(card: ModelCard, guard: TextGuard, rendered: str, options: GenerateOptions) -> tuple[str, str]:
    """A prompt with the beginning of what the model has to answer, and that beginning as it will be read."""
    if is_forced(options):
        return rendered + begun_call(card, options, guard.mark), begun_call(card, options)
    begun = "" if _ends_in_thinking(card, rendered) else json_opening(card, options)
    return rendered + begun, begun


def _require(messages: Sequence[ChatMessage]) -> None:
    if not messages:
        raise InvalidRequest("There are no messages; at least one is needed.", "messages")


def _picture_prompt(card: ModelCard, messages: Sequence[ChatMessage], options: GenerateOptions) -> Prompt:
    """A prompt with pictures, unless its text alone is too long. What the pictures take only their encoder knows."""
    prompt = _made_picture_prompt(card, messages, options, bounded=True)
    counted = isinstance(prompt.content, PicturePrompt) and prompt.content.n_tokens is not None
    least = (prompt.n_tokens if counted else prompt.n_tokens // 2) + len(pictures_of(messages))
    if least >= card.context_length:
        raise ContextLengthExceeded(least, card.context_length, at_least=True)
    return prompt


def _made_picture_prompt(
    card: ModelCard, messages: Sequence[ChatMessage], options: GenerateOptions, *, bounded: bool = False
) -> Prompt:
    """One text for the runtime, with a tag for each picture, in whatever form the model takes its other prompts."""
    markers = markers_of(card)
    check_places(messages)
    pictures, guard, form = pictures_of(messages), picture_guard(card), card.prompt_form
    in_thinking, begun, several = False, "", False
    if form is PromptForm.RUNTIME:
        if messages[-1].role == "assistant":
            raise _cannot_continue(card)
        several = len(messages) > 1
        rendered = _marked_transcript(guard, messages)
    else:
        rendered, _ = _rendered(card, guard, messages, options)
        in_thinking = _ends_in_thinking(card, rendered)
        rendered, begun = _with_beginning(card, guard, rendered, options)
    text, shown = with_tags(guard.to_text(rendered), pictures)
    # What the runtime puts around a picture is counted as a part of the text.
    full = text.replace(IMAGE_TAG, markers.start + markers.end)
    if bounded and form is PromptForm.TOKENS and card.guard is not None:
        refuse_hopeless(card.guard, full, card.context_length)
    n_tokens = _n_tokens(card, full) if form is PromptForm.TOKENS else None
    content = PicturePrompt(
        text,
        most_tokens(full),
        enable_thinking=thinks(options) if form is PromptForm.RUNTIME else None,
        pictures=shown,
        n_tokens=n_tokens,
        form=form,
        is_transcript=several,
    )
    return Prompt(
        content, estimate_tokens(full) if n_tokens is None else n_tokens, None, in_thinking and not begun, begun
    )


def _n_tokens(card: ModelCard, text: str) -> int | None:
    """How many tokens the runtime makes of a text that is ready for it."""
    if card.guard is None:
        return None
    ids, start = card.guard.encode_once(text), list(card.text_frame.start)
    return len(ids) + (0 if ids[: len(start)] == start else len(start))


def _marked_transcript(guard: TextGuard, messages: Sequence[ChatMessage]) -> str:
    numbers = count()
    said = [marked_content(guard, message.content, numbers) for message in messages]
    if len(messages) == 1 and messages[0].role == "user":
        return said[0]
    return "\n\n".join(f"{_LABELS[message.role]}: {text}" for message, text in zip(messages, said, strict=True))


def _cannot_continue(card: ModelCard) -> InvalidRequest:
    return InvalidRequest(
        f"To continue a message of the assistant, {card.entry.id} would need a chat template, and none is known: "
        f"put the model's chat_template.jinja or tokenizer_config.json beside its file.",
        "messages",
    )


def _text_prompt(
    card: ModelCard, messages: Sequence[ChatMessage], options: GenerateOptions
) -> tuple[TextPrompt, bool]:
    """Text for the runtime: rendered, where the template is known, and else one turn for its own template.

    And whether it ends inside thinking.
    """
    _require(messages)
    if card.prompt_form is PromptForm.RAW and card.text_guard is not None:
        rendered, _ = _rendered(card, card.text_guard, messages, options)
        text = card.text_guard.to_text(rendered)
        return TextPrompt(text, most_tokens(text)), _ends_in_thinking(card, rendered)
    if messages[-1].role == "assistant":
        raise _cannot_continue(card)
    text = _transcript(messages)
    prompt = TextPrompt(
        text, most_tokens(text), _fingerprint(messages), _newest_turn(messages), enable_thinking=thinks(options)
    )
    return prompt, False


def _transcript(messages: Sequence[ChatMessage]) -> str:
    """One text of all turns: the runtime's own template knows one user turn and nothing else."""
    if len(messages) == 1 and messages[0].role == "user":
        return encodable(messages[0].text)
    return encodable("\n\n".join(f"{_LABELS[message.role]}: {message.text}" for message in messages))


def _newest_turn(messages: Sequence[ChatMessage]) -> NewestTurn | None:
    if len(messages) < 3 or [message.role for message in messages[-2:]] != ["assistant", "user"]:
        return None
    text = encodable(messages[-1].text)
    return NewestTurn(text, most_tokens(text), _fingerprint(messages[:-2]), encodable(messages[-2].text))


def _fingerprint(messages: Sequence[ChatMessage]) -> str:
    said = json.dumps([[message.role, told(message.content), message.name] for message in messages])
    return hashlib.sha256(said.encode()).hexdigest()
