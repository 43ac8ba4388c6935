"""Text pasted into a question, told apart from what is asked of it."""

from __future__ import annotations

import re
from typing import Final

from rag_service.retrieval import document_table, question_table, rework_table
from rag_service.retrieval.turn_reading import Tables
from rag_service.retrieval.turn_tokens import split_tokens

# A turn is taken to hold a pasted text from so many characters or lines on; one character of an unspaced script
# counts as three.
LONG_CHARACTERS: Final = 400
LONG_LINES: Final = 4
_LONGEST_REQUEST: Final = 250
_ASKS: Final = re.compile(r"[?？؟]\s*$")
_WIDE: Final = re.compile(r"[\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff]")
# A request at the start of a line ("Summarise this: …") ends at a colon or at the end of its sentence.
_HEAD: Final = re.compile(r".{3,250}?(?:[:：]|[.!?？。؟](?=\s|$))", re.DOTALL)


def part_pasted(text: str, tables: Tables) -> tuple[str, str]:
    """What is asked, and the pasted text; the second is empty where nothing is pasted.

    The question is the last line or the first one, or the first line up to its colon. Where neither asks, the
    beginning of the text is what there is to go by.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    length = len(text) + 2 * len(_WIDE.findall(text))
    if length < LONG_CHARACTERS and len(lines) < LONG_LINES:
        return text, ""
    if not lines:
        return text[:_LONGEST_REQUEST], ""
    if len(lines) > 1:
        for line, rest in ((lines[-1], lines[:-1]), (lines[0], lines[1:])):
            if len(line) <= _LONGEST_REQUEST and _is_request(line, tables):
                return line, "\n".join(rest)
    head = _HEAD.match(text)
    if head and _is_request(head.group(), tables):
        return head.group().strip(), text[head.end() :]
    tail = re.split(r"(?<=[.!?。！？؟])\s+|(?<=[。！？])", text.strip())[-1]
    if len(tail) <= _LONGEST_REQUEST and len(tail) < len(text.strip()) and _ASKS.search(tail):
        return tail, text[: -len(tail)]
    return text, ""


def _is_request(line: str, tables: Tables) -> bool:
    """Whether a line asks for something: by its sign, by its first word, or by what it wants done."""
    if _ASKS.search(line):
        return True
    tokens = split_tokens(line)
    if tables.longest_at(question_table.QUESTION_WORDS, tokens, 0):
        return True
    if not line.endswith((":", "：")) and len(tokens) > 20:
        return False
    wants = (document_table.SUMMARY, document_table.WHOLE_TASKS, rework_table.REWORK)
    return any(tables.longest_at(table, tokens, place) for table in wants for place in range(min(3, len(tokens))))
