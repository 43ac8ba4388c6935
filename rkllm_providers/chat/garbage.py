"""Answers that have come apart: some models on some runtimes repeat one token, or pad, without end."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from rkllm_providers.chat.stream import Token

# Tokens nobody writes: what fills a vocabulary up, and what stands for a byte that is none. Sources: the
# families' tokenizer files; ``[PAD151935]`` is what rknn-llm issue 424 shows.
_FILLER: Final = re.compile(
    rb"\s*(?:\[PAD\d*\]|<pad>|<unk>|\[UNK\]|<\|?extra_\d+\|?>|<\|?(?:reserved_)?unused_?\d+\|?>|\[unused\d+\]"
    rb"|<\|reserved_special_token_\d+\|>|<\|dummy_\d+\|>|<\|placeholder_?\d*\|>)"
)
_FILLER_FIRST: Final = b"<["
# A rule across a wide table, a row of blank lines, a child's "la la la" have fewer of one token: 256 dashes
# are some tens of tokens in today's vocabularies, and longer rules are written with longer tokens.
_MAX_REPEATED: Final = 512
# Token 0 is what the highest of logits that are no numbers gives; for Qwen that is "!".
_MAX_FIRST_TOKEN: Final = 128
_MAX_FILLER: Final = 16


@dataclass(frozen=True, slots=True)
class KnownBadPair:
    """A model and a runtime that do not work together; ``model`` is searched in a model's name, in lower case."""

    model: str
    runtime: str
    symptom: str
    source: str


KNOWN_BAD_PAIRS: Final = (
    KnownBadPair(
        r"deepseek.*r1.*distill",
        "1.2.3",
        "gives nothing but [PAD151935]; runtime 1.2.2 handles it",
        "rknn-llm issue 424",
    ),
)


def known_bad_pair(model: str, runtime: str) -> KnownBadPair | None:
    """What is known against running this model on this version of the runtime."""
    for pair in KNOWN_BAD_PAIRS:
        if runtime == pair.runtime and re.search(pair.model, model.lower()) is not None:
            return pair
    return None


def garbage_message(problem: str, model: str, runtime: str) -> str:
    """What to tell of an answer that was ended by ``GarbageWatch``."""
    pair = known_bad_pair(model, runtime)
    if pair is not None:
        advice = f"This is known: the model {pair.symptom} ({pair.source}). Use another version of the runtime."
    else:
        advice = (
            "Convert the model again with the toolkit of the runtime's version, or use another version of either."
        )
    return f"Model {model!r} on runtime {runtime} gave {problem}. The answer was ended. {advice}"


class GarbageWatch:
    """Says when an answer is nothing any more: what then comes is not worth the board's time.

    ``problem`` is set once there were too many identical tokens in a row, or too many filler tokens or
    tokens without text that do not end an answer.
    """

    def __init__(self, end_tokens: Collection[int] = ()) -> None:
        self._end_tokens = end_tokens
        self._last = -1
        self._repeated = 0
        self._filler = 0
        self.problem: str | None = None

    def feed(self, tokens: Iterable[Token]) -> str | None:
        """Take sampled tokens; return the problem once there is one."""
        last, repeated, filler = self._last, self._repeated, self._filler
        for token_id, raw in tokens:
            if token_id == last:
                repeated += 1
                if repeated >= (_MAX_REPEATED if token_id else _MAX_FIRST_TOKEN) and self.problem is None:
                    self.problem = f"{repeated} times the same token {token_id} in a row"
            else:
                last, repeated = token_id, 1
            if raw is None or (raw and raw[0] not in _FILLER_FIRST and raw[0] != ord(" ")):
                filler = 0
            elif self._is_filler(token_id, raw):
                filler += 1
                if filler >= _MAX_FILLER and self.problem is None:
                    self.problem = f"{filler} padding or unused tokens in a row, such as {token_id}"
            else:
                filler = 0
        self._last, self._repeated, self._filler = last, repeated, filler
        return self.problem

    def _is_filler(self, token_id: int, raw: bytes) -> bool:
        if not raw:
            return token_id not in self._end_tokens
        return _FILLER.fullmatch(raw) is not None
