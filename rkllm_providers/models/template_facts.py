"""What a chat template's source tells of a model: whether it thinks, calls tools, or sees pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import jinja2

from rkllm_providers.models.template import template_environment
from rkllm_providers.models.template_variables import undeclared_variables

_THINKING: Final = (
    *("enable_thinking", "<think>", "</think>", "reasoning_content", "[THINK]", "<seed:think>", "<|channel>thought"),
)
_PICTURES: Final = (
    *("<|vision_start|>", "<|image_pad|>", "<|image|>", "<start_of_image>", "<image_soft_token>", "[IMG]", "<image>"),
    *("'image_url'", '"image_url"', "'image'", '"image"'),
)
_CONTROL: Final = re.compile(
    r"<\|[^|<>\s'\"]{1,40}\|>|<\|[a-z_]{1,20}>|<[a-z_]{1,20}\|>|<｜[^｜<>\s]{1,40}｜>"
    r"|\[/?[A-Z][A-Z_]{1,30}\]|</?[a-z][a-z_]{0,30}(?::[a-z]{1,20})?>"
)


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """What shows that a model thinks, takes tools or sees pictures; ``None`` where nothing does.

    ``control_texts`` are the texts in the template that look like control tokens; ``variables`` is what it asks for.
    """

    thinking: str | None
    tools: str | None
    vision: str | None
    control_texts: frozenset[str]
    variables: frozenset[str]


def template_facts(source: str) -> TemplateFacts:
    """Look at the source of a chat template, which is neither run nor compiled."""
    environment = template_environment()
    try:
        bare = "".join(text for _, kind, text in environment.lex(source) if not kind.startswith("comment"))
        variables = undeclared_variables(environment.parse(source)) - environment.globals.keys()
    except (jinja2.TemplateError, RecursionError):
        # Nobody can render it either.
        bare, variables = source, set()
    return TemplateFacts(
        next((text for text in _THINKING if text in bare), None),
        "tools" if "tools" in variables else None,
        next((text for text in _PICTURES if text in bare), None),
        frozenset(_CONTROL.findall(bare)),
        frozenset(variables),
    )
