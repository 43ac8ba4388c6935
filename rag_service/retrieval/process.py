"""Work on texts in a process of its own, which is ended at its time limit: pages are strangers' texts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import rag_service
from rag_service.retrieval import messages
from rag_service.retrieval.files import FilePage, RawFile, UnreadableFileError
from rag_service.retrieval.pipeline import Retrieved
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Source, Turn
from rkllm_providers.errors import EngineClosed, GenerationError, QueueFull, RequestTimeout, WorkerCrashed

DEFAULT_SECONDS: Final = 20.0
DEFAULT_QUEUE: Final = 32
_END_SECONDS: Final = 2.0


class JobProcess:
    """One worker process and the queue before it. Belongs to the event loop it is first used in.

    The process is started by the first job, and again by the one after a limit, a cancel or a crash.
    """

    def __init__(self, *, seconds: float = DEFAULT_SECONDS, queue: int = DEFAULT_QUEUE) -> None:
        """``seconds`` is the limit of one job, starting the process included; ``queue`` jobs may wait.

        Raises:
            ValueError: ``seconds`` is not above 0, or ``queue`` is negative.
        """
        if seconds <= 0 or queue < 0:
            raise ValueError(f"A limit of {seconds} s and a queue of {queue} were given: above 0, and 0 or more.")
        self._seconds = seconds
        self._queue = queue
        self._pending = 0
        self._turn = asyncio.Lock()
        self._link: _Link | None = None
        self._closed = False

    async def run(self, job: dict[str, Any], what: str, *, count: Callable[[str], int] | None = None) -> Any:
        """Have a job done; its result as ``messages`` has it. ``count`` is called in a thread of this process.

        ``what`` says it in an error's words: "Reading 3 sources".

        Raises:
            QueueFull: Too many jobs wait already.
            RequestTimeout: The limit passed, in the queue or at work; the process was ended.
            WorkerCrashed: The process ended by itself.
            GenerationError: A stage failed, which is a fault of this program.
            EngineClosed: ``close`` was called.
        """
        if self._closed:
            raise EngineClosed("This retrieval was closed; make a new one.")
        if self._pending > self._queue:
            raise QueueFull(self._pending - 1, self._queue, self._seconds)
        self._pending += 1
        phase = "queue"
        try:
            # A job waits no longer than all before it may take.
            async with asyncio.timeout(self._seconds * self._pending):
                await self._turn.acquire()
            try:
                phase = "retrieval"
                async with asyncio.timeout(self._seconds):
                    return await self._run(job, count)
            finally:
                self._turn.release()
        except TimeoutError as error:
            raise RequestTimeout(
                f"{what} took more than {self._seconds:g} s and was ended. Send less at a time.", phase, self._seconds
            ) from error
        finally:
            self._pending -= 1

    @property
    def pid(self) -> int | None:
        """The process id, ``None`` while there is no process."""
        return self._link.pid if self._link else None

    async def close(self) -> None:
        """End the process. A job at work fails."""
        self._closed = True
        await self._end()

    async def _run(self, job: dict[str, Any], count: Callable[[str], int] | None) -> Any:
        done = False
        try:
            if self._closed:
                raise EngineClosed("This retrieval was closed while a job waited.")
            link = self._link = self._link or await _Link.start()
            await link.send(job)
            while (answer := await link.receive())["kind"] == "count" and count is not None:
                await link.send({"tokens": await asyncio.to_thread(count, answer["text"])})
            done = True
        except (OSError, asyncio.IncompleteReadError) as error:
            raise WorkerCrashed("The process that reads texts ended by itself. Try again.") from error
        finally:
            if not done:
                # The worker is in the middle of something, or gone: its next answer would be to another question.
                await asyncio.shield(asyncio.ensure_future(self._end()))
        if answer["kind"] == "failed":
            raise GenerationError(f"Retrieval failed with {answer['error']} at {answer['where']}.")
        return answer["result"]

    async def _end(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.end()


class RetrievalProcess(JobProcess):
    """Retrieval in a process of its own."""

    async def retrieve(
        self,
        sources: Sequence[Source],
        turns: Sequence[Turn],
        settings: RetrievalSettings,
        count: Callable[[str], int],
        *,
        budget: int,
    ) -> Retrieved:
        """As ``pipeline.retrieve``. ``count`` is called in a thread of this process.

        Raises:
            RKLLMError: As ``run`` says.
            ValueError: ``budget`` is negative.
        """
        if budget < 0:
            raise ValueError(f"A budget of {budget} tokens is none; give 0 or more.")
        job = messages.pack_job(sources, turns, settings, budget)
        return messages.unpack_retrieved(await self.run(job, f"Reading {len(sources)} sources", count=count))

    async def read(self, file: RawFile) -> list[FilePage]:
        """As ``files.read_file``.

        Raises:
            UnreadableFileError: There is no text in it that can be read.
            RKLLMError: As ``run`` says.
        """
        job = await asyncio.to_thread(messages.pack_file, file)
        read = await self.run(job, f"Reading {len(file.body)} bytes")
        if "unreadable" in read:
            raise UnreadableFileError(read["unreadable"])
        return messages.unpack_pages(read["pages"])


class _Link:
    """A worker process and the streams to it."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls) -> _Link:
        ours, theirs = socket.socketpair()
        starting = asyncio.ensure_future(asyncio.to_thread(_start, theirs))
        try:
            process = await asyncio.shield(starting)
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            # Who is cancelled here leaves no process behind: starting one cannot be stopped, only waited for.
            ours.close()
            with contextlib.suppress(OSError):
                await _kill(await starting)
            raise
        return cls(process, reader, writer)

    async def send(self, message: dict[str, Any]) -> None:
        self._writer.write(await asyncio.to_thread(messages.pack_frame, message))
        await self._writer.drain()

    async def receive(self) -> dict[str, Any]:
        size = messages.frame_size(await self._reader.readexactly(messages.HEAD_BYTES))
        return await asyncio.to_thread(messages.unpack_frame, await self._reader.readexactly(size))

    async def end(self) -> None:
        await _kill(self._process)
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _no_tokens(text: str) -> int:
    raise GenerationError("Reading a file counts no tokens.")


async def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    await asyncio.to_thread(process.wait, _END_SECONDS)


def _start(theirs: socket.socket) -> subprocess.Popen[bytes]:
    with theirs:
        # -P keeps the current folder, whose content may be a stranger's, off the import path.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "rag_service.retrieval.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    root = Path(rag_service.__file__).resolve().parent.parent
    if root.name not in ("site-packages", "dist-packages"):
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{known}{os.pathsep}{root}" if known else str(root)
    return environment
