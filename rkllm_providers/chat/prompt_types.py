"""Prompts as values: what the model is run on, and what is known of it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass

from rkllm_providers.chat.types import ImagePart
from rkllm_providers.models import PromptForm
from rkllm_providers.models.reuse import EncodedPrompt


@dataclass(frozen=True, slots=True)
class NewestTurn:
    """The last turn of a conversation alone, for a runtime that may hold all that was before it.

    It may be sent alone only where the runtime's last run answered the messages of fingerprint ``before``
    with ``answer``, and nothing else was run since. ``bound`` is the most tokens it can have, but for those that
    the runtime puts around it.
    """

    text: str
    bound: int
    before: str
    answer: str


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """A prompt that the runtime tokenises; no vocabulary makes more than ``bound`` tokens of it.

    What the runtime puts around it of its own accord is not in the bound: a beginning token, or a template.
    ``fingerprint`` identifies the conversation; empty where the runtime is to keep nothing of it.
    ``enable_thinking`` is for the runtime's own template (1.2.1 and later), which does not think unless told to.
    """

    text: str
    bound: int
    fingerprint: str = ""
    newest: NewestTurn | None = None
    enable_thinking: bool | None = None


@dataclass(frozen=True, slots=True)
class PicturePrompt(TextPrompt):
    """A prompt with pictures, which the runtime tokenises: ``text`` has one ``<image>`` for each, in their order.

    ``n_tokens`` are those of the text and of what stands around each picture, without the pictures' own;
    ``None`` where there is no tokenizer to count them. ``form`` is the way of prompts that it was made for.
    ``is_transcript`` says that it holds several turns which no template has told apart.
    """

    pictures: tuple[ImagePart, ...] = ()
    n_tokens: int | None = None
    form: PromptForm = PromptForm.RUNTIME
    is_transcript: bool = False


@dataclass(frozen=True, slots=True)
class PromptOrigin:
    """What a prompt was made of, to tell which message a token of it belongs to."""

    encoded: EncodedPrompt
    contents: tuple[str, ...]

    def message_of(self, token: int) -> int:
        """The number of the message that a token belongs to."""
        encoded = self.encoded
        # Between two control tokens a template writes one message at the most.
        following = bisect_right(encoded.ids_at, token)
        end = encoded.text_at[following] if following < len(encoded.text_at) else len(encoded.text)
        found, begin = 0, 0
        for number, content in enumerate(self.contents):
            start = encoded.text.find(content.strip(), begin) if content.strip() else -1
            if 0 <= start < end:
                found, begin = number, start + len(content.strip())
        return found


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is run on: token ids (int32), or text.

    ``n_tokens`` is exact for ids and an estimate for text. ``room`` is the number of tokens that can be
    generated behind it without leaving the context window; ``None`` for text, whose tokens only the
    runtime can count. ``starts_in_reasoning`` says that it ends inside thinking; ``begun`` is what of the answer it
    holds already, where a tool call is forced or JSON begun. A ``plain`` prompt is no turn of a chat, and goes
    without the chat template.
    """

    content: array[int] | TextPrompt
    n_tokens: int
    room: int | None
    starts_in_reasoning: bool = False
    begun: str = ""
    origin: PromptOrigin | None = None
    plain: bool = False
