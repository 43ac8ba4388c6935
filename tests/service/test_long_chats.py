"""How long a chat is, which says whether it is looked at on the event loop."""

from __future__ import annotations

from typing import Any

import pytest

from rag_service.grounding import Grounding, GroundingSettings, is_long


class Unwritten(str):
    """A text that must not be written out: that of a picture takes longer than a loop should wait."""

    def __repr__(self) -> str:
        raise AssertionError("it was written out")


PICTURE = Unwritten("data:image/png;base64," + "A" * 60_000)


@pytest.mark.parametrize(
    "content",
    [
        "x" * 60_000,
        [{"type": "text", "text": "x" * 60_000}],
        [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PICTURE}}],
        [{"type": "image_url", "image_url": PICTURE}],
    ],
)
def test_what_is_long(content: Any) -> None:
    assert is_long([{"role": "user", "content": "Hi"}, {"role": "user", "content": content}])


@pytest.mark.parametrize("content", ["Hi", None, [], [{"type": "text", "text": "Hi"}], [{"image_url": None}]])
def test_what_is_not(content: Any) -> None:
    assert not is_long([{"role": "user", "content": content}])


async def test_a_picture_is_not_searched_for_sources() -> None:
    grounding = Grounding(GroundingSettings())
    parts = [{"type": "image_url", "image_url": {"url": PICTURE}}, {"type": "text", "text": "What is it?"}]
    try:
        assert await grounding.read([{"role": "user", "content": parts}]) is None
    finally:
        await grounding.close()
