"""Lists in requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

T = TypeVar("T")


@dataclass(frozen=True)
class _EndsAtFirstError:
    """What pydantic's ``FailFast`` is, which has no hash and so cannot be part of a union."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        if schema["type"] != "list":
            raise TypeError(f"{source} is no list.")
        # Beside the bounds of its length, which may be there already.
        return cast(CoreSchema, {**schema, "fail_fast": True})


WireList = Annotated[list[T], _EndsAtFirstError()]
"""A list whose reading ends at its first wrong item, of which alone the client is told.

Half a million wrong items (a megabyte) would else take seconds of the event loop, and 0.7 GB for what is wrong with
each of them.
"""
