"""The newest user turn with its sources: what the model is given to read.

Only this turn changes. The system message with its persona and wishes, and the history, stay as they were sent, so
that the part of the prompt that the model has read already stays the same.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from rag_service.retrieval.instructions import INSTRUCTIONS, Instructions
from rag_service.retrieval.language import language_of
from rag_service.retrieval.turns import Use
from rag_service.retrieval.types import Excerpt

# Longer names say no more, and cost room for text.
LONGEST_NAME: Final = 160
_LANGUAGE_SAMPLE: Final = 2_000
# Ids that a model can repeat: what Open WebUI numbers with, and short keys.
_CITABLE: Final = re.compile(r"[\w.:-]{1,16}")
# A tag of the wrapping's own names, also with signs within that nobody sees.
_UNSEEN: Final = r"\s\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_TAG: Final = re.compile(
    rf"[<＜﹤](?=[{_UNSEEN}/／\\]*(?:{'|'.join(f'[{_UNSEEN}]*'.join(name) for name in ('source', 'context'))}))",
    re.IGNORECASE,
)
_BREAKS: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def place_sources(
    question: str,
    excerpts: Sequence[Excerpt],
    *,
    use: Use = "passages",
    coverage: bool = False,
    foreign: bool = False,
) -> str:
    """The text of the newest user turn: an instruction, the excerpts in their order, and last the question as it is.

    The instruction is in the question's language where there is one for it, else in English. ``use`` and
    ``coverage`` are the decision's; ``foreign`` says that the sources are in another language than the question.
    Citations are asked for only where sources have ids. Neighbouring excerpts of one source share its element.
    Without excerpts the question is returned alone.
    """
    if not excerpts:
        return question
    said = INSTRUCTIONS.get(language_of(question[-_LANGUAGE_SAMPLE:]) or "en", INSTRUCTIONS["en"])
    instruction = _instruction(said, excerpts, use=use, coverage=coverage, foreign=foreign)
    return "\n\n".join((instruction, write_sources(excerpts), question))


def write_sources(excerpts: Iterable[Excerpt]) -> str:
    """The excerpts as the prompt shows them: an element for each run of one source."""
    runs = groupby(excerpts, key=lambda one: (one.source_id, one.title))
    return "\n".join(_element(list(group)) for _, group in runs)


def _instruction(said: Instructions, excerpts: Sequence[Excerpt], *, use: Use, coverage: bool, foreign: bool) -> str:
    task = said.whole if coverage else said.passages if use == "passages" else said.both
    sentences = [task]
    cited = next((one.source_id for one in excerpts if _CITABLE.fullmatch(one.source_id)), None)
    if cited is not None:
        sentences.append(said.cite.format(id=cited))
    sentences.append(said.quoted)
    if foreign:
        sentences.append(said.foreign)
    return ("" if said is INSTRUCTIONS["zh"] else " ").join(sentences)


def _element(excerpts: Sequence[Excerpt]) -> str:
    """One source's element. Its attributes are escaped as in HTML, its text only where it would be a tag of ours."""
    first = excerpts[0]
    attributes = [("id", _on_one_line(first.source_id)), ("name", _on_one_line(first.title))]
    written = "".join(f' {key}="{guard_text(html.escape(value))}"' for key, value in attributes if value)
    body = "\n…\n".join(one.text.strip() for one in excerpts)
    return f"<source{written}>\n{guard_text(body)}\n</source>"


def guard_text(text: str) -> str:
    """A text of a source in which nothing opens or closes a source: such a ``<`` is written ``&lt;``."""
    return _TAG.sub("&lt;", text)


def _on_one_line(value: str) -> str:
    line = _BREAKS.sub(" ", value).strip()
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1].rstrip() + "…"
