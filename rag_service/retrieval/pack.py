"""Into the tokens that are left goes what answers best, sentence by sentence where whole passages are too much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rag_service.retrieval.floor import Relevance
from rag_service.retrieval.prompt import write_sources
from rag_service.retrieval.rank import Ranked, note
from rag_service.retrieval.sentences import sentences
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Document, Excerpt, Note, Passage

Count = Callable[[str], int]
Render = Callable[[Sequence[Passage]], str]

# What the match of the sentence before or behind adds to a sentence's own and its passage's.
_BESIDE: Final = 0.33
_MOST_PASSAGES: Final = 60
_MOST_MISSES: Final = 12
# A source is wanted beside the best one from this share of its score on.
_RIVAL: Final = 0.75


@dataclass(frozen=True, slots=True)
class Packed:
    """What fits: pieces of documents in the order to show them, and the tokens they take rendered."""

    passages: tuple[Passage, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence or line of a passage; ``first`` says that it goes before all others."""

    passage: Passage
    start: int
    end: int
    value: float
    first: bool

    @property
    def text(self) -> str:
        return self.passage.document.text[self.start : self.end]


def render_sources(passages: Sequence[Passage]) -> str:
    """Pieces as a prompt shows them, for counting."""
    return write_sources(map(Excerpt.of, passages))


def pack(
    ranked: Sequence[Ranked],
    relevance: Relevance,
    budget: int,
    count: Count,
    settings: RetrievalSettings,
    render: Render = render_sources,
    *,
    least: float = 0.0,
) -> tuple[Packed, list[Note]]:
    """The best of ``ranked`` in at most ``budget`` tokens, as ``count`` counts them in what ``render`` makes.

    Sources stand in the order of their best passage, the pieces of each in the order of its text: the best is read
    first. While a second source matches about as well, none takes more than its share. A sentence with every term of
    the question goes first. One worth less than ``least`` (0..1) of the best is left out, whatever room there is:
    each token is read before the answer begins. Where not even one sentence fits, as much of the best one as does is
    packed.
    """
    best = ranked[:_MOST_PASSAGES]
    units = _units(best, relevance)
    limit = least * max((unit.value for unit in units), default=0.0)
    units = [unit for unit in units if unit.first or unit.value >= limit]
    share = round(budget * settings.source_share) if _has_rival(best) else budget
    chosen = _choose(units, share, budget, count)
    passages = _pieces(best, chosen)
    while chosen and count(render(passages)) > budget:
        chosen.pop()
        passages = _pieces(best, chosen)
    if not passages and units:
        passages = _cut(max(units, key=lambda unit: (unit.first, unit.value)), budget, count, render)
    return Packed(tuple(passages), count(render(passages)) if passages else 0), _notes(ranked, passages, units, limit)


def spread(passages: Sequence[Passage], budget: int, count: Count, render: Render = render_sources) -> Packed:
    """Whole passages from all over the texts in at most ``budget`` tokens: beginning, end, and evenly between."""
    chosen: list[int] = []
    left = budget
    misses = 0
    for number in _evenly(len(passages)):
        cost = count(passages[number].text)
        if cost > left:
            misses += 1
            if misses > _MOST_MISSES:
                break
            continue
        chosen.append(number)
        left -= cost
    while chosen and count(render([passages[number] for number in sorted(chosen)])) > budget:
        chosen.pop()
    shown = [passages[number] for number in sorted(chosen)]
    return Packed(tuple(shown), count(render(shown)) if shown else 0)


def in_order(passages: Sequence[Passage], budget: int, count: Count, render: Render = render_sources) -> Packed:
    """As many whole passages from the beginning on as ``budget`` tokens hold."""
    low, high = 0, min(len(passages), budget)
    while low < high:
        middle = (low + high + 1) // 2
        if count(render(passages[:middle])) <= budget:
            low = middle
        else:
            high = middle - 1
    shown = tuple(passages[:low])
    return Packed(shown, count(render(shown)) if shown else 0)


def _units(ranked: Sequence[Ranked], relevance: Relevance) -> list[_Unit]:
    """The sentences of the passages, the most valuable first."""
    top = max((one.score for one in ranked), default=0.0) or 1.0
    # In the order of the index what stands beside each other in a text does so here.
    spans = [
        (one, start, end)
        for one in sorted(ranked, key=lambda one: one.number)
        for start, end in sentences(one.passage.text)
    ]
    pieces = relevance.of_pieces(
        [one.passage.text[start:end] for one, start, end in spans], [one.number for one, _, _ in spans]
    )
    units: list[_Unit] = []
    for place, (one, start, end) in enumerate(spans):
        beside = max(
            (
                pieces[at][0]
                for at in (place - 1, place + 1)
                if 0 <= at < len(spans) and _adjoin(spans[at][0].passage, one.passage)
            ),
            default=0.0,
        )
        own, full = pieces[place]
        offset = one.passage.start
        units.append(_Unit(one.passage, offset + start, offset + end, one.score / top + own + _BESIDE * beside, full))
    place_of = {id(one.passage): place for place, one in enumerate(ranked)}
    return sorted(units, key=lambda unit: (-unit.first, -unit.value, place_of[id(unit.passage)]))


def _adjoin(one: Passage, other: Passage) -> bool:
    """Whether two passages are the same or stand beside each other in a text."""
    return one.document is other.document and abs(one.number - other.number) <= 1


def _has_rival(ranked: Sequence[Ranked]) -> bool:
    """Whether a second source matches about as well as the best."""
    return any(
        one.score >= _RIVAL * ranked[0].score
        and one.passage.document.source.id != ranked[0].passage.document.source.id
        for one in ranked
    )


def _choose(units: Sequence[_Unit], share: int, budget: int, count: Count) -> list[_Unit]:
    """The units to pack, in the order of their choice; of one source at most ``share`` tokens while others fit."""
    chosen: list[_Unit] = []
    waiting: list[tuple[_Unit, int]] = []
    taken: dict[str, int] = {}
    left = budget
    misses = 0
    for unit in units:
        source = unit.passage.document.source.id
        cost = count(unit.text) + (0 if source in taken else _frame_cost(unit, count))
        if cost > left:
            misses += 1
            if misses > _MOST_MISSES:
                break
        elif taken and taken.get(source, 0) + cost > share:
            waiting.append((unit, cost))
        else:
            chosen.append(unit)
            taken[source] = taken.get(source, 0) + cost
            left -= cost
    for unit, cost in waiting:
        if cost <= left:
            chosen.append(unit)
            left -= cost
    return chosen


def _frame_cost(unit: _Unit, count: Count) -> int:
    source = unit.passage.document.source
    return count(f"{source.id} {source.title}")


def _pieces(ranked: Sequence[Ranked], chosen: Sequence[_Unit]) -> list[Passage]:
    """The chosen units by source and place; those with nothing but white space between are one piece."""
    order: dict[int, int] = {}
    for place, one in enumerate(ranked):
        order.setdefault(id(one.passage.document), place)
    pieces: list[Passage] = []
    for unit in sorted(chosen, key=lambda unit: (order[id(unit.passage.document)], unit.start)):
        last = pieces[-1] if pieces else None
        if (
            last is not None
            and last.document is unit.passage.document
            and _touch(last.document, last.end, unit.start)
        ):
            pieces[-1] = replace(last, end=max(last.end, unit.end))
        else:
            pieces.append(replace(unit.passage, start=unit.start, end=unit.end))
    return pieces


def _touch(document: Document, end: int, start: int) -> bool:
    return start <= end or document.text[end:start].isspace()


def _cut(unit: _Unit, budget: int, count: Count, render: Render) -> list[Passage]:
    """As much of the beginning of a unit as fits, up to the end of a word where there is one."""
    low, high = 0, unit.end - unit.start
    while low < high:
        middle = (low + high + 1) // 2
        if count(render([replace(unit.passage, start=unit.start, end=unit.start + middle)])) <= budget:
            low = middle
        else:
            high = middle - 1
    if low < unit.end - unit.start:
        words = len(unit.text[: low + 1].rsplit(maxsplit=1)[0]) if " " in unit.text[:low].strip() else low
        low = min(low, words)
    return [replace(unit.passage, start=unit.start, end=unit.start + low)] if low else []


def _evenly(total: int) -> list[int]:
    """The numbers below ``total``: the first, the last, then always the middle of what is largest between."""
    if total < 2:
        return list(range(total))
    order = [0, total - 1]
    spans = [(0, total - 1)]
    while spans:
        following: list[tuple[int, int]] = []
        for first, last in spans:
            middle = (first + last) // 2
            if middle not in (first, last):
                order.append(middle)
                following += [(first, middle), (middle, last)]
        spans = following
    return order


def _notes(ranked: Sequence[Ranked], packed: Sequence[Passage], units: Sequence[_Unit], limit: float) -> list[Note]:
    notes: list[Note] = []
    wanted = {id(unit.passage) for unit in units}
    for place, one in enumerate(ranked):
        passage = one.passage
        inside = [
            piece
            for piece in packed
            if piece.document is passage.document and piece.start < passage.end and piece.end > passage.start
        ]
        if any(piece.start <= passage.start and piece.end >= passage.end for piece in inside):
            reason = "packed"
        elif inside:
            reason = "packed in part"
        elif place < _MOST_PASSAGES and id(passage) not in wanted:
            reason = f"its sentences are worth less than {limit:.2f}"
        else:
            reason = "no room left"
        notes.append(note("pack", passage, kept=bool(inside), reason=reason, score=one.score))
    return notes
