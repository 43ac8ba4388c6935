"""Whether a JSON text is valid by a schema, within bounds.

This module needs nothing of this package, so that it starts quickly as a process of its own: a regular expression
cannot be interrupted in Python, and keeps all threads waiting, but a process can be ended. As a process it reads
``{"schema": …, "text": …}`` from its standard input and writes ``{"problem": …}`` or ``{"fault": …}``.
"""

from __future__ import annotations

import json
import math
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

MOST_STEPS: Final = 50_000
"""Keywords of the schema that are looked at; a second or two of work at the worst."""

_MOST_ERRORS: Final = 50  # of which the most telling one is reported
_MOST_SHOWN: Final = 300  # characters of it: it quotes the text

# What keywords raise whose values are nonsense. A dialect does not check what stands under keywords that it does not
# know, and references may lead there.
_USELESS: Final = (Unresolvable, re.error, TypeError, ValueError, AttributeError, LookupError, ArithmeticError)

Keyword = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]


class SchemaFault(Exception):
    """A text cannot be checked by this schema, whatever it says."""


class _Allowance(threading.local):
    steps = 0


_allowance = _Allowance()


def problem_of(schema: Mapping[str, Any], text: str) -> str | None:
    """What is wrong with a JSON text by a schema, and where; ``None`` if it is valid.

    References are followed within the schema only; ``format`` says nothing. Stricter than Python's parser: an
    object's keys must differ, and NaN, Infinity and numbers that no double holds are none of JSON's.

    Raises:
        SchemaFault: Checking takes more than ``MOST_STEPS`` steps or never ends, or a part of the schema that
            this text leads to cannot be used.
    """
    try:
        value = read_json(text)
    except ValueError as error:
        return f"it is not valid JSON: {error}"
    _allowance.steps = MOST_STEPS
    validator = _counting(validators.validator_for(schema, default=Draft202012Validator))(schema, registry=Registry())
    try:
        worst = best_match(islice(validator.iter_errors(value), _MOST_ERRORS))
    except RecursionError:
        raise SchemaFault("it refers to itself without end") from None
    except _USELESS as fault:
        raise SchemaFault(f"a part of it cannot be used ({type(fault).__name__}: {fault})") from fault
    if worst is None:
        return None
    message = worst.message if len(worst.message) <= _MOST_SHOWN else f"{worst.message[:_MOST_SHOWN]}…"
    return f"at {worst.json_path[:_MOST_SHOWN]}: {message}"


def read_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is not JSON, in the words of ``problem_of``.
    """
    return json.loads(
        text,
        object_pairs_hook=_object,
        parse_constant=_refuse_constant,
        parse_float=_finite,
        parse_int=_finite_int,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {json.dumps(twice[:100], ensure_ascii=False)} is there more than once")
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _finite_int(digits: str) -> int:
    _finite(digits)
    return int(digits)


@lru_cache(maxsize=16)
def _counting(dialect: type[Validator]) -> type[Validator]:
    """A dialect whose keywords count what they cost."""
    counted = {name: _counted(keyword) for name, keyword in dialect.VALIDATORS.items()}
    made: type[Validator] = validators.extend(dialect, counted)  # type: ignore[no-untyped-call]
    return made


def _counted(keyword: Keyword) -> Keyword:
    def check(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        _allowance.steps -= 1
        if _allowance.steps < 0:
            raise SchemaFault(f"checking an answer by it takes more than {MOST_STEPS} steps")
        yield from keyword(validator, wanted, instance, schema) or ()

    return check


def _main() -> None:
    order = json.load(sys.stdin)
    try:
        outcome = {"problem": problem_of(order["schema"], order["text"])}
    except SchemaFault as fault:
        outcome = {"fault": str(fault)}
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    _main()
