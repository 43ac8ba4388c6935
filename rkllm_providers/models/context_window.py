"""How many tokens a model holds: what its owner wrote, its own limit, its name, or what most models can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rkllm_providers.models.overrides import Overrides

DEFAULT_CONTEXT: Final = 4096
# No .rkllm model has more, and a GGUF model trained for 128k tokens would take gigabytes nobody asked for.
MOST_CONTEXT: Final = 16384
_LEAST_NAMED: Final = 256
_IN_NAME: Final = re.compile(
    r"(?:^|[-_. ])(?:(?:ctx|context|c)[-_]?(?P<number>\d{3,6})|(?:ctx[-_]?)?(?P<thousands>\d{1,3})k(?:[-_]?ctx)?)"
    r"(?=$|[-_. ])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """A context window, whether the model tells it, where it is from, and what was odd."""

    length: int
    is_known: bool
    source: str
    notes: tuple[str, ...] = ()


def named_context(stem: str) -> int | None:
    """The context window that a file name states, as ``-4k``, ``_16k`` or ``ctx16384``."""
    for found in _IN_NAME.finditer(stem):
        tokens = int(found["number"]) if found["number"] else int(found["thousands"]) * 1024
        if tokens >= _LEAST_NAMED:
            return tokens
    return None


def context_window(
    stem: str, overrides: Overrides, limit: int | None, limit_source: str, *, most_unasked: int | None = None
) -> ContextWindow:
    """The context window of a model; never above its own ``limit`` where that is known.

    A limit above ``most_unasked`` has to be asked for.
    """
    wanted = overrides.context_length
    if wanted is not None:
        source = overrides.sources["context_length"]
        if limit is not None and wanted > limit:
            note = (
                f"{source} asks for {wanted} tokens of context, and the model's own limit is {limit}: {limit} it is."
            )
            return ContextWindow(limit, True, f"{limit_source}, less than in {source}", (note,))
        return ContextWindow(wanted, True, source)
    if limit is not None:
        if most_unasked is not None and limit > most_unasked:
            return ContextWindow(most_unasked, True, f"{limit_source} says {limit}; more than this only if asked for")
        return ContextWindow(limit, True, limit_source)
    named = named_context(stem)
    if named is not None and named <= MOST_CONTEXT:
        return ContextWindow(named, False, "the file name")
    notes: tuple[str, ...] = ()
    if named is not None:
        notes = (f"The file name speaks of {named} tokens; no .rkllm model holds more than {MOST_CONTEXT}.",)
    return ContextWindow(DEFAULT_CONTEXT, False, "what most models can", notes)
