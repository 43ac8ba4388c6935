"""Citations of an answer: markers that cite nothing are taken out of the stream, and sources are named beside it.

A marker is ``[1]`` or ``[1, 2]``, as Open WebUI makes them links. Code, links, footnotes and indices are no markers,
as far as the characters around them tell: ``a[3]`` and ``f(x)[3]`` are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from rag_service.retrieval.types import Source

# Longer numbers are years and amounts; in a list, where an interval looks the same, shorter ones already.
_LONGEST_ID: Final = 3
_LONGEST_LISTED: Final = 2
_LONGEST_MARKER: Final = 48
_LEAST_FENCE: Final = 3
_MARKER: Final = re.compile(r"\[ *(\d+(?: *, *\d+)*) *\]")
_WITHIN: Final = frozenset("0123456789, ]")
# Characters that mean something here come alone, all others in runs.
_PIECES: Final = re.compile(r"[^\[\]`~\n 0-9,>]+|.", re.DOTALL)
# A token without any of them, as most are.
_WORDS: Final = re.compile(r" ?[^\[\]`~\n >]+")


class CitationFilter:
    """Takes markers out of a streamed answer whose number is no source's, and the blanks before them.

    ``ids`` are those that may be cited; where there are none, nothing is a citation and all passes. A marker of
    several numbers keeps those that are right; one without any is left, since it may be an interval. The text that
    comes out is the same however the answer is split. At most one marker, and the blanks before it, are held back.
    """

    def __init__(self, ids: Collection[str]) -> None:
        self._ids: Final = frozenset(ids)
        self._code = _CodeWatch()
        self._blanks = ""
        self._marker = ""
        self._begins_line = False
        self._skips_blanks = False
        # The character before, and whether it ended a marker.
        self._last = "\n"
        self._behind_marker = False

    def feed(self, text: str) -> str:
        """What can be shown of the answer, after this much more of it."""
        if not self._ids:
            return text
        if not self._marker and self._code.is_quiet and _WORDS.fullmatch(text):
            self._code.line_begins = False
            return self._show(text[1:] if self._skips_blanks and text[0] == " " else text)
        return "".join([self._take(piece) for piece in _PIECES.findall(text)])

    def finish(self) -> str:
        """What was held back, at the end of the answer."""
        shown = self._decide("") if self._marker.endswith("]") else self._release() if self._marker else ""
        blanks, self._blanks = self._blanks, ""
        return shown + blanks

    def _take(self, piece: str) -> str:
        shown = ""
        if self._marker.endswith("]"):
            shown = self._decide(piece[0])
        elif self._marker:
            if piece in _WITHIN and len(self._marker) < _LONGEST_MARKER:
                self._marker += piece
                return ""
            shown = self._release()
        line_begins = self._code.line_begins
        if self._code.watch(piece):
            return shown + self._show(piece)
        if piece == " ":
            self._blanks += "" if self._skips_blanks else piece
            return shown
        if piece == "[" and self._may_begin():
            self._marker, self._begins_line = piece, line_begins
            return shown
        return shown + self._show(piece)

    def _may_begin(self) -> bool:
        """Whether a bracket here may begin a marker: behind a word of code's letters it is an index."""
        if self._blanks or self._behind_marker:
            return True
        last = self._last
        return not ((last.isascii() and last.isalnum()) or last in "_)]!\\[")

    def _show(self, piece: str) -> str:
        shown, self._blanks = self._blanks + piece, ""
        self._last, self._behind_marker = piece[-1], False
        self._skips_blanks = False
        return shown

    def _release(self) -> str:
        """A marker that turned out to be none."""
        marker, self._marker = self._marker, ""
        return self._show(marker)

    def _decide(self, following: str) -> str:
        """A whole marker, now that the character behind it is known; "" is the end of the answer."""
        if following == "(" or (following == ":" and self._begins_line):
            return self._release()
        kept = self._checked(self._marker)
        if kept:
            self._marker = ""
            shown = self._show(kept)
            self._behind_marker = True
            return shown
        self._marker = ""
        self._behind_marker = True
        self._skips_blanks = self._begins_line
        if not self._begins_line and not following.isalnum() and following != "[":
            self._blanks = ""
        return ""

    def _checked(self, marker: str) -> str:
        """The marker with the numbers that are sources'; empty where it is to go."""
        found = _MARKER.fullmatch(marker)
        if found is None:
            return marker
        numbers = [number.strip() for number in found[1].split(",")]
        if len(numbers) == 1:
            return marker if numbers[0] in self._ids or len(numbers[0]) > _LONGEST_ID else ""
        right = [number for number in numbers if number in self._ids]
        if not right or len(right) == len(numbers) or any(len(number) > _LONGEST_LISTED for number in numbers):
            return marker
        return f"[{', '.join(right)}]"


class _CodeWatch:
    """Whether a text in Markdown is within code: between fences, or between runs of backticks on one line."""

    def __init__(self) -> None:
        self.line_begins = True
        self._run = ""
        self._run_begins_line = False
        self._open = ""
        self._fenced = False

    @property
    def is_quiet(self) -> bool:
        """Whether there is no code, and none that may begin or end."""
        return not self._run and not self._open

    def watch(self, piece: str) -> bool:
        """Read on, and say whether ``piece`` is part of code or of what borders it."""
        if piece in ("`", "~") and (not self._run or piece == self._run[0]):
            if not self._run:
                self._run_begins_line = self.line_begins
            self._run += piece
            self.line_begins = False
            return True
        self._end_run()
        if piece == "\n":
            self.line_begins = True
            if not self._fenced:
                self._open = ""
            return bool(self._open)
        if piece in ("`", "~"):
            return self.watch(piece)
        if piece not in (" ", ">"):
            self.line_begins = False
        return bool(self._open)

    def _end_run(self) -> None:
        run, self._run = self._run, ""
        if not run:
            return
        fence = self._run_begins_line and len(run) >= _LEAST_FENCE
        if self._fenced:
            if fence and run[0] == self._open[0] and len(run) >= len(self._open):
                self._open, self._fenced = "", False
        elif self._open:
            self._open = "" if run == self._open else self._open
        elif fence or run[0] == "`":
            self._open, self._fenced = run, fence


def filter_citations(text: str, ids: Collection[str]) -> str:
    """A whole answer without markers that cite nothing."""
    kept = CitationFilter(ids)
    return kept.feed(text) + kept.finish()


def url_citations(packed: Sequence[Source], answer: str = "") -> list[dict[str, Any]]:
    """The ``url_citation`` annotations (OpenAI chat completions) of an answer that was made from these sources.

    One for each address, in the order of the sources; sources without a web address have none. The indices are those
    of the first marker in ``answer`` that cites the source; where none does, both are the answer's length.
    """
    annotations: dict[str, dict[str, Any]] = {}
    places: dict[str, tuple[int, int]] = {}
    for found in _MARKER.finditer(answer):
        for number in found[1].split(","):
            places.setdefault(number.strip(), found.span())
    for source in packed:
        if not source.url.lower().startswith(("http://", "https://")):
            continue
        start, end = places.get(source.id, (len(answer), len(answer)))
        earlier = annotations.get(source.url)
        if earlier is None or start < earlier["url_citation"]["start_index"]:
            citation = {
                "url": source.url,
                "title": source.title or source.url,
                "start_index": start,
                "end_index": end,
            }
            annotations[source.url] = {"type": "url_citation", "url_citation": citation}
    return list(annotations.values())
