"""Renders a model's own Jinja chat template.

Templates are strangers' code, so they run in Jinja's immutable sandbox, with no loaders, and what they
may put out, hold and take of time is bounded (see ``sandbox``). They find what transformers gives them:
``raise_exception``, ``strftime_now``, ``tojson`` as in plain JSON, loop controls, and ``generation`` blocks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models.sandbox import MOST_SOURCE, BoundedEnvironment
from rkllm_providers.models.template_limits import (
    MOST_CHARACTERS,
    TemplateLimitExceeded,
    bounded,
    check_size,
    check_time,
    size_of,
)

_PERCENT_NUMBER: Final = re.compile(r"%[-_0^#+]*\d")
_MOST_PATTERN_CHARACTERS: Final = 1000
_MOST_JSON_LAYOUT: Final = 100  # characters of one step of indentation, or of a separator
_MOST_ESCAPED: Final = 12  # characters that one becomes in JSON
_MOST_REFUSAL_CHARACTERS: Final = 1000


class TemplateError(InvalidRequest):
    """A chat template is broken, or failed on the messages."""


class TemplateRefusal(TemplateError):
    """A chat template refused the messages, as some do where roles do not alternate."""


class _TooCostly(TemplateError):
    """A chat template reached a limit: trying again in another way would only cost as much again."""


class _Refused(jinja2.TemplateError):
    """The template called ``raise_exception``."""


class _Generation(Extension):
    """``{% generation %}`` marks what a model wrote, for training; here it only holds its content."""

    tags = {"generation"}  # noqa: RUF012 - the name and type are Jinja's

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Take the block's content as it is."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _raise_exception(message: str) -> NoReturn:
    check_size(size_of(message))
    raise _Refused(str(message)[:_MOST_REFUSAL_CHARACTERS])


def _sentence(error: Exception) -> str:
    """An error's text with one full stop at its end, whether or not it brought one."""
    return f"{str(error).rstrip('. ')}."


def _strftime_now(pattern: str) -> str:
    # The system's library pads to any width that it is asked for.
    if len(pattern) > _MOST_PATTERN_CHARACTERS or _PERCENT_NUMBER.search(pattern):
        raise TemplateLimitExceeded("it asked for a date in a long pattern, or one with widths")
    return datetime.now().strftime(pattern)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter escapes for HTML; models were trained on plain JSON.
    most = _MOST_ESCAPED * size_of(value)
    if indent is None and separators is None and most <= MOST_CHARACTERS:
        return json.dumps(value, ensure_ascii=ensure_ascii, sort_keys=sort_keys)
    # Indented at every depth, or with long separators, a small value can have a large text.
    check_size(most // 3)
    for layout in (indent, *(separators or ())):
        if (layout if isinstance(layout, int) else size_of(layout)) > _MOST_JSON_LAYOUT:
            raise TemplateLimitExceeded(f"it wrote JSON with more than {_MOST_JSON_LAYOUT} characters between values")
    encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    parts: list[str] = []
    size = 0
    for part in encoder.iterencode(value):
        check_time()
        size += len(part)
        check_size(size)
        parts.append(part)
    return "".join(parts)


def template_environment() -> BoundedEnvironment:
    """A fresh environment with everything that chat templates find."""
    environment = BoundedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    environment.add_filter("tojson", _tojson)
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment


class ChatTemplate:
    """A compiled chat template. Safe to share between threads."""

    def __init__(self, source: str, special_tokens: Mapping[str, str] | None = None, origin: str = "") -> None:
        """Compile ``source``; ``special_tokens`` are variables such as ``bos_token``.

        ``origin`` says where the source is from: errors name it, so that their reader knows what to mend.

        Raises:
            TemplateError: The source is not a valid template.
        """
        self.source = source
        self.origin = origin
        self._name = f"The model's chat template ({origin})" if origin else "The model's chat template"
        self._special_tokens = dict(special_tokens or {})
        if len(source) > MOST_SOURCE:
            raise TemplateError(f"The model's chat template has more than {MOST_SOURCE} characters.")
        try:
            with bounded():
                self._template = template_environment().from_string(source)
        except RecursionError as error:
            raise TemplateError(f"{self._name} cannot be compiled: it is nested too deeply.") from error
        except Exception as error:
            raise TemplateError(f"{self._name} cannot be compiled: {_sentence(error)}") from error

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        add_generation_prompt: bool = True,
        **variables: Any,
    ) -> str:
        """Render messages (``role``, ``content`` and what else the template knows).

        ``add_generation_prompt`` opens the assistant's turn; ``tools`` are in OpenAI's form;
        ``variables`` are the template's own switches, such as ``enable_thinking``.

        Raises:
            TemplateRefusal: The template refused the messages.
            TemplateError: It failed on them, put out or held too much, or took too long.
        """
        given: dict[str, Any] = {
            **self._special_tokens,
            **variables,
            "messages": [dict(message) for message in messages],
            "tools": [dict(tool) for tool in tools] if tools else None,
            "add_generation_prompt": add_generation_prompt,
        }
        try:
            return self._render(given)
        except (TemplateRefusal, _TooCostly):
            raise
        except TemplateError:
            if tools:
                raise
            # Some templates want tools to be None where there are none, some that there be no such variable.
            del given["tools"]
            return self._render(given)

    def _render(self, given: Mapping[str, Any]) -> str:
        try:
            with bounded():
                return self._put_out(given)
        except _Refused as error:
            raise TemplateRefusal(f"{self._name} refuses these messages: {_sentence(error)}", "messages") from error
        except TemplateLimitExceeded as error:
            raise _TooCostly(f"{self._name} reached a limit: {_sentence(error)}", "messages") from error
        except RecursionError as error:
            raise TemplateError(f"{self._name} recurses without end.", "messages") from error
        except Exception as error:
            raise TemplateError(f"{self._name} failed on these messages: {_sentence(error)}", "messages") from error

    def _put_out(self, given: Mapping[str, Any]) -> str:
        parts: list[str] = []
        size = 0
        for part in self._template.generate(given):
            if not part:
                continue
            size += len(part)
            if size > MOST_CHARACTERS:
                raise TemplateLimitExceeded(f"it put out more than {MOST_CHARACTERS} characters")
            parts.append(part)
        return "".join(parts)
