"""Where an object's model is, and the model once it is opened: what all three classes share."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from pydantic import ConfigDict, Field, model_validator

from rkllm_providers.engine import LanguageModel, ModelAddress
from rkllm_providers.provider_settings import ModelHolder

# Written by the framework when it serialises an object, and given back by some of its loaders.
_ACCEPTED: Final = frozenset({"class_name"})


class ModelConnection(ModelHolder):
    """A model by its name, opened on first use and shared with all objects of this process that use it.

    Constructing one does no I/O. These settings cannot be assigned later, since the model may be open already:
    make a new object, or ``model_copy(update=...)``. An object that is forgotten without ``close`` leaves the model
    loaded for the next one.
    """

    # An error about one setting would show all of them, the key included.
    model_config = ConfigDict(hide_input_in_errors=True)

    model: str = Field(frozen=True)
    """Id of a model in the models folder, path of a model file, or name of a model of the service."""
    models_dir: str | None = Field(default=None, frozen=True)
    """The models folder; ``RKLLM_MODELS_DIR`` or ``~/models`` where it is ``None``."""
    library: str | None = Field(default=None, frozen=True)
    """Path of librkllmrt.so; found as ``rkllm_providers.runtime.find_library`` says where it is ``None``."""
    runtime_version: str | None = Field(default=None, frozen=True)
    """Overrides the version that is read from the library, e.g. ``"1.3.0"``."""
    context_length: int | None = Field(default=None, gt=0, frozen=True)
    """Context window in tokens, where less than the model's own is wanted."""
    base_url: str | None = Field(default=None, frozen=True)
    """Where a service runs the model, e.g. ``"http://board:8000/v1"``; ``None`` runs it on this machine."""
    api_key: str | None = Field(default=None, frozen=True, exclude=True, repr=False)
    """The service's key. It is in no payload, dump or repr."""

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_settings(cls, values: Any) -> Any:
        if isinstance(values, dict):
            warn_of_unknown(cls.__name__, "settings", set(values) - _ACCEPTED, cls.model_fields)
        return values

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await self.aopen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def open(self) -> None:
        """Find the model and read its file's head; it is loaded by the first request.

        Raises:
            ModelNotFound: There is no such model.
            ModelLoadError: Its file is broken.
            EngineClosed: This object was closed.
        """
        self._opened()

    async def aopen(self) -> None:
        """``open`` for event loops: what is read is read on a thread."""
        await self._aopened()

    @property
    def _address(self) -> ModelAddress:
        return ModelAddress(
            self.model,
            self.models_dir,
            self.library,
            self.runtime_version,
            self.context_length,
            base_url=self.base_url,
            api_key=self.api_key,
        )

    def _opened(self) -> LanguageModel:
        return self._leases.take(self._address)

    async def _aopened(self) -> LanguageModel:
        return await self._leases.atake(self._address)


def warn_of_unknown(owner: str, what: str, given: Iterable[str], known: Mapping[str, Any] | Iterable[str]) -> None:
    """Name in a warning what ``owner`` does not know, each with the name it may be meant for."""
    names = sorted(known)
    unknown = []
    for name in sorted(set(given) - set(names)):
        alike = difflib.get_close_matches(name, names, 1)
        unknown.append(f"{name} (is {alike[0]} meant?)" if alike else name)
    if unknown:
        warnings.warn(f"{owner} has no {what} {', '.join(unknown)}; they are ignored.", UserWarning, stacklevel=3)
