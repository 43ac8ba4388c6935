"""Sizes, offsets and enum values of a runtime version, for people and for tests.

``python -m rkllm_providers.runtime.layouts VERSION`` prints them as JSON.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rkllm_providers.errors import UnsupportedRuntime
from rkllm_providers.runtime.abi import layout


def describe(version: str) -> dict[str, Any]:
    """Every struct's size and offsets, and every enum's values.

    ``{"structs": {NAME: {"size": N, "fields": {FIELD: OFFSET}}}, "enums": {NAME: {MEMBER: VALUE}}}``.
    Offsets are bytes from the start of NAME, also for members of nested structs, which have dotted
    names; members of the anonymous union are direct fields. An unnamed struct has an entry of its own,
    such as ``RKLLMMultiModalInput.image``. Raises ``UnsupportedRuntime`` for an unknown version.
    """
    types = layout(version)
    return {
        "structs": {
            name: {"size": ctypes.sizeof(struct), "fields": dict(_offsets(struct))}
            for name, struct in types.structs.items()
        },
        "enums": {name: dict(members) for name, members in types.enums.items()},
    }


def _offsets(struct: Any, prefix: str = "", base: int = 0) -> Iterator[tuple[str, int]]:
    anonymous = getattr(struct, "_anonymous_", ())
    for name, type_ in struct._fields_:
        offset = base + getattr(struct, name).offset
        if name in anonymous:
            yield from _offsets(type_, prefix, offset)
            continue
        yield prefix + name, offset
        if issubclass(type_, ctypes.Structure):
            yield from _offsets(type_, f"{prefix}{name}.", offset)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: print the layout of one version; 2 is the exit code for an unknown one."""
    parser = argparse.ArgumentParser(
        prog="python -m rkllm_providers.runtime.layouts",
        description="Print the struct sizes, field offsets and enum values of a runtime version as JSON.",
    )
    parser.add_argument("version", metavar="VERSION", help="runtime version, such as 1.2.3")
    version = parser.parse_args(arguments).version
    try:
        description = describe(version)
    except UnsupportedRuntime as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(description, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
