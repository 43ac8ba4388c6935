"""The time from a cancel to the next request's first token, at a board's speed.

A stream is closed, or the task that waits for an answer is cancelled, right after a token of the answer; another
request is asked at once, or waits already. "Alone" is the time to the first token of that request where the same
answer has ended by itself. A cancel adds the token that is under way, which cannot be cut short, and little more.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import threading
import time
from collections.abc import Callable
from typing import Final

from benchmarks.scripted import BOARD, ask, scripted_model
from rkllm_providers.chat import GenerateOptions, TextDelta
from rkllm_providers.engine import ModelClient

RUNS: Final = 6
DECODE_MS: Final = 77.0
SCRIPT: Final = BOARD + 'word " la"\nrule "endless"\n  forever " la"\nend\nrule *\n  text "Hello."\nend\n'


def main() -> None:
    print("From a cancel to the next request's first token, in milliseconds (medians, and the longest)")
    print(f"{'what is cancelled':<34}{'median':>8}{'longest':>9}{'alone':>8}{'added':>8}{'one token':>11}")
    with scripted_model(SCRIPT) as client:
        alone = statistics.median(wait_for_end(client, f"after {number}") for number in range(RUNS))
        ways: dict[str, Callable[[ModelClient, str], float]] = {
            "a stream is closed": close_stream,
            "a stream is closed, another waits": close_stream_with_another_waiting,
            "a task is cancelled": cancel_task,
        }
        for name, way in ways.items():
            times = [way(client, f"after {number}") for number in range(RUNS)]
            median = statistics.median(times)
            print(f"{name:<34}{median:>8.1f}{max(times):>9.1f}{alone:>8.1f}{median - alone:>8.1f}{DECODE_MS:>11.0f}")


def wait_for_end(client: ModelClient, text: str) -> float:
    client.complete(ask("endless"), GenerateOptions(max_tokens=2))
    started = time.perf_counter()
    stream = client.stream(ask(text))
    next(stream)
    elapsed = (time.perf_counter() - started) * 1000
    for _ in stream:
        continue
    return elapsed


def close_stream(client: ModelClient, text: str) -> float:
    stream = client.stream(ask("endless"))
    next(stream)
    next(stream)
    started = time.perf_counter()
    stream.close()
    following = client.stream(ask(text))
    next(following)
    elapsed = (time.perf_counter() - started) * 1000
    for _ in following:
        continue
    return elapsed


def close_stream_with_another_waiting(client: ModelClient, text: str) -> float:
    stream = client.stream(ask("endless"))
    next(stream)
    ended: list[float] = []

    def follow() -> None:
        following = client.stream(ask(text))
        next(following)
        ended.append(time.perf_counter())
        for _ in following:
            continue

    thread = threading.Thread(target=follow)
    thread.start()
    while not client.engine.waiting:
        time.sleep(0.001)
    next(stream)
    started = time.perf_counter()
    stream.close()
    thread.join()
    return (ended[0] - started) * 1000


def cancel_task(client: ModelClient, text: str) -> float:
    async def cancelled() -> float:
        begun = asyncio.Event()

        async def answer() -> None:
            async for event in client.astream(ask("endless")):
                if isinstance(event, TextDelta):
                    begun.set()

        task = asyncio.create_task(answer())
        await begun.wait()
        started = time.perf_counter()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        following = client.astream(ask(text))
        await anext(following)
        elapsed = (time.perf_counter() - started) * 1000
        async for _ in following:
            continue
        return elapsed

    return asyncio.run(cancelled())


if __name__ == "__main__":
    main()
