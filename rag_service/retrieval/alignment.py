"""Which blocks of a page another extractor kept, told by their text: what it returns has no places."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import Final

# Characters, without spaces, that tell a piece of text from others on one page.
_TELLING: Final = 24
_MOST_CANDIDATES: Final = 16


def compact(text: str) -> str:
    """The text without white space, which extractors change freely."""
    return "".join(text.split())


def find_kept(blocks: Sequence[str], kept: Sequence[str], unlikely: Collection[int] = ()) -> list[bool]:
    """For each block of a page whether an extractor that returned the pieces ``kept`` has it.

    Long blocks are looked for everywhere; short ones, which a menu may repeat, only where their neighbours were
    found. Text that the page has several times is found once, and among the blocks numbered in ``unlikely`` only if
    no other block has it. Time is linear in the size of both.
    """
    keys = [compact(block) for block in blocks]
    index = _Index([piece for piece in map(compact, kept) if piece])
    places: list[tuple[int, int] | None] = [None] * len(keys)
    for numbers in (
        [at for at in range(len(keys)) if at not in unlikely],
        [at for at in range(len(keys)) if at in unlikely],
    ):
        cursor = 0
        for at in numbers:
            if len(keys[at]) < _TELLING:
                continue
            places[at] = found = index.take(keys[at], cursor)
            if found is not None and found[0] >= cursor:
                cursor = found[1]
    shingles = index.untaken_shingles()
    result = [place is not None or _shares(key, shingles) for place, key in zip(places, keys, strict=True)]
    limits = _limits(places, len(index.text))
    done = 0
    for at, key in enumerate(keys):
        place = places[at]
        if place is not None:
            done = place[1]
        elif 0 < len(key) < _TELLING:
            after, before = limits[at]
            start = index.find_whole(key, done if after <= done <= before else after, before)
            if start is not None:
                result[at], done = True, start + len(key)
    return result


def _shares(key: str, shingles: Collection[str]) -> bool:
    """Whether a piece begins or ends in a key: an extractor may keep a part of a block."""
    if len(key) < _TELLING or not shingles:
        return False
    return any(key[at : at + _TELLING] in shingles for at in range(len(key) - _TELLING + 1))


def _limits(places: Sequence[tuple[int, int] | None], length: int) -> list[tuple[int, int]]:
    """For each block the end of what was found before it and the start of what was found after it."""
    before, after = 0, length
    lows, highs = [], []
    for place in places:
        lows.append(before)
        before = place[1] if place else before
    for place in reversed(places):
        highs.append(after)
        after = place[0] if place else after
    return list(zip(lows, reversed(highs), strict=True))


class _Index:
    """The kept pieces as one text, with the places where pieces start, and what was found of it."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.text = "".join(pieces)
        self._starts: dict[str, list[int]] = {}
        self._whole: dict[str, list[int]] = {}
        self._spans: list[tuple[int, int]] = []
        self._taken: dict[int, int] = {}
        start = 0
        for piece in pieces:
            self._starts.setdefault(piece[:_TELLING], []).append(start)
            self._whole.setdefault(piece, []).append(start)
            self._spans.append((start, start + len(piece)))
            start += len(piece)

    def take(self, key: str, cursor: int) -> tuple[int, int] | None:
        """Where a long key stands: at the cursor, or at the start of a piece, after the cursor if it can be."""
        starts = self._starts.get(key[:_TELLING], [])
        nearest = bisect_left(starts, cursor)
        for start in [cursor, *(starts[nearest:] + starts[:nearest])[:_MOST_CANDIDATES]]:
            if start not in self._taken and self.text.startswith(key, start):
                self._taken[start] = start + len(key)
                return start, start + len(key)
        return None

    def untaken_shingles(self) -> set[str]:
        """How the long pieces that no key was found in begin and end."""
        taken = sorted(self._taken)
        shingles = set()
        for start, end in self._spans:
            at = bisect_left(taken, start)
            inside = at < len(taken) and taken[at] < end
            covered = at > 0 and self._taken[taken[at - 1]] > start
            if end - start >= _TELLING and not inside and not covered:
                shingles |= {self.text[start : start + _TELLING], self.text[end - _TELLING : end]}
        return shingles

    def find_whole(self, key: str, low: int, high: int) -> int | None:
        """The first piece that is this key, between these places."""
        if self.text.startswith(key, low) and low + len(key) <= high:
            return low
        starts = self._whole.get(key, [])
        nearest = bisect_left(starts, low)
        return starts[nearest] if nearest < len(starts) and starts[nearest] + len(key) <= high else None
