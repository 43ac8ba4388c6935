"""What was done with a chat request before a model answered it, for clients that ask: bounded, and as JSON has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, Final, get_args

from rag_service.chat_answer import ChatAnswer
from rag_service.grounding import Grounded
from rag_service.retrieval.types import Note, Stage

MOST_CHARACTERS: Final = 200_000
"""Of the texts of notes, together."""

MOST_NOTES: Final = 2_000
_FIELDS: Final = tuple(field.name for field in fields(Note))
_STAGES: Final[tuple[Stage, ...]] = get_args(Stage)


def trace_answer(answer: ChatAnswer) -> dict[str, Any]:
    """The trace of an answer, when its first events have come.

    ``by`` says who answered: a model, the cache (``age_seconds`` old), nobody (``instant``), or a search that was
    called on the model's behalf. ``task`` is the kind of background task, or none. ``sources`` is how many came with
    the chat; what became of them is in ``decision``, ``excerpts``, ``counts`` and ``notes``, empty where none were
    read. ``notes_left_out`` counts the notes that there is no room for, ``notes_cut`` those whose text was cut.
    """
    about = answer.about
    sources = answer.sources if answer.grounded is None else answer.grounded.sources
    told: dict[str, Any] = {"by": about.by, "task": about.task, "sources": sources}
    if about.age_seconds is not None:
        told["age_seconds"] = round(about.age_seconds, 3)
    return told | _trace_retrieval(answer.grounded)


def _trace_retrieval(grounded: Grounded | None) -> dict[str, Any]:
    if grounded is None:
        return {"decision": None, "tokens": 0, "excerpts": [], "counts": {}, "notes": []}
    retrieved = grounded.retrieved
    notes, cut = _bounded(retrieved.notes)
    return {
        "decision": asdict(retrieved.decision),
        "tokens": retrieved.tokens,
        "excerpts": [asdict(excerpt) for excerpt in grounded.excerpts],
        "counts": _counts(retrieved.notes),
        "notes": notes,
        "notes_left_out": len(retrieved.notes) - len(notes),
        "notes_cut": cut,
    }


def _counts(notes: Sequence[Note]) -> dict[str, dict[str, int]]:
    """How many pieces each stage kept and dropped, of those it noted."""
    counts = {stage: {"kept": 0, "dropped": 0} for stage in _STAGES}
    for note in notes:
        counts[note.stage]["kept" if note.kept else "dropped"] += 1
    return {stage: count for stage, count in counts.items() if any(count.values())}


def _bounded(notes: Sequence[Note]) -> tuple[list[dict[str, Any]], int]:
    """The notes that there is room for, in their order, and how many had to be cut.

    Room goes first to what was cleaned away, which is nowhere else to be seen, then stage by stage from the last:
    the later a stage, the fewer and the more telling its notes.
    """
    stages = ("clean", *(stage for stage in reversed(_STAGES) if stage != "clean"))
    order = {stage: number for number, stage in enumerate(stages)}
    places = sorted(range(len(notes)), key=lambda place: order[notes[place].stage])
    left = MOST_CHARACTERS
    chosen: dict[int, dict[str, Any]] = {}
    cut = 0
    for place in places[:MOST_NOTES]:
        if left <= 0:
            break
        note = {name: value for name in _FIELDS if (value := getattr(notes[place], name)) is not None}
        if len(note["text"]) > left:
            note["text"] = note["text"][:left]
            cut += 1
        left -= len(note["text"])
        chosen[place] = note
    return [chosen[place] for place in sorted(chosen)], cut
