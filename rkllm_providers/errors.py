"""Every error this package raises on purpose.

::

    RKLLMError
    ├── LibraryNotFound          no librkllmrt.so (or emulator) where one was expected
    ├── UnsupportedRuntime       a library whose version is unknown, or that contradicts itself
    │   └── UnsupportedFeature   the runtime's version lacks what was asked for
    ├── ModelNotFound            no such model in the models folder
    ├── ModelLoadError           the library refused the model
    ├── NPUBusy                  another process owns the NPU
    ├── InvalidRequest           a request that can never succeed as it stands
    │   └── ContextLengthExceeded   the prompt does not fit the model's context window
    ├── QueueFull                too many requests wait already; try again later
    ├── RequestTimeout           a time limit passed before the answer was complete
    ├── RequestCancelled         the caller cancelled the request
    ├── GenerationError          the library failed while it ran, or the model did not do what it had to
    │   ├── InvalidOutput        the answer was not the JSON that was asked for
    │   ├── RknnError            librknnrt.so, which encodes pictures, reported an error
    │   └── WorkerCrashed        the process that ran the library died
    ├── ServiceUnreachable       no service of this package answers at a base URL
    └── EngineClosed             use after close()

Messages say what happened, with numbers, and what to do next. Data that a caller may want to act
on is also in attributes.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

# What an error shows of names, which strangers choose, and of lists, which may be long.
_MOST_NAMES: Final = 20
_MOST_BROKEN: Final = 3
_MOST_NAME_CHARACTERS: Final = 100


class RKLLMError(Exception):
    """Root of all errors raised by this package."""


class LibraryNotFound(RKLLMError, OSError):
    """No runtime library was found where one was expected."""


class UnsupportedRuntime(RKLLMError):
    """The library's version is unknown, or what it says of itself does not agree."""


class UnsupportedFeature(UnsupportedRuntime):
    """The runtime in use lacks a feature; the message names the version that has it."""


class ModelNotFound(RKLLMError, LookupError):
    """No model of that name exists, or several may be meant.

    ``known`` lists the ids that do exist, ``could_be`` those that the name may stand for. ``broken`` says of
    files that cannot be used why; what is asked for may be one of them.
    """

    def __init__(
        self,
        model: str,
        known: Sequence[str] = (),
        hint: str = "",
        *,
        could_be: Sequence[str] = (),
        broken: Sequence[str] = (),
    ) -> None:
        self.model = model
        self.known = tuple(known)
        self.could_be = tuple(could_be)
        self.broken = tuple(broken)
        name = model if len(model) <= _MOST_NAME_CHARACTERS else f"{model[:_MOST_NAME_CHARACTERS]}…"
        sentences = [
            f"Model {name!r} could be {_listed(name, self.could_be, ' or ')}: name one of them."
            if self.could_be
            else f"Model {name!r} was not found.",
            f"Known models: {_listed(name, self.known)}.",
            hint,
        ]
        if self.broken:
            more = len(self.broken) - _MOST_BROKEN
            shown = [problem.rstrip(".") for problem in self.broken[:_MOST_BROKEN]]
            sentences.append(f"Not usable: {'; '.join(shown)}{f'; and {more} more' if more > 0 else ''}.")
        super().__init__(" ".join(filter(None, sentences)))

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class ModelLoadError(RKLLMError):
    """The library could not load the model; ``log_tail`` holds the library's own last lines."""

    def __init__(self, message: str, log_tail: Sequence[str] = ()) -> None:
        self.log_tail = tuple(log_tail)
        super().__init__(with_log(message, self.log_tail))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class NPUBusy(RKLLMError):
    """Another process owns the NPU: ``holder_pid``, which serves its models at ``base_url`` if it serves any.

    Both are ``None`` where the holder did not say.
    """

    def __init__(
        self,
        holder_pid: int | None,
        base_url: str | None = None,
        models: Sequence[str] = (),
        *,
        ended: bool = False,
    ) -> None:
        self.holder_pid = holder_pid
        self.base_url = base_url
        self.models = tuple(models)
        holder = "another process" if holder_pid is None else f"process {holder_pid}"
        if self.models:
            holder += f" ({', '.join(self.models)})"
        if ended:
            advice = "That process is gone, and its worker ends within seconds: try again."
        elif base_url is not None:
            advice = f"It serves its models: use base_url {base_url}, or stop it."
        else:
            advice = "Stop it, or use its models there."
        super().__init__(
            f"The NPU is in use by {holder}. {advice} To load models in both, and share its speed and memory, "
            f"switch the lock off (RKLLM_NPU_LOCK=off)."
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class InvalidRequest(RKLLMError, ValueError):
    """The request cannot succeed as it stands; ``param`` names the part at fault where one is."""

    def __init__(self, message: str, param: str | None = None) -> None:
        self.param = param
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class ContextLengthExceeded(InvalidRequest):
    """The prompt does not fit; ``n_prompt_tokens`` and ``n_ctx`` are the two numbers.

    A text far too long is not counted to its end: ``at_least`` so many tokens it has. ``index`` is the number
    of the text among those of the request, where it has several.
    """

    def __init__(self, n_prompt_tokens: int, n_ctx: int, *, at_least: bool = False, index: int | None = None) -> None:
        self.n_prompt_tokens = n_prompt_tokens
        self.n_ctx = n_ctx
        self.at_least = at_least
        self.index = index
        what = "The prompt" if index is None else f"Text {index} (counted from 0)"
        super().__init__(
            f"{what} has {'at least ' if at_least else ''}{n_prompt_tokens} tokens, and the model's context "
            f"window holds {n_ctx}, of which at least one is needed for the answer. Shorten the "
            f"{'messages' if index is None else 'text'}, or load the model with a larger context if it allows one.",
            param="messages" if index is None else "input",
        )


class QueueFull(RKLLMError):
    """The queue of waiting requests is at its bound; ``retry_after`` is a wait in seconds."""

    def __init__(self, waiting: int, bound: int, retry_after: float) -> None:
        self.waiting = waiting
        self.bound = bound
        self.retry_after = retry_after
        super().__init__(
            f"{waiting} requests are waiting for this model already and the bound is {bound}. "
            f"Try again in about {retry_after:.0f} s."
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class RequestTimeout(RKLLMError, TimeoutError):
    """A time limit of a request passed; ``phase`` says in which part: queue, load or run."""

    def __init__(self, message: str, phase: str, limit_seconds: float) -> None:
        self.phase = phase
        self.limit_seconds = limit_seconds
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class RequestCancelled(RKLLMError):
    """The request was cancelled by its caller before it was complete."""


class GenerationError(RKLLMError):
    """The library failed during a run; ``log_tail`` holds the library's own last lines."""

    def __init__(self, message: str, log_tail: Sequence[str] = ()) -> None:
        self.log_tail = tuple(log_tail)
        super().__init__(with_log(message, self.log_tail))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class InvalidOutput(GenerationError):
    """The answer was to be JSON of a certain form, and was not, however often it was tried.

    ``text`` is what the model wrote last, ``problem`` what is wrong with it.
    """

    def __init__(self, message: str, text: str, problem: str) -> None:
        super().__init__(message)
        self.text = text
        self.problem = problem


class RknnError(GenerationError):
    """A function of librknnrt.so failed, or what it gave cannot be used.

    ``code`` is what the function returned, ``name`` what the vendor's header calls that, such as
    ``RKNN_ERR_MODEL_INVALID``, and ``function`` which one it was; all are empty where the error came from afar.
    """

    def __init__(
        self,
        message: str,
        log_tail: Sequence[str] = (),
        *,
        code: int | None = None,
        name: str = "",
        function: str = "",
    ) -> None:
        super().__init__(message, log_tail)
        self.code = code
        self.name = name
        self.function = function


class WorkerCrashed(GenerationError):
    """The worker process that ran the library ended by itself."""


class ServiceUnreachable(RKLLMError, ConnectionError):
    """Nothing answers at ``base_url``, the connection broke, or what answers there is no service of this package."""

    def __init__(self, message: str, base_url: str) -> None:
        self.base_url = base_url
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class EngineClosed(RKLLMError, RuntimeError):
    """The engine was closed; nothing can be asked of it any more."""


def with_log(message: str, log_tail: Sequence[str]) -> str:
    """Append the last lines a library printed to an error message."""
    if not log_tail:
        return message
    return message + "\nThe library's last lines:\n" + "\n".join(f"  {line}" for line in log_tail)


def _listed(name: str, known: Sequence[str], joint: str = ", ") -> str:
    """Names in their order; of many, those most like the one that was asked for."""
    if not known:
        return "none"
    if len(known) <= _MOST_NAMES:
        return joint.join(known)
    alike = difflib.get_close_matches(name.lower(), known, _MOST_NAMES, cutoff=0)
    return f"{joint.join(alike)} and {len(known) - _MOST_NAMES} more"


def _rebuild(cls: type[RKLLMError], args: tuple[object, ...], state: dict[str, object]) -> RKLLMError:
    """Unpickle an error whose ``__init__`` does not take ``args``."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
