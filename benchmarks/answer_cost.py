"""What thinking, tools and stop sequences cost per token of an answer, in CPU time.

One answer of many tokens through the engine, with each of them in use and without any. CPU time is what the kernel
accounted to this process and the worker. "In use" means that the part is set up and looks at every token: stops
that are not met, tools that are offered and not called, thinking that is split off from the answer. "Nothing" is a
model whose template knows neither thinking nor tools.
"""

from __future__ import annotations

import os
import statistics
from typing import Final

from benchmarks.scripted import ask, scripted_model
from benchmarks.stream_cost import cpu_seconds
from rkllm_providers.chat import Finish, GenerateOptions, ReasoningDelta, TextDelta, Tool
from rkllm_providers.engine import ModelClient

TOKENS: Final = 20_000
RUNS: Final = 5
HEAD: Final = 'context 65536\nword " la"\n'
PLAIN: Final = "template <<END\n{{ messages[-1].content }}\nEND\n"
THINKING: Final = f'rule "ponder"\n  text "<think>\\n"\n  repeat {TOKENS // 2} " la"\n  text "</think>\\n\\n"\n'
RULES: Final = f'{THINKING}  repeat {TOKENS // 2} " la"\nend\nrule *\n  repeat {TOKENS} " la"\nend\n'
TOOLS: Final = tuple(
    Tool(f"tool_{number}", "A tool.", {"type": "object", "properties": {"city": {"type": "string"}}})
    for number in range(4)
)
Case = tuple[ModelClient, str, GenerateOptions]
STOPS: Final = ("END", "\n\nUser:", "</answer>", "###")
NEARLY: Final = (" la la la STOP", *STOPS[1:])


def main() -> None:
    print(f"CPU per token of an answer of {TOKENS} tokens, in microseconds (medians of {RUNS})")
    print(f"{'in use':<38}{'CPU':>8}{'added':>8}{'ratio':>8}")
    everything = GenerateOptions(thinking=True, tools=TOOLS, stop=STOPS)
    with (
        scripted_model(HEAD + PLAIN + RULES, context_length=65_536) as plain,
        scripted_model(HEAD + RULES, context_length=65_536) as whole,
    ):
        cases: dict[str, Case] = {
            "nothing": (plain, "sing", GenerateOptions()),
            "4 stops": (plain, "sing", GenerateOptions(stop=STOPS)),
            "4 stops, one begins at every token": (plain, "sing", GenerateOptions(stop=NEARLY)),
            "a template that can think and call": (whole, "sing", GenerateOptions()),
            "thinking": (whole, "ponder", GenerateOptions(thinking=True)),
            "thinking with a budget": (whole, "ponder", GenerateOptions(thinking_budget=TOKENS)),
            "tools": (whole, "sing", GenerateOptions(tools=TOOLS)),
            "thinking, tools and stops": (whole, "ponder", everything),
        }
        # In turns, so that a machine that is slow for a while is so for all.
        rounds = [[answer_cost(*case) for case in cases.values()] for _ in range(RUNS + 1)][1:]
    for name, costs in zip(cases, zip(*rounds, strict=True), strict=True):
        added = statistics.median(costs[number] - rounds[number][0] for number in range(RUNS))
        ratio = statistics.median(costs[number] / rounds[number][0] for number in range(RUNS))
        print(f"{name:<38}{statistics.median(costs):>8.2f}{added:>8.2f}{ratio:>8.2f}")


def answer_cost(client: ModelClient, text: str, options: GenerateOptions) -> float:
    before = cpu_seconds(os.getpid())
    deltas = 0
    tokens = 0
    for event in client.stream(ask(text), options):
        if isinstance(event, TextDelta | ReasoningDelta):
            deltas += 1
        elif isinstance(event, Finish):
            tokens = event.usage.completion_tokens
    spent = cpu_seconds(os.getpid()) - before
    if tokens < TOKENS or deltas < TOKENS * 0.9:
        raise RuntimeError(f"Of {TOKENS} tokens {tokens} came, in {deltas} pieces.")
    return spent / tokens * 1e6


if __name__ == "__main__":
    main()
