"""What becomes of every field of a request: it is honoured, refused, or named as ignored."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from rag_service.lexical import Lexical
from rag_service.picture_reader import PictureReader
from rag_service.pool import ModelPool
from rkllm_providers.errors import InvalidRequest, RequestTimeout

IGNORED_HEADER: Final = "X-RKLLM-Ignored-Fields"
# Only such names of unknown fields are fit for a header; a client that sends others knows them anyway.
_NAMEABLE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_NAMED: Final = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field that cannot be done: why, and the values that ask for nothing."""

    why: str
    harmless: tuple[Any, ...] = ()


class WireRequest(BaseModel):
    """The body of a request. What is not declared is either in ``refused``, or named in the answer's header."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    refused: ClassVar[Mapping[str, Refusal]] = {}

    def check_refused(self) -> None:
        """Refuse what cannot be done.

        Raises:
            InvalidRequest: Naming the field, and what to do instead.
        """
        for name, value in (self.model_extra or {}).items():
            refusal = self.refused.get(name)
            if refusal is not None and value is not None and value not in refusal.harmless:
                raise InvalidRequest(refusal.why, name)

    def ignored_fields(self) -> list[str]:
        """Names of fields that were sent and are not used."""
        extra = self.model_extra or {}
        return sorted(name for name, value in extra.items() if value is not None and name not in self.refused)

    def headers(self) -> dict[str, str]:
        """The header that names what is ignored."""
        named = [name for name in self.ignored_fields() if _NAMEABLE.fullmatch(name)][:_MAX_NAMED]
        return {IGNORED_HEADER: ",".join(named)} if named else {}


def named_extras(where: str, part: BaseModel | None) -> list[str]:
    """The names of what a part of a request has besides what is declared, and that is not empty."""
    extra = part.model_extra if part is not None else None
    return [f"{where}.{name}" for name, value in (extra or {}).items() if value]


def pool_of(request: Request) -> ModelPool:
    """The models of the application that answers."""
    pool: ModelPool = request.app.state.pool
    return pool


def pictures_of(request: Request) -> PictureReader:
    """What reads the pictures of requests in the application that answers."""
    reader: PictureReader = request.app.state.pictures
    return reader


def lexical_of(request: Request) -> Lexical:
    """What embeds and ranks without a model in the application that answers."""
    lexical: Lexical = request.app.state.lexical
    return lexical


async def within(seconds: float | None, work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` in the time that the request gives it.

    Raises:
        RequestTimeout: It took longer, and was cancelled.
    """
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError as error:
        if not limit.expired() or seconds is None:
            raise
        raise RequestTimeout(
            f"The request was not complete after {seconds:.1f} s. Send less at a time, or allow a longer time.",
            "run",
            seconds,
        ) from error
