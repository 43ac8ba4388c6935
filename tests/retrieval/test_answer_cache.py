from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rag_service.retrieval.answer_cache import AnswerCache, CacheRequest

ASKED = CacheRequest(
    "key-1", "m", (("system", "Be kind."), ("user", "What is a fjord?")), {"temperature": 0.7}, chat="a"
)
ELSEWHERE = replace(ASKED, chat="b")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def filled(**settings: float) -> AnswerCache[str]:
    cache: AnswerCache[str] = AnswerCache(**({"seconds": 60.0} | settings))  # type: ignore[arg-type]
    cache.put(ASKED, "A long inlet.", 13)
    return cache


def test_is_off_by_default() -> None:
    cache: AnswerCache[str] = AnswerCache()
    cache.put(ASKED, "A long inlet.", 13)
    assert not cache.enabled
    assert len(cache) == 0
    assert cache.get(ELSEWHERE) is None


def test_the_same_question_in_another_chat_gets_the_answer_marked_with_its_age() -> None:
    clock = Clock()
    cache: AnswerCache[str] = AnswerCache(60.0, clock=clock)
    cache.put(ASKED, "A long inlet.", 13)
    clock.now += 5
    found = cache.get(ELSEWHERE)
    assert found is not None
    assert (found.answer, found.age_seconds, found.cached) == ("A long inlet.", 5.0, True)


def test_regenerating_is_never_served() -> None:
    cache = filled()
    assert cache.get(ASKED) is None


def test_regenerating_what_the_cache_answered_is_not_served_either() -> None:
    cache = filled()
    assert cache.get(ELSEWHERE) is not None
    assert cache.get(ELSEWHERE) is None


def test_regenerating_with_other_settings_is_not_served() -> None:
    cache = filled()
    hot = replace(ASKED, options={"temperature": 1.2})
    cache.put(replace(hot, chat="c"), "An arm of the sea.", 18)
    assert cache.get(hot) is None
    assert cache.get(replace(hot, chat="d")) is not None


@pytest.mark.parametrize(
    "other",
    [
        replace(ELSEWHERE, api_key="key-2"),
        replace(ELSEWHERE, model="n"),
        replace(ELSEWHERE, options={"temperature": 0.8}),
        replace(ELSEWHERE, options={}),
        replace(ELSEWHERE, messages=(("system", "Be brief."), ("user", "What is a fjord?"))),
        replace(ELSEWHERE, messages=(("user", "Be kind."), ("user", "What is a fjord?"))),
        replace(ELSEWHERE, tools=True),
        replace(ELSEWHERE, pictures=True),
        replace(ELSEWHERE, chat=None),
    ],
)
def test_any_difference_is_another_request(other: CacheRequest) -> None:
    assert filled().get(other) is None


def test_the_order_of_options_makes_no_difference() -> None:
    cache: AnswerCache[str] = AnswerCache(60.0)
    cache.put(replace(ASKED, options={"a": 1, "b": 2}), "x", 1)
    assert cache.get(replace(ELSEWHERE, options={"b": 2, "a": 1})) is not None


def test_texts_do_not_run_into_one_another() -> None:
    cache: AnswerCache[str] = AnswerCache(60.0)
    cache.put(replace(ASKED, messages=(("user", "ab"), ("user", "c"))), "x", 1)
    assert cache.get(replace(ELSEWHERE, messages=(("user", "a"), ("user", "bc")))) is None


@pytest.mark.parametrize("flag", ["tools", "pictures"])
def test_tools_and_pictures_are_not_kept(flag: str) -> None:
    cache: AnswerCache[str] = AnswerCache(60.0)
    cache.put(replace(ASKED, tools=flag == "tools", pictures=flag == "pictures"), "x", 1)
    assert len(cache) == 0


def test_without_a_chat_only_what_is_repeatable_is_served() -> None:
    cache: AnswerCache[str] = AnswerCache(60.0)
    drawn = replace(ASKED, chat=None)
    cache.put(drawn, "x", 1)
    assert len(cache) == 0
    sure = replace(drawn, repeatable=True)
    cache.put(sure, "x", 1)
    assert cache.get(sure) is not None


def test_answers_lapse() -> None:
    clock = Clock()
    cache: AnswerCache[str] = AnswerCache(60.0, clock=clock)
    cache.put(ASKED, "x", 7)
    clock.now += 59.5
    assert cache.get(ELSEWHERE) is not None
    clock.now += 0.5
    assert cache.get(replace(ASKED, chat="c")) is None
    assert (len(cache), cache.used) == (0, 0)


def test_the_least_used_make_room() -> None:
    cache: AnswerCache[str] = AnswerCache(60.0, 10)
    questions = [replace(ASKED, messages=(("user", str(number)),)) for number in range(3)]
    cache.put(questions[0], "0", 4)
    cache.put(questions[1], "1", 4)
    assert cache.get(replace(questions[0], chat="b")) is not None
    cache.put(questions[2], "2", 4)
    found = [cache.get(replace(question, chat="c")) is not None for question in questions]
    assert found == [True, False, True]
    assert cache.used == 8


def test_one_answer_never_fills_more_than_the_cache() -> None:
    cache: AnswerCache[str] = AnswerCache(60.0, 10)
    cache.put(ASKED, "x" * 11, 11)
    assert (len(cache), cache.used) == (0, 0)
    cache.put(ASKED, "x" * 10, 10)
    cache.put(ASKED, "y" * 6, 6)
    assert cache.used == 6
    found = cache.get(ELSEWHERE)
    assert found is not None
    assert found.answer == "y" * 6


def test_histories_are_bounded() -> None:
    cache: AnswerCache[str] = AnswerCache(60.0, histories=2)
    for number in range(5):
        cache.put(replace(ASKED, messages=(("user", str(number)),)), "x", 1)
    newest = [cache.get(replace(ASKED, messages=(("user", str(number)),))) is None for number in (3, 4)]
    assert newest == [True, True]


def test_clearing_keeps_what_was_answered() -> None:
    cache = filled()
    cache.clear()
    assert (len(cache), cache.used) == (0, 0)
    cache.put(ELSEWHERE, "A long inlet.", 13)
    assert cache.get(ASKED) is None


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="seconds >= 0"):
        AnswerCache(-1.0)
    with pytest.raises(ValueError, match="-3 bytes"):
        filled().put(ASKED, "x", -3)


def test_many_threads_keep_the_account() -> None:
    cache: AnswerCache[int] = AnswerCache(60.0, 50)

    def work(number: int) -> None:
        for step in range(40):
            request = replace(ASKED, messages=(("user", f"{step % 9}"),), chat=f"{number}-{step}")
            if cache.get(request) is None:
                cache.put(request, number, 10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(cache) == 5
    assert cache.used == 50
