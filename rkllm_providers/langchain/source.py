"""Where an object's model is, and the model it has opened: what all of this package's classes have."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from rkllm_providers.engine import LanguageModel, ModelAddress, ModelFacts
from rkllm_providers.langchain.errors import langchain_errors
from rkllm_providers.provider_settings import ModelHolder


class ModelSource(ModelHolder):
    """A model in a folder of this machine, or behind the base URL of a running service.

    Constructing one does no I/O. The model is found on first use, loaded by the first request, and shared with
    every other object of this Python process that uses it.
    """

    model: str
    """Id of a model in the models folder, or path of a model file."""
    models_dir: str | None = None
    """The models folder; ``RKLLM_MODELS_DIR`` or ``~/models`` where it is ``None``."""
    library: str | None = None
    """Path of librkllmrt.so; found as ``rkllm_providers.runtime.find_library`` says where it is ``None``."""
    runtime_version: str | None = None
    """Overrides the version that is read from the library, e.g. ``"1.3.0"``."""
    context_length: int | None = Field(default=None, gt=0)
    """Context window in tokens, where less than the model's own is wanted."""
    base_url: str | None = None
    """Address of a running service that has the model, instead of this machine."""
    api_key: SecretStr | None = None
    """The key that service asks for."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds for a whole request, the wait in the queue included."""

    # Names that LangChain or its users give to any model, and that mean nothing for this one.
    _accepted: ClassVar[frozenset[str]] = frozenset({"max_retries"})

    @model_validator(mode="before")
    @classmethod
    def _name_unknown_settings(cls, values: Any) -> Any:
        if isinstance(values, dict):
            unknown = sorted(set(values) - set(cls.model_fields) - cls._accepted)
            if unknown:
                warnings.warn(f"{cls.__name__} has no settings {', '.join(unknown)}; they are ignored.", stacklevel=2)
        return values

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def open(self) -> ModelFacts:
        """Find the model and tell what is known of it. Nothing is loaded yet.

        Raises:
            ModelNotFound: There is no such model.
            EngineClosed: This object was closed.
        """
        with langchain_errors():
            return self._open().facts

    async def aopen(self) -> ModelFacts:
        """The asynchronous twin of ``open``."""
        with langchain_errors():
            return (await self._aopen()).facts

    def _open(self, model: str | None = None) -> LanguageModel:
        return self._leases.take(self._address(model))

    async def _aopen(self, model: str | None = None) -> LanguageModel:
        return await self._leases.atake(self._address(model))

    def _address(self, model: str | None = None) -> ModelAddress:
        """Where a model is: this object's, or another beside it."""
        key = self.api_key.get_secret_value() if self.api_key is not None else None
        return ModelAddress(
            self.model if model is None else model,
            self.models_dir,
            self.library,
            self.runtime_version,
            self.context_length,
            self.base_url,
            key,
        )
