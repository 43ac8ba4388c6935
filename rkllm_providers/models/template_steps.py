"""Estimates of what a step of a chat template makes of little, before it is made."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from string import Formatter
from typing import Any, Final

from rkllm_providers.models.template_limits import (
    ELEMENT,
    TemplateLimitExceeded,
    check_size,
    check_time,
    made,
    parts_counted,
    size_of,
)

LARGEST_NUMBER: Final = 1_000_000
"""As a width, a count and the like."""
_LARGEST_PRECISION: Final = 1000
_MOST_DIGITS: Final = 4300  # of a text that becomes a number; Python's own bound for decimal ones
_MOST_COMPARED: Final = 1_000_000_000  # characters, where a search from the right compares each with each
_FIELD: Final = 400  # the most characters of a number's text
_MOST_ESCAPED: Final = 12  # characters that one becomes in JSON, in HTML or in a URL
_PERCENT: Final = re.compile(r"%%|%(\([^()%]*\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?(.?)", re.DOTALL)

# What the arguments behind the value are called, in their order.
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "replace": ("old", "new", "count"),
    "indent": ("width", "first", "blank"),
    "join": ("d", "attribute"),
    "round": ("precision", "method"),
    "sum": ("attribute", "start"),
    "truncate": ("length", "killwords", "end", "leeway"),
    "split": ("sep", "maxsplit"),
    "rsplit": ("sep", "maxsplit"),
    "expandtabs": ("tabsize",),
}
# Filters that take the text of whatever they get.
_TEXT_FILTERS: Final = frozenset(
    {
        *("string", "e", "escape", "forceescape", "safe", "trim", "lower", "upper", "capitalize", "title", "center"),
        *("replace", "urlencode", "truncate", "wordcount", "indent", "format", "int", "float"),
    }
)
_SPLITTING: Final = frozenset({"splitlines", "list", "sort", "unique", "batch", "slice", "title", "wordcount", "map"})
_ESCAPING: Final = frozenset({"e", "escape", "forceescape", "urlencode"})
_FROM_THE_RIGHT: Final = frozenset({"rfind", "rindex", "rsplit", "rpartition"})


def check_numbers(arguments: Iterable[Any]) -> None:
    """Refuse numbers that are too large as a width or a count."""
    for argument in arguments:
        if isinstance(argument, int) and abs(argument) > LARGEST_NUMBER:
            raise TemplateLimitExceeded(f"it gave a number above {LARGEST_NUMBER} as a width or a count")


def _check_widths(widths: Sequence[str]) -> int:
    """The sum of widths in a format, none of which is too large."""
    numbers = [int(width) if len(width) < 20 else LARGEST_NUMBER + 1 for width in widths if width]
    check_numbers(numbers)
    return sum(numbers)


def check_percent(text: str, values: Any) -> None:
    """Estimate what ``%`` makes."""
    fields, widths = 0, []
    for found in _PERCENT.finditer(text):
        key, width, precision, kind = found.groups()
        if key is None and kind == "(":
            raise TemplateLimitExceeded("it formatted a text by a name that has brackets or a percent sign")
        if "*" in (width, precision):
            raise TemplateLimitExceeded("it took the width of a text from a value")
        if found[0] != "%%":
            fields += 1
            widths += [width, precision or ""]
    each = _FIELD + size_of((values,)) if fields else 0
    check_size(len(text) + _check_widths(widths) + fields * each)


def check_format(text: str, values: Sequence[Any]) -> None:
    """Estimate what ``format()`` makes."""
    fields, widths = 0, []
    for _, field, spec, _ in Formatter().parse(text):
        if field is None:
            continue
        fields += 1
        if spec and ("{" in spec or "}" in spec):
            raise TemplateLimitExceeded("it took the width of a text from a value")
        widths += re.findall(r"\d+", spec or "")
    each = _FIELD + size_of(list(values)) if fields else 0
    check_size(len(text) + _check_widths(widths) + fields * each)


def _named(name: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    return dict(zip(PARAMETERS.get(name, ()), arguments, strict=False)) | dict(named)


def check_text_step(name: str, text: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
    """Estimate what a method or a filter makes of a text, where that can be far more than the text."""
    given = _named(name, arguments, named)
    if name == "replace" and {"old", "new"} <= given.keys():
        old, new = str(given["old"]), str(given["new"])
        check_size(len(text) + text.count(old) * max(0, len(new) - len(old)))
    elif name in ("expandtabs", "indent"):
        width = given.get("tabsize", given.get("width", 8))
        each = width if isinstance(width, int) else size_of(width)
        lines = text.count("\t") if name == "expandtabs" else len(text.splitlines()) + 2
        check_size(len(text) + lines * each)
    elif name in ("split", "rsplit"):
        separator = given.get("sep")
        check_size(text.count(separator) * ELEMENT if separator else len(text) * ELEMENT // 2)
    elif name in _SPLITTING:
        check_size(len(text) * ELEMENT // 2)
    elif name in _ESCAPING:
        check_size(len(text) * _MOST_ESCAPED)
    elif name in ("int", "float") and len(text) > _MOST_DIGITS:
        raise TemplateLimitExceeded(f"it took a text of more than {_MOST_DIGITS} characters for a number")
    if name in _FROM_THE_RIGHT and len(text) * sum(map(size_of, arguments)) > _MOST_COMPARED:
        raise TemplateLimitExceeded("it searched a long text from the right for another")


def _check_join(separator: Any, values: list[Any]) -> None:
    check_size(size_of(separator) * len(values) + size_of(values))


def bounded_filter(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that looks at the time and at what it is about to make."""
    # Some filters get the context, or the like, before the value.
    at = 1 if hasattr(filter_, "jinja_pass_arg") else 0

    @functools.wraps(filter_)
    def bounded_one(*arguments: Any, **named: Any) -> Any:
        check_time()
        value, others = arguments[at], arguments[at + 1 :]
        if others or named:
            check_numbers(others)
            check_numbers(named.values())
            check_size(sum(map(size_of, others)) + sum(map(size_of, named.values())))
        if name in ("join", "sum", "round"):
            given = _named(name, others, named)
            if name == "join":
                value = value if isinstance(value, list) else list(value)
                _check_join(given.get("d", ""), value)
                arguments = (*arguments[:at], value, *arguments[at + 1 :])
            elif name == "sum" and isinstance(given.get("start"), list | tuple):
                raise TemplateLimitExceeded("it summed lists")
            elif name == "round" and isinstance(given.get("precision"), int):
                _check_precision(given["precision"])
        elif isinstance(value, str) or name in _TEXT_FILTERS:
            text = _text(value)
            if name == "format":
                check_percent(text, [*others, named])
            else:
                check_text_step(name, text, others, named)
        result = filter_(*arguments, **named)
        return made(parts_counted(result) if name in ("batch", "slice") else result)

    return bounded_one


def _text(value: Any) -> str:
    if not isinstance(value, str):
        check_size(size_of(value))
    return str(value)


def _check_precision(precision: int) -> None:
    if abs(precision) > _LARGEST_PRECISION:
        raise TemplateLimitExceeded(f"it rounded to more than {_LARGEST_PRECISION} digits")


def checked_arguments(
    function: Any, name: str, arguments: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Arguments of a call that can make something large of little: those of texts' methods."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, str):
        check_numbers([*arguments, *named.values()])
        if name == "join" and arguments:
            arguments = (list(arguments[0]), *arguments[1:])
            _check_join(owner, arguments[0])
        else:
            check_text_step(name, owner, arguments, named)
    elif name in ("format", "format_map"):
        # The sandbox's stand-in for the method, which has the text as what it wraps.
        text = getattr(getattr(function, "__wrapped__", None), "__self__", "")
        check_format(str(text), [*arguments, *named.values()])
    return arguments
