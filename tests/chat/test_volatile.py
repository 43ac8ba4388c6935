"""What changes in system messages is said where it costs the cache least, and in no other conversation."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.chat.clocks import split_sentences
from rkllm_providers.chat.turn_memory import Turn, TurnMemory
from rkllm_providers.chat.volatile import VolatileSystem
from tests.conftest import OpenModel, WriteModel, needs_llama

SYSTEM = "You are kind. Current time: 2026-11-22 {time}.\nBe brief.\n\nThe user likes {drink}."
PERSONA = "You are a kind and patient gardener who knows all about roses. Answer in short sentences. Never guess."
RULES = "Whoever asks for the way is sent to the greenhouse behind the old mill. Tools are lent for a week at most."
NOTE = "\n\nSystem note: "


def turns(*texts: str) -> list[ChatMessage]:
    return [ChatMessage("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]


def conversation(time: str, *texts: str, drink: str = "tea") -> list[ChatMessage]:
    return [ChatMessage("system", SYSTEM.format(time=time, drink=drink)), *turns(*texts)]


def growing(number: int) -> list[ChatMessage]:
    """What was said when the user's turn of this number (from 0) begins."""
    texts = [[f"question {turn}", f"answer {turn}"] for turn in range(number + 1)]
    return turns(*itertools.chain.from_iterable(texts))[:-1]


def play(volatile: VolatileSystem, *systems: str) -> list[list[ChatMessage]]:
    """A conversation that has these system messages at its turns, as it is rendered at each."""
    return [volatile.apply([ChatMessage("system", system), *growing(turn)]) for turn, system in enumerate(systems)]


def note_of(message: ChatMessage) -> str:
    return message.text.partition(NOTE)[2]


def notes_of(rendered: Sequence[ChatMessage]) -> list[str]:
    return [note_of(message) for message in rendered if message.role == "user"]


# Clocks ----------------------------------------------------------------------------------------


def test_a_growing_conversation_keeps_all_it_said() -> None:
    volatile = VolatileSystem()
    rendered: list[ChatMessage] = []
    texts: list[str] = []
    for number in range(6):
        texts.append(f"question {number}")
        before, rendered = rendered, volatile.apply(conversation(f"05:0{number}", *texts))
        assert rendered[: len(before)] == before
        said = "it is now" if number else "Current time: 2026-11-22"
        assert rendered[-1].content == f"question {number}\n\nSystem note: {said} 05:0{number}."
        texts.append(f"answer {number}")
    assert rendered[0].content == "You are kind. Be brief.\n\nThe user likes tea."


@pytest.mark.parametrize(
    ("clocks", "said"),
    [
        # What has not changed since it was said is not said again.
        (["It is now 05:12."] * 3, ["It is now 05:12.", "", ""]),
        (["Today is Sunday.", "Today is Sunday.", "Today is Monday."], ["Today is Sunday.", "", "it is now Monday."]),
        (
            ["Date: 2026-11-22.\nTime: 05:12.", "Date: 2026-11-22.\nTime: 05:13.", "Date: 2026-11-22.\nTime: 05:12."],
            ["Date: 2026-11-22.\nTime: 05:12.", "it is now 05:13.", "it is now 05:12."],
        ),
        # Where more than one thing changed, or it could be another's, all of it is said.
        (["It is now 2026-11-22 23:59.", "It is now 2026-11-23 00:00."], None),
        (["It is now 05:12, the sun sets at 17:01.", "It is now 05:13, the sun sets at 17:01."], None),
        (["Time in Rome: 05:12.\nTime in Bonn: 05:12.", "Time in Rome: 05:13.\nTime in Bonn: 05:13."], None),
        (["05:12\n23:12", "05:13\n23:13"], None),
        # What was said in other words is no longer this request's own text.
        (["It is now 05:12 at night.", "It is now 17:12 by day."], ["", "It is now 17:12 by day."]),
    ],
)
def test_a_clock_says_what_changed(clocks: list[str], said: list[str] | None) -> None:
    rendered = play(VolatileSystem(), *(f"{PERSONA}\n{clock}" for clock in clocks))
    assert notes_of(rendered[-1]) == (clocks if said is None else said)
    assert {messages[0].content for messages in rendered} == {PERSONA}


def test_two_clocks_of_the_same_words_are_said_together() -> None:
    rendered = play(VolatileSystem(), "05:12\n23:12", "23:12\n00:12")
    assert notes_of(rendered[-1]) == ["05:12\n23:12", "23:12\n00:12"]


@pytest.mark.parametrize("beginning", ["ämar", "1:", "mar ", "今天", "2026-", "now "])
def test_a_long_text_of_beginnings_of_clocks_stays_as_it_is(beginning: str) -> None:
    for size in (20_000, 2_000_000):
        messages = [ChatMessage("system", (beginning * size)[:size]), ChatMessage("user", "a")]
        assert VolatileSystem().apply(messages) == messages


# Sentences that change -------------------------------------------------------------------------


def test_a_changed_sentence_is_said_in_the_newest_turn_and_stays_there() -> None:
    systems = [f"{PERSONA} The user likes {drink}." for drink in ("tea", "milk", "milk", "milk")]
    first, second, third, fourth = play(VolatileSystem(), *systems)
    assert first == [ChatMessage("system", systems[0]), *growing(0)]
    assert second[0].content == PERSONA
    assert notes_of(second) == ["", "The user likes milk."]
    assert third[: len(second)] == second
    assert fourth[: len(third)] == third
    assert notes_of(fourth) == ["", "The user likes milk.", "", ""]


def test_sentences_that_are_added_cost_nothing_but_themselves() -> None:
    memories = [f"\n- The user has {number} cats." for number in range(4)]
    rendered = play(VolatileSystem(), *(f"{RULES} {PERSONA}" + "".join(memories[:number]) for number in range(5)))
    for before, after in itertools.pairwise(rendered):
        assert after[: len(before)] == before
    assert notes_of(rendered[-1]) == ["", *(memory.strip() for memory in memories)]


def test_a_sentence_that_changes_at_every_turn_costs_the_last_answer() -> None:
    rendered = play(VolatileSystem(), *(f"{PERSONA} Outside it is {degrees} degrees." for degrees in range(6)))
    for turn, (before, after) in enumerate(itertools.pairwise(rendered)):
        if turn:
            assert after[: len(before) - 1] == before[:-1]
        assert note_of(after[-1]) == f"Outside it is {turn + 1} degrees."
        # What it was before cannot be said in this request's own words.
        assert not any(notes_of(after)[:-1])


def test_a_deleted_sentence_is_gone() -> None:
    rendered = play(VolatileSystem(), PERSONA, f"{PERSONA} The user is sad.", PERSONA, f"{PERSONA} The user is sad.")
    assert notes_of(rendered[1]) == ["", "The user is sad."]
    assert not any(notes_of(rendered[2]))
    assert rendered[2][0].content == PERSONA
    assert notes_of(rendered[3]) == ["", "", "", "The user is sad."]


def test_a_clock_is_told_anew_where_what_was_said_with_it_is_gone() -> None:
    memories = ["", " The user likes tea.", " The user likes milk."]
    systems = [f"{PERSONA}{memory}\nTime: 2026-11-22 05:0{turn}." for turn, memory in enumerate(memories)]
    rendered = play(VolatileSystem(), *systems)
    assert notes_of(rendered[1]) == ["Time: 2026-11-22 05:00.", "The user likes tea.\nit is now 05:01."]
    assert notes_of(rendered[2]) == ["Time: 2026-11-22 05:00.", "", "The user likes milk.\nit is now 05:02."]
    systems[0] = systems[0].replace("kind", "stern")
    anew = play(VolatileSystem(), *systems)
    assert notes_of(anew[1]) == ["", "Time: 2026-11-22 05:01."]


def test_an_answer_made_again_an_edit_and_a_branch() -> None:
    volatile = VolatileSystem()
    systems = [f"{PERSONA} The user likes {drink}." for drink in ("tea", "milk", "milk")]
    *_, second, third = play(volatile, *systems)
    system = ChatMessage("system", systems[-1])
    assert volatile.apply([system, *growing(2)]) == third
    edited = volatile.apply([system, *growing(2)[:-1], ChatMessage("user", "other")])
    assert edited[:-1] == third[:-1]
    branched = volatile.apply([system, *growing(1)[:-1], ChatMessage("user", "other")])
    assert branched[:-1] == second[:-1]
    assert note_of(branched[-1]) == "The user likes milk."
    # A turn that nobody saw is no reason to begin anew.
    beyond = volatile.apply([system, *growing(4)])
    assert beyond[: len(third)] == third


@pytest.mark.parametrize(
    "system",
    [
        "You are a pirate. Talk like one.",
        "You are a kind and patient gardener who knows all about roses. Sing of everything. Always rhyme twice.",
        PERSONA + " Context." + "".join(f" Fact {number}." for number in range(300)),
        f"{PERSONA} {'word ' * 301}.",
    ],
)
def test_another_system_message_is_left_as_it_is(system: str) -> None:
    volatile = VolatileSystem()
    for messages in (PERSONA, system), (PERSONA * 60, PERSONA * 60 + system * 60):
        rendered = play(volatile, *messages)
        assert rendered[1] == [ChatMessage("system", messages[1]), *growing(1)]
    # It stands from then on.
    again = play(volatile, PERSONA, system, system)
    assert again[2] == [ChatMessage("system", system), *growing(2)]


def test_what_has_moved_goes_back_when_it_is_too_much() -> None:
    base = " ".join(f"Rule {number} says that all is well." for number in range(200))
    memories = [f" Remark {number}: {'word ' * 40}." for number in range(9)]
    systems = [base + "".join(memories[:number]) for number in range(10)]
    rendered = play(VolatileSystem(), *systems, systems[-1])
    sizes = [sum(map(len, notes_of(messages))) for messages in rendered]
    assert max(sizes) <= 1500
    assert sizes[7] > sizes[8] == 0
    assert rendered[8][0].content == systems[8]
    assert rendered[10][: len(rendered[9])] == rendered[9]


def test_a_turn_that_goes_on_with_a_tool_s_result_is_not_touched() -> None:
    volatile = VolatileSystem()
    first = volatile.apply(conversation("05:00", "a"))
    call = [ChatMessage("assistant", ""), ChatMessage("tool", "17")]
    assert volatile.apply([*conversation("05:01", "a"), *call])[:2] == first


def test_a_turn_that_goes_on_hears_what_changed_meanwhile() -> None:
    volatile = VolatileSystem()
    play(volatile, PERSONA, PERSONA)
    call = [ChatMessage("assistant", ""), ChatMessage("tool", "17")]
    rendered = volatile.apply([ChatMessage("system", f"{PERSONA} The user is sad."), *growing(1), *call])
    assert notes_of(rendered) == ["", "The user is sad."]
    assert rendered[-2:] == call


def test_without_a_system_message_or_a_change_nothing_changes() -> None:
    volatile = VolatileSystem()
    for messages in (
        [],
        [ChatMessage("system", "It is now 05:12.")],
        [ChatMessage("user", "a")],
        [ChatMessage("system", " Be\n\nkind. \n"), ChatMessage("user", "a")],
    ):
        assert volatile.apply(messages) == messages
        assert volatile.apply(messages) == messages


def test_a_conversation_of_very_many_turns_begins_anew_at_times() -> None:
    volatile = VolatileSystem()
    full, most = [], 0
    for turn in range(300):
        time = f"{turn // 60:02}:{turn % 60:02}"
        rendered = volatile.apply([ChatMessage("system", f"Be kind.\nTime: 2026-11-22 {time}."), *growing(turn)])
        most = max(most, sum(map(bool, notes_of(rendered))))
        assert time in note_of(rendered[-1])
        if "2026" in note_of(rendered[-1]):
            full.append(turn)
    assert most == 256
    assert full == [0, 256]


def test_what_is_remembered_is_bounded() -> None:
    memory = TurnMemory(100)
    for number in range(50):
        digests = frozenset(bytes([number, other]) for other in range(number % 7))
        memory.remember(bytes([number // 4]), Turn(digests, frozenset(), b"", ()))
        assert len(memory) <= 100
    assert memory.closest(bytes([0]), frozenset()) is None
    assert memory.closest(bytes([12]), frozenset()) is not None
    memory.remember(b"large", Turn(frozenset(bytes([number]) for number in range(200)), frozenset(), b"", ()))
    assert len(memory) == 0


# Whatever happens ------------------------------------------------------------------------------

SENTENCES = st.sampled_from(
    [
        "You are kind. ",
        "Answer in short sentences, and never guess.\n",
        "All that you know of gardens is in the book that we gave you. ",
        "- The user likes tea.\n",
        "- The user has a cat.\n",
        "It rains! ",
        "Time: 2026-11-22 05:12.\n",
        "Time: 2026-11-22 05:13.\n",
        "Today is 2026-11-23. ",
        "17:00\n",
        "\n\n",
    ]
)
SYSTEMS = st.lists(SENTENCES, max_size=8).map("".join) | st.text()


def check(messages: Sequence[ChatMessage], rendered: Sequence[ChatMessage]) -> None:
    """Nothing but this request's own text and the fixed words of notes, all of it, and in order."""
    own = [sentence.text for sentence in split_sentences(messages[0].text)]
    masked = {re.sub(r"\d", "0", text) for text in own}
    theirs = [message for message in messages if message.role != "system"]
    ours = [message for message in rendered if message.role != "system"]
    said: list[str] = []
    assert len(theirs) == len(ours)
    for message, now in zip(theirs, ours, strict=True):
        rest = now.text.removeprefix(message.text)
        assert replace(now, content=message.content) == message
        assert rest == "" or (message.role == "user" and rest.startswith(NOTE))
        said += rest.removeprefix(NOTE).split("\n") if rest else []
    for line in said:
        assert line in own or re.fullmatch(r"it is now [\d:-]+\.", line) or re.sub(r"\d", "0", line) in masked
    system = rendered[0].text if rendered[0].role == "system" else ""
    words = iter(messages[0].text.split())
    assert all(word in words for word in system.split())
    ticks = [line.removeprefix("it is now ") for line in said if line.startswith("it is now ")]
    for text in own:
        assert text in system or text in said or any(part in ticks[-1] for part in text.split())


@given(st.lists(SYSTEMS, min_size=1, max_size=6))
def test_all_is_said_and_nothing_else(systems: list[str]) -> None:
    volatile = VolatileSystem()
    for turn, system in enumerate(systems):
        messages = [ChatMessage("system", system), *growing(turn)]
        given_messages = list(messages)
        rendered = volatile.apply(messages)
        assert messages == given_messages
        check(messages, rendered)
        # The same again is the same.
        assert volatile.apply(messages) == rendered


@given(st.lists(SYSTEMS, min_size=1, max_size=4), SYSTEMS)
def test_what_does_not_change_any_more_is_in_the_cache(systems: list[str], last: str) -> None:
    *_, before, after = play(VolatileSystem(), *systems, last, last)
    assert after[: len(before)] == before


@given(st.text(), st.text())
def test_nothing_that_was_said_is_lost(first: str, second: str) -> None:
    for rendered, text in zip(play(VolatileSystem(), first, second), (first, second), strict=True):
        said = "".join("".join(message.text.split()) for message in rendered)
        for word in text.split():
            assert word in said


@needs_llama
def test_keep_leaves_all_where_it_is(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model('context 4096\nrule *\n  text "ok"\nend\n'))
    for turn in range(3):
        messages = [ChatMessage("system", f"{PERSONA} It is now 05:0{turn}. Outside: {turn} C."), *growing(turn)]
        kept = client.complete(messages, GenerateOptions(volatile_system="keep", max_tokens=1)).finish
        assert kept.usage.prompt_tokens == client.count_tokens(messages)
    # And nothing is remembered of it.
    assert client.engine.volatile.apply(messages)[-1].text.endswith(f"{NOTE}It is now 05:02.")


# Other people ----------------------------------------------------------------------------------

SECRETS = {
    "a name": ("{persona} The user is {who}.", True),
    "a name and a clock": ("{persona} The user is {who}.\nTime: {time}.", True),
    "a remark that changes": ("{persona} {who} is at {turn}.", False),
    "a remark that changes, and a clock": ("{persona} {who} is at {turn}.\nTime: {time}.", False),
    "a name and a remark that changes": ("The user is {who}. {persona} {who} is at {turn}.\nTime: {time}.", False),
    "a clock with a name": ("{persona}\nFor {who} it is now {time}.", True),
}
ORDERS = sorted(set(itertools.permutations("AAABBB")))


@pytest.mark.parametrize(("system", "alone_as_together"), SECRETS.values(), ids=SECRETS)
def test_who_says_the_same_hears_nothing_of_another(system: str, alone_as_together: bool) -> None:
    def request(who: str, turn: int) -> list[ChatMessage]:
        time = f"{'05' if who == 'Alice' else '17'}:0{turn}"
        text = system.format(persona=PERSONA, who=who, turn=f"{who}ville {turn}", time=time)
        return [ChatMessage("system", text), *growing(turn)]

    for order in ORDERS:
        volatile = VolatileSystem()
        alone = {"Alice": VolatileSystem(), "Robert": VolatileSystem()}
        at = {"Alice": 0, "Robert": 0}
        for letter in order:
            who, other = ("Alice", "Robert") if letter == "A" else ("Robert", "Alice")
            messages = request(who, at[who])
            at[who] += 1
            rendered = volatile.apply(messages)
            check(messages, rendered)
            assert other not in "".join(message.text for message in rendered)
            if alone_as_together:
                assert rendered == alone[who].apply(messages)


def test_a_stranger_who_goes_on_where_another_stopped_hears_nothing() -> None:
    for secret in ("The password is hunter2.", "It is now 10:00 and the password is hunter2."):
        volatile = VolatileSystem()
        play(volatile, PERSONA, f"{PERSONA} {secret}", f"{PERSONA} {secret}")
        for system in (PERSONA, f"{PERSONA} It is now 11:00.", f"{PERSONA} It is now 11:00 and the password is old."):
            for turn in range(4):
                messages = [ChatMessage("system", system), *growing(turn)]
                rendered = volatile.apply(messages)
                check(messages, rendered)
                assert "hunter2" not in "".join(message.text for message in rendered)


def test_what_time_it_was_for_another_is_not_heard_behind_another_system_message() -> None:
    volatile = VolatileSystem()
    play(volatile, *(f"{PERSONA} The user is Alice.\nTime: 05:0{turn}." for turn in range(2)))
    system = ChatMessage("system", f"{PERSONA} The user is Robert.\nTime: 17:02.")
    assert notes_of(volatile.apply([system, *growing(2)])) == ["", "", "The user is Robert.\nTime: 17:02."]


@given(st.lists(st.tuples(st.booleans(), SYSTEMS), max_size=8))
def test_conversations_in_any_order_say_only_their_own(steps: list[tuple[bool, str]]) -> None:
    volatile = VolatileSystem()
    at = [0, 0]
    for second, system in steps:
        messages = [ChatMessage("system", system), *growing(at[second])]
        at[second] += 1
        check(messages, volatile.apply(messages))
