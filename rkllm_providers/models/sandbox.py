"""The Jinja environment of chat templates, which are strangers' code: what a rendering may cost is bounded.

Jinja's immutable sandbox keeps templates away from the machine; it lets them run for ever and fill the
memory. Here every step that can be repeated (a loop's turn, a call, a filter, an operator) looks
at the time, and every value that a template makes counts against the characters it may make in all. What
could be large at once is estimated before it is made. There is no loader, and no filter that runs regular
expressions over what it gets.

A single step still runs to its end: the largest take some tenths of a second.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

MOST_SECONDS: Final = 5.0
MOST_CHARACTERS: Final = 32 * 1024 * 1024
"""In one value, and in what is put out."""
_MOST_IN_ALL: Final = 4 * MOST_CHARACTERS
_ELEMENT: Final = 64  # what an element of a list counts, in characters: about its bytes
_LARGEST_NUMBER: Final = 1_000_000  # as a width and the like
_MOST_BITS: Final = 100_000  # of a whole number

_SLOW_FILTERS: Final = ("urlize", "striptags", "wordwrap", "xmlattr", "pprint")
_HARMLESS_METHODS: Final = frozenset({"startswith", "endswith", "strip", "lstrip", "rstrip", "lower", "get", "items"})
_LOOP_FACTS: Final = frozenset({"first", "last", "index", "index0", "length", "previtem", "nextitem"})
_DICT_ATTRIBUTES: Final = frozenset(dir(dict))
_PERCENT_WIDTHS: Final = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?")
_FIELD_FORMATS: Final = re.compile(r"\{[^{}:]*:([^{}]*)")
_NESTED_FIELDS: Final = re.compile(r"\{[^{}]*\{")


class TemplateLimitExceeded(jinja2.TemplateError):
    """A template reached what a rendering may cost."""


class _Allowance(threading.local):
    """What is left of the rendering that runs in this thread."""

    deadline = float("inf")
    characters = _MOST_IN_ALL


_allowance = _Allowance()


@contextmanager
def bounded() -> Iterator[None]:
    """Everything a template does in this block, in this thread, is one rendering."""
    before = _allowance.deadline, _allowance.characters
    _allowance.deadline, _allowance.characters = time.monotonic() + MOST_SECONDS, _MOST_IN_ALL
    try:
        yield
    finally:
        _allowance.deadline, _allowance.characters = before


def check_time() -> bool:
    """True while there is time."""
    if time.monotonic() > _allowance.deadline:
        raise TemplateLimitExceeded(f"it took more than {MOST_SECONDS:g} seconds")
    return True


def check_size(size: int) -> None:
    """Refuse a value of so many characters."""
    if size > MOST_CHARACTERS:
        raise TemplateLimitExceeded(f"it made a value of more than {MOST_CHARACTERS} characters")


def _spend(size: int) -> None:
    check_size(size)
    _allowance.characters -= size
    if _allowance.characters < 0:
        raise TemplateLimitExceeded(f"it made values of more than {_MOST_IN_ALL} characters in all")


def _size(value: Any) -> int:
    """The characters of a value's text, about. Lists in lists count as often as their text would hold them."""
    if isinstance(value, str | bytes):
        return len(value)
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return 0
    total, waiting = 0, [value]
    while waiting:
        container = waiting.pop()
        total += _ELEMENT * len(container)
        check_size(total)
        parts: Iterable[Any] = container
        if isinstance(container, Mapping):
            parts = [*container.keys(), *container.values()]
        for part in parts:
            if isinstance(part, str | bytes):
                total += len(part)
            elif isinstance(part, Mapping | list | tuple | set | frozenset):
                waiting.append(part)
    return total


def _made(value: Any) -> Any:
    """Count what a template made."""
    if isinstance(value, str):
        _spend(len(value))
    elif isinstance(value, int):
        _check_bits(value.bit_length())
    elif value is None or isinstance(value, float):
        return value
    elif isinstance(value, Generator):
        return _counted(value)
    else:
        _spend(_size(value))
    return value


def _check_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise TemplateLimitExceeded(f"it made a number of more than {_MOST_BITS} bits")


def _added(left: Any, right: Any) -> Any:
    """What ``+`` makes: the operator that templates use most, so it is short."""
    value = left + right
    if type(value) is str and (size := len(value)) < MOST_CHARACTERS and size < _allowance.characters:
        _allowance.characters -= size
        return value
    return _made(value)


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        check_time()
        _spend(_ELEMENT)
        yield value


def _check_numbers(arguments: Iterable[Any]) -> None:
    for argument in arguments:
        if isinstance(argument, int) and abs(argument) > _LARGEST_NUMBER:
            raise TemplateLimitExceeded(f"it gave a number above {_LARGEST_NUMBER} as a width or a count")


def _check_widths(widths: Iterable[str]) -> None:
    _check_numbers(int(width) if len(width) < 20 else _LARGEST_NUMBER + 1 for width in widths if width)


def _check_percent(text: str, values: Any) -> None:
    widths = [width for found in _PERCENT_WIDTHS.findall(text) for width in found]
    if "*" in widths:
        raise TemplateLimitExceeded("it took the width of a text from a value")
    _check_widths(widths)
    check_size(len(text) + sum(map(int, filter(None, widths))) + text.count("%") * _size(values))


def _check_format(text: str, values: Sequence[Any]) -> None:
    fields = text.replace("{{", "").replace("}}", "")
    if _NESTED_FIELDS.search(fields):
        raise TemplateLimitExceeded("it took the width of a text from a value")
    widths = [width for spec in _FIELD_FORMATS.findall(fields) for width in re.findall(r"\d+", spec)]
    _check_widths(widths)
    check_size(len(text) + sum(map(int, widths)) + fields.count("{") * _size(values))


def _check_text_step(name: str, text: Any, arguments: Sequence[Any]) -> None:
    """Estimate what a method or a filter makes of a text, where that can be far more than the text."""
    if name == "join" and arguments:
        check_size(len(text) * len(arguments[0]) + _size(arguments[0]))
    elif name == "replace" and len(arguments) > 1:
        old, new = str(arguments[0]), str(arguments[1])
        check_size(len(text) + str(text).count(old) * max(0, len(new) - len(old)))
    elif name in ("expandtabs", "indent"):
        width = arguments[0] if arguments else 8
        each = width if isinstance(width, int) else len(str(width))
        check_size(len(text) + (text.count("\t") + text.count("\n") + 1) * each)
    elif name in ("split", "rsplit"):
        separator = arguments[0] if arguments else None
        check_size(text.count(separator) * _ELEMENT if separator else len(text) * 8)
    elif name in ("splitlines", "list", "sort", "unique", "batch", "slice", "title", "wordcount"):
        check_size(len(text) * 8)
    elif name in ("format", "format_map"):
        _check_format(str(text), arguments)


def _bounded_filter(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    # Some filters get the context, or the like, before the value.
    at = 1 if hasattr(filter_, "jinja_pass_arg") else 0

    @functools.wraps(filter_)
    def bounded_filter(*arguments: Any, **named: Any) -> Any:
        check_time()
        value, others = arguments[at], [*arguments[at + 1 :], *named.values()]
        if others:
            _check_numbers(others)
        if name == "join":
            value = list(value)
            separator = str(others[0]) if others else ""
            _check_text_step("join", separator, [value])
            arguments = (*arguments[:at], value, *arguments[at + 1 :])
        elif name == "format":
            _check_percent(str(value), others)
        elif name == "sum" and any(isinstance(other, list | tuple) for other in others):
            raise TemplateLimitExceeded("it summed lists")
        elif isinstance(value, str):
            _check_text_step(name, value, others)
        return _made(filter_(*arguments, **named))

    return bounded_filter


def _checked_arguments(
    function: Any, name: str, arguments: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Arguments of a call that can make something large of little: those of texts' and numbers' methods."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, str | bytes | int):
        _check_numbers([*arguments, *named.values()])
        if name == "translate":
            raise TemplateLimitExceeded("it called translate()")
        if name == "join" and arguments:
            arguments = (list(arguments[0]), *arguments[1:])
        if isinstance(owner, str | bytes):
            _check_text_step(name, owner, [*arguments, *named.values()])
    elif name in ("format", "format_map"):
        # The sandbox's stand-in for the method, which has the text as what it wraps.
        text = getattr(getattr(function, "__wrapped__", None), "__self__", "")
        _check_format(str(text), [*arguments, *named.values()])
    return arguments


class _Namespace(Namespace):
    # Namespaces can hold each other, and so a text of endless length.
    def __repr__(self) -> str:
        return "<namespace>"


class _BoundedCode(CodeGenerator):
    """Python code of a template, with the checks in it."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - the name is Jinja's
        """A loop looks at the time at each turn, and at each element that its condition leaves out."""
        node.body.insert(0, nodes.ExprStmt(nodes.EnvironmentAttribute("check_time")))
        if node.test is not None:
            node.test = nodes.And(nodes.EnvironmentAttribute("check_time"), node.test)
        super().visit_For(node, frame)

    def visit_EnvironmentAttribute(self, node: nodes.EnvironmentAttribute, frame: Frame) -> None:  # noqa: N802
        """The only such attribute that templates' code has is the check."""
        self.write(f"environment.{node.name}()")

    def visit_Add(self, node: nodes.BinExpr, frame: Frame) -> None:  # noqa: N802
        """``+`` counts, in a shorter way than through the sandbox's table of operators."""
        self.write("environment.added(")
        self.visit(node.left, frame)
        self.write(", ")
        self.visit(node.right, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        """``~`` counts."""
        self.write("environment.joined_texts((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        """A list of more than constants counts."""
        self._visit_container(super().visit_List, node, frame, node.items)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        """A tuple of more than constants counts, where it is no target."""
        items = [] if node.ctx == "store" else node.items
        self._visit_container(super().visit_Tuple, node, frame, items)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        """A mapping of more than constants counts."""
        self._visit_container(
            super().visit_Dict, node, frame, [part for pair in node.items for part in pair.iter_child_nodes()]
        )

    def _visit_container(
        self, visit: Callable[[Any, Frame], None], node: nodes.Expr, frame: Frame, parts: Sequence[nodes.Node]
    ) -> None:
        counts = any(not isinstance(part, nodes.Const) for part in parts)
        if counts:
            self.write("environment.made(")
        visit(node, frame)
        if counts:
            self.write(")")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox that templates run in. What they do is counted within ``bounded()``."""

    code_generator_class = _BoundedCode
    intercepted_binops = frozenset({"*", "**", "%"})
    added = staticmethod(_added)
    check_time = staticmethod(check_time)
    made = staticmethod(_made)

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_finalized, **options)
        self.globals["namespace"] = _Namespace
        del self.globals["lipsum"]
        for name in _SLOW_FILTERS:
            del self.filters[name]
        self.filters = {name: _bounded_filter(name, one) for name, one in self.filters.items()}

    def add_filter(self, name: str, filter_: Callable[..., Any]) -> None:
        """Make a filter known, bounded as the others are."""
        self.filters[name] = _bounded_filter(name, filter_)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The sandbox's, but quick for what templates mostly do; this pays for the checks."""
        kind = type(obj)
        if kind is dict:
            if attribute in obj and attribute not in _DICT_ATTRIBUTES:
                return obj[attribute]
        elif kind is _Namespace and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                return self.undefined(obj=obj, name=attribute)
        elif (kind is str and attribute in _HARMLESS_METHODS) or (kind is LoopContext and attribute in _LOOP_FACTS):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a function, a macro or a method."""
        check_time()
        name = getattr(__obj, "__name__", "")
        if name not in _HARMLESS_METHODS and not isinstance(__obj, Macro):
            args = _checked_arguments(__obj, name, args, kwargs)
        return _made(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator that can make something large."""
        check_time()
        if operator == "%" and isinstance(left, str):
            _check_percent(left, right)
        elif isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
            _check_bits(bits)
        elif operator == "*" and isinstance(left, int):
            check_size(left * _size(right))
        elif operator == "*" and isinstance(right, int):
            check_size(right * _size(left))
        return _made(super().call_binop(context, operator, left, right))

    def joined_texts(self, parts: Sequence[Any]) -> str:
        """What ``~`` makes."""
        check_time()
        _spend(_size(parts))
        return "".join(map(str, parts))

    def concat(self, parts: Iterable[str]) -> str:
        """What a macro or a block gives."""
        parts = list(parts)
        _spend(sum(map(len, parts)))
        return "".join(parts)


def _finalized(value: Any) -> Any:
    if type(value) is not str:
        _spend(_size(value))
    return value
