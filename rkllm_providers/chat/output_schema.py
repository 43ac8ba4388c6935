"""The JSON schema of an answer: checked before any work, and what an answer is checked by."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing import jsonschema as dialects
from referencing.exceptions import Unresolvable
from referencing.jsonschema import UnknownDialect

from rkllm_providers.chat import schema_check
from rkllm_providers.chat.schema_check import SchemaFault, problem_of
from rkllm_providers.errors import GenerationError, InvalidRequest

MOST_BYTES: Final = 64 * 1024
"""Of a schema as compact JSON."""
MOST_DEPTH: Final = 64
CHECK_SECONDS: Final = 5.0
"""For checking an answer by a schema that has regular expressions."""

_PARAM: Final = "response_format"
_MOST_SHOWN: Final = 300
_MOST_REFERENCES: Final = 16  # that follow each other before a type is named
# JSON Schema 2020-12, Core §10 and Validation §6 and §9: which keywords hold schemas under names that are the
# caller's, and which hold values that are no schemas. Older drafts have ``definitions`` and ``dependencies``.
_NAMED: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
_VALUES: Final = frozenset({"const", "enum", "default", "examples", "required", "dependentRequired"})
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ALL_KINDS: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
# A schema that names no type means that of which it tells.
_TELLING: Final = {"object": ("properties", "required", "additionalProperties"), "array": ("items", "prefixItems")}


class OutputSchema:
    """A schema that answers can be checked by. Made by ``output_schema``; safe to share between threads.

    ``text`` is the schema as compact JSON, ``kinds`` the types that a valid value may have.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._schema: dict[str, Any] = json.loads(text)
        try:
            _check(self._schema)
        except RecursionError:
            raise _refused(f"is nested more than {MOST_DEPTH} deep") from None
        self.kinds = _kinds(self._schema)
        # Another dialect within would not count its steps.
        self._needs_process = '"pattern' in text or text.count('"$schema"') > ("$schema" in self._schema)

    def problem_of(self, text: str) -> str | None:
        """What is wrong with a JSON text by this schema, and where; ``None`` if it is valid.

        Takes milliseconds as a rule, a second at the worst; with regular expressions it is done by a process of
        its own, which takes some tenths of a second to start and at most ``CHECK_SECONDS``. Not for an event loop.

        Raises:
            InvalidRequest: The schema turned out to be one that answers cannot be checked by.
        """
        if self._needs_process:
            return self._problem_from_process(text)
        try:
            return problem_of(self._schema, text)
        except SchemaFault as fault:
            raise _refused(f"cannot be used: {fault}") from fault

    def _problem_from_process(self, text: str) -> str | None:
        order = json.dumps({"schema": self._schema, "text": text})
        # -P: the folder of the module is no place to import from.
        command = [sys.executable, "-P", str(Path(schema_check.__file__))]
        try:
            ended = subprocess.run(
                command, input=order, capture_output=True, encoding="utf-8", timeout=CHECK_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise _refused(
                f"cannot be used: checking an answer by it takes more than {CHECK_SECONDS:.0f} s. Its patterns "
                f"may need exponential time; write them without repetitions within repetitions"
            ) from None
        if ended.returncode != 0:
            raise GenerationError(
                f"The process that checks answers by a schema ended with code {ended.returncode}.",
                ended.stderr.splitlines()[-5:],
            )
        outcome = json.loads(ended.stdout)
        if "fault" in outcome:
            raise _refused(f"cannot be used: {outcome['fault']}")
        problem: str | None = outcome["problem"]
        return problem


def output_schema(schema: Mapping[str, Any] | None) -> OutputSchema:
    """A schema for answers; any JSON object where it is ``None``.

    Draft 2020-12, or what ``$schema`` names. Nothing is ever fetched.

    Raises:
        InvalidRequest: It is no JSON schema, too large, or refers to what is not in it; with the place.
    """
    if schema is None:
        return _checked('{"type":"object"}')
    try:
        text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size = len(text.encode())
    except RecursionError:
        raise _refused(f"is nested more than {MOST_DEPTH} deep") from None
    except (TypeError, ValueError) as error:
        raise _refused(f"cannot be written as JSON: {error}") from error
    if size > MOST_BYTES:
        raise _refused(f"has {size} bytes as compact JSON, and {MOST_BYTES} is the most")
    return _checked(text)


@lru_cache(maxsize=32)
def _checked(text: str) -> OutputSchema:
    return OutputSchema(text)


def _refused(problem: str) -> InvalidRequest:
    return InvalidRequest(f"The schema of response_format {problem}.", _PARAM)


def _check(schema: dict[str, Any]) -> None:
    named = str(schema.get("$schema", _DIALECT))
    try:
        specification = dialects.specification_with(named)
    except UnknownDialect:
        raise _refused(
            f"names a dialect that is not known: $schema is {named[:100]!r}. Leave it out for draft 2020-12"
        ) from None
    dialect: Any = validators.validator_for(schema, default=Draft202012Validator)
    places = list(_places(schema, "$", 0))
    try:
        # Formats are not checked; patterns are below.
        dialect.check_schema(schema, format_checker=None)
    except SchemaError as error:
        shown = error.message[:_MOST_SHOWN]
        raise _refused(f"is no JSON schema: at {error.json_path}: {shown}") from None
    resolver = Registry().resolver_with_root(specification.create_resource(schema))
    scopes: dict[str, Any] = {}
    for path, within, place in places:
        scope = scopes.get(within, resolver)
        if within:
            # A schema with an $id of its own is what references in it are relative to.
            try:
                scope = scope.in_subresource(specification.create_resource(place))
            except (ValueError, TypeError, AttributeError):
                raise _refused(f"has an identifier that is no URI, at {path[:_MOST_SHOWN]}") from None
        scopes[path] = scope
        _check_patterns(path, place)
        _check_references(scope, path, place)


def _places(
    schema: dict[str, Any], path: str, depth: int, within: str = ""
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Everything in a schema that may be one itself: its path, that of the one around it, and itself."""
    if depth > MOST_DEPTH:
        raise _refused(f"is nested more than {MOST_DEPTH} deep")
    yield path, within, schema
    for key, value in schema.items():
        if key in _VALUES:
            continue
        named = value.items() if isinstance(value, dict) and key in _NAMED else None
        if named is not None:
            inner = [(f"{path}.{key}.{name}", one) for name, one in named]
        elif isinstance(value, list):
            inner = [(f"{path}.{key}[{number}]", one) for number, one in enumerate(value)]
        else:
            inner = [(f"{path}.{key}", value)]
        for where, one in inner:
            if isinstance(one, dict):
                yield from _places(one, where, depth + 1, path)


def _check_patterns(path: str, place: dict[str, Any]) -> None:
    patterns = {f"{path}.pattern": place.get("pattern")}
    named = place.get("patternProperties")
    if isinstance(named, dict):
        patterns |= {f"{path}.patternProperties": "|".join(f"(?:{pattern})" for pattern in named)}
    for where, pattern in patterns.items():
        if not isinstance(pattern, str):
            continue
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise _refused(
                f"has a pattern that is no regular expression of Python's, at {where[:_MOST_SHOWN]}: {error}"
            ) from error


def _check_references(scope: Any, path: str, place: dict[str, Any]) -> None:
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        reference = place.get(keyword)
        if reference is None:
            continue
        try:
            target = scope.lookup(reference).contents
        except (Unresolvable, ValueError, TypeError, AttributeError) as error:
            raise _unresolved(keyword, reference, path) from error
        if not isinstance(target, dict | bool):
            raise _unresolved(keyword, reference, path)


def _unresolved(keyword: str, reference: Any, path: str) -> InvalidRequest:
    return _refused(
        f"refers to what is not in it: {keyword} {str(reference)[:_MOST_SHOWN]!r} at {path[:_MOST_SHOWN]}. "
        f"Nothing is fetched; put what it refers to under $defs"
    )


def _kinds(schema: dict[str, Any]) -> frozenset[str]:
    """The types that a valid value may have, as far as the schema says so plainly."""
    place: Any = schema
    for _ in range(_MOST_REFERENCES):
        reference = place.get("$ref")
        if "type" in place or not isinstance(reference, str) or not reference.startswith("#/"):
            break
        for name in reference[2:].split("/"):
            place = place.get(name.replace("~1", "/").replace("~0", "~"), {}) if isinstance(place, dict) else {}
        if not isinstance(place, dict):
            return _ALL_KINDS
    kinds = place.get("type")
    if kinds is not None:
        return frozenset([kinds] if isinstance(kinds, str) else kinds)
    told = [kind for kind, keywords in _TELLING.items() if any(keyword in place for keyword in keywords)]
    return frozenset(told) if len(told) == 1 else _ALL_KINDS
