"""A page of megabytes that the service reads, and what another client's stream feels of it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.service_client import chat_body, percentiles, post_chat, probe
from benchmarks.stream_cost import Server

GAP_MS: Final = 20
SCRIPTS: Final = {
    "song": f'word " la"\ncontext 32768\ndecode_ms {GAP_MS}\nrule *\n  repeat 100000 " la"\nend\n',
    "pages": 'context 32768\nrule *\n  text "It is so [1]."\nend\n',
}


async def stream_beside(server: Server, tokens: int, page: bytes | None) -> dict[str, Any]:
    """The gaps of a stream while pages are read, one after the other; with ``None`` while nothing else is done."""
    took: list[float] = []
    statuses: Counter[int] = Counter()
    seconds = tokens * GAP_MS / 1000
    async with probe("gaps", server.port, "song", tokens) as gaps, probe("health", server.port, seconds) as health:
        began = time.perf_counter()
        while page is not None and (not took or time.perf_counter() - began < seconds):
            asked = time.perf_counter()
            response = await post_chat(server.port, page)
            took.append(time.perf_counter() - asked)
            statuses[response.status] += 1
    return {
        "pages": len(took),
        "statuses": dict(statuses),
        "seconds per page": round(sum(took) / len(took), 2) if took else None,
        "tokens": len(gaps) + 1,
        **{f"gap {name} ms": value for name, value in percentiles(gaps).items()},
        **{f"health {name} ms": value for name, value in percentiles(health).items()},
    }


def written_page(megabytes: float) -> list[str]:
    """Paragraphs of made-up words, as long together; the same ones each time."""
    chance = random.Random(1)
    syllables = ["ka", "lo", "mi", "ren", "tas", "vor", "un", "pel", "si", "dra", "os", "ne"]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(20_000)]
    paragraphs: list[str] = []
    size = 0
    while size < megabytes * 1e6:
        sentences = (" ".join(chance.choices(words, k=chance.randint(6, 24))) for _ in range(chance.randint(1, 6)))
        paragraphs.append(" ".join(f"{sentence.capitalize()}." for sentence in sentences))
        size += len(paragraphs[-1]) + 1
    return paragraphs


def page_body(paragraphs: Sequence[str], *, html: bool) -> bytes:
    """A chat with this page as its source, as Open WebUI puts it in."""
    if html:
        body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
        text = f"<html><head><title>A page</title></head><body>{body}</body></html>"
    else:
        text = "\n".join(paragraphs)
    question = f"What is said of {paragraphs[len(paragraphs) // 2].split()[1]}?"
    return chat_body("pages", f'<source id="1" name="page">{text}</source>\n\n{question}', stream=True)


def print_gaps(gaps: dict[str, dict[str, Any]], megabytes: float) -> None:
    print(f"\nGaps between the tokens of a stream, one per {GAP_MS} ms, while pages of {megabytes:g} MB are read")
    print(f"{'pages':<14}  read  s each  gap p50    p99  max ms  health p99  max ms")
    for kind, one in gaps.items():
        print(
            f"{kind:<14}{one['pages']:>6}{one['seconds per page'] or 0:>8.2f}"
            f"{one['gap p50 ms']:>9.1f}{one['gap p99 ms']:>7.1f}{one['gap max ms']:>8.1f}"
            f"{one['health p99 ms']:>12.1f}{one['health max ms']:>8.1f}",
            flush=True,
        )
