"""Our errors as LangChain knows errors: each is one of ours and one of langchain-core's.

::

    rkllm_providers.errors         langchain_core.exceptions     worth a retry
    ModelNotFound                  ModelNotFoundError
    ContextLengthExceeded          ContextOverflowError
    InvalidRequest                 ModelInvalidRequestError
    UnsupportedFeature             ModelInvalidRequestError
    LibraryNotFound                ModelAPIError
    UnsupportedRuntime             ModelAPIError
    ModelLoadError                 ModelAPIError
    NPUBusy                        ModelAPIError                 yes
    QueueFull                      ModelRateLimitError           yes
    RequestTimeout                 ModelTimeoutError             yes
    GenerationError                ModelAPIError                 yes
    RknnError                      ModelAPIError                 yes
    WorkerCrashed                  ModelAPIError                 yes
    InvalidOutput                  ModelAPIError
    ServiceUnreachable             ModelConnectionError          yes

So ``except`` works with either class. The names here are those of ``rkllm_providers.errors``, and so are the
attributes; ``__cause__`` is the original. Errors that LangChain has no class for (``RequestCancelled``,
``EngineClosed``) are raised as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from rkllm_providers import errors
from rkllm_providers.errors import RKLLMError


class ModelNotFound(errors.ModelNotFound, ModelNotFoundError):
    """No model of that name exists, or several may be meant."""


class ContextLengthExceeded(errors.ContextLengthExceeded, ContextOverflowError):
    """The prompt does not fit the model's context window."""


class InvalidRequest(errors.InvalidRequest, ModelInvalidRequestError):
    """The request cannot succeed as it stands."""


class UnsupportedFeature(errors.UnsupportedFeature, ModelInvalidRequestError):
    """The runtime in use lacks what was asked for."""


class LibraryNotFound(errors.LibraryNotFound, ModelAPIError):
    """No runtime library was found where one was expected."""

    is_retryable = False


class UnsupportedRuntime(errors.UnsupportedRuntime, ModelAPIError):
    """The library's version is unknown, or what it says of itself does not agree."""

    is_retryable = False


class ModelLoadError(errors.ModelLoadError, ModelAPIError):
    """The library could not load the model."""

    is_retryable = False


class NPUBusy(errors.NPUBusy, ModelAPIError):
    """Another process owns the NPU."""


class QueueFull(errors.QueueFull, ModelRateLimitError):
    """Too many requests wait already."""


class RequestTimeout(errors.RequestTimeout, ModelTimeoutError):
    """A time limit passed before the answer was complete."""


class GenerationError(errors.GenerationError, ModelAPIError):
    """The library failed during a run."""


class RknnError(errors.RknnError, ModelAPIError):
    """The library that encodes pictures reported an error."""


class WorkerCrashed(errors.WorkerCrashed, ModelAPIError):
    """The process that ran the library died."""


class InvalidOutput(errors.InvalidOutput, ModelAPIError):
    """The answer was not the JSON that was asked for, however often it was tried."""

    is_retryable = False


class ServiceUnreachable(errors.ServiceUnreachable, ModelConnectionError):
    """No service of this package answers at a base URL."""


# The most special of ours first: the first that an error is an instance of is taken.
_FORMS: Final[tuple[tuple[type[RKLLMError], type[RKLLMError]], ...]] = (
    (errors.ModelNotFound, ModelNotFound),
    (errors.ContextLengthExceeded, ContextLengthExceeded),
    (errors.InvalidRequest, InvalidRequest),
    (errors.UnsupportedFeature, UnsupportedFeature),
    (errors.LibraryNotFound, LibraryNotFound),
    (errors.UnsupportedRuntime, UnsupportedRuntime),
    (errors.ModelLoadError, ModelLoadError),
    (errors.NPUBusy, NPUBusy),
    (errors.QueueFull, QueueFull),
    (errors.RequestTimeout, RequestTimeout),
    (errors.InvalidOutput, InvalidOutput),
    (errors.RknnError, RknnError),
    (errors.WorkerCrashed, WorkerCrashed),
    (errors.GenerationError, GenerationError),
    (errors.ServiceUnreachable, ServiceUnreachable),
)


def langchain_error(error: RKLLMError) -> RKLLMError:
    """The error as LangChain knows it; itself where there is no such form, or it has it already."""
    for ours, theirs in _FORMS:
        if isinstance(error, theirs):
            return error
        if isinstance(error, ours):
            made = theirs.__new__(theirs, *error.args)
            made.args = error.args
            made.__dict__.update(error.__dict__)
            return made
    return error


@contextmanager
def langchain_errors() -> Iterator[None]:
    """Raise our errors as LangChain knows them."""
    try:
        yield
    except RKLLMError as error:
        made = langchain_error(error)
        if made is error:
            raise
        raise made from error
