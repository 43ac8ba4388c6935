"""Pictures on their way to the worker: each file once, told by its digest from then on."""

from __future__ import annotations

from typing import Any


def pack_pictures(
    text: str, pictures: list[tuple[str, bytes]], known: frozenset[str]
) -> tuple[dict[str, Any], bytes]:
    """Fields of an order, and what travels behind them: the text, and the files that the worker does not know."""
    encoded, sent = text.encode(), set(known)
    fields, files = [], [encoded]
    for digest, data in pictures:
        is_new = digest not in sent
        sent.add(digest)
        fields.append({"digest": digest, "n_bytes": len(data) if is_new else 0})
        if is_new:
            files.append(data)
    return {"pictures": fields, "text_bytes": len(encoded)}, b"".join(files)


def unpack_pictures(order: dict[str, Any], blob: bytes) -> tuple[str, dict[str, bytes]]:
    """The text of an order, and the files that came with it by their digests."""
    at = order["text_bytes"]
    text, files = blob[:at].decode(), {}
    for picture in order["pictures"]:
        if picture["n_bytes"]:
            files[picture["digest"]] = blob[at : at + picture["n_bytes"]]
            at += picture["n_bytes"]
    return text, files
