"""What the way from the library's callback to an HTTP client costs per token.

Three programs run the same scripted model, or its pace: a bare ctypes loop around ``rkllm_run`` (what
any binding pays), the whole service (worker, engine, chat, ASGI, uvicorn), and an ASGI application
that sends ready-made chunks at the same pace (what any service pays). CPU time is what the kernel
accounted to the threads of each program, summed over its processes; the client is not counted.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ENDLESS = 100_000
PACES = {
    # name: (decode ms per token, tokens per run, aim in microseconds per token)
    "full speed": (0.0, 20_000, 25),
    "500 tokens/s": (2.0, 1_000, 80),
    "15 tokens/s": (66.667, 150, 600),
}
FIRST_TOKEN_RUNS = 40
AIM_FIRST_TOKEN_MS = 5.0


@dataclass
class Cost:
    """CPU seconds and events of one streamed answer."""

    cpu: float
    events: int

    @property
    def microseconds(self) -> float:
        return self.cpu / self.events * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        for number, (decode_ms, _, _) in enumerate(PACES.values()):
            (models / f"pace-{number}.gguf").write_text(script(decode_ms))
        print("CPU per streamed token, in microseconds")
        print(f"{'pace':<14}{'bare ctypes':>12}{'service':>10}{'added':>8}{'aim':>6}{'bare ASGI':>11}{'lost':>6}")
        with serving("rag_service", models) as service, serving("nothing", models) as nothing:
            for number, (name, (decode_ms, tokens, aim)) in enumerate(PACES.items()):
                bare = bare_loop(models / f"pace-{number}.gguf", tokens)
                service.stream(f"pace-{number}", 20)
                whole = service.stream(f"pace-{number}", tokens)
                nothing.stream(str(decode_ms), 20)
                asgi = nothing.stream(str(decode_ms), tokens)
                added = whole.microseconds - bare.microseconds
                print(
                    f"{name:<14}{bare.microseconds:>12.1f}{whole.microseconds:>10.1f}{added:>8.1f}{aim:>6}"
                    f"{asgi.microseconds:>11.1f}{tokens - whole.events:>6}"
                )
            first_token(service, models / "pace-0.gguf")


def script(decode_ms: float) -> str:
    head = f'#!rkllm-script 1\ncontext 32768\nword " la"\ndecode_ms {decode_ms}\n'
    return head + f'rule *\n  repeat {ENDLESS} " la"\nend\n'


def first_token(service: Server, model: Path) -> None:
    """Time to the first token over HTTP, beside that of the library itself."""
    whole = [service.first_token_ms("pace-0") for _ in range(FIRST_TOKEN_RUNS)]
    bare = json.loads(bare_process(model, FIRST_TOKEN_RUNS, "first"))
    added = statistics.median(whole) - statistics.median(bare)
    print(
        f"\nTime to first token: {statistics.median(whole):.2f} ms over HTTP, {statistics.median(bare):.2f} ms "
        f"in the library: {added:.2f} ms added (aim: under {AIM_FIRST_TOKEN_MS:.0f})"
    )


def bare_loop(model: Path, tokens: int) -> Cost:
    cpu, events = json.loads(bare_process(model, tokens, "stream"))
    return Cost(cpu, events)


def bare_process(model: Path, count: int, what: str) -> str:
    command = [sys.executable, "-m", "benchmarks.bare_loop", str(model), str(count), what]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    return done.stdout.strip().splitlines()[-1]


class Server:
    """A server process under measurement."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    def stream(self, model: str, tokens: int) -> Cost:
        before = cpu_seconds(self.pid)
        response, connection = self._ask(model, tokens)
        events = sum(line.startswith(b'data: {"id"') and b'"content":" la"' in line for line in response)
        connection.close()
        return Cost(cpu_seconds(self.pid) - before, events)

    def first_token_ms(self, model: str) -> float:
        started = time.perf_counter()
        response, connection = self._ask(model, 4)
        for line in response:
            if b'"content":" la"' in line:
                break
        elapsed = (time.perf_counter() - started) * 1000
        response.read()
        connection.close()
        return elapsed

    def _ask(self, model: str, tokens: int) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        body = {
            "model": model,
            "stream": True,
            "max_tokens": tokens,
            "messages": [{"role": "user", "content": "Sing."}],
        }
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(response.read().decode())
        return response, connection


@contextmanager
def serving(what: str, models: Path) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.serve", what, str(port), str(models)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with exit code {process.returncode}.")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("The server did not start.")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of its children, ended threads included, by the kernel's own clocks."""
    total = time.clock_gettime((~pid << 3) | 2)  # Linux: the id of a process's CPU clock
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += sum(cpu_seconds(int(child)) for child in (task / "children").read_text().split())
    return total


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
