from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.analyse import Analyser
from rag_service.retrieval.columns import Columns

analyser = Analyser()


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), st.sampled_from(["", "en", "de", "zh"])), max_size=6))
def test_texts_have_the_terms_of_the_analyser(texts: list[tuple[str, str]]) -> None:
    made = Columns([text for text, _ in texts], [language for _, language in texts], analyser)
    assert [made.terms_of(place) for place in range(len(made))] == [
        analyser.terms(text, language) for text, language in texts
    ]
    assert [end - start for start, end in pairwise(made.starts.tolist())] == made.lengths.tolist()
    assert made.gram_lengths.tolist() == [
        sum(max(0, len(term) - 3) for term in made.terms_of(place)) for place in range(len(made))
    ]


def test_signs_are_found_where_their_terms_stand() -> None:
    made = Columns(["red stone", "", "stone wall, red stone"], ["en"] * 3, analyser)
    red, stone = made.number_of["red"], made.number_of["stone"]
    places, signs = made.find([(stone, 5), (red, 7), (stone, 2)])
    assert list(zip(made.texts_at(places).tolist(), places.tolist(), signs.tolist(), strict=True)) == [
        (0, 0, 7),
        (0, 1, 2),
        (0, 1, 5),
        (2, 2, 2),
        (2, 2, 5),
        (2, 4, 7),
        (2, 5, 2),
        (2, 5, 5),
    ]
    assert [found.tolist() for found in made.find([])] == [[], []]


def test_terms_are_found_by_the_grams_they_share() -> None:
    made = Columns(["canción canciones", "harbour", "harbours arbour sea"], ["es", "en", "en"], analyser)
    for gram in ("harb", "rbou", "cion", "none"):
        having = {term for term in made.number_of.words if gram in analyser.grams(term)}
        assert set(made.terms_with(gram)) == {made.number_of[term] for term in having}


def test_pairs_of_syllables_are_found_by_the_grams_of_their_letters() -> None:
    made = Columns(["한국어 がぎ 北京", "red 한글"], ["ko", "ko"], analyser)
    pairs = {term for place in range(len(made)) for term in made.terms_of(place)}
    for term in ("한국", "がぎ"):
        for gram in analyser.grams(term):
            having = {made.number_of[other] for other in pairs if gram in analyser.grams(other)}
            assert made.number_of[term] in having
            assert set(made.terms_with(gram)) == having
