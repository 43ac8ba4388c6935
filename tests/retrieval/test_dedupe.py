from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.dedupe import drop_copies, drop_near_copies
from rag_service.retrieval.folding import fold
from rag_service.retrieval.rank import Ranked
from rag_service.retrieval.shingles import QuickTest, shingles_of
from tests.retrieval.documents import passage

LONG = "The harbour of the town was built from grey stone in the last years of the old king, who liked ships"
CHINESE = "这座城市的港口建于上世纪初，由当地的工匠用灰色的石头建成，至今仍在使用"


def ranked(*texts: str) -> list[Ranked]:
    return [Ranked(passage(text, str(number)), number, 10.0 - number) for number, text in enumerate(texts)]


def test_copies_but_for_case_and_space_go_and_are_noted() -> None:
    kept, notes = drop_copies([passage("A  b\nc", "1"), passage("a b C", "2"), passage("a b", "3")])
    assert [one.document.source.id for one in kept] == ["1", "3"]
    assert [(noted.source_id, noted.kept) for noted in notes] == [("2", False)]
    assert "source 1" in notes[0].reason


def test_near_copies_go_and_the_better_one_stays() -> None:
    kept, notes = drop_near_copies(ranked(LONG, LONG + " very much", CHINESE, CHINESE + "中"), 0.8)
    assert [one.number for one in kept] == [0, 2]
    assert [noted.source_id for noted in notes] == ["1", "3"]


def test_numbers_make_a_difference() -> None:
    rows = [f"{LONG} and paid {price} coins for it all" for price in ("120", "121", "1.5")]
    kept, _ = drop_near_copies(ranked(*rows, "| 2019 | 4.1 |", "| 2020 | 4.1 |", "| 2020 | 4.2 |"), 0.8)
    assert len(kept) == 6


def test_one_that_says_more_stays() -> None:
    kept, _ = drop_near_copies(
        ranked(LONG, f"{LONG}, and much more about bread, fish, hills, towns and roads by day"), 0.8
    )
    assert len(kept) == 2


def test_an_original_goes_after_a_shorter_copy_of_it() -> None:
    shorter = LONG.rsplit(maxsplit=6)[0]
    kept, notes = drop_near_copies(ranked(shorter, LONG, CHINESE[:-9], CHINESE, f"{LONG} in 1904"), 0.8)
    assert [one.number for one in kept] == [0, 2, 4]
    assert [noted.source_id for noted in notes] == ["1", "3"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=8))
def test_the_first_always_stays_and_nothing_is_lost_untold(texts: list[str]) -> None:
    given_ones = ranked(*texts)
    kept, notes = drop_near_copies(given_ones, 0.8)
    assert kept[:1] == given_ones[:1]
    assert len(kept) + len(notes) == len(texts)
    assert all(shingles_of(text) for text in texts)


_WORDS = st.lists(
    st.sampled_from(["red", "stone", "wall", "sea", "2019", "学校", "の", "!", "\0", " ", "ß"]), max_size=14
)


@settings(deadline=None)
@given(st.lists(_WORDS.map(" ".join) | _WORDS.map("".join), max_size=6), st.sampled_from([0.3, 0.5, 0.8]))
def test_the_quick_test_rules_out_no_copy(texts: list[str], share: float) -> None:
    folded = [fold(text.replace("\0", " ")) for text in texts]
    quick, shingles = QuickTest(folded), list(map(shingles_of, folded))
    for number, likely in enumerate(quick.repeating(share)):
        own, before = shingles[number], shingles[:number]
        assert likely or len(own & frozenset().union(*before)) < share * len(own)
        alike = {place for place, other in enumerate(before) if len(own & other) >= share * len(own)}
        assert alike <= set(quick.alike(number, share))


def test_the_quick_test_spares_work_on_what_is_new() -> None:
    quick = QuickTest([fold(LONG), fold(CHINESE), fold(LONG), "a ship came by night", fold(CHINESE)])
    assert quick.repeating(0.5) == [False, False, True, False, True]
    assert [quick.alike(number, 0.5) for number in range(5)] == [[], [], [0], [], [1]]
