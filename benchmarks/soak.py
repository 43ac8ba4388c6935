"""Thousands of short requests that end in every way there is, and what they leave behind.

Threads and coroutines ask two scripted models, of runtimes that end an answer at its limit themselves and that must
be made to. Requests run to their end, are cut at a limit, cancelled, stopped by a time limit, crash their worker, or
have it killed. Every word of an answer names its request, so that one word in a wrong place is seen. A request that
ends in none of these ways is lost; one that keeps everything waiting for a minute hangs.

Run by name only: ``python -m benchmarks soak [N]``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.scripted import ask, scripted_model
from rkllm_providers.chat import ChatEvent, Finish, GenerateOptions, TextDelta
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.errors import RequestTimeout, RKLLMError, WorkerCrashed

REQUESTS: Final = 10_000
CLIENTS: Final = 8  # half of them threads, half coroutines
VERSIONS: Final = ("1.2.3", "1.3.0")
WORDS: Final = 10
PATIENCE: Final = 60.0
# Out of a thousand; the rest run to their end.
KINDS: Final = {"limit": 200, "cancel": 250, "time": 100, "crash": 3, "kill": 3}
BAD: Final = ("mixed", "lost", "failed", "hanging")
SCRIPT: Final = (
    "decode_ms 0.05\n"
    'rule "crash {name}"\n  text " {name}:0 {name}:1"\n  crash\nend\n'
    'rule "request {name}"\n  text "' + "".join(f" {{name}}:{n}" for n in range(WORDS)) + '"\nend\n'
    'rule *\n  text "Hello."\nend\n'
)


@dataclass
class Request:
    """One request, and what was delivered of it."""

    name: str
    kind: str
    client: ModelClient
    options: GenerateOptions
    patience: int
    events: list[ChatEvent] = field(default_factory=list)

    @property
    def question(self) -> str:
        return f"{'crash' if self.kind == 'crash' else 'request'} {self.name}"

    def has_enough(self) -> bool:
        """Whether it is cancelled now; may kill the worker instead."""
        if len(self.events) < self.patience or isinstance(self.events[-1], Finish):
            return False
        if self.kind == "kill":
            pid, self.kind = self.client.engine.worker_pid, "killed"
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
        return self.kind == "cancel"

    def outcome(self, error: RKLLMError | None) -> str:
        """The way it ended, in a word."""
        whole = "".join(f" {self.name}:{n}" for n in range(WORDS))
        text = "".join(event.text for event in self.events if isinstance(event, TextDelta))
        if not whole.startswith(text):
            return "mixed"
        if isinstance(error, WorkerCrashed):
            return "crashed" if self.kind == "crash" else "killed"
        if isinstance(error, RequestTimeout) and self.kind == "time":
            return "out of time"
        if error is not None:
            return "failed"
        finish = self.events[-1] if self.events else None
        if not isinstance(finish, Finish):
            return "cancelled" if self.kind == "cancel" else "lost"
        if finish.reason == "length":
            return "cut" if finish.usage.completion_tokens == self.options.max_tokens else "lost"
        return "whole" if text == whole else "lost"


class Soak:
    """The requests of all clients, and the count of how they ended."""

    def __init__(self, clients: list[ModelClient], total: int) -> None:
        self._clients = clients
        self._total = total
        self._lock = threading.Lock()
        self._begun: dict[int, str] = {}
        self.outcomes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    @property
    def done(self) -> int:
        return self.outcomes.total()

    def requests(self, client: int) -> Iterator[Request]:
        chance = random.Random(client)
        kinds = [*KINDS, "whole"]
        weights = [*KINDS.values(), 1000 - sum(KINDS.values())]
        for number in range(client, self._total, CLIENTS):
            kind = chance.choices(kinds, weights)[0]
            limit = chance.randint(1, 70) if kind == "limit" else None
            timeout = chance.uniform(0.001, 0.03) if kind == "time" else None
            options = GenerateOptions(max_tokens=limit, timeout=timeout)
            yield Request(f"n{number}", kind, chance.choice(self._clients), options, chance.randint(1, 40))

    def serve(self, client: int) -> None:
        for request in self.requests(client):
            self._begin(client, request)
            error = None
            try:
                with closing(request.client.stream(ask(request.question), request.options)) as stream:
                    for event in stream:
                        request.events.append(event)
                        if request.has_enough():
                            break
            except RKLLMError as caught:
                error = caught
            self._end(request, error)

    async def serve_in_loop(self, client: int) -> None:
        for request in self.requests(client):
            self._begin(client, request)
            error = None
            task = asyncio.create_task(read(request))
            if request.kind == "cancel" and request.patience % 2:
                await asyncio.sleep(request.patience / 10_000)
                task.cancel()
            await asyncio.wait([task])
            caught = None if task.cancelled() else task.exception()
            if isinstance(caught, RKLLMError):
                error = caught
            elif caught is not None:
                raise caught
            self._end(request, error)

    def serve_loop(self) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(self.serve_in_loop(client) for client in range(CLIENTS // 2, CLIENTS)))

        asyncio.run(all_of_them())

    def hanging(self) -> list[str]:
        """What is under way, said in words."""
        with self._lock:
            return list(self._begun.values())

    def _begin(self, client: int, request: Request) -> None:
        with self._lock:
            self._begun[client] = f"{request.name} ({request.kind})"

    def _end(self, request: Request, error: RKLLMError | None) -> None:
        outcome = request.outcome(error)
        with self._lock:
            self.outcomes[outcome] += 1
            if outcome in BAD:
                self.failures[f"{outcome}: {request.kind}, {type(error).__name__}: {error}"[:300]] += 1


async def read(request: Request) -> None:
    async with aclosing(request.client.astream(ask(request.question), request.options)) as stream:
        async for event in stream:
            request.events.append(event)
            if request.has_enough():
                return


def main(total: int = REQUESTS) -> int:
    """Run it; the number of requests that ended as none may."""
    # Crashes are meant to happen here.
    logging.getLogger("rkllm_providers").setLevel(logging.CRITICAL + 1)
    limits = EngineLimits(abort_seconds=20)
    print(f"{total} requests of {CLIENTS} clients to {len(VERSIONS)} models")
    with ExitStack() as models:
        clients = [models.enter_context(scripted_model(SCRIPT, version, limits)) for version in VERSIONS]
        soak = Soak(clients, total)
        hangs = watch(soak, total)
    soak.outcomes["hanging"] += len(hangs)
    print("ended:   " + ", ".join(f"{count} {name}" for name, count in soak.outcomes.most_common() if count))
    print("wrong:   " + ", ".join(f"{soak.outcomes[name]} {name}" for name in BAD))
    for text, count in soak.failures.most_common(10):
        print(f"  {count} x {text}")
    print(f"left:    {len(children())} processes, {measure()}")
    return sum(soak.outcomes[name] for name in BAD)


def watch(soak: Soak, total: int) -> list[str]:
    """Serve all requests, and say what this process takes meanwhile; those that hang, if some do."""
    threads = [threading.Thread(target=soak.serve, args=(n,), daemon=True) for n in range(CLIENTS // 2)]
    threads.append(threading.Thread(target=soak.serve_loop, daemon=True))
    started = last = time.perf_counter()
    # The first tenth fills caches and pools.
    marks = [("start", total // 10), ("middle", total * 11 // 20), ("end", total)]
    before = 0
    for thread in threads:
        thread.start()
    while marks:
        time.sleep(0.02)
        done, now = soak.done, time.perf_counter()
        if done > before:
            before, last = done, now
        if done >= marks[0][1]:
            print(f"{marks.pop(0)[0] + ':':<9}{measure()}, after {done} requests, {now - started:.1f} s", flush=True)
        elif now - last > PATIENCE or not any(thread.is_alive() for thread in threads):
            print(f"Nothing ended for {now - last:.0f} s. Under way: {', '.join(soak.hanging())}.")
            return soak.hanging()
    for thread in threads:
        thread.join(PATIENCE)
    print(f"speed:   {total / (time.perf_counter() - started):.0f} requests/s")
    return []


def measure() -> str:
    """Resident memory, open files and threads of this process."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    files = len(os.listdir("/proc/self/fd"))
    return f"{resident:.1f} MiB, {files} open files, {threading.active_count()} threads"


def children() -> list[str]:
    """Process ids of this process's children, ended ones that nobody waited for included."""
    return [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


if __name__ == "__main__":
    sys.exit(1 if main(*map(int, sys.argv[1:2])) else 0)
