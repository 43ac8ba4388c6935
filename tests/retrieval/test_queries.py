import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.queries import LONGEST_SEARCH, MOST_QUERIES, search_queries
from rag_service.retrieval.types import Turn


def dialogue(*texts: str) -> list[Turn]:
    """Turns of user and assistant by turns, the user's first."""
    return [Turn("assistant" if place % 2 else "user", text) for place, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("texts", "queries"),
    [
        (["Who designed the Sydney Opera House?"], ["Who designed the Sydney Opera House"]),
        (["can you tell me when the E24 error shows up?"], ["when the E24 error shows up"]),
        (
            ["hi, what is the boiling point of ethanol at 0.5 bar? thanks!"],
            ["what is the boiling point of ethanol at 0.5 bar"],
        ),
        (
            ["what is the capital of kenya", "Nairobi.", "what about south africa?"],
            ["what is the capital of south africa"],
        ),
        (
            ["How many people lived in Berlin in 2020?", "3.66 million.", "and in 2023?"],
            ["How many people lived in Berlin in 2023"],
        ),
        (["Wie alt wurde Goethe?", "82 Jahre.", "und Schiller?"], ["Wie alt wurde Schiller"]),
        (["法国的首都是哪里？", "巴黎。", "德国呢？"], ["德国的首都是哪里"]),
        (["フランスの首都はどこ？", "パリです。", "ドイツは？"], ["ドイツの首都はどこ"]),
        (
            ["Quelle est la capitale du Brésil ?", "Brasília.", "et celle du Pérou ?"],
            ["Quelle est la capitale du Pérou"],
        ),
        (["thanks"], []),
        (["谢谢"], []),
        (["danke, das wars"], []),
        (["Why is the sky blue?", "Scattering.", "explain that more simply"], []),
        (["summarize this document"], []),
        ([""], []),
        ([], []),
    ],
)
def test_queries(texts: list[str], queries: list[str]) -> None:
    assert search_queries(dialogue(*texts)) == queries


def test_each_question_gets_a_query_that_names_the_topic() -> None:
    found = search_queries(dialogue("Who was the architect of the Eiffel Tower? And when did he die?"))
    assert len(found) == 2
    assert found[0] == "Who was the architect of the Eiffel Tower"
    assert "Eiffel Tower" in found[1]
    assert "die" in found[1]


def test_names_and_numbers_are_kept() -> None:
    [query] = search_queries(dialogue("please find the tax form K-1 for 2021 of O'Brien & Sons"))
    for word in ("K-1", "2021", "O'Brien", "Sons"):
        assert word in query


def test_a_pronoun_gets_the_name_from_the_answer() -> None:
    turns = dialogue("Who wrote The Old Man and the Sea?", "Ernest Hemingway.", "when did he get the nobel prize")
    [query] = search_queries(turns)
    for words in ("nobel prize", "Ernest Hemingway", "The Old Man and the Sea"):
        assert words in query or words.removeprefix("The ") in query


def test_a_long_question_becomes_its_terms() -> None:
    [query] = search_queries(
        dialogue("what is known about " + " and ".join(f"compound{number}" for number in range(40)))
    )
    assert len(query) <= LONGEST_SEARCH
    assert query.startswith("known compound0 compound1 ")


def test_repeated_questions_are_one_query() -> None:
    assert search_queries(dialogue("Where is Lake Como? where is lake como?")) == ["Where is Lake Como"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_text_gives_few_short_queries(texts: list[str]) -> None:
    queries = search_queries(dialogue(*texts))
    assert len(queries) <= MOST_QUERIES
    assert all(0 < len(query) <= LONGEST_SEARCH and query == query.strip() for query in queries)
    assert search_queries(dialogue(*texts)) == queries
