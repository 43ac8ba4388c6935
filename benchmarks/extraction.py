"""How well the text of pages is found, and what it costs: ``python -m benchmarks.extraction FOLDER [TEXTS...]``.

FOLDER holds ``ground-truth.json`` (``{id: {"articleBody": text}}``) and ``html/ID.html.gz``; TEXTS are files of
paragraphs in other languages (SQuAD's JSON). Prints JSON: for each way of cleaning the mean precision, recall and F1
of words (as bags, case folded) over the pages, and ratios of processor time: of pages to trafilatura alone, of a
million characters of flattened text, cleaned and cut into passages, to tokenising and stemming them once.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import Stemmer
import trafilatura
from lxml import etree, html

from rag_service.retrieval.clean import clean
from rag_service.retrieval.language import language_of
from rag_service.retrieval.segment import segment
from rag_service.retrieval.types import Source

_WORD: Final = re.compile(r"\w+")
_LONG_LINE: Final = 60
_FLATTENED_CHARACTERS: Final = 1_000_000
# The whole retrieval is to cost three times the tokenising and stemming, of which ranking needs about half.
_FLATTENED_AIM: Final = 1.5
_HTML_AIM: Final = 1.5
_STEMMERS: Final = {"de": "german", "es": "spanish", "fr": "french", "it": "italian", "ru": "russian"}
_MENU: Final = "HomeNewsSportContactLog InSearchRead moreSubscribe\n\n\n"
_FOOTER: Final = "\nShare\nRelated articles\nPrivacy policy\n© 2024\n"


def read_pages(folder: Path) -> dict[str, tuple[str, str]]:
    """Markup and wanted text of each page."""
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    return {
        name: (
            gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()).decode("utf-8", "replace"),
            entry["articleBody"],
        )
        for name, entry in truth.items()
    }


def flatten(markup: str) -> str:
    """A page's text without separators, as loaders make it that join all text nodes."""
    tree = html.document_fromstring(markup)
    etree.strip_elements(
        tree, "script", "style", "template", etree.Comment, etree.ProcessingInstruction, with_tail=False
    )
    return str(tree.text_content())


def word_scores(text: str, wanted: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of the words of ``text``, each counted as often as it occurs."""
    found, gold = Counter(_WORD.findall(text.casefold())), Counter(_WORD.findall(wanted.casefold()))
    both = (found & gold).total()
    precision, recall = both / max(1, found.total()), both / max(1, gold.total())
    return precision, recall, 2 * precision * recall / (precision + recall) if both else 0.0


def measure(folder: Path, texts: Sequence[Path] = ()) -> dict[str, Any]:
    pages = read_pages(folder)
    flattened = {name: (flatten(markup), wanted) for name, (markup, wanted) in pages.items()}
    markup_ways: dict[str, Callable[[str], str]] = {
        "trafilatura": lambda text: trafilatura.extract(text) or "",
        "clean": lambda text: clean(Source("1", text, kind="web", html=True)).text,
    }
    flattened_ways: dict[str, Callable[[str], str]] = {
        "as it is": lambda text: text,
        "long lines": lambda text: "\n".join(line for line in text.splitlines() if len(line.strip()) >= _LONG_LINE),
        "clean": lambda text: clean(Source("1", text, kind="web")).text,
    }
    return {
        "pages": len(pages),
        "html": {way: _scores(do, pages) for way, do in markup_ways.items()},
        "flattened": {way: _scores(do, flattened) for way, do in flattened_ways.items()},
        "times": {
            "html, to trafilatura alone": _ratio(
                lambda: [markup_ways["clean"](markup) for markup, _ in pages.values()],
                lambda: [markup_ways["trafilatura"](markup) for markup, _ in pages.values()],
            ),
            "html, aim": _HTML_AIM,
            "flattened, to tokenising and stemming": {
                "pages": flattened_ratios([text for text, _ in flattened.values()]),
                **{path.stem: flattened_ratios(read_paragraphs(path)) for path in texts},
            },
            "flattened, aim for the sum": _FLATTENED_AIM,
        },
    }


def read_paragraphs(path: Path) -> list[str]:
    """The paragraphs of a file in SQuAD's format, each under a menu and above a footer."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return [_MENU + paragraph["context"] + _FOOTER for article in articles for paragraph in article["paragraphs"]]


def flattened_ratios(texts: list[str]) -> dict[str, float]:
    """Times of the stages for a million characters of these texts as one, over that to tokenise and stem them."""
    joined = "\n".join(texts)
    text = (joined * (_FLATTENED_CHARACTERS // max(1, len(joined)) + 1))[:_FLATTENED_CHARACTERS]
    source = Source("1", text, kind="web")
    document = clean(source)
    stemmer = Stemmer.Stemmer(_STEMMERS.get(language_of(text) or "", "english"))
    once = _least_seconds(lambda: stemmer.stemWords(_WORD.findall(text.casefold())))
    cleaning, segmenting = _least_seconds(lambda: clean(source)), _least_seconds(lambda: segment(document))
    return {
        "clean": round(cleaning / once, 2),
        "segment": round(segmenting / once, 2),
        "sum": round((cleaning + segmenting) / once, 2),
    }


def _scores(way: Callable[[str], str], pages: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    scores = [word_scores(way(text), wanted) for text, wanted in pages.values()]
    return {
        name: round(fmean(score[at] for score in scores), 4) for at, name in enumerate(("precision", "recall", "f1"))
    }


def _ratio(ours: Callable[[], object], theirs: Callable[[], object], runs: int = 3) -> float:
    return round(_least_seconds(ours, runs) / _least_seconds(theirs, runs), 2)


def _least_seconds(work: Callable[[], object], runs: int = 3) -> float:
    return min(_seconds(work) for _ in range(runs))


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Name the folder with ground-truth.json and html/, and files of paragraphs if there are any.")
    print(json.dumps(measure(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]), indent=2))
