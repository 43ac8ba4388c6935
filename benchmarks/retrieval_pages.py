"""Pages made from paragraphs: the templates that end-to-end retrieval is measured on."""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.extraction import flatten
from rag_service.retrieval.types import Source

# Heads and feet of pages, each around other prose and the paragraph: a blog, a shop, a news site, an encyclopedia, a
# forum.
TEMPLATES: Final = (
    ("<nav><a href=/>Home</a><a href=/blog>Blog</a><a href=/about>About</a></nav><main><article><h1>{title}</h1>",
     "</article></main><aside><h3>Newsletter</h3><form><input><button>Subscribe</button></form></aside>"
     "<footer>© 2021 The blog. <a href=/p>Privacy policy</a></footer>"),
    ("<div id=top><ul><li><a href=/c>Cart (0)</a></li><li><a href=/l>Log in</a></li></ul></div>"
     "<div class=content><h1>{title}</h1>",
     "</div><div class=related><h2>You may also like</h2><ul><li><a href=/1>Blue chair</a></li>"
     "<li><a href=/2>Red table</a></li></ul></div><div id=foot>All prices include VAT. Terms of use</div>"),
    ("<header><a href=/>The Daily</a><a href=/w>World</a><a href=/s>Sport</a></header><div class=cookie>We use "
     "cookies to improve this site. <button>Accept all</button></div><article>"
     "<h1>{title}</h1><p class=by>By our staff</p>",
     "</article><section><h2>Most read</h2><ol><li><a href=/a>Ten ways to sleep</a></li></ol></section>"
     "<footer><a href=/c>Contact</a><a href=/a>Advertise</a></footer>"),
    ("<div id=mw><div class=noprint><a href=#a>Jump to content</a></div><h1>{title}</h1><div class=body>",
     "</div><div class=catlinks><a href=/x>Categories</a>: <a href=/y>Stubs</a></div></div><div id=footer>This page "
     "was last edited on 3 May. Text is available under a free licence.</div>"),
    ("<table class=menu><tr><td><a href=/f>Forum</a></td><td><a href=/m>Members</a></td></tr></table><h1>{title}</h1>"
     "<div class=post>",
     "</div><div class=reply><a href=/r>Reply</a> <a href=/q>Quote</a> <a href=/p>Report</a></div><div>Powered by a "
     "forum program</div>"),
)  # fmt: skip

_BLOCK: Final = re.compile(r"<(?:h1|h2|h3|p|div|article|main|aside|section|footer)\b")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph and the title of its article."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the number of the paragraph that answers it, and where in it: start and end."""

    text: str
    paragraph: int
    answers: tuple[tuple[int, int], ...]


def read_questions(path: Path) -> tuple[list[Paragraph], list[Question]]:
    """The paragraphs and questions of a SQuAD-like file, without answers that are not where they should be."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for article in content["data"]:
        for entry in article["paragraphs"]:
            text = entry["context"]
            for asked in entry["qas"]:
                spans = [(one["answer_start"], one["answer_start"] + len(one["text"])) for one in asked["answers"]]
                texts = [one["text"] for one in asked["answers"]]
                right = {span for span, said in zip(spans, texts, strict=True) if text[slice(*span)] == said}
                if right:
                    questions.append(Question(asked["question"], len(paragraphs), tuple(sorted(right))))
            paragraphs.append(Paragraph(str(article.get("title", "")).replace("_", " "), text))
    return paragraphs, questions


FORMS: Final = ("html", "flattened", "html, one line", "flattened, one line")
"""How pages are written: in lines or without any, and sent as markup or as its bare text."""


def choose_other(number: int, paragraphs: Sequence[Paragraph], gold: Collection[int]) -> int:
    """The paragraph of another article that the page of paragraph ``number`` shows too; none of ``gold``.

    An answer that stood on two pages would be shown from one of them only.
    """
    for other in random.Random(number).sample(range(len(paragraphs)), min(40, len(paragraphs))):
        if other not in gold and paragraphs[other].title != paragraphs[number].title:
            return other
    return number


def make_page(number: int, other: int, paragraphs: Sequence[Paragraph], form: str) -> Source:
    """A page with paragraph ``number``, and with paragraph ``other`` before or behind it, as a search finds it.

    The same page whenever it is made.
    """
    paragraph = paragraphs[number]
    body = [paragraph] if other == number else [paragraph, paragraphs[other]]
    if random.Random(number).random() < 0.5:
        body.reverse()
    head, foot = TEMPLATES[number % len(TEMPLATES)]
    title = html.escape(paragraph.title)
    content = "".join((head.format(title=title), *(f"<p>{html.escape(one.text)}</p>" for one in body), foot))
    if not form.endswith("one line"):
        # Flattening leaves the line breaks between blocks; menus and lists run together all the same.
        content = _BLOCK.sub(r"\n\g<0>", content)
    markup = f"<!doctype html><html><head><title>{title}</title></head><body>{content}</body></html>"
    is_html = form.startswith("html")
    return Source(str(number), markup if is_html else flatten(markup), kind="web", html=is_html)


def shows_answer(shown: Sequence[str], paragraph: str, answers: Sequence[tuple[int, int]]) -> bool:
    """Whether a piece shows an answer at its own place: with the text around it, white space aside."""
    pieces = ["".join(piece.split()) for piece in shown]
    for start, end in answers:
        # As much on both sides as tells this place in the paragraph from others with the same words.
        for width in range(0, len(paragraph), 8):
            around = "".join(paragraph[max(0, start - width) : end + width].split())
            if "".join(paragraph.split()).count(around) <= 1:
                break
        if any(around in piece for piece in pieces):
            return True
    return False
