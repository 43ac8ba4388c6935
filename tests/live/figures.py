"""What a run has shown: a line for each scenario, and the tokens that each turn cost."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.live.webui import Answer


@dataclass(frozen=True, slots=True)
class TurnCost:
    """Tokens of one turn's prompt, and those of them that the model had to read."""

    chat: str
    number: int
    prompt: int
    prefilled: int


@dataclass(slots=True)
class Figures:
    """Collected while scenarios run."""

    costs: list[TurnCost] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def note_turn(self, chat: str, answer: Answer) -> None:
        """Keep what a turn cost."""
        number = sum(cost.chat == chat for cost in self.costs) + 1
        self.costs.append(TurnCost(chat, number, answer.prompt, answer.prefilled))

    def run(self, name: str, scenario: Callable[[], str]) -> None:
        """Play a scenario; what it returns is told behind its name."""
        started = time.monotonic()
        try:
            told = scenario()
        except Exception as error:  # noqa: BLE001 - it is told in full, counts as failed, and the others are played
            self.failed.append(name)
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
            traceback.print_exc()
        else:
            self.passed.append(name)
            print(f"ok      {name} ({time.monotonic() - started:.0f} s): {told}", flush=True)

    def skip(self, name: str, why: str) -> None:
        """Say that a scenario was not played."""
        self.skipped.append(name)
        print(f"NOT RUN {name}: {why}", flush=True)

    def print_costs(self) -> None:
        """The tokens of every turn, by chat."""
        if not self.costs:
            return
        print("\nTokens prefilled per turn, of the prompt's tokens (a clock with seconds in the system prompt):")
        for chat in dict.fromkeys(cost.chat for cost in self.costs):
            turns = [cost for cost in self.costs if cost.chat == chat]
            prefilled, prompt = sum(cost.prefilled for cost in turns), sum(cost.prompt for cost in turns)
            shown = "  ".join(f"{cost.prefilled}/{cost.prompt}" for cost in turns)
            print(f"  {chat}: {shown}  — together {prefilled} of {prompt}, {prefilled / prompt:.0%}")

    def print_end(self) -> None:
        """How many there were of each kind."""
        print(f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped")
