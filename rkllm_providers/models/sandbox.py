"""The Jinja environment of chat templates, which are strangers' code: what a rendering may cost is bounded.

Jinja's immutable sandbox keeps templates away from the machine; it lets them run for ever and fill the
memory. Here every step that can be repeated (a loop's turn, a call, a filter, an operator) looks
at the time, and every value that a template makes counts against the characters it may make in all
(``template_limits``). What could be large at once is estimated before it is made (``template_steps``).
Only methods that are known to be harmless, or can be estimated, are found. There is no loader, no filter
that runs regular expressions over what it gets, and nothing is computed when a template is compiled.

A single step still runs to its end: the largest take some tenths of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.filters import _GroupTuple
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Namespace

from rkllm_providers.models.template_limits import (
    TemplateLimitExceeded,
    added,
    check_bits,
    check_size,
    check_time,
    made,
    size_of,
    sliced,
    spend,
)
from rkllm_providers.models.template_steps import bounded_filter, check_percent, checked_arguments

MOST_SOURCE: Final = 256 * 1024
"""Characters of a template; the largest that are known have a tenth of this."""
_MOST_BRANCHES: Final = 1_000_000
_SLOW_FILTERS: Final = ("urlize", "striptags", "wordwrap", "xmlattr", "pprint", "filesizeformat")
_HARMLESS_METHODS: Final = frozenset({"startswith", "endswith", "strip", "lstrip", "rstrip", "lower", "get", "items"})
_LOOP_FACTS: Final = frozenset({"first", "last", "index", "index0", "length", "previtem", "nextitem"})
_DICT_ATTRIBUTES: Final = frozenset(dir(dict))
_SEQUENCE_METHODS: Final = frozenset({"count", "index"})
# What templates find of each kind of value. A kind that is not here has nothing.
_ATTRIBUTES: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset(
        {
            *("startswith", "endswith", "strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize"),
            *("swapcase", "casefold", "split", "rsplit", "splitlines", "partition", "rpartition", "replace", "join"),
            *("format", "format_map", "find", "rfind", "index", "rindex", "count", "removeprefix", "removesuffix"),
            *("zfill", "center", "ljust", "rjust", "expandtabs", "isalnum", "isalpha", "isascii", "isdecimal"),
            *("isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper"),
        }
    ),
    dict: frozenset({"get", "items", "keys", "values", "copy"}),
    list: _SEQUENCE_METHODS | {"copy"},
    tuple: _SEQUENCE_METHODS,
    range: _SEQUENCE_METHODS | {"start", "stop", "step"},
    float: frozenset({"is_integer"}),
    _GroupTuple: _SEQUENCE_METHODS | {"grouper", "list"},
    LoopContext: _LOOP_FACTS | {"revindex", "revindex0", "depth", "depth0", "cycle", "changed"},
    Macro: frozenset({"name", "arguments", "catch_kwargs", "catch_varargs", "caller"}),
    Cycler: frozenset({"next", "current", "reset"}),
    BlockReference: frozenset({"super"}),
}


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

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        """A part of a text or a list counts."""
        if isinstance(node.arg, nodes.Slice):
            self.write("environment.sliced(")
            super().visit_Getitem(node, frame)
            self.write(")")
        else:
            super().visit_Getitem(node, frame)

    def visit_ScopedEvalContextModifier(self, node: nodes.ScopedEvalContextModifier, frame: Frame) -> NoReturn:  # noqa: N802
        """What is escaped for HTML is no prompt; and Jinja would compute the block's switch."""
        self.fail("autoescape is not supported", node.lineno)

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """Writing code takes time too."""
        check_time()
        return super().visit(node, *args, **kwargs)

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        # Whatever else is constant is computed when the template runs, and counted.
        if not isinstance(node, nodes.TemplateData | nodes.Const):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

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
    added = staticmethod(added)
    check_time = staticmethod(check_time)
    made = staticmethod(made)
    sliced = staticmethod(sliced)

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_finalized, optimized=False, **options)
        self.globals["namespace"] = _Namespace
        del self.globals["lipsum"]
        for name in _SLOW_FILTERS:
            del self.filters[name]
        self.filters = {name: bounded_filter(name, one) for name, one in self.filters.items()}

    def add_filter(self, name: str, filter_: Callable[..., Any]) -> None:
        """Make a filter known, bounded as the others are."""
        self.filters[name] = bounded_filter(name, filter_)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The sandbox's, but quick for what templates mostly do; this pays for the checks."""
        kind = type(obj)
        if kind is dict:
            if attribute not in _DICT_ATTRIBUTES:
                return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
            if attribute in _ATTRIBUTES[dict]:
                return getattr(obj, attribute)
        elif kind is _Namespace and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                return self.undefined(obj=obj, name=attribute)
        elif (kind is str and attribute in _HARMLESS_METHODS) or (kind is LoopContext and attribute in _LOOP_FACTS):
            return getattr(obj, attribute)
        return self._looked_up(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An element, or what ``getattr`` finds by a name that is none of an element."""
        kind = type(obj)
        if kind is type:
            return self.undefined(obj=obj, name=argument)
        try:
            return obj[argument]
        except (TypeError, LookupError):
            if isinstance(argument, str):
                return self._looked_up(obj, str(argument), elements=False)
        return self.undefined(obj=obj, name=argument)

    def _looked_up(self, obj: Any, attribute: str, *, elements: bool = True) -> Any:
        """An attribute that templates may have, or else an element of that name."""
        if isinstance(obj, jinja2.Undefined):
            return super().getattr(obj, attribute)
        known = next((_ATTRIBUTES[kind] for kind in type(obj).__mro__ if kind in _ATTRIBUTES), frozenset())
        if attribute in known or isinstance(obj, Namespace):
            return super().getattr(obj, attribute)
        if hasattr(type(obj), attribute) or attribute.startswith("_") or isinstance(obj, type):
            return self.unsafe_undefined(obj, attribute)
        if elements:
            try:
                return obj[attribute]
            except (TypeError, LookupError):
                pass
        return self.undefined(obj=obj, name=attribute)

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        # Jinja takes every name along into every branch.
        names = sum(1 for name in source.find_all(nodes.Name) if name.ctx != "load")
        branches = sum(1 for _ in source.find_all((nodes.If, nodes.For, nodes.CondExpr)))
        if names * branches > _MOST_BRANCHES:
            raise TemplateLimitExceeded(f"it sets {names} variables among {branches} branches")
        return super()._generate(source, *args, **options)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a function, a macro or a method."""
        check_time()
        name = getattr(__obj, "__name__", "")
        if name not in _HARMLESS_METHODS and not isinstance(__obj, Macro):
            args = checked_arguments(__obj, name, args, kwargs)
        return made(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator that can make something large."""
        check_time()
        if operator == "%" and isinstance(left, str):
            check_percent(left, right)
        elif isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * max(right, 0) if operator == "**" else left.bit_length() + right.bit_length()
            check_bits(bits)
        elif operator == "*" and isinstance(left, int):
            check_size(left * size_of(right))
        elif operator == "*" and isinstance(right, int):
            check_size(right * size_of(left))
        return made(super().call_binop(context, operator, left, right))

    def joined_texts(self, parts: Sequence[Any]) -> str:
        """What ``~`` makes."""
        check_time()
        spend(size_of(parts))
        return "".join(map(str, parts))

    def concat(self, parts: Iterable[str]) -> str:
        """What a macro or a block gives."""
        parts = list(parts)
        spend(sum(map(len, parts)))
        return "".join(parts)


def _finalized(value: Any) -> Any:
    if type(value) is not str:
        spend(size_of(value))
    return value
