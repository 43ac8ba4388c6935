"""The whole service under load: many clients, more than it takes, and pages of megabytes beside a stream.

``python -m benchmarks.service_load [--clients N] [--crowd N] [--seconds S] [--serial N] [--megabytes N]
[--tokens N]``

Each client asks one question after another, on a new connection each, every second one streamed; a question has a
number, and the answer has to begin with it. "Serial" is one client alone, half before and half after the others.
"ms each" is the time of a leg by its answers, "model" what of that the model takes, by the service's own account.
Who is refused asks again after half a second, whatever ``Retry-After`` says, so that the crowd never thins out.
``/health`` is asked every 20 ms, by a process of its own. Then page after page is read while another client's answer
is streamed; a gap is the time between two of its tokens. All models are scripted, all traffic stays on 127.0.0.1.

Prints tables, and the same figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.service_client import chat_body, percentiles, post_chat, probe
from benchmarks.service_pages import SCRIPTS, page_body, print_gaps, stream_beside, written_page
from benchmarks.stream_cost import Server, serving

DECODE_MS: Final = 5
TOKENS: Final = 12
# Prefill and decode of a question: what a request costs the model, by its script.
LOAD: Final = (
    f'word " la"\nprefill_base_ms 20\nprefill_ms 0.2\ndecode_ms {DECODE_MS}\n'
    'rule "Question {name} of"\n  text "{name}:"\n' + f'  repeat {TOKENS} " la"\nend\nrule *\n  text "Hello."\nend\n'
)
PAUSE_SECONDS: Final = 0.5
WARM_SECONDS: Final = 4.0
SETTLE_SECONDS: Final = 1.0
CONTENT: Final = re.compile(rb'"content":"((?:[^"\\\\]|\\\\.)*)"')
TIMES: Final = re.compile(rb'"prefill_ms":([0-9.]+),"decode_ms":([0-9.]+)')
AIMS: Final = {"total/serial": 1.05, "health p99 ms": 50.0, "gap p99 ms": 50.0}


@dataclass
class Leg:
    """What a number of clients got."""

    clients: int
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    model_seconds: float = 0.0
    health: list[float] = field(default_factory=list)

    def add(self, other: Leg) -> None:
        """Take what the same clients got later."""
        self.seconds += other.seconds
        self.statuses += other.statuses
        self.wrong += other.wrong
        self.model_seconds += other.model_seconds

    @property
    def answers(self) -> int:
        return self.statuses[200]

    @property
    def seconds_per_answer(self) -> float:
        return self.seconds / self.answers if self.answers else math.inf

    @property
    def model_seconds_per_answer(self) -> float:
        """Prefill and decode, as the service tells them: of the time of an answer what is not the service's own."""
        return self.model_seconds / self.answers if self.answers else math.inf


@dataclass(frozen=True, slots=True)
class Size:
    """What the service's processes take."""

    mebibytes: float
    descriptors: int
    threads: int
    processes: int


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service_load")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--crowd", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--serial", type=int, default=150, help="requests of one client alone")
    parser.add_argument("--megabytes", type=float, default=5.0)
    parser.add_argument("--tokens", type=int, default=750, help="tokens of the stream beside a page")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        for name, text in {"load": LOAD, **SCRIPTS}.items():
            (models / f"{name}.gguf").write_text(f"#!rkllm-script 1\n{text}")
        with serving("rag_service", models) as server:
            figures = asyncio.run(measure(server, given))
    print(json.dumps(figures, indent=1))


async def measure(server: Server, given: argparse.Namespace) -> dict[str, Any]:
    page = written_page(given.megabytes)
    bodies = {"text": page_body(page, html=False), "html": page_body(page, html=True)}
    # What grows once, with the number of connections or the size of a page, grows here.
    await run_leg(server, given.crowd, seconds=min(WARM_SECONDS, given.seconds))
    for body in (*bodies.values(), *bodies.values()):
        await stream_beside(server, 1, body)
    sizes = {"before": await settled(server)}
    serial = await run_leg(server, 1, answers=given.serial // 2)
    legs = {"serial": serial}
    for clients in (given.clients, given.crowd):
        legs[f"{clients} clients"] = await run_leg(server, clients, seconds=given.seconds)
        sizes[f"after {clients} clients"] = await settled(server)
    serial.add(await run_leg(server, 1, answers=given.serial - given.serial // 2))
    print_legs(legs)
    gaps = {"alone": await stream_beside(server, given.tokens, None)}
    for kind, body in bodies.items():
        gaps[kind] = await stream_beside(server, given.tokens, body)
        sizes[f"after {kind} pages"] = await settled(server)
    print_gaps(gaps, given.megabytes)
    print_sizes(sizes)
    return {
        "legs": {name: told_leg(leg, serial) for name, leg in legs.items()},
        "gaps": gaps,
        "sizes": {
            when: [size.mebibytes, size.descriptors, size.threads, size.processes] for when, size in sizes.items()
        },
        "aims": AIMS,
        "load average": os.getloadavg(),
    }


async def run_leg(server: Server, clients: int, *, seconds: float = math.inf, answers: int | None = None) -> Leg:
    """Have so many clients ask until the time is over or so many answers are there, and wait for their last ones."""
    leg = Leg(clients)
    numbers = itertools.count()  # of one length as text, so that each question costs the model the same
    began = time.perf_counter()

    async def ask_on() -> None:
        while time.perf_counter() - began < seconds and (answers is None or leg.answers < answers):
            await ask_once(server, leg, next(numbers))

    # One client alone is not disturbed by a probe.
    probing = contextlib.nullcontext(leg.health) if math.isinf(seconds) else probe("health", server.port, seconds)
    async with probing as leg.health:
        await asyncio.gather(*(ask_on() for _ in range(clients)))
        leg.seconds = time.perf_counter() - began
    return leg


async def ask_once(server: Server, leg: Leg, number: int) -> None:
    name = f"{number:07d}"
    response = await post_chat(server.port, chat_body("load", f"Question {name} of many.", stream=number % 2 == 0))
    leg.statuses[response.status] += 1
    if response.status == 200:
        leg.wrong += not b"".join(CONTENT.findall(response.body)).startswith(f"{name}:".encode())
        leg.model_seconds += sum(map(float, TIMES.findall(response.body)[-1])) / 1000
        return
    leg.wrong += response.status != 429 or not response.headers.get("retry-after", "").isdecimal()
    await asyncio.sleep(PAUSE_SECONDS)


async def settled(server: Server) -> Size:
    """What the service takes once connections are closed."""
    await asyncio.sleep(SETTLE_SECONDS)
    resident = descriptors = threads = 0
    processes = family(server.pid)
    for pid in processes:
        folder = Path("/proc") / str(pid)
        resident += int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        descriptors += len(os.listdir(folder / "fd"))
        threads += len(os.listdir(folder / "task"))
    return Size(round(resident / 2**20, 1), descriptors, threads, len(processes))


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def told_leg(leg: Leg, serial: Leg) -> dict[str, Any]:
    return {
        "seconds": round(leg.seconds, 2),
        "answers": leg.answers,
        "ms per answer": round(leg.seconds_per_answer * 1000, 1),
        "of these the model's": round(leg.model_seconds_per_answer * 1000, 1),
        "total/serial": round(leg.seconds_per_answer / serial.seconds_per_answer, 3),
        "statuses": dict(leg.statuses),
        "wrong": leg.wrong,
        **{f"health {name} ms": value for name, value in percentiles(leg.health).items()},
    }


def print_legs(legs: dict[str, Leg]) -> None:
    serial = legs["serial"]
    columns = ("seconds", "answers", "ms each", "model", "total/serial", "429", "other", "wrong")
    print(" " * 14 + "".join(f"{name:>{len(name) + 2}}" for name in columns) + "  health p50    p99  max ms")
    for name, leg in legs.items():
        other = leg.statuses.total() - leg.answers - leg.statuses[429]
        health = percentiles(leg.health) or dict.fromkeys(("p50", "p99", "max"), math.nan)
        each = leg.seconds_per_answer
        print(
            f"{name:<14}{leg.seconds:>9.1f}{leg.answers:>9}{each * 1000:>9.1f}"
            f"{leg.model_seconds_per_answer * 1000:>7.1f}{each / serial.seconds_per_answer:>14.3f}"
            f"{leg.statuses[429]:>5}{other:>7}{leg.wrong:>7}"
            f"{health['p50']:>12.1f}{health['p99']:>7.1f}{health['max']:>8.1f}",
            flush=True,
        )


def print_sizes(sizes: dict[str, Size]) -> None:
    print("\nThe service and its workers together")
    print(f"{'':<22}{'MiB':>8}{'descriptors':>13}{'threads':>9}{'processes':>11}")
    for when, size in sizes.items():
        print(f"{when:<22}{size.mebibytes:>8.1f}{size.descriptors:>13}{size.threads:>9}{size.processes:>11}")
    print(flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
