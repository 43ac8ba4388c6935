"""Renders a model's own Jinja chat template.

Templates are strangers' code, so they run in Jinja's immutable sandbox, with no loaders.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rkllm_providers.errors import InvalidRequest


class TemplateError(InvalidRequest):
    """A chat template is broken, or refused the messages."""


class _Refused(jinja2.TemplateError):
    """The template called ``raise_exception``."""


def _raise_exception(message: str) -> NoReturn:
    raise _Refused(str(message))


def _strftime_now(pattern: str) -> str:
    return datetime.now().strftime(pattern)


def _tojson(value: Any, indent: int | None = None) -> str:
    # Jinja's own filter escapes for HTML; models were trained on plain JSON.
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment


class ChatTemplate:
    """A compiled chat template. Safe to share between threads."""

    def __init__(self, source: str, special_tokens: Mapping[str, str] | None = None) -> None:
        """Compile ``source``; ``special_tokens`` are variables such as ``bos_token``.

        Raises:
            TemplateError: The source is not a valid template.
        """
        self.source = source
        self._variables = dict(special_tokens or {})
        try:
            self._template = _environment().from_string(source)
        except jinja2.TemplateError as error:
            raise TemplateError(f"The model's chat template cannot be compiled: {error}.") from error

    def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """Render messages (``role`` and ``content``) and open the assistant's turn.

        Raises:
            TemplateError: The template refused the messages or failed on them.
        """
        try:
            return self._template.render(
                **self._variables,
                messages=[dict(message) for message in messages],
                add_generation_prompt=True,
            )
        except _Refused as error:
            raise TemplateError(f"The model's chat template refuses these messages: {error}.", "messages") from error
        except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise TemplateError(
                f"The model's chat template failed on these messages: {error}.", "messages"
            ) from error
