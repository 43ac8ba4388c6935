"""System messages of which parts change, and what it must not cost.

A clock in the system message stands at the very beginning of every prompt: each time it ticks, nothing
behind it is in the KV cache any more, and a long conversation is read anew at every turn. The same goes for a
memory, a place or the weather that somebody writes there. So two kinds of sentences of the system message are said in
the newest turn of the user: those that tell the date or the time, and those that were not there at the
conversation's last turn, from then on. What was said so in a turn is said there again when the conversation goes
on, since the cache holds it there.

Conversations of different people share one memory of that, and must never hear from each other. So no sentence
is remembered: a turn is found again by the digest of all that was said up to it, and has the digests of the sentences
that its system message had. Notes are built of sentences of the request's own system message, and an earlier note
of which one is no longer there is not said again. Only dates and times of clocks are remembered as they
were; they come back where the rest of the system message and all that was said are the same. So all
that one could learn of another who said the very same is what time it was.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Final

from rkllm_providers.chat.clocks import Sentence, split_sentences
from rkllm_providers.chat.pictures import joined, told
from rkllm_providers.chat.turn_memory import Note, Saying, Turn, TurnMemory
from rkllm_providers.chat.types import ChatMessage

_MOST_MOVED: Final = 1500
"""Characters; more than that is no clock and no remark, and would fill the window turn by turn."""
_MOST_SHARE: Final = 1 / 3
"""Of the characters of a system message without its clocks; where more changes, it is another system message."""
_MOST_SEARCHED: Final = 20_000
"""Characters; a longer system message is left as it is."""
_MOST_NOTES: Final = 256
"""In one conversation; then all that is still true is said anew, and the conversation is read anew once."""
_NOTE: Final = "\n\nSystem note: "
_NOW: Final = "it is now {}."


class VolatileSystem:
    """Moves what changes out of the system messages of one model's conversations. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._memory = TurnMemory()

    def apply(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """The conversation as it is to be rendered; the messages themselves stay as they are."""
        users = [number for number, message in enumerate(messages) if message.role == "user"]
        if not users or messages[0].role != "system" or len(messages[0].text) > _MOST_SEARCHED:
            return list(messages)
        sentences = split_sentences(messages[0].text)
        if sum(len(sentence.text) for sentence in sentences if sentence.moments) > _MOST_MOVED:
            return list(messages)
        keys = _keys(messages)
        # A turn goes on with a tool's result, or with the beginning of its answer.
        goes_on = any(message.role != "system" for message in messages[users[-1] + 1 :])
        with self._lock:
            turn = self._place(sentences, keys, goes_on)
            self._memory.remember(keys[-1], turn)
        return _render(messages, users, sentences, turn)

    def _place(self, sentences: Sequence[Sentence], keys: Sequence[bytes], goes_on: bool) -> Turn:
        """What moves, and what is said in which turn."""
        here = frozenset(sentence.digest for sentence in sentences if sentence.text)
        begun = self._memory.closest(keys[-1], here) if goes_on else None
        if begun is not None and begun.sentences == here:
            # What was said at the turn's beginning stands.
            return begun
        found = (self._memory.closest(key, here) for key in reversed(keys[:-1]))
        before = next((turn for turn in found if turn is not None), None)
        moved = _changed(sentences, before) if before is not None else frozenset[bytes]()
        stays = hashlib.sha256(json.dumps(_staying(sentences, moved)).encode()).digest()
        notes: tuple[Note, ...] = ()
        # Behind another system message the cache holds nothing.
        if before is not None and before.stays == stays and len(before.notes) < _MOST_NOTES:
            notes = tuple(takewhile(lambda note: all(said.digest in here for said in note.sayings), before.notes))
        sayings = _sayings([sentence for sentence in sentences if _moves(sentence, moved)], notes)
        if sayings:
            notes = (*notes, Note(len(keys) - 1, sayings))
        if before is not None and before.sentences == here:
            here = before.sentences
        return Turn(here, moved, stays, notes)


def _keys(messages: Sequence[ChatMessage]) -> list[bytes]:
    """For each turn of the user, the digest of all that was said up to it, system messages left out."""
    digest = hashlib.sha256()
    keys: list[bytes] = []
    for message in messages:
        if message.role == "system":
            continue
        digest.update(json.dumps([message.role, told(message.content)]).encode())
        if message.role == "user":
            keys.append(digest.copy().digest())
    return keys


def _changed(sentences: Sequence[Sentence], before: Turn) -> frozenset[bytes]:
    """The sentences, clocks apart, that were not there before, or have moved before; none if they are too many."""
    plain = [sentence for sentence in sentences if sentence.text and not sentence.moments]
    changed = [
        sentence for sentence in plain if sentence.digest in before.moved or sentence.digest not in before.sentences
    ]
    size = sum(len(sentence.text) for sentence in changed)
    if size > min(_MOST_MOVED, _MOST_SHARE * sum(len(sentence.text) for sentence in plain)):
        return frozenset()
    return frozenset(sentence.digest for sentence in changed)


def _moves(sentence: Sentence, moved: frozenset[bytes]) -> bool:
    return bool(sentence.moments) or sentence.digest in moved


def _staying(sentences: Sequence[Sentence], moved: frozenset[bytes]) -> str:
    """The system message without what moves."""
    return "".join(sentence.written for sentence in sentences if not _moves(sentence, moved)).strip()


def _sayings(moving: Sequence[Sentence], notes: Sequence[Note]) -> tuple[Saying, ...]:
    """What is to be said in the newest turn: what has not been said so already."""
    last: dict[bytes, list[tuple[str, ...]]] = {}
    for note in notes:
        last |= _moments((said.digest, said.moments) for said in note.sayings)
    here = _moments((sentence.digest, sentence.moments) for sentence in moving)
    new = {
        (sentence.digest, sentence.moments): sentence
        for sentence in moving
        if last.get(sentence.digest) != here[sentence.digest]
    }
    kinds = [kind for sentence in moving for kind in sentence.kinds]
    ticking = [sentence for sentence in new.values() if sentence.moments]
    only = _ticked(ticking[0], last.get(ticking[0].digest), kinds) if len(ticking) == 1 else None
    return tuple(
        Saying(sentence.digest, sentence.moments, only if sentence.moments else None) for sentence in new.values()
    )


def _moments(said: Iterable[tuple[bytes, tuple[str, ...]]]) -> dict[bytes, list[tuple[str, ...]]]:
    """Of each sentence the moments at which it is said: several, where clocks differ in nothing else."""
    moments: dict[bytes, list[tuple[str, ...]]] = {}
    for digest, at in dict.fromkeys(said):
        moments.setdefault(digest, []).append(at)
    return moments


def _ticked(clock: Sentence, last: Sequence[tuple[str, ...]] | None, kinds: Sequence[str]) -> int | None:
    """Which of a clock's moments is enough to say: the one that changed, if there is no other of its kind."""
    if last is None or len(last) > 1:
        return None
    changed = [number for number, moment in enumerate(clock.moments) if moment != last[0][number]]
    return changed[0] if len(changed) == 1 and kinds.count(clock.kinds[changed[0]]) == 1 else None


def _render(
    messages: Sequence[ChatMessage], users: Sequence[int], sentences: Sequence[Sentence], turn: Turn
) -> list[ChatMessage]:
    rendered = list(messages)
    if not turn.moved and not turn.notes:
        return rendered
    own = {sentence.digest: sentence for sentence in sentences}
    for note in turn.notes:
        number = users[note.turn]
        rendered[number] = replace(messages[number], content=joined(messages[number].content, _text(note, own)))
    system = _staying(sentences, turn.moved)
    return [replace(messages[0], content=system), *rendered[1:]] if system else rendered[1:]


def _text(note: Note, own: Mapping[bytes, Sentence]) -> str:
    """What a note says, in the words of this request."""
    return _NOTE + "\n".join(
        own[said.digest].at(said.moments) if said.only is None else _NOW.format(said.moments[said.only])
        for said in note.sayings
    )
