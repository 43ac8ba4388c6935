"""Pictures in conversations: where they stand in a text, and how nobody but us says where.

The runtime takes a text with one tag ``<image>`` for each picture, and reads past the end of its buffer where a tag
has none (semantics.md §11). So a picture is rendered as a placeholder made of noncharacters, which are taken out of
callers' strings; in the finished text every literal tag is broken, and only then do placeholders become tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from rkllm_providers.chat.types import ChatMessage, Content, ImagePart
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models import ModelCard
from rkllm_providers.models.control import TextGuard
from rkllm_providers.models.families_table import END_TEXTS
from rkllm_providers.models.tokenizer import MARKERS
from rkllm_providers.runtime.parameters import Markers

IMAGE_TAG: Final = "<image>"
# Tags of any runtime; sound came with 1.3.1.
_TAGS: Final = (IMAGE_TAG, "<video>", "<audio>")
_LITERAL_TAGS: Final = re.compile(f"<(?=(?:{'|'.join(tag[1:] for tag in _TAGS)}))")
_BREAK: Final = "\u200b"
# None of them is part of a mark, of a control token's name (models/control.py) or of END_OF_TEXT (repair.py) in a
# place where it could be taken for one of these.
_BORDER: Final = "\ufddf"
_FIRST_DIGIT: Final = 0xFDD2
_PLACEHOLDER: Final = re.compile(f"{_BORDER}([{chr(_FIRST_DIGIT)}-{chr(_FIRST_DIGIT + 9)}]+){_BORDER}")
_ROLES: Final = ("user", "tool")


def markers_of(card: ModelCard) -> Markers:
    """The texts around a picture.

    Raises:
        InvalidRequest: The model takes no pictures, or it is not known how.
    """
    vision = card.vision
    if vision is None:
        raise InvalidRequest(
            f"{card.entry.id} takes no pictures: there is no vision encoder (.rknn) beside {card.entry.path.name}. "
            f"Put it there, or ask a model that has one.",
            "messages",
        )
    if vision.family is None:
        raise InvalidRequest(vision.problem or f"It is not known how {card.entry.id} takes pictures.", "messages")
    return vision.family.markers


def joined(*parts: Content) -> Content:
    """Several contents as one; text alone stays text."""
    if all(isinstance(part, str) for part in parts):
        return "".join(part for part in parts if isinstance(part, str))
    return tuple(chain.from_iterable((part,) if isinstance(part, str) else part for part in parts))


def told(content: Content) -> object:
    """A content as JSON that tells it from others: text as it is, pictures by what they are."""
    if isinstance(content, str):
        return content
    return [part if isinstance(part, str) else {"picture": part.digest} for part in content]


def pictures_of(messages: Iterable[ChatMessage]) -> list[ImagePart]:
    """All pictures of a conversation, in their order."""
    return [picture for message in messages for picture in message.pictures]


def check_bytes(pictures: Iterable[ImagePart]) -> None:
    """Refuse pictures of which there is only an address: nothing is fetched for a model.

    Raises:
        InvalidRequest: There is such a one.
    """
    url = next((picture.url for picture in pictures if picture.url is not None), None)
    if url is not None:
        raise InvalidRequest(
            f"A picture is an address ({url[:60]}), and pictures are not fetched from the network. Send its bytes: "
            f"in base64, or as data:image/png;base64,…",
            "messages",
        )


def check_places(messages: Sequence[ChatMessage]) -> None:
    """Refuse pictures where no model takes any.

    Raises:
        InvalidRequest: A message of another role than the user's or a tool's has one.
    """
    for number, message in enumerate(messages):
        if message.pictures and message.role not in _ROLES:
            raise InvalidRequest(
                f"Message {number} (counted from 0) has a picture and the role {message.role}; pictures belong into "
                f"messages of the user, or into results of tools.",
                "messages",
            )


def placeholder(number: int) -> str:
    """What stands for the picture of this number while a conversation is rendered."""
    return f"{_BORDER}{''.join(chr(_FIRST_DIGIT + int(digit)) for digit in str(number))}{_BORDER}"


def with_tags(text: str, pictures: Sequence[ImagePart]) -> tuple[str, tuple[ImagePart, ...]]:
    """A rendered text with a tag for each placeholder, and the pictures in the order of the tags.

    Raises:
        InvalidRequest: The model's template has left a picture out.
    """
    numbers = [_number(found[1]) for found in _PLACEHOLDER.finditer(text)]
    lost = len(pictures) - len(set(numbers))
    if lost:
        raise InvalidRequest(
            f"The model's chat template does not write {lost} of the {len(pictures)} pictures. Send them in messages "
            f"of the user.",
            "messages",
        )
    return _PLACEHOLDER.sub(IMAGE_TAG, without_tags(text)), tuple(pictures[number] for number in numbers)


def without_tags(text: str) -> str:
    """A text in which a zero-width space breaks whatever the runtime would take for the place of a picture."""
    return _LITERAL_TAGS.sub(f"<{_BREAK}", text)


def continued(text: str, said: str, card: ModelCard) -> str:
    """A prompt with what the model said behind it.

    Where the two would make a tag or a control token that neither holds ("<ima" and "ge>"), a zero-width space keeps
    them apart.
    """
    said = without_tags(said)
    for whole in (*_TAGS, *picture_guard(card).control_texts):
        for cut in range(1, len(whole)):
            if text.endswith(whole[:cut]) and said.startswith(whole[cut:]):
                return f"{text}{_BREAK}{said}"
    return text + said


def _number(digits: str) -> int:
    return int("".join(str(ord(digit) - _FIRST_DIGIT) for digit in digits))


def picture_guard(card: ModelCard) -> TextGuard:
    """What keeps callers' text text in a prompt that the runtime tokenises, beside pictures.

    The markers around pictures are control tokens here, whatever the tokenizer says of them.
    """
    markers = markers_of(card)
    texts = {markers.start, markers.end.strip(), markers.content}
    known = [guard.control_texts for guard in (card.guard, card.text_guard) if guard is not None]
    # Without either nothing says what the control tokens are: then the usual ones count.
    texts = texts.union(*known) if known else texts | END_TEXTS | MARKERS
    return _guard(frozenset(texts))


@lru_cache(maxsize=16)
def _guard(texts: frozenset[str]) -> TextGuard:
    return TextGuard(texts)
