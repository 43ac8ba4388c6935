"""Shorter names for models: every beginning of an id that only one model has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_LEADING_LETTERS: Final = re.compile(r"[^\W\d_]+")


def derived_aliases(model_id: str) -> list[str]:
    """The names an id may be shortened to, longest first.

    ``qwen2.5-0.5b-instruct`` gives ``qwen2.5-0.5b``, ``qwen2.5``, ``qwen2`` and ``qwen``.
    """
    pieces = model_id.split("-")
    found = ["-".join(pieces[:count]) for count in range(len(pieces) - 1, 0, -1)]
    found.append(pieces[0].partition(".")[0])
    leading = _LEADING_LETTERS.match(model_id)
    if leading is not None:
        found.append(leading[0])
    return [name for name in dict.fromkeys(found) if name and name != model_id]


def claims(
    given: Iterable[tuple[str, Sequence[str], bool]], plain: Mapping[str, str] | None = None
) -> Mapping[str, Sequence[str]]:
    """Which models each alias could mean. ``given``: ids, the aliases written for them, and whether they work.

    ``plain`` has the names that models would have as ids if no other model had them; they count as beginnings do,
    unless one of them has it.

    What was written for a model counts more than what its id gives, and a model that works more than one
    that is broken. No id is an alias.
    """
    ranked: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    models = list(given)
    ids = {model for model, _, _ in models}
    for model, written, works in models:
        for alias in dict.fromkeys(written):
            ranked[alias][0 if works else 2].append(model)
        name = (plain or {}).get(model, model)
        derived = [*derived_aliases(model), *([name, *derived_aliases(name)] if name not in ids else [])]
        for alias in dict.fromkeys(derived):
            if alias not in written:
                ranked[alias][1 if works else 3].append(model)
    return {alias: by_rank[min(by_rank)] for alias, by_rank in ranked.items() if alias not in ids}


def unambiguous(claimed: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The aliases of each model, longest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for alias, models in claimed.items():
        if len(models) == 1:
            found[models[0]].append(alias)
    return {model: tuple(sorted(names, key=lambda name: (-len(name), name))) for model, names in found.items()}
