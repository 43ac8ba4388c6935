"""Log lines: for people or as JSON, with the id of the request they are about, and to a file that does not grow.

Above the level ``debug`` no line holds what somebody wrote: of an unexpected error its class and place are told, and
not its message, which may quote a request.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from types import TracebackType
from typing import Any, Final, TextIO

from rag_service.config_file import SettingsError
from rag_service.settings import ServiceSettings
from rkllm_providers.errors import RKLLMError

FILE_BYTES: Final = 10_000_000
"""A log file of this size is put aside, and a new one begun."""

FILES: Final = 3
"""Log files there are at most, the current one among them."""

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered."""

_STANDARD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "request_id", "color_message"})

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LineFormatter(logging.Formatter):
    """A line for people."""

    def __init__(self, *, private: bool = True, timed: bool = False) -> None:
        """``private`` leaves out what errors quote; ``timed`` puts the time before it, for files."""
        super().__init__()
        self._private = private
        self._timed = timed

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the places of an error below it."""
        when = f"{_time_of(record)} " if self._timed else ""
        about = f" [{named}]" if (named := _request_of(record)) else ""
        # A line break in a name that a stranger chose must not look like another line of the log.
        text = f"{when}{record.levelname} {record.name}:{about} {record.getMessage()}".replace("\n", "\\n").replace(
            "\r", "\\r"
        )
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802
        """The places of an error and its class."""
        error = ei[1]
        if error is None:
            return ""
        return places_of(error) if self._private else "".join(traceback.format_exception(error)).rstrip()


class JSONFormatter(LineFormatter):
    """A line that is a JSON object: ``time``, ``level``, ``logger``, ``message``, ``request_id``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (named := _request_of(record)) is not None:
            told["request_id"] = named
        told |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=True, default=str)


def places_of(error: BaseException) -> str:
    """Where an error came from and of what class it is, and those that caused it, without their messages."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        said = f": {str(current).partition(chr(10))[0]}" if isinstance(current, RKLLMError) else ""
        places = "".join(traceback.format_tb(current.__traceback__)).rstrip()
        parts.append(f"{places}\n{type(current).__name__}{said}".lstrip())
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\ncaused by:\n".join(parts)


def configure_logging(settings: ServiceSettings, stream: TextIO | None = None) -> None:
    """Send all log lines of this process to ``stream`` (the standard error), and to a file where one is set.

    Raises:
        SettingsError: The file cannot be written.
    """
    private = settings.api_log_level != "debug"
    kind = JSONFormatter if settings.log_format == "json" else LineFormatter
    handlers: list[logging.Handler] = [logging.StreamHandler(stream or sys.stderr)]
    if settings.log_file is not None:
        try:
            handlers.append(_PrivateFile(settings.log_file, maxBytes=FILE_BYTES, backupCount=FILES - 1))
        except OSError as error:
            raise SettingsError([f"The log file {settings.log_file} cannot be written: {error.strerror}."]) from error
    root = logging.getLogger()
    for handler in list(root.handlers):
        # Those that a program put there itself for its own purposes stay.
        if type(handler) in (logging.StreamHandler, _PrivateFile):
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        # What reads a service's standard error adds the time itself.
        handler.setFormatter(kind(private=private, timed=isinstance(handler, _PrivateFile)))
        root.addHandler(handler)
    level = logging.getLevelNamesMapping()[settings.api_log_level.upper()]
    root.setLevel(level)
    # What these say below a warning is about sockets and files, and may hold text.
    for name in ("httpx", "httpcore", "urllib3", "trafilatura"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class _PrivateFile(RotatingFileHandler):
    """A log file that only its owner can read."""

    def _open(self) -> Any:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags | os.O_CLOEXEC, 0o600)

        return open(self.baseFilename, self.mode, encoding="utf-8", opener=opener)


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _request_of(record: logging.LogRecord) -> str | None:
    named = getattr(record, "request_id", None) or request_id.get()
    return named if isinstance(named, str) else None
