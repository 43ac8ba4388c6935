"""How well retrieval finds what answers a question, and what that costs, as JSON.

``python -m benchmarks.retrieval [--cranfield FOLDER] [--questions FILE ...] [--articles FOLDER] [--sample N]``: the
Cranfield collection as TREC XML, SQuAD-like JSON files in any languages, and pages with their text
(``benchmarks.extraction``). N questions of each file are asked end to end (0: all). Beside each figure stands that of
the plain baseline: rank-bm25 over words split at white space; whole pages in that order, until the room is full.
Tokens are UTF-8 bytes / 4.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from functools import cache
from operator import add
from pathlib import Path
from typing import Any, Final

import numpy as np
import Stemmer
from rank_bm25 import BM25Okapi

from benchmarks import extraction, retrieval_pages
from benchmarks.retrieval_pages import Paragraph, Question
from rag_service.retrieval import analyse
from rag_service.retrieval.floor import Relevance, apply_floor, judge
from rag_service.retrieval.language import UNSPACED_SCRIPTS, language_of, script_of
from rag_service.retrieval.pipeline import read_source, retrieve
from rag_service.retrieval.rank import Index, rank
from rag_service.retrieval.segment import segment
from rag_service.retrieval.settings import RetrievalSettings
from rag_service.retrieval.types import Document, Passage, Source, Turn

PUBLIC: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
BUDGETS: Final = (150, 300, 600)
PAGES: Final = 20
SETTINGS: Final = RetrievalSettings()
ARTICLES_QUESTION: Final = "What did the president say about the economy?"
_TIMED_CHARACTERS: Final = 1_000_000
# Scripts that set no spaces: Thai to Myanmar, Khmer, kana, Han; and runs of them or of other letters and digits.
_FIRST_UNSPACED: Final = "\u0e00"
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_ONE_KIND: Final = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}]+")
Scores = Callable[[str], Sequence[float]]


def main(arguments: Sequence[str] = ()) -> None:
    """Measure; without arguments on the public collections beside the repository, and fewer questions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval")
    parser.add_argument("--cranfield", type=Path, default=PUBLIC / "cranfield")
    parser.add_argument("--questions", type=Path, nargs="*", default=sorted(PUBLIC.glob("[cx]*/*.json")))
    parser.add_argument("--articles", type=Path, default=PUBLIC / "article_extraction")
    parser.add_argument("--sample", type=int, default=200)
    given = parser.parse_args(arguments)
    result: dict[str, Any] = {}
    if given.cranfield.is_dir():
        result["cranfield"] = measure_cranfield(given.cranfield)
    for path in given.questions:
        result[path.stem] = measure_questions(path, given.sample)
    if given.articles.is_dir():
        result["articles"] = extraction.measure(given.articles)
        result["articles"]["time"] = measure_time([page_of_articles(given.articles)], ARTICLES_QUESTION)
    missing = [str(path) for path in (given.cranfield, given.articles) if not path.is_dir()]
    print(json.dumps(result | {"left_out": missing}, indent=1, ensure_ascii=False))


def count_bytes(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def plain_scores(texts: Sequence[str]) -> Scores:
    index = BM25Okapi([text.lower().split() for text in texts])
    return lambda question: [float(score) for score in index.get_scores(question.lower().split())]


def index_of(paragraphs: Sequence[Paragraph]) -> Index:
    documents = [
        Document(Source(str(number), one.text, one.title), one.text) for number, one in enumerate(paragraphs, 1)
    ]
    return Index([Passage(document, 0, 0, len(document.text)) for document in documents])


def ranking_figures(scores: Scores, asked: Sequence[tuple[str, set[int]]]) -> dict[str, float]:
    """Mean nDCG@10 and Hit@1 over questions, each with the numbers of what is relevant."""
    gains, hits = [], []
    for question, relevant in asked:
        best = np.argsort(-np.asarray(scores(question)), kind="stable")[:10].tolist()
        ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(relevant))))
        gains.append(sum(1 / math.log2(place + 2) for place, number in enumerate(best) if number in relevant) / ideal)
        hits.append(best[0] in relevant)
    return {"ndcg@10": round(statistics.fmean(gains), 3), "hit@1": round(statistics.fmean(hits), 3)}


def measure_cranfield(folder: Path) -> dict[str, Any]:
    """Ranking of the abstracts. Query ids of the judgements are positions in the file of queries."""
    raw = (folder / "cran.all.1400.xml").read_text(encoding="utf-8")
    entries = re.findall(
        r"<doc>.*?<docno>(\d+)</docno>.*?<title>(.*?)</title>.*?(?:<text>(.*?)</text>)?\s*</doc>", raw, re.S
    )
    place = {number: at for at, (number, _, _) in enumerate(entries)}
    relevant: dict[int, set[int]] = {}
    for line in (folder / "cranqrel.trec.txt").read_text(encoding="utf-8").splitlines():
        query, _, document, judged = line.split()
        if int(judged) > 0 and document in place:
            relevant.setdefault(int(query), set()).add(place[document])
    queries = re.findall(r"<title>(.*?)</title>", (folder / "cran.qry.xml").read_text(encoding="utf-8"), re.S)
    asked = [(" ".join(text.split()), relevant[at]) for at, text in enumerate(queries, 1) if at in relevant]
    paragraphs = [Paragraph(title, text) for _, title, text in entries]
    return {
        "ours": ranking_figures(index_of(paragraphs).scores, asked),
        "plain": ranking_figures(plain_scores([one.text for one in paragraphs]), asked),
    }


def measure_questions(path: Path, sample: int) -> dict[str, Any]:
    paragraphs, questions = retrieval_pages.read_questions(path)
    texts = [one.text for one in paragraphs]
    ours, plain = index_of(paragraphs), plain_scores(texts)
    asked = [(one.text, {one.paragraph}) for one in questions]
    chance = random.Random(7)
    some = chance.sample(questions, min(sample or len(questions), len(questions)))
    return {
        "ranking": {"ours": ranking_figures(ours.scores, asked), "plain": ranking_figures(plain, asked)},
        "floor": measure_floor(paragraphs, some, ours, chance),
        "end_to_end": {form: measure_end_to_end(paragraphs, some, ours, form) for form in retrieval_pages.FORMS},
        "two_sources": measure_pairs(paragraphs, some, ours),
        "time": measure_time(pages_of(texts), texts[0][:60]),
    }


def nearest(index: Index, question: Question) -> list[int]:
    """The gold paragraph, and those that match best beside it."""
    order = np.argsort(-np.asarray(index.scores(question.text)), kind="stable").tolist()
    return [question.paragraph, *[at for at in order if at != question.paragraph][: PAGES - 1]]


def measure_floor(
    paragraphs: Sequence[Paragraph], questions: Sequence[Question], index: Index, chance: random.Random
) -> dict[str, float]:
    """Questions that keep their gold page, and questions beside random pages that keep none."""
    kept = dropped = 0
    for question in questions:
        kept += question.paragraph in left_by_floor(paragraphs, nearest(index, question), question)
        others = [at for at in range(len(paragraphs)) if at != question.paragraph]
        dropped += not left_by_floor(paragraphs, chance.sample(others, PAGES), question)
    return {"kept": round(kept / len(questions), 3), "dropped": round(dropped / len(questions), 3)}


def left_by_floor(paragraphs: Sequence[Paragraph], shown: Sequence[int], question: Question) -> set[int]:
    documents = [Document(Source(str(at), paragraphs[at].text, kind="web"), paragraphs[at].text) for at in shown]
    index = Index([passage for document in documents for passage in segment(document)])
    relevance = Relevance(index, question.text)
    left, _ = apply_floor(judge(rank(index, question.text)[0], relevance), relevance, SETTINGS.floor)
    return {int(one.passage.document.source.id) for one in left}


def measure_end_to_end(
    paragraphs: Sequence[Paragraph], questions: Sequence[Question], index: Index, form: str
) -> dict[str, Any]:
    """Share of questions whose gold answer is in what is packed, by the tokens there are."""
    ours, plain = dict.fromkeys(BUDGETS, 0), dict.fromkeys(BUDGETS, 0)
    read = cache(read_source)
    page_of = cache(lambda at, other: retrieval_pages.make_page(at, other, paragraphs, form))
    for question in questions:
        golds = [question.paragraph]
        pages = [page_of(at, retrieval_pages.choose_other(at, paragraphs, golds)) for at in nearest(index, question)]
        gold = paragraphs[question.paragraph].text
        best = plain_order(pages, question.text)
        for budget in BUDGETS:
            found = retrieve(pages, [Turn("user", question.text)], SETTINGS, count_bytes, budget=budget, read=read)
            shown = [one.text for one in found.excerpts if one.source_id == str(question.paragraph)]
            ours[budget] += retrieval_pages.shows_answer(shown, gold, question.answers)
            plain[budget] += retrieval_pages.shows_answer(plain_pages(best, budget), gold, question.answers)
    return {
        name: {str(budget): round(hits / len(questions), 3) for budget, hits in found_of.items()}
        for name, found_of in (("ours", ours), ("plain", plain))
    }


def plain_order(pages: Sequence[Source], question: str) -> list[Source]:
    scores = plain_scores([page.text for page in pages])(question)
    return [pages[at] for at in sorted(range(len(pages)), key=lambda at: -scores[at])]


def plain_pages(pages: Sequence[Source], budget: int) -> list[str]:
    shown: list[str] = []
    for page in pages:
        text = page.text.encode()[: budget * 4].decode("utf-8", "ignore")
        budget -= count_bytes(text)
        shown.append(text)
        if budget <= 0:
            break
    return shown


def measure_pairs(paragraphs: Sequence[Paragraph], questions: Sequence[Question], index: Index) -> float:
    """Share of pairs of questions, asked as one, whose two gold answers are both packed in 600 tokens."""
    both = total = 0
    read = cache(read_source)
    page_of = cache(lambda at, other: retrieval_pages.make_page(at, other, paragraphs, "flattened"))
    for one, other in zip(questions[::2], questions[1::2], strict=False):
        if one.paragraph == other.paragraph:
            continue
        total += 1
        shown = [one.paragraph, *nearest(index, other)[:10], *nearest(index, one)[1:10]]
        golds = [one.paragraph, other.paragraph]
        pages = [page_of(at, retrieval_pages.choose_other(at, paragraphs, golds)) for at in dict.fromkeys(shown)]
        asked = f"{one.text} {other.text}"
        found = retrieve(pages, [Turn("user", asked)], SETTINGS, count_bytes, budget=BUDGETS[-1], read=read)
        both += all(
            retrieval_pages.shows_answer(
                [excerpt.text for excerpt in found.excerpts if excerpt.source_id == str(wanted.paragraph)],
                paragraphs[wanted.paragraph].text,
                wanted.answers,
            )
            for wanted in (one, other)
        )
    return round(both / max(1, total), 3)


def pages_of(texts: Sequence[str]) -> list[Source]:
    """The texts in their order as pages of 20,000 characters; none is repeated, for copies would cost nothing."""
    text = "\n".join(texts)[:_TIMED_CHARACTERS]
    return [
        Source(str(at), text[start : start + 20_000], kind="web")
        for at, start in enumerate(range(0, len(text), 20_000))
    ]


def page_of_articles(folder: Path) -> Source:
    """The articles' pages, flattened and one behind the other, as one page."""
    markup = (markup for markup, _ in extraction.read_pages(folder).values())
    return Source("1", "\n".join(map(extraction.flatten, markup))[:_TIMED_CHARACTERS], kind="web")


def stem_words(text: str, stemmer: Stemmer.Stemmer | None) -> None:
    """The yardstick of :func:`measure_time` for scripts with spaces: the text in lower case, each word stemmed."""
    for word in re.findall(r"\w+", text.casefold()):
        if stemmer is not None:
            stemmer.stemWord(word)


def make_pairs(text: str, _: Stemmer.Stemmer | None = None) -> None:
    """The yardstick for scripts that set no spaces, for which there are no stemmers: each two neighbours are a token.

    What stands between them in other scripts is split into words.
    """
    for run in _ONE_KIND.findall(text.casefold()):
        if run >= _FIRST_UNSPACED:
            list(map(add, run, run[1:]))


def stemmer_of(text: str) -> Stemmer.Stemmer | None:
    """Snowball's stemmer for the language of a text, which keeps no words; ``None`` where there is none."""
    language = language_of(text)
    try:
        return Stemmer.Stemmer(language, 0) if language else None
    except KeyError:
        return None


def measure_time(pages: Sequence[Source], question: str, runs: int = 7) -> dict[str, float]:
    """Processor time of the retrieval from flattened pages, over that of tokenising and stemming their text once.

    Reported are the whole of it, what of that is cleaning and segmenting, and the whole where no word was met in an
    earlier turn, so that each different one is stemmed. The least of some runs counts, as other programs on the
    machine only add to it.
    """
    text = "\n".join(page.text for page in pages)
    stemmer = stemmer_of(text)
    tokenise = make_pairs if script_of(text) in UNSPACED_SCRIPTS else stem_words
    turns = [Turn("user", question)]
    work: dict[str, Callable[[], object]] = {
        "once": lambda: tokenise(text, stemmer),
        "read": lambda: [read_source(page) for page in pages],
        "whole": lambda: retrieve(pages, turns, SETTINGS, count_bytes, budget=600),
    }
    best = dict.fromkeys((*work, "fresh"), math.inf)
    for _ in range(runs):
        analyse.forget_words()
        best["fresh"] = min(best["fresh"], _processor_time(work["whole"]))
        for name, do in work.items():
            best[name] = min(best[name], _processor_time(do))
    return {
        "megabytes": round(len(text.encode()) / 1e6, 2),
        "seconds": round(best["whole"], 3),
        "over_tokenising_and_stemming": round(best["whole"] / best["once"], 2),
        "of_that_cleaning_and_segmenting": round(best["read"] / best["once"], 2),
        "where_no_word_was_met_before": round(best["fresh"] / best["once"], 2),
    }


def _processor_time(do: Callable[[], object]) -> float:
    started = time.process_time()
    do()
    return time.process_time() - started


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
