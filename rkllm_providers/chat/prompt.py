"""Messages to what the model is run on: token ids, or text where it has no tokenizer."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rkllm_providers.chat.repair import render_conversation
from rkllm_providers.chat.types import ChatMessage
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from rkllm_providers.models import ModelCard, PromptForm
from rkllm_providers.models.control import ControlGuard, TextGuard

# What a runtime may put around a text of its own accord: a beginning token, or a whole template with
# a system text. No token is shorter than a byte, so bytes plus this bound the number of tokens.
RAW_ALLOWANCE: Final = 8
_TEMPLATE_ALLOWANCE: Final = 256
_HOPELESS_FACTOR: Final = 6  # characters per token that a text rarely has
_COUNTED_CHARACTERS: Final = 100_000  # so much is counted exactly in any case
_PIECE_CHARACTERS: Final = 16_384
_LABELS: Final = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool result"}
# Tokens per character, by how vocabularies of today treat a script.
_ASCII_RATE: Final = 0.27
_WIDE_RATE: Final = 0.75  # Chinese, Japanese, Korean, emoji
_OTHER_RATE: Final = 0.5
_FIRST_WIDE: Final = 0x2E80


@dataclass(frozen=True, slots=True)
class NewestTurn:
    """The last turn of a conversation alone, for a runtime that may hold all that was before it.

    It may be sent alone only where the runtime's last run answered the messages of fingerprint ``before``
    with ``answer``, and nothing else was run since. ``bound`` is the most tokens it can have.
    """

    text: str
    bound: int
    before: str
    answer: str


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """A prompt that the runtime tokenises; no vocabulary makes more than ``bound`` tokens of it.

    ``fingerprint`` identifies the conversation; empty where the runtime is to keep nothing of it.
    """

    text: str
    bound: int
    fingerprint: str = ""
    newest: NewestTurn | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is run on: token ids (int32), or text.

    ``n_tokens`` is exact for ids and an estimate for text. ``room`` is the number of tokens that can be
    generated behind it without leaving the context window; ``None`` for text, whose tokens only the
    runtime can count. A ``plain`` prompt is no turn of a chat, and goes without the chat template.
    """

    content: array[int] | TextPrompt
    n_tokens: int
    room: int | None
    plain: bool = False


def build_prompt(card: ModelCard, messages: Sequence[ChatMessage]) -> Prompt:
    """Render a conversation for a model, and open the assistant's turn.

    Where the last message is the assistant's, the model goes on with it.

    Raises:
        InvalidRequest: There are no messages, the model's template refuses them, or the last cannot be continued.
        ContextLengthExceeded: The prompt leaves no room for an answer.
    """
    if card.prompt_form is PromptForm.TOKENS and card.guard is not None:
        rendered = _rendered(card, card.guard, messages)
        refuse_hopeless(card.guard, rendered, card.context_length)
        ids = array("i", card.guard.encode(rendered))
        room = card.context_length - len(ids)
        if room < 1:
            raise ContextLengthExceeded(len(ids), card.context_length)
        return Prompt(ids, len(ids), room)
    content = _text_prompt(card, messages)
    estimate = estimate_tokens(content.text)
    if estimate >= 2 * card.context_length:
        raise ContextLengthExceeded(estimate, card.context_length)
    return Prompt(content, estimate, None)


def count_prompt_tokens(card: ModelCard, messages: Sequence[ChatMessage]) -> int:
    """Number of tokens of a conversation's prompt, whether it fits or not; an estimate without a tokenizer.

    Raises:
        InvalidRequest: There are no messages, or the model's template refuses them.
    """
    if card.prompt_form is PromptForm.TOKENS and card.guard is not None:
        return len(card.guard.encode(_rendered(card, card.guard, messages)))
    return estimate_tokens(_text_prompt(card, messages).text)


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has, by the scripts of its characters, for models without a tokenizer."""
    n_ascii = len(text.encode("ascii", "ignore"))
    n_wide = sum(1 for char in text if ord(char) >= _FIRST_WIDE) if n_ascii < len(text) else 0
    n_other = len(text) - n_ascii - n_wide
    return int(n_ascii * _ASCII_RATE + n_wide * _WIDE_RATE + n_other * _OTHER_RATE) + 1


def _rendered(card: ModelCard, guard: TextGuard, messages: Sequence[ChatMessage]) -> str:
    """The conversation in the model's template; every string that came from a caller is marked."""
    _require(messages)
    if card.template is None:
        raise ValueError("A model without a template has no rendered prompts.")
    # The role is ours; every other string came from a caller.
    turns = [{"role": message.role, **guard.mark(_caller_strings(message))} for message in messages]
    return render_conversation(card.template, turns, continue_final_message=messages[-1].role == "assistant")


def _require(messages: Sequence[ChatMessage]) -> None:
    if not messages:
        raise InvalidRequest("There are no messages; at least one is needed.", "messages")


def refuse_hopeless(guard: ControlGuard, rendered: str, context_length: int) -> None:
    """Refuse a text far too long at the cost of reading what would fit, not of all of it.

    Encoding megabytes takes seconds in which nothing else of this process runs.
    """
    if len(rendered) < max(_HOPELESS_FACTOR * context_length, _COUNTED_CHARACTERS):
        return
    n_tokens = 0
    for at in range(0, len(rendered), _PIECE_CHARACTERS):
        # A cut can add a token or two at its ends.
        n_tokens += max(0, guard.count(rendered[at : at + _PIECE_CHARACTERS]) - 4)
        if n_tokens >= context_length:
            raise ContextLengthExceeded(n_tokens, context_length, at_least=True)


def _caller_strings(message: ChatMessage) -> dict[str, str]:
    strings = {"content": encodable(message.content)}
    if message.name is not None:
        strings["name"] = encodable(message.name)
    return strings


def _text_prompt(card: ModelCard, messages: Sequence[ChatMessage]) -> TextPrompt:
    """Text for the runtime: rendered, where the template is known, and else one turn for its own template."""
    _require(messages)
    if card.prompt_form is PromptForm.RAW and card.text_guard is not None:
        text = card.text_guard.to_text(_rendered(card, card.text_guard, messages))
        return TextPrompt(text, len(text.encode()) + RAW_ALLOWANCE)
    if messages[-1].role == "assistant":
        raise InvalidRequest(
            f"To continue a message of the assistant, {card.entry.id} would need a chat template, and none is known: "
            f"put the model's chat_template.jinja or tokenizer_config.json beside its file.",
            "messages",
        )
    text = _transcript(messages)
    return TextPrompt(text, len(text.encode()) + _TEMPLATE_ALLOWANCE, _fingerprint(messages), _newest_turn(messages))


def _transcript(messages: Sequence[ChatMessage]) -> str:
    """One text of all turns: the runtime's own template knows one user turn and nothing else."""
    if len(messages) == 1 and messages[0].role == "user":
        return encodable(messages[0].content)
    return encodable("\n\n".join(f"{_LABELS[message.role]}: {message.content}" for message in messages))


def _newest_turn(messages: Sequence[ChatMessage]) -> NewestTurn | None:
    if len(messages) < 3 or [message.role for message in messages[-2:]] != ["assistant", "user"]:
        return None
    text = encodable(messages[-1].content)
    size = len(text.encode()) + _TEMPLATE_ALLOWANCE
    return NewestTurn(text, size, _fingerprint(messages[:-2]), encodable(messages[-2].content))


def _fingerprint(messages: Sequence[ChatMessage]) -> str:
    said = json.dumps([[message.role, message.content, message.name] for message in messages])
    return hashlib.sha256(said.encode()).hexdigest()


def encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
