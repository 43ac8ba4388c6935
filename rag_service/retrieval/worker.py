"""The process that retrieval runs in: takes one job at a time from a socket and answers it.

``python -m rag_service.retrieval.worker FD``. A job says by its kind what is to be done. The process ends itself when
the other side closes the socket, also in the middle of a job.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any

from rag_service.retrieval import messages
from rag_service.retrieval.analyse import Analyser
from rag_service.retrieval.files import UnreadableFileError, read_file
from rag_service.retrieval.lexical_vectors import embed_texts
from rag_service.retrieval.pipeline import retrieve
from rag_service.retrieval.rank_texts import rank_texts


class Worker:
    """Answers the jobs of one ``JobProcess``."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._inbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._analyser = Analyser()

    def serve(self) -> None:
        """Answer jobs for ever; the reading thread ends the process."""
        threading.Thread(target=self._read, name="messages", daemon=True).start()
        while True:
            job = self._inbox.get()
            try:
                answer = {"kind": "done", "result": self._run(job)}
            except Exception as error:  # noqa: BLE001 - told to the caller, without any text of the job
                answer = {"kind": "failed", "error": type(error).__name__, "where": _place(error)}
            self._send(answer)

    def _run(self, job: dict[str, Any]) -> Any:
        if job["kind"] == "embed":
            return messages.pack_vectors(*embed_texts(self._analyser, job["texts"]))
        if job["kind"] == "rank":
            return rank_texts(self._analyser, job["query"], job["texts"])
        if job["kind"] == "file":
            return _read_file(job)
        sources, turns, settings, budget = messages.unpack_job(job)
        return messages.pack_retrieved(
            retrieve(sources, turns, settings, self._count, budget=budget, analyser=self._analyser)
        )

    def _count(self, text: str) -> int:
        """Ask the other side, which has the tokenizer."""
        self._send({"kind": "count", "text": text})
        return int(self._inbox.get()["tokens"])

    def _send(self, message: dict[str, Any]) -> None:
        self._channel.sendall(messages.pack_frame(message))

    def _read(self) -> None:
        try:
            with self._channel.makefile("rb") as stream:
                while (size := stream.read(messages.HEAD_BYTES)) and len(size) == messages.HEAD_BYTES:
                    self._inbox.put(messages.unpack_frame(stream.read(messages.frame_size(size))))
        except (OSError, ValueError):
            pass  # the other side is gone, in the middle of a frame or not
        os._exit(0)


def _read_file(job: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"pages": messages.pack_pages(read_file(messages.unpack_file(job)))}
    except UnreadableFileError as error:
        return {"unreadable": str(error)}


def _place(error: BaseException) -> str:
    """Where in this package an error came from; its own words may quote a text."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"


def main(arguments: list[str]) -> None:
    """Serve the socket whose descriptor is the argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(int(arguments[0]), False)
    channel = socket.socket(fileno=int(arguments[0]))
    channel.setblocking(True)
    Worker(channel).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
