"""What the frameworks' classes add to the engine: making an object, and the first token through it.

One scripted model, without any delays of its own, is asked in turns through the engine's client and through the
framework's class, so that both see the same machine. Figures are medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from benchmarks.scripted import ask
from rkllm_providers.engine import open_model, shared_registry

MADE: Final = 300
ROUNDS: Final = 60
AIM_MADE_MS: Final = 1.0
SCRIPT: Final = '#!rkllm-script 1\ncontext 2048\nword " la"\nrule *\n  repeat 20 " la"\nend\n'


def main() -> None:
    print(f"{'':<14}{'made, ms':>10}{'aim':>6}{'first token, ms: engine':>26}{'provider':>10}{'added':>8}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scripted.rkllm"
        path.write_text(SCRIPT)
        try:
            for name, section in SECTIONS.items():
                made, engine, provider = section(path)
                print(
                    f"{name:<14}{made:>10.3f}{AIM_MADE_MS:>6}{engine:>26.2f}"
                    f"{provider:>10.2f}{provider - engine:>8.2f}"
                )
        finally:
            shared_registry().close()


def langchain(path: Path) -> tuple[float, float, float]:
    from rkllm_providers.langchain import ChatRKLLM

    made = median_ms([timed(lambda: ChatRKLLM(model=str(path), temperature=0.5, max_tokens=9)) for _ in range(MADE)])
    with ChatRKLLM(model=str(path)) as chat:
        return made, *first_tokens(path, lambda: chat.stream("Sing."))


def llama_index(path: Path) -> tuple[float, float, float]:
    from llama_index.core.base.llms.types import ChatMessage

    from rkllm_providers.llama_index import RKLLM

    made = median_ms([timed(lambda: RKLLM(model=str(path), temperature=0.5, max_tokens=9)) for _ in range(MADE)])
    messages = [ChatMessage(role="user", content="Sing.")]
    with RKLLM(model=str(path)) as llm:
        return made, *first_tokens(path, lambda: llm.stream_chat(messages))


SECTIONS: Final[dict[str, Callable[[Path], tuple[float, float, float]]]] = {
    "LangChain": langchain,
    "LlamaIndex": llama_index,
}
"""Of each: milliseconds to make an object, and to the first token through the engine and through the object."""


def first_tokens(path: Path, stream: Callable[[], Iterator[Any]]) -> tuple[float, float]:
    """Milliseconds to the first token through the engine's client, and through ``stream``."""
    client = open_model(path)
    engine, provider = [], []
    for number in range(ROUNDS + 5):
        of_engine = timed_first(lambda: client.stream(ask("Sing.")))
        of_provider = timed_first(stream)
        if number >= 5:
            engine.append(of_engine)
            provider.append(of_provider)
    client.release()
    return median_ms(engine), median_ms(provider)


def timed_first(stream: Callable[[], Iterator[Any]]) -> float:
    began = time.perf_counter()
    with closing(stream()) as events:  # type: ignore[type-var]
        next(events)
        elapsed = time.perf_counter() - began
        for _ in events:
            pass
    return elapsed


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000
