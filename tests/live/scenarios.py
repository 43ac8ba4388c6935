"""Turns as the page sends them, over Open WebUI's own API, and what has to come of each."""

from __future__ import annotations

import re
from typing import Final

from tests.live.figures import Figures
from tests.live.processes import expect, wait_for
from tests.live.service import Counts
from tests.live.stage import CLOCK_PROMPT, MANUAL, SCRIPTED, Stage, running_defaults
from tests.live.webui import Answer, Chat, Turn

TIDES: Final = "Why do the tides follow the moon?"
MANUAL_TURNS: Final = (
    ("How much water does the pump deliver at full speed?", "3100 litres"),
    ("How often do I have to clean the filter?", "40 hours"),
    ("What does it mean when the red lamp blinks five times?", "run without water"),
    ("And if it blinks twice?", "too hot"),
    ("How long does the warranty last?", "30 months"),
)
"""A chat about the manual, and what has to be in its answers: it is in the sources, and not in the rules."""
TICKET: Final = "What does a single ticket of the Brenholm ferry cost?"
CROSSING: Final = "How long does the crossing from Brenholm to Skarvik take?"
THANKS: Final = "Thank you very much!"
TALK: Final = (
    "How old is the sun?",
    "Which planet is the largest?",
    "How far away is it?",
    "Who was there first?",
    "When was that?",
)
LATE_SECONDS: Final = 10.0
"""A run that was stopped is over by then."""
_READ: Final = re.compile(r"I read (\d+) of (\d+) tokens")


def chat_and_regenerate(stage: Stage, figures: Figures) -> str:
    """A new chat gets an answer, a title and tags; another answer to the same question costs next to nothing."""
    chat = Chat(SCRIPTED, system=CLOCK_PROMPT)
    answer = _answered(stage, chat, TIDES)
    expect("This is an answer." in answer.text, f"the answer is {answer.text!r}")
    expect(answer.title not in ("", "New Chat", TIDES), f"the title is {answer.title!r}")
    expect(len(answer.title.split()) <= 6 and "tides" in answer.title.lower(), f"the title is {answer.title!r}")
    expect(answer.tags, "there are no tags")
    again = _answered(stage, chat, None)
    figures.note_turn("regenerated", answer)
    figures.note_turn("regenerated", again)
    expect("This is an answer." in again.text, f"the second answer is {again.text!r}")
    expect(again.prefilled < answer.prefilled / 2, f"{again.prefilled} of {again.prompt} tokens were read again")
    return f"title {answer.title!r}, tags {', '.join(answer.tags)}"


def talk_with_a_clock(stage: Stage, figures: Figures) -> str:
    """Five turns below a clock that shows seconds: each reads what is new, and not the conversation."""
    chat = Chat(SCRIPTED, system=CLOCK_PROMPT)
    for number, text in enumerate(TALK):
        answer = _answered(stage, chat, text)
        figures.note_turn("talk", answer)
        if number:
            expect(answer.prefilled < answer.prompt / 2, f"{answer.prefilled} of {answer.prompt} tokens were read")
    return f"the last turn read {answer.prefilled} of {answer.prompt} tokens"


def document_chat(stage: Stage, figures: Figures) -> str:
    """Five turns about a file, each answered from the part that answers it, and cited; thanks need no source."""
    chat = Chat(SCRIPTED, system=CLOCK_PROMPT, files=[stage.webui.upload(MANUAL)])
    for text, fact in MANUAL_TURNS:
        answer = _answered(stage, chat, text)
        figures.note_turn("document", answer)
        expect(fact in answer.text and "[1]" in answer.text, f"{text} was answered {answer.text!r}")
        # Open WebUI keeps what it has sent and what the backend tells of it, and shows them as one source.
        names = {source["source"]["name"] for source in answer.sources}
        expect(names == {MANUAL.name}, f"the page shows the sources {names}")
    thanked = _answered(stage, chat, THANKS)
    figures.note_turn("document", thanked)
    expect(thanked.prefilled < answer.prefilled / 2, f"thanks had {thanked.prefilled} tokens read")
    return f"{len(MANUAL_TURNS)} turns cited; thanks read {thanked.prefilled} of {thanked.prompt} tokens"


def web_search(stage: Stage, figures: Figures) -> str:
    """A question is searched for, pages are read, the answer cites one; thanks are not searched for."""
    chat = Chat(SCRIPTED, system=CLOCK_PROMPT, web_search=True)
    stage.web.queries.clear()
    answer = _answered(stage, chat, TICKET)
    figures.note_turn("web search", answer)
    queries = list(stage.web.queries)
    expect(queries and "ferry" in queries[0].lower(), f"searched for {queries}")
    expect("ferry.html" in stage.web.read, f"pages that were read: {stage.web.read}")
    expect("7 crowns [1]" in answer.text, f"the answer is {answer.text!r}")
    expect(answer.sources, "the page shows no sources")
    thanked = _answered(stage, chat, THANKS)
    figures.note_turn("web search", thanked)
    expect(stage.web.queries == queries, f"thanks were searched for: {stage.web.queries[len(queries) :]}")
    return f"searched for {', '.join(map(repr, queries))}"


def stop_in_mid_stream(stage: Stage, figures: Figures) -> str:
    """Stopping aborts the run; what was written stays, and the next turn is answered."""
    chat = Chat(SCRIPTED)
    before = stage.service.counts()
    turn = stage.webui.say(chat, "Count without an end")
    stage.webui.wait_for_text(turn, "and one more")
    expect(stage.service.at_work(), "the service is idle in the middle of an answer")
    waited = _stopped(stage, turn, before)
    text = str(stage.webui.saved(turn).get("content"))
    expect("and one more" in text, f"the chat holds {text!r}")
    answer = _answered(stage, chat, "Are you still there?")
    expect("I am still here" in answer.text, f"the next turn was answered {answer.text!r}")
    return waited


def continue_a_stopped_answer(stage: Stage, figures: Figures) -> str:
    """The button that has an answer go on adds to what is there."""
    chat = Chat(SCRIPTED)
    turn = stage.webui.say(chat, "Say it in two halves")
    stage.webui.wait_for_text(turn, "begins here")
    stage.webui.stop(turn)
    begun = stage.webui.wait(turn).text
    answer = stage.webui.wait(stage.webui.go_on(chat))
    expect(begun == "This answer begins here", f"the first half is {begun!r}")
    expect(answer.text == "This answer begins here and ends here.", f"it became {answer.text!r} {answer.error}")
    return repr(answer.text)


def stop_before_the_first_token(stage: Stage, figures: Figures) -> str:
    """Stopping while there is nothing to be seen yet aborts the run too."""
    chat = Chat(SCRIPTED)
    before = stage.service.counts()
    turn = stage.webui.say(chat, "Think for a long time")
    wait_for("the run", LATE_SECONDS, lambda: stage.service.at_work() or None)
    waited = _stopped(stage, turn, before)
    answer = _answered(stage, chat, "Are you still there?")
    expect("I am still here" in answer.text, f"the next turn was answered {answer.text!r}")
    return waited


def errors_are_shown(stage: Stage, figures: Figures) -> str:
    """Three kinds of error: before the answer, in its middle, and a question that no window holds."""
    failed = stage.webui.wait(stage.webui.say(Chat(SCRIPTED), "Fail at once"))
    expect(failed.error and not failed.text, f"failing at once shows {failed.error!r} and {failed.text!r}")
    broken = stage.webui.wait(stage.webui.say(Chat(SCRIPTED), "Break in the middle"))
    expect(broken.error, "an answer that broke shows no error")
    expect("the first half" in broken.text, f"of an answer that broke there is {broken.text!r}")
    long = stage.webui.wait(stage.webui.say(Chat(SCRIPTED), "word and word again, " * 2000))
    expect("4096" in long.error, f"a question that is too long shows {long.error!r}")
    expect("asked this run to fail" in failed.error and failed.error == broken.error, f"{failed} and {broken}")
    return " | ".join(error.splitlines()[0] for error in (failed.error, broken.error, long.error))


def default_settings(stage: Stage, figures: Figures) -> str:
    """With the settings that Open WebUI comes with it offers some thirty tools: chats, files and searches go on."""
    with running_defaults(stage) as webui:
        hello = webui.wait(webui.say(Chat(SCRIPTED), "Hello!"))
        expect(not hello.error, f"a hello shows an error: {hello.error}")
        prompt = _read_of(hello.text)[1]
        expect(prompt < 1000, f"a hello has {prompt} tokens")
        told = webui.wait(webui.say(Chat(SCRIPTED, files=[webui.upload(MANUAL)]), MANUAL_TURNS[0][0]))
        expect(MANUAL_TURNS[0][1] in told.text, f"the file's question was answered {told.text!r} {told.error}")
        stage.web.queries.clear()
        found = webui.wait(webui.say(Chat(SCRIPTED, web_search=True), CROSSING))
    expect(stage.web.queries, "search_web was not called")
    expect("38 minutes" in found.text, f"behind a search comes {found.text!r} {found.error}")
    hints = re.findall(r"\d+ tools of \d+ tokens were left out", stage.defaults_log.read_text())
    expect(hints, "the service's log does not say that tools were left out")
    return f"a hello has {prompt} tokens, {hints[0]}; searched for {stage.web.queries}: {found.text!r}"


def _answered(stage: Stage, chat: Chat, text: str | None) -> Answer:
    """The answer to a turn, or again to the newest; its figures are those of the service and of the library."""
    before = stage.service.counts()
    turn = stage.webui.say_again(chat) if text is None else stage.webui.say(chat, text)
    answer = stage.webui.wait(turn)
    expect(not answer.error, f"there is an error: {answer.error}")
    counted = stage.service.counts().since(before)
    said = (answer.prefilled, answer.prompt)
    # Titles, tags, suggestions and queries cost nothing: the turn's own tokens are all that the service has counted.
    expect((counted.prefilled, counted.prompt) == said, f"the page is told {said}, the service counted {counted}")
    expect(_read_of(answer.text) == said, f"the page is told {said}, the library says {answer.text!r}")
    shown = (answer.usage["input_tokens"], answer.usage["output_tokens"])
    expect(shown == (counted.prompt, counted.completion), f"the page shows {shown}, the service counted {counted}")
    return answer


def _read_of(text: str) -> tuple[int, int]:
    """Tokens that the library has read, and those of the prompt, by a scripted answer."""
    found = _READ.search(text)
    if found is None:
        raise ValueError(f"No figures in {text!r}.")
    return int(found[1]), int(found[2])


def _stopped(stage: Stage, turn: Turn, before: Counts) -> str:
    """Stop a turn, and see that its run ends."""
    stage.webui.stop(turn)
    wait_for("the end of the run", LATE_SECONDS, lambda: None if stage.service.at_work() else True)
    added = stage.service.counts().since(before)
    expect(added.cancelled == 1 and added.failed == 0, f"the service counted {added}")
    return f"the run was aborted; {added.cancelled} answer counted as cancelled"
