"""Messages to what the model is run on: token ids, or text where it has no tokenizer."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rkllm_providers.chat.repair import render_conversation
from rkllm_providers.chat.types import ChatMessage
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from rkllm_providers.models import ModelCard
from rkllm_providers.models.control import ControlGuard

# A runtime that applies its own template adds markers and perhaps a system text around the prompt.
_TEMPLATE_ALLOWANCE: Final = 64
_HOPELESS_FACTOR: Final = 6  # characters per token that a text rarely has
_COUNTED_CHARACTERS: Final = 100_000  # so much is counted exactly in any case
_PIECE_CHARACTERS: Final = 16_384
_BYTES_PER_TOKEN: Final = 4
_LABELS: Final = {"system": "System", "user": "User", "assistant": "Assistant", "tool": "Tool result"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is run on: token ids (int32), or text for the runtime's own template.

    ``n_tokens`` is exact for ids and an estimate for text; ``room`` is the number of tokens that
    can be generated behind it without leaving the context window.
    """

    content: array[int] | str
    n_tokens: int
    room: int


def build_prompt(card: ModelCard, messages: Sequence[ChatMessage]) -> Prompt:
    """Render a conversation for a model, and open the assistant's turn.

    Raises:
        InvalidRequest: There are no messages, or the model's template refuses them.
        ContextLengthExceeded: The prompt leaves no room for an answer.
    """
    if not messages:
        raise InvalidRequest("There are no messages; at least one is needed.", "messages")
    if card.guard is None or card.template is None:
        return _text_prompt(card, messages)
    # The role is ours; every string that came from a caller is marked, so that it stays text.
    marked = [{"role": message.role, **card.guard.mark(_caller_strings(message))} for message in messages]
    rendered = render_conversation(card.template, marked)
    _refuse_hopeless(card.guard, rendered, card.context_length)
    ids = array("i", card.guard.encode(rendered))
    room = card.context_length - len(ids)
    if room < 1:
        raise ContextLengthExceeded(len(ids), card.context_length)
    return Prompt(ids, len(ids), room)


def _refuse_hopeless(guard: ControlGuard, rendered: str, context_length: int) -> None:
    """Refuse a text far too long at the cost of reading what would fit, not of all of it.

    Encoding megabytes takes seconds in which nothing else of this process runs.
    """
    if len(rendered) < max(_HOPELESS_FACTOR * context_length, _COUNTED_CHARACTERS):
        return
    n_tokens = 0
    for at in range(0, len(rendered), _PIECE_CHARACTERS):
        # A cut can add a token or two at its ends.
        n_tokens += max(0, len(guard.encode(rendered[at : at + _PIECE_CHARACTERS])) - 4)
        if n_tokens >= context_length:
            raise ContextLengthExceeded(n_tokens, context_length, at_least=True)


def _caller_strings(message: ChatMessage) -> dict[str, str]:
    strings = {"content": _encodable(message.content)}
    if message.name is not None:
        strings["name"] = _encodable(message.name)
    return strings


def _text_prompt(card: ModelCard, messages: Sequence[ChatMessage]) -> Prompt:
    """Text for the runtime's own template, which knows one user turn and nothing else."""
    if len(messages) == 1 and messages[0].role == "user":
        text = messages[0].content
    else:
        text = "\n\n".join(f"{_LABELS[message.role]}: {message.content}" for message in messages)
    text = _encodable(text)
    size = len(text.encode())
    # No token is shorter than a byte: so many tokens it can have at the most.
    most = size + _TEMPLATE_ALLOWANCE
    estimate = size // _BYTES_PER_TOKEN + 1
    if estimate >= card.context_length:
        raise ContextLengthExceeded(estimate, card.context_length)
    room = max(card.context_length - most, (card.context_length - estimate) // 2, 1)
    return Prompt(text, estimate, room)


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
