"""Many clients of one model: does each get its turn, and what does their number cost?

Each client asks one question after another, all at the same time. A wait is the time from asking to the first
token. "Serial" is the same requests asked one after another by one client. The model is scripted, at a tenth of a
board's times.
"""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from typing import Final

from benchmarks.scripted import ask, scripted_model
from rkllm_providers.chat import Finish, TextDelta
from rkllm_providers.engine import ModelClient

CLIENTS: Final = 8
REQUESTS: Final = 5
SCRIPT: Final = 'word " la"\nprefill_base_ms 6.3\nprefill_ms 0.23\ndecode_ms 2\nrule *\n  repeat 15 " la"\nend\n'


def main() -> None:
    print(f"{CLIENTS} clients with {REQUESTS} requests each")
    print(
        f"{'clients are':<14}{'mean wait ms':>14}{'longest ms':>12}{'longest/mean':>14}{'total s':>9}{'serial s':>10}"
        f"{'total/serial':>14}"
    )
    with scripted_model(SCRIPT) as client:
        serial = one_after_another(client)
        for name, waits, total in (("threads", *of_threads(client)), ("coroutines", *of_coroutines(client))):
            mean = statistics.mean(waits)
            print(
                f"{name:<14}{mean * 1000:>14.1f}{max(waits) * 1000:>12.1f}{max(waits) / mean:>14.2f}{total:>9.2f}"
                f"{serial:>10.2f}{total / serial:>14.3f}"
            )


def question(number: int, turn: int) -> str:
    return f"{number} asks {turn}"


def one_after_another(client: ModelClient) -> float:
    started = time.perf_counter()
    for turn in range(REQUESTS):
        for number in range(CLIENTS):
            first_token(client, question(number, turn))
    return time.perf_counter() - started


def first_token(client: ModelClient, text: str) -> float:
    asked, first = time.perf_counter(), 0.0
    for event in client.stream(ask(text)):
        if not first and isinstance(event, TextDelta):
            first = time.perf_counter()
    return first - asked


def of_threads(client: ModelClient) -> tuple[list[float], float]:
    waits: list[float] = []

    def serve(number: int) -> None:
        for turn in range(REQUESTS):
            waits.append(first_token(client, question(number, turn)))

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(CLIENTS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, time.perf_counter() - started


def of_coroutines(client: ModelClient) -> tuple[list[float], float]:
    waits: list[float] = []

    async def serve(number: int) -> None:
        for turn in range(REQUESTS):
            asked, first = time.perf_counter(), 0.0
            async for event in client.astream(ask(question(number, turn))):
                if not first and not isinstance(event, Finish):
                    first = time.perf_counter()
            waits.append(first - asked)

    async def all_of_them() -> None:
        await asyncio.gather(*map(serve, range(CLIENTS)))

    started = time.perf_counter()
    asyncio.run(all_of_them())
    return waits, time.perf_counter() - started


if __name__ == "__main__":
    main()
