"""What the LlamaIndex provider adds to the engine: making an object, the first token, and each token of a stream.

The same scripted model, without any delays of its own, is asked in turns through the engine's client and through
``RKLLM``, so that both see the same machine. Figures are medians; the first is of one object alone.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.scripted import ask
from rkllm_providers.engine import open_model, shared_registry

ROUNDS: Final = 60
TOKENS: Final = 200
MADE: Final = 300
AIM_CONSTRUCTOR_MS: Final = 1.0
SCRIPT: Final = f'#!rkllm-script 1\ncontext 2048\nword " la"\nrule *\n  repeat {TOKENS} " la"\nend\n'


def main() -> None:
    with scripted_path() as path:
        made = making(path)
        engine, provider = first_tokens_and_rates(path)
    print("What the LlamaIndex provider adds (medians)")
    print(f"{'':<30}{'engine':>10}{'provider':>10}{'added':>10}{'aim':>8}")
    print(f"{'making an object, ms':<30}{'-':>10}{made:>10.3f}{'-':>10}{AIM_CONSTRUCTOR_MS:>8}")
    for name, of_engine, of_provider in zip(("first token, ms", "each token, µs"), engine, provider, strict=True):
        print(f"{name:<30}{of_engine:>10.2f}{of_provider:>10.2f}{of_provider - of_engine:>10.2f}{'-':>8}")


@contextmanager
def scripted_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scripted.rkllm"
        path.write_text(SCRIPT)
        try:
            yield path
        finally:
            shared_registry().close()


def making(path: Path) -> float:
    """Milliseconds to make an object."""
    from rkllm_providers.llama_index import RKLLM

    times = []
    for _ in range(MADE):
        began = time.perf_counter()
        RKLLM(model=str(path), temperature=0.5, max_tokens=100)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def first_tokens_and_rates(path: Path) -> tuple[tuple[float, float], tuple[float, float]]:
    """Milliseconds to the first token and microseconds for each further one: of the engine, and of the provider."""
    from llama_index.core.base.llms.types import ChatMessage

    from rkllm_providers.llama_index import RKLLM

    client = open_model(path)
    client.complete(ask("Hello!"))
    llm = RKLLM(model=str(path))
    messages = [ChatMessage(role="user", content="Hello!")]
    engine, provider = [], []
    for _ in range(ROUNDS):
        engine.append(timed(lambda: client.stream(ask("Hello!"))))
        provider.append(timed(lambda: llm.stream_chat(messages)))
    llm.close()
    client.release()
    return medians(engine), medians(provider)


def timed(begin: Any) -> tuple[float, float]:
    """Milliseconds to the first item of a stream, and microseconds for each further one."""
    began = time.perf_counter()
    items = begin()
    next(items)
    first = time.perf_counter()
    further = sum(1 for _ in items)
    return (first - began) * 1e3, (time.perf_counter() - first) * 1e6 / max(1, further)


def medians(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


if __name__ == "__main__":
    main()
