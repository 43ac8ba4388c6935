"""What is remembered of the turns of conversations whose system messages change.

Of all sentences only hashes, and of clocks the dates and times that were said. No other text is kept, so none can
come from here into another conversation.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_MOST_REMEMBERED: Final = 100_000
"""Hashes and notes of all turns together: about 10 MB."""
_MOST_ALIKE: Final = 8
"""Turns of different conversations in which the very same was said until then."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence as a note says it: its digest, its moments, and which of them is said where not the whole is."""

    digest: bytes
    moments: tuple[str, ...] = ()
    only: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What is said behind the user's words in a turn (0 is the first of the user's)."""

    turn: int
    sayings: tuple[Saying, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """How a turn was rendered.

    ``sentences`` are the digests of all sentences that its system message had, and ``moved`` those of them that
    change; ``stays`` is the digest of the system message that was rendered, and ``notes`` are all that were said in
    it and in earlier turns.
    """

    sentences: frozenset[bytes]
    moved: frozenset[bytes]
    stays: bytes
    notes: tuple[Note, ...]

    @property
    def weight(self) -> int:
        """Its share of what may be remembered."""
        return 1 + len(self.sentences) + len(self.notes)


class TurnMemory:
    """The turns that were rendered last, by a digest of what was said until then. Bounded; not thread-safe."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._most = most
        self._weight = 0
        self._turns: OrderedDict[bytes, list[Turn]] = OrderedDict()

    def closest(self, key: bytes, sentences: frozenset[bytes]) -> Turn | None:
        """Of the turns of this digest the one whose system message differs least, the last one of equals."""
        turns = self._turns.get(key)
        if turns is None:
            return None
        self._turns.move_to_end(key)
        return min(reversed(turns), key=lambda turn: len(turn.sentences ^ sentences))

    def remember(self, key: bytes, turn: Turn) -> None:
        """Keep a turn, in place of one whose system message had the same sentences."""
        before = self._turns.pop(key, [])
        others = [other for other in before if other.sentences != turn.sentences]
        turns = [*others[-(_MOST_ALIKE - 1) :], turn]
        self._turns[key] = turns
        self._weight += _weigh(turns) - _weigh(before)
        while self._weight > self._most and self._turns:
            _, oldest = self._turns.popitem(last=False)
            self._weight -= _weigh(oldest)

    def __len__(self) -> int:
        """How much is remembered, in hashes and notes."""
        return self._weight


def _weigh(turns: list[Turn]) -> int:
    return sum(turn.weight for turn in turns)
