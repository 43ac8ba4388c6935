"""What the rendering of a chat template may cost, and how its values are counted.

What a template makes counts against the characters it may make in all. Only values of kinds that are
known, and can be counted, may come about.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

import jinja2
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference
from jinja2.utils import Cycler, Joiner, Namespace

MOST_SECONDS: Final = 5.0
MOST_CHARACTERS: Final = 32 * 1024 * 1024
"""In one value, and in what is put out."""
MOST_BITS: Final = 100_000
"""Of a whole number."""
ELEMENT: Final = 64
"""What an element of a list counts, in characters: about its bytes."""
_MOST_IN_ALL: Final = 4 * MOST_CHARACTERS
_CONTAINER: Final = 256  # what a list or mapping in another counts by itself
_ESCAPED: Final = 10  # the most characters that one becomes where a list's text shows it

_VIEWS: Final[tuple[type, ...]] = (type({}.keys()), type({}.values()), type({}.items()))
# What a template can get hold of besides data: its text is short, and says nothing of what it holds.
_OPAQUE: Final = (
    *(jinja2.Undefined, Namespace, Macro, LoopContext, Cycler, Joiner, TemplateReference, BlockReference),
    *(FunctionType, BuiltinFunctionType, MethodType, type, range),
)


class TemplateLimitExceeded(jinja2.TemplateError):
    """A template reached what a rendering may cost."""


class _Allowance(threading.local):
    """What is left of the rendering that runs in this thread."""

    deadline = float("inf")
    characters = _MOST_IN_ALL


allowance = _Allowance()


@contextmanager
def bounded() -> Iterator[None]:
    """Everything a template does in this block, in this thread, is one rendering; blocks within belong to it."""
    before = allowance.deadline, allowance.characters
    if before[0] == float("inf"):
        allowance.deadline, allowance.characters = time.monotonic() + MOST_SECONDS, _MOST_IN_ALL
        try:
            yield
        finally:
            allowance.deadline, allowance.characters = before
    else:
        yield


def check_time() -> bool:
    """True while there is time."""
    if time.monotonic() > allowance.deadline:
        raise TemplateLimitExceeded(f"it took more than {MOST_SECONDS:g} seconds")
    return True


def check_size(size: int) -> None:
    """Refuse a value of so many characters."""
    if size > MOST_CHARACTERS:
        raise TemplateLimitExceeded(f"it made a value of more than {MOST_CHARACTERS} characters")


def check_bits(bits: int) -> None:
    """Refuse a whole number of so many bits."""
    if bits > MOST_BITS:
        raise TemplateLimitExceeded(f"it made a number of more than {MOST_BITS} bits")


def spend(size: int) -> None:
    """Count so many characters."""
    check_size(size)
    allowance.characters -= size
    if allowance.characters < 0:
        raise TemplateLimitExceeded(f"it made values of more than {_MOST_IN_ALL} characters in all")


def size_of(value: Any) -> int:
    """The characters of a value's text, at most. Lists in lists count as often as their text would hold them."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, int):
        return value.bit_length() // 3 + 1
    if not isinstance(value, Mapping | list | tuple):
        return 0
    total, waiting = -_CONTAINER, [value]
    while waiting:
        container = waiting.pop()
        total += _CONTAINER + ELEMENT * len(container)
        check_size(total)
        parts: Iterable[Any] = container
        if isinstance(container, Mapping):
            parts = [*container.keys(), *container.values()]
        for part in parts:
            if isinstance(part, str):
                total += len(part) if part.isprintable() else _ESCAPED * len(part)
            elif isinstance(part, int):
                total += part.bit_length() // 3
            elif isinstance(part, Mapping | list | tuple):
                waiting.append(part)
    return total


def made(value: Any) -> Any:
    """Count what a template made, and refuse what cannot be counted."""
    kind = type(value)
    if kind is str:
        spend(len(value))
    elif kind is bool or value is None or kind is float:
        return value
    elif kind is int:
        check_bits(value.bit_length())
    elif kind is dict or isinstance(value, list | tuple):
        spend(size_of(value))
    elif isinstance(value, str):
        # Jinja's text that is safe in HTML would escape what is added to it; here nothing is HTML.
        spend(len(value))
        return str.__str__(value)
    elif isinstance(value, _OPAQUE):
        return value
    elif isinstance(value, Iterator):
        return counted(value)
    elif isinstance(value, (Mapping, *_VIEWS)):
        views: Any = value
        whole: Any = dict(views) if isinstance(value, Mapping) else list(views)
        spend(size_of(whole))
        return whole
    else:
        raise TemplateLimitExceeded(f"it made a value of the kind {kind.__name__}, which cannot be counted")
    return value


def counted(values: Iterable[Any]) -> Iterator[Any]:
    """The same values, each counted when its turn comes."""
    for value in values:
        check_time()
        spend(ELEMENT)
        yield value


def parts_counted(parts: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """The same lists, which a filter makes one by one; what they hold may be in several of them."""
    for part in parts:
        check_size(size_of(part))
        spend(ELEMENT * len(part))
        yield part


def added(left: Any, right: Any) -> Any:
    """What ``+`` makes: the operator that templates use most, so it is short."""
    value = left + right
    if type(value) is str and (size := len(value)) < MOST_CHARACTERS and size < allowance.characters:
        allowance.characters -= size
        return value
    return made(value)


def sliced(value: Any) -> Any:
    """A part of a text or a list, whose elements have been counted with the whole."""
    if isinstance(value, str):
        spend(len(value))
    elif isinstance(value, list | tuple | range):
        spend(ELEMENT * len(value))
    return value
