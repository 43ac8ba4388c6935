"""Which lines of a page's flattened text are worth reading.

A line is judged by its measures (:mod:`rag_service.retrieval.measures`) and its shape, and then among its neighbours:
short lines between prose belong to it, short lines among menus do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from statistics import median
from typing import Final

from rag_service.retrieval.boilerplate import BOILERPLATE, CONSENT, SURE
from rag_service.retrieval.glue import split_glued
from rag_service.retrieval.language import words_of
from rag_service.retrieval.measures import Line, Verdict, measure_lines
from rag_service.retrieval.shapes import kinds_of
from rag_service.retrieval.types import Note, Source

_PUNCTUATION: Final = re.compile(r"[,.;:!?…](?=\s|$|[\"”’»)])|[。，、；：！？،؛؟।۔]")
_LOWER_WORD: Final = re.compile(r"(?<!\w)[a-zß-öø-ÿа-яёіїєґα-ωά-ώ]")
_NO_LETTER: Final = re.compile(r"\W+")
_LINK_ITEM: Final = re.compile(r"\s*(?:[-*+•]\s*)?!?\[[^\]]*\]\([^)]*\)[\s|·,]*(?:!?\[[^\]]*\]\([^)]*\)[\s|·,]*)*$")
_COUNTED: Final = re.compile(r"[^.!?]{1,60}\(\d+\)\W*$")
_SEPARATOR: Final = re.compile(r"[|›»/•·>]")
_SEPARATORS: Final = re.compile(r"\s[|›»/•·>]\s|[›»|]\s*$|\s(?:»|›)")
_COPYRIGHT: Final = re.compile(r"©|\(c\)\s?(?:19|20)\d\d|copyright\s(?:©|\d)", re.IGNORECASE)
# The rarer of the two letters first, so that most of a line is skipped.
_JOIN: Final = re.compile(r"[A-ZÀ-ÞА-Я](?<=[a-zß-ÿа-я][A-ZÀ-ÞА-Я])")
_JOINS: Final = 2
# A year or a time of day: what stands beside the headlines of other pages.
_DATE: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}:\d\d")
_FACT: Final = re.compile(r"\d|[,:：，、][\s\w]")
_SCRIPT: Final = re.compile(
    r"window\.\w+\s*=|document\.(?:write|createElement|getElement|querySelector|addEventListener)|dataLayer|googletag"
    r"|\bgtag\(|\bfbq\(|_gaq|adsbygoogle|\"@context\"|\.push\(\s*[\[{(]|!function|\(function\s?\(|addEventListener\("
    r"|use strict|@media\b|!important|@font-face|\.src\s*=|var _\w+\s*=|__NEXT_DATA__|function\(\)\{"
)
_STYLE_RULE: Final = re.compile(r"\{[^{}]*[\w-]\s*:\s*[^{};]+[^{}]*\}")

# Words of a line that is a sentence even without its end, and of one that is a sentence if it has one.
_LONG_WORDS: Final = 20
_SENTENCE_WORDS: Final = 8
_SHORT_SENTENCE_WORDS: Final = 4
# Function words by word of lines that read as sentences, where the page has too few such lines to tell.
_USUAL_DENSITY: Final = 0.25
_LEAST_SENTENCES: Final = 3
_GOOD_OF_USUAL: Final = 0.5
_NEAR_OF_USUAL: Final = 0.3
# Among words, by their coverage with phrases of pages.
_PHRASE_COVERAGE: Final = 0.5
_PHRASE_WORDS: Final = 15
_SURE_CHARACTERS: Final = 200
_BANNER_CHARACTERS: Final = 1_000
_COPYRIGHT_CHARACTERS: Final = 160
_SCRIPT_MARK: Final = re.compile(r"[{};=()]")
_SYMBOLS: Final = "{}()[]=<>;_\\|&"
_MINIFIED_CHARACTERS: Final = 300
_SYMBOL_SHARE: Final = 0.12
# Short lines in a row that prose on both sides may keep; more are a menu.
_SHORT_RUN: Final = 4
_LISTED_RUN: Final = 30
_HEADING_DISTANCE: Final = 2
_VERSE_RUN: Final = 3
_VERSE_SHARE: Final = 0.3
_TELLING_SHARE: Final = 0.4


def clean_web_lines(source: Source) -> tuple[str, tuple[Note, ...]]:
    """The lines of a flattened page that carry its text, and a note on each run of lines left out."""
    lines = _read(source.text, glued=True)
    for line, kind in zip(lines, kinds_of([line.text for line in lines]), strict=True):
        line.kind = kind
    return _assemble(source, lines, judge_lines(lines))


def judge_lines(lines: Sequence[Line]) -> list[bool]:
    """Whether each line of a page is worth reading, and in its ``reason`` why not.

    Lines are those of one page in their order, with their kinds. One that has a reason already is bad for it. Where
    nothing looks like text, all stay that are not certainly something else.
    """
    measure_lines(lines, "\n".join(line.text for line in lines))
    usual = _usual_density(lines)
    for line in lines:
        line.verdict, line.reason = ("bad", line.reason) if line.reason else _judge(line, usual)
    _judge_structures(lines)
    kept = _judge_neighbours(lines)
    return kept if any(kept) else [line.verdict != "bad" for line in lines]


def is_banner(line: str) -> str:
    """Why a line is a banner or a copyright line, whatever else says that it is text; empty if it is none."""
    if len(line) > _BANNER_CHARACTERS:
        return ""
    lowered = line.lower()
    named = len(line) <= _COPYRIGHT_CHARACTERS and ("©" in line or "(c)" in lowered or "copyright" in lowered)
    if named and _COPYRIGHT.search(line):
        return "a copyright line"
    if CONSENT.may_cover(lowered) and (
        CONSENT.words_covered(words_of(lowered)) or CONSENT.characters_covered(_compact(lowered))
    ):
        return "a banner that asks for consent"
    return ""


def is_surely_boilerplate(line: str) -> bool:
    """Whether a line is nothing but phrases that are of a page and not of a document."""
    lowered = line.lower()
    if len(lowered) > _SURE_CHARACTERS:
        return False
    words = words_of(line)
    if words and SURE.words_covered(words) == len(words):
        return True
    if lowered.isascii():
        return False
    return SURE.characters_covered(_compact(lowered)) >= len(_NO_LETTER.sub("", lowered)) > 0


def clean_attached_lines(source: Source) -> tuple[str, tuple[Note, ...]]:
    """A text the user chose, less the lines that are certainly of the page and not of the document."""
    lines = _read(source.text, glued=False)
    kept = []
    for line in lines:
        sure = is_surely_boilerplate(line.text)
        line.reason = "a phrase of pages" if sure else ""
        kept.append(not sure)
    return _assemble(source, lines, kept, verbatim=True)


def _read(text: str, *, glued: bool) -> list[Line]:
    """The lines that are not blank, cut where ``glued`` pieces of a page meet."""
    lines = []
    found = text.splitlines(keepends=True)
    for at, line in zip(accumulate(map(len, found), initial=0), found, strict=False):
        if line.isspace():
            continue
        cuts = split_glued(line) if glued else []
        for start, end in pairwise((0, *cuts, len(line))):
            if piece := line[start:end].rstrip():
                lines.append(Line(at + start, at + start + len(piece), piece))
    return lines


def _compact(text: str) -> str:
    return "".join(text.split())


def _small_share(line: Line) -> float:
    """The share of words that begin with a small letter; 1 in scripts without two cases."""
    stripped = line.text.strip()
    if line.unspaced > len(stripped) / 3 or not line.words:
        return 1.0
    small = len(_LOWER_WORD.findall(stripped))
    return 1.0 if not small and stripped.lower() == stripped.upper() else small / line.words


def _is_fact(line: Line) -> bool:
    return line.words > 1 and _FACT.search(line.text.strip()) is not None and _DATE.search(line.text) is None


def _usual_density(lines: Sequence[Line]) -> float:
    """Function words by word in the lines that read as sentences, whatever the language."""
    sentences = [line.density for line in lines if line.sentence and line.words >= _SENTENCE_WORDS + 2]
    if len(sentences) < _LEAST_SENTENCES:
        return min([_USUAL_DENSITY, *sentences])
    return median(sentences)


def _judge(line: Line, usual: float) -> tuple[Verdict, str]:
    """What a line is by itself."""
    stripped = line.text.strip()
    if unwanted := _unwanted(line, stripped):
        return "bad", unwanted
    good, near = line.density >= _GOOD_OF_USUAL * usual, line.density >= _NEAR_OF_USUAL * usual
    if line.words >= _LONG_WORDS and good and (line.sentence or _PUNCTUATION.search(stripped)):
        return "good", ""
    if line.words >= _SENTENCE_WORDS and good and line.sentence:
        return "good", ""
    if (
        line.words >= _SENTENCE_WORDS
        and near
        and (line.sentence or _PUNCTUATION.search(stripped) or _small_share(line) >= 0.5)
    ):
        return "near", "no sentence, and no text around it"
    if line.words >= _SHORT_SENTENCE_WORDS and line.clause and near:
        return "near", "a short line, and no text around it"
    if line.words >= _LONG_WORDS and len(_PUNCTUATION.findall(stripped)) < 2:
        return "bad", "long, with hardly a function word"
    return "short", "a short line, and no text around it"


def _unwanted(line: Line, stripped: str) -> str:
    """Why a line is certainly none of the page's text; empty if it is not certain."""
    if reason := _unwanted_script(stripped) or (is_banner(stripped) if line.may_banner else ""):
        return reason
    if line.words > _PHRASE_WORDS:
        return ""
    if line.may_phrase and (reason := _unwanted_phrase(line, stripped.lower())):
        return reason
    return _unwanted_links(line, stripped)


def _unwanted_script(stripped: str) -> str:
    if not _SCRIPT_MARK.search(stripped):
        return ""
    symbols = sum(map(stripped.count, _SYMBOLS))
    if symbols >= 0.05 * len(stripped) and _SCRIPT.search(stripped):
        return "a script of the page"
    if len(stripped) > _MINIFIED_CHARACTERS and symbols >= _SYMBOL_SHARE * len(stripped):
        return "a script of the page"
    if "{" in stripped and sum(map(len, _STYLE_RULE.findall(stripped))) > len(stripped) / 2:
        return "a style sheet of the page"
    return ""


def _unwanted_phrase(line: Line, lowered: str) -> str:
    words = words_of(lowered)
    covered = BOILERPLATE.words_covered(words)
    if words and covered >= _PHRASE_COVERAGE * len(words):
        return "a phrase of pages"
    if line.unspaced:
        compact = _compact(lowered)
        if BOILERPLATE.characters_covered(compact) >= _PHRASE_COVERAGE * len(_NO_LETTER.sub("", compact)) > 0:
            return "a phrase of pages"
    return "a phrase of pages" if covered and not line.sentence and covered >= len(words) / 4 else ""


def _unwanted_links(line: Line, stripped: str) -> str:
    if "(" in stripped and (_LINK_ITEM.match(stripped) or _COUNTED.match(stripped)):
        return "a link"
    shaped = not line.sentence and line.kind != "table" and _SEPARATOR.search(stripped) is not None
    if shaped and len(_SEPARATORS.findall(stripped)) >= 2:
        return "a row of links"
    joins = len(_JOIN.findall(stripped))
    if joins >= _JOINS and (joins > _JOINS or line.words > _JOINS) and not _PUNCTUATION.search(stripped):
        return "a row of links"
    return ""


def _judge_structures(lines: Sequence[Line]) -> None:
    """Rows of tables, code, and rows of data are kept whatever their words are."""
    start = 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and lines[end].kind == lines[start].kind:
            end += 1
        run = lines[start:end]
        kind = run[0].kind
        links = sum(1 for line in run if line.verdict == "bad")
        if kind in ("table", "code", "data") and links <= len(run) / 2 and (len(run) > 1 or kind == "code"):
            for line in run:
                if line.verdict != "bad" or kind == "table":
                    line.verdict = "near" if kind == "data" and len(run) < 3 else "good"
        elif kind in ("list", "heading"):
            for line in run:
                if line.verdict == "short" and line.words >= _SHORT_SENTENCE_WORDS:
                    line.verdict = "near"
        start = end


def _judge_neighbours(lines: Sequence[Line]) -> list[bool]:
    """Which lines stay, by what is around them."""
    kept = [line.verdict == "good" for line in lines]
    for start, end in _runs_of(lines, {"near", "short"}):
        before = start > 0 and lines[start - 1].verdict == "good"
        after = end < len(lines) and lines[end].verdict == "good"
        run = lines[start:end]
        listed = before and lines[start - 1].text.rstrip().endswith((":", "："))
        if (
            (before and after and len(run) <= _SHORT_RUN)
            or (listed and len(run) <= _LISTED_RUN)
            or ((before or after) and _tells(run))
            or _is_verse(run)
        ):
            kept[start:end] = [True] * (end - start)
            continue
        for at in range(start, end):
            line = lines[at]
            leads = after and end - at <= _HEADING_DISTANCE
            follows = before and at - start < _HEADING_DISTANCE
            if line.verdict == "near":
                kept[at] = line.sentence or leads or follows
            else:
                kept[at] = leads and not line.sentence and line.words > 0  # the heading of what follows
    return kept


def _is_verse(run: Sequence[Line]) -> bool:
    """Whether lines that are short by themselves are text together: verses, dialogue, short answers."""
    near = sum(1 for line in run if line.verdict == "near" or (line.stops and line.words >= _SHORT_SENTENCE_WORDS))
    return (
        len(run) >= _VERSE_RUN
        and near >= 0.6 * len(run)
        and sum(line.clause for line in run) >= _VERSE_SHARE * len(run)
    )


def _tells(run: Sequence[Line]) -> bool:
    """Whether short lines hold facts, as ingredients, specifications and results do and menus do not."""
    return len(run) >= _VERSE_RUN and sum(
        line.kind == "list" or _is_fact(line) for line in run
    ) >= _TELLING_SHARE * len(run)


def _runs_of(lines: Sequence[Line], verdicts: set[Verdict]) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end].verdict in verdicts:
            end += 1
        if end > start:
            yield start, end
        start = end + 1


def _assemble(
    source: Source, lines: Sequence[Line], kept: Sequence[bool], *, verbatim: bool = False
) -> tuple[str, tuple[Note, ...]]:
    """The kept lines as one text, with a blank line where one stood or something was left out; and the notes."""
    pieces: list[str] = []
    last_end = 0
    for line, keep in zip(lines, kept, strict=True):
        if not keep:
            continue
        between = source.text[last_end : line.start]
        if pieces:
            pieces.append("\n\n" if between.count("\n") > 1 or between.strip() else "\n")
        prose = not verbatim and line.kind not in ("code", "table")
        pieces.append(" ".join(line.text.split()) if prose else line.text)
        last_end = line.end
    return "".join(pieces), tuple(_notes(source, lines, kept))


def _notes(source: Source, lines: Sequence[Line], kept: Sequence[bool]) -> Iterator[Note]:
    """One note for each run of neighbours left out for one reason."""
    at = 0
    while at < len(lines):
        first = lines[at]
        if kept[at]:
            at += 1
            continue
        while at < len(lines) and not kept[at] and lines[at].reason == first.reason:
            at += 1
        end = lines[at - 1].end
        yield Note(
            "clean", source.id, source.text[first.start : end], False, first.reason, start=first.start, end=end
        )
