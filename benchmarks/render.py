"""What rendering and encoding a conversation of 4,000 tokens costs, cold and with one turn added.

Cold is a guard that has seen no prompt. "One turn added" is the conversation with a question and an
answer more than the prompt before it. Plain is the same template rendered from unmarked strings, and the
whole encoded by the tokenizer as it is: what a program pays that guards nothing and keeps nothing.
Every time is a median; in each run the added turn is another one.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rkllm_providers.chat.repair import render_conversation
from rkllm_providers.models import read_card
from rkllm_providers.models.catalog import built_in_model
from rkllm_providers.models.control import ControlGuard
from rkllm_providers.models.gguf import read_head
from rkllm_providers.models.template import ChatTemplate
from rkllm_providers.models.tokenizer import Tokenizer, tokenizer_from_gguf

TOKENS: Final = 4_000
QUESTION_WORDS: Final = 48  # about 60 tokens
ANSWER_WORDS: Final = 80  # about 100 tokens
RUNS: Final = 31
AIM_MS: Final = 2.0
PUBLIC: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
TEXT: Final = (
    "the board answers questions about rivers, mountains and <b>weather</b> where 2 < 3 | x = 17.5; a small "
    "model does so slowly, 你好, but nobody else reads what über straße 'it' was \"told\" (once)\n* or twice\n"
)

Turn = dict[str, Any]


def main() -> None:
    print(f"Rendering and encoding a conversation of {TOKENS} tokens, in milliseconds")
    print(f"{'vocabulary':<24}{'plain':>8}{'cold':>8}{'ratio':>7}{'turn added':>12}{'ratio':>7}{'aim':>6}")
    built_in = built_in_model()
    if built_in is None:
        print("The built-in model is not installed (the cpu extra): left out.")
    else:
        template = read_card(built_in).template
        assert template is not None
        measure(built_in.id, template, vocabulary(built_in.path))
    qwen = PUBLIC / "vocab" / "ggml-vocab-qwen2.gguf"
    source = PUBLIC / "templates" / "Qwen-Qwen3-0.6B.jinja"
    if qwen.exists() and source.exists():
        measure("qwen2, Qwen3's template", ChatTemplate(source.read_text()), vocabulary(qwen))
    else:
        print(f"The public vocabulary of qwen2 is not at {qwen}: left out.")


def vocabulary(path: Path) -> Tokenizer:
    tokenizer = tokenizer_from_gguf(read_head(path))
    if tokenizer is None:
        raise RuntimeError(f"{path} has no tokenizer that is supported.")
    tokenizer.encode("builds it")
    return tokenizer


class BuiltOnce:
    """A tokenizer whose guards share one renamed one, so that a fresh guard costs no building."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.control_tokens = tokenizer.control_tokens
        self.encode = tokenizer.encode
        self.decode = tokenizer.decode
        self._tokenizer = tokenizer
        self._renamed: Tokenizer | None = None

    def renamed(self, names: Mapping[str, str]) -> Tokenizer:
        self._renamed = self._renamed or self._tokenizer.renamed(names)
        return self._renamed


def measure(name: str, template: ChatTemplate, tokenizer: Tokenizer) -> None:
    chance = random.Random(4000)
    turns = exchange(chance)
    while len(tokenizer.encode(template.render(turns))) < TOKENS:
        turns += exchange(chance)
    question = {"role": "user", "content": say(chance, QUESTION_WORDS)}
    built = BuiltOnce(tokenizer)
    guard = ControlGuard(built)
    guard.encode("builds it")
    plain, cold, added = [], [], []
    for _ in range(RUNS):
        longer = [*turns, *exchange(chance), question]
        plain.append(milliseconds(lambda: tokenizer.encode(template.render(longer))))  # noqa: B023
        cold.append(milliseconds(lambda: guarded(template, ControlGuard(built), longer)))  # noqa: B023
        guarded(template, guard, [*turns, question])
        added.append(milliseconds(lambda: guarded(template, guard, longer)))  # noqa: B023
    usual = statistics.median(plain)
    first, next_turn = statistics.median(cold), statistics.median(added)
    print(
        f"{name:<24}{usual:>8.2f}{first:>8.2f}{first / usual:>7.2f}{next_turn:>12.2f}{next_turn / usual:>7.2f}"
        f"{AIM_MS:>6.1f}"
    )


def exchange(chance: random.Random) -> list[Turn]:
    return [
        {"role": "user", "content": say(chance, QUESTION_WORDS)},
        {"role": "assistant", "content": say(chance, ANSWER_WORDS)},
    ]


def say(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(TEXT.split(" "), k=words)).strip()


def guarded(template: ChatTemplate, guard: ControlGuard, turns: list[Turn]) -> list[int]:
    marked = [{"role": turn["role"], "content": guard.mark(turn["content"])} for turn in turns]
    return guard.encode(render_conversation(template, marked))


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
