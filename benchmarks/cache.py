"""How much of a conversation is read anew, turn by turn, and what that would be on a board.

A chat of ten turns, then its last answer made again, then its last question edited. "Whole" is what would be read
if nothing were kept. The clock is a sentence of the system message that says another minute at every turn; it is
moved to the newest turn, or left where it is. Moved, it costs 26 tokens at first, and 14 in each turn that only
says the minute (SmolLM2's tokenizer makes 28 and 15 of them), which weigh less the longer the questions are. The
remark is a sentence that is another one at every third turn, or at every turn: moved, it costs the last answer too
whenever it changes. Tokens are those of the usage that callers get.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.scripted import PREFILL_SECONDS, prefilled, scripted_model
from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.engine import ModelClient

TURNS: Final = 10
QUESTION_WORDS: Final = (60, 200)
ANSWER_WORDS: Final = 100
SYSTEM_WORDS: Final = 120
AIM_CLOCK: Final = 1.2
WORDS: Final = [f"w{number:02}" for number in range(90)]
PLAIN_WORDS: Final = "System note: it is now You are kind. Current date and time: The user likes Question"

Volatile = Literal["move", "keep"]
Part = Callable[[int], str]
"""What the system message says beside the rest of it in the request of a number."""


def clock(request: int) -> str:
    return f" Current date and time: 2026-11-22 05:{request:02}."


def remark(request: int) -> str:
    return f" The user likes {WORDS[request]}."


def lasting_remark(request: int) -> str:
    return remark(request // 3)


PARTS: Final[dict[str, Part]] = {"clock": clock, "remark, at times": lasting_remark, "remark, always": remark}


@dataclass
class Reading:
    """Tokens of a conversation's prompts, and those of them that were read."""

    chat: int = 0
    again: int = 0
    edited: int = 0
    whole: int = 0

    @property
    def read(self) -> int:
        return self.chat + self.again + self.edited


def main() -> None:
    print(f"Prompt tokens read in a chat of {TURNS} turns, an answer made again and an edited question")
    print(
        f"{'words asked':<13}{'system message':<25}{'chat':>7}{'again':>7}{'edited':>8}{'whole':>8}{'of whole':>10}"
        f"{'to no change':>13}{'aim':>6}{'s on a board':>14}"
    )
    for words in QUESTION_WORDS:
        without = measure(words, lambda _: "", "move")
        show(words, "nothing changes", without, None)
        for name, part in PARTS.items():
            show(words, f"{name}, moved", measure(words, part, "move"), without)
            show(words, f"{name}, kept", measure(words, part, "keep"), without)
        print(f"{words:<13}{'all sent again':<80}{without.whole * PREFILL_SECONDS:>18.1f}")
    print(f"A board is taken to read a token in {PREFILL_SECONDS * 1000} ms; in long prompts it takes longer.")


def show(words: int, name: str, reading: Reading, without: Reading | None) -> None:
    ratio = f"{reading.read / without.read:.2f}" if without else "-"
    aim = f"{AIM_CLOCK}" if name == "clock, moved" else "-"
    print(
        f"{words:<13}{name:<25}{reading.chat:>7}{reading.again:>7}{reading.edited:>8}{reading.whole:>8}"
        f"{reading.read / reading.whole:>10.3f}{ratio:>13}{aim:>6}{reading.read * PREFILL_SECONDS:>14.1f}"
    )


def measure(words: int, part: Part, volatile: Volatile) -> Reading:
    chance = random.Random(10)
    vocabulary = " ".join([*WORDS, *PLAIN_WORDS.split()])
    script = f'context 8192\nwords {vocabulary}\nrule *\n  text "{say(chance, ANSWER_WORDS)}"\nend\n'
    with scripted_model(script) as client:
        return converse(client, chance, words, part, volatile)


def converse(client: ModelClient, chance: random.Random, words: int, part: Part, volatile: Volatile) -> Reading:
    options = GenerateOptions(volatile_system=volatile)
    reading = Reading()
    persona = say(chance, SYSTEM_WORDS)
    turns: list[ChatMessage] = []
    requests = itertools.count()

    def turn() -> tuple[int, str]:
        system = ChatMessage("system", f"You are kind.{part(next(requests))} {persona}")
        result = client.complete([system, *turns], options)
        reading.whole += result.finish.usage.prompt_tokens
        return prefilled(result.finish), result.text

    for number in range(TURNS):
        turns.append(ChatMessage("user", question(chance, number, words)))
        tokens, text = turn()
        reading.chat += tokens
        turns.append(ChatMessage("assistant", text))
    del turns[-1]
    reading.again, _ = turn()
    turns[-1] = ChatMessage("user", question(chance, TURNS, words))
    reading.edited, _ = turn()
    return reading


def question(chance: random.Random, number: int, words: int) -> str:
    return f"Question {number}: {say(chance, words)}"


def say(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)) + "."


if __name__ == "__main__":
    main()
