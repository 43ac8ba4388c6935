from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.blocks import find_blocks
from rag_service.retrieval.clean import clean
from rag_service.retrieval.segment import segment
from rag_service.retrieval.sentences import estimate_tokens, sentences
from rag_service.retrieval.types import Document, Passage, Source


def document(text: str) -> Document:
    return Document(Source("1", text), text)


def texts(passages: list[Passage]) -> list[str]:
    return [passage.text for passage in passages]


WORDS = st.sampled_from(["river", "bridge", "road", "night", "water", "stone", "town", "market", "winter", "field"])
SENTENCE = st.lists(WORDS, min_size=3, max_size=14).map(lambda words: " ".join(words).capitalize() + ".")


@given(st.text(max_size=2_000), st.integers(1, 200))
@settings(deadline=None)
def test_all_text_is_in_exactly_one_passage(text: str, tokens: int) -> None:
    made = segment(document(text), tokens=tokens)
    assert [passage.number for passage in made] == list(range(len(made)))
    assert "".join("".join(texts(made)).split()) == "".join(text.split())
    assert all(before.end <= after.start for before, after in pairwise(made))
    assert all(passage.text.strip() for passage in made)


@given(st.lists(st.lists(SENTENCE, min_size=1, max_size=6), min_size=1, max_size=8))
@settings(deadline=None)
def test_no_sentence_is_cut(paragraphs: list[list[str]]) -> None:
    made = segment(document("\n\n".join(" ".join(paragraph) for paragraph in paragraphs)), tokens=60)
    for paragraph in paragraphs:
        for sentence in paragraph:
            assert any(sentence in text for text in texts(made))
    assert all(estimate_tokens(text) <= 60 * 1.35 + 2 for text in texts(made))


def test_a_heading_stands_with_what_follows_it_and_is_named_below_it() -> None:
    body = "The water rose over the road in the night and the bridge was closed. " * 8
    made = segment(document(f"# Rivers\n\n{body}\n\n## Bridges\n\n{body}"), tokens=80)
    assert made[0].text.startswith("# Rivers\n\nThe water")
    opening = next(passage for passage in made if "## Bridges" in passage.text)
    assert opening.text.startswith("## Bridges\n\nThe water")
    assert opening.headings == ("Rivers", "Bridges")
    assert made[-1].headings == ("Rivers", "Bridges")
    assert made[1].headings == ("Rivers",)


def test_a_heading_of_the_same_level_ends_the_one_before() -> None:
    made = segment(document("# A\n\n## B\n\nFirst text.\n\n## C\n\nSecond text."), tokens=4)
    assert made[-1].headings == ("A", "C")


def test_a_table_is_cut_between_rows_and_its_head_is_kept_above() -> None:
    rows = [f"| part {number} | {number * 7} mm | steel |" for number in range(40)]
    made = segment(document("\n".join(["| name | size | made of |", *rows])), tokens=60)
    assert len(made) > 3
    assert all(row in "\n".join(texts(made)) for row in rows)
    assert all(line.startswith("|") and line.endswith("|") for text in texts(made) for line in text.split("\n"))
    assert made[1].headings == ("| name | size | made of |",)
    assert {passage.kind for passage in made} == {"table"}


def test_code_keeps_its_lines_and_its_indentation() -> None:
    lines = ["def area(width, height):", "    if width < 0:", "        raise ValueError(width)", "    return width"]
    code = "\n".join(["```python", *lines, "```"])
    made = segment(document(f"How large it is.\n\n{code}\n\nThat is all."), tokens=200)
    assert code in made[0].text


def test_rows_of_a_page_s_table_are_not_cut() -> None:
    rows = "".join(f"<tr><td>part {number}</td><td>{number * 7} mm</td></tr>" for number in range(60))
    page = (
        f"<html><body><p>{'All parts are listed here with their sizes. ' * 6}</p><table>{rows}</table></body></html>"
    )
    made = segment(clean(Source("1", page, html=True)), tokens=40)
    lines = [line for text in texts(made) for line in text.split("\n")]
    assert all(f"part {number}\t{number * 7} mm" in lines for number in range(60))


def test_text_without_any_border_is_cut_to_size() -> None:
    for text in ("x" * 20_000, "字" * 20_000):
        made = segment(document(text), tokens=100)
        assert all(estimate_tokens(part) <= 135 for part in texts(made))
        assert "".join(texts(made)) == text


def test_sizes_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="0 tokens"):
        segment(document("text"), tokens=0)


def test_sentence_borders() -> None:
    def cut(text: str) -> list[str]:
        return [text[start:end] for start, end in sentences(text)]

    assert cut("Dr. Ruiz met J. Smith on the 3. Mai. It rained.") == [
        "Dr. Ruiz met J. Smith on the 3. Mai.",
        "It rained.",
    ]
    assert cut("Πού ζει; Στη Χίο. Ο γιατρός; Όχι.") == ["Πού ζει;", "Στη Χίο.", "Ο γιατρός;", "Όχι."]
    assert cut("one; two; three") == ["one; two; three"]
    assert cut("Ո՞վ է։ Նա է։") == ["Ո՞վ է։", "Նա է։"]
    assert cut("今天下雨。“真的？”他问。") == ["今天下雨。", "“真的？”", "他问。"]
    assert cut("Version 1.2.3 is out! Get it…") == ["Version 1.2.3 is out!", "Get it…"]
    assert cut("यह नदी है। वह पुल है।") == ["यह नदी है।", "वह पुल है।"]


@given(st.text(min_size=1, max_size=500))
def test_a_size_is_positive_and_grows_with_the_text(text: str) -> None:
    assert 1 <= estimate_tokens(text) <= estimate_tokens(text + text)


def test_lines_whose_kinds_are_known_are_not_judged_again() -> None:
    text = "The first row\nThe second row\n\nA sentence that stands below the rows."
    told = Document(Source("1", text), text, line_kinds=("table", "table", "prose", "prose"))
    assert [block.kind for block in find_blocks(text, told.line_kinds)] == ["table", "prose"]
    assert [passage.kind for passage in segment(told, tokens=8)] == ["table", "prose"]
    assert [passage.kind for passage in segment(Document(told.source, text), tokens=8)] == ["prose", "prose"]
