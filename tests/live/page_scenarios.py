"""What a person does in the page, and sees there; each leaves a screenshot or two."""

from __future__ import annotations

from tests.live.page import Page
from tests.live.processes import expect, wait_for
from tests.live.scenarios import LATE_SECONDS, MANUAL_TURNS, TICKET, TIDES
from tests.live.stage import MANUAL, REAL, SCRIPTED, Stage


def chat_and_regenerate(stage: Stage, page: Page) -> str:
    """A first turn, its title at the top, and a second answer to it."""
    page.new_chat(SCRIPTED)
    page.say(TIDES)
    page.wait_for("This is an answer.")
    page.wait_for_end()
    title = page.wait_for_title()
    expect("tides" in title.lower(), f"the title is {title!r}")
    page.take_picture("chat")
    page.regenerate()
    wait_for("a second answer", LATE_SECONDS, lambda: page.shows("2/2") or None)
    page.wait_for("This is an answer.")
    page.wait_for_end()
    page.take_picture("regenerated")
    return f"title {title!r}"


def document_chat(stage: Stage, page: Page) -> str:
    """A file is attached; two answers cite it."""
    page.new_chat(SCRIPTED)
    page.attach(MANUAL)
    for text, fact in MANUAL_TURNS[:2]:
        page.say(text)
        page.wait_for(fact)
        page.wait_for_end()
    expect(page.sees_button(f"View source: {MANUAL.name}"), "the citation is no link to the file")
    expect(page.sees_button("Toggle 1 source"), "the file is not shown as one source")
    page.take_picture("document")
    told = page.hover_info()
    page.take_picture("document-tokens")
    return " ".join(told.split("{")[0].split())


def web_search(stage: Stage, page: Page) -> str:
    """The switch for web search is turned on; the answer cites a page that was found."""
    page.new_chat(SCRIPTED)
    page.switch_web_search_on()
    page.say(TICKET)
    page.wait_for("7 crowns")
    page.wait_for_end()
    page.take_picture("web-search")
    return page.newest_answer().splitlines()[0]


def stop(stage: Stage, page: Page) -> str:
    """The button that stops an answer ends its run."""
    before = stage.service.counts()
    page.new_chat(SCRIPTED)
    page.say("Count without an end")
    page.wait_for("and one more and one more")
    page.take_picture("under-way")
    page.stop()
    wait_for("the end of the run", LATE_SECONDS, lambda: None if stage.service.at_work() else True)
    added = stage.service.counts().since(before)
    expect(added.cancelled == 1, f"the service counted {added}")
    page.wait_for_end()
    page.take_picture("stopped")
    return f"{len(page.newest_answer().split())} words stay"


def error(stage: Stage, page: Page) -> str:
    """An error of the service is shown in the chat, in its own words."""
    page.new_chat(SCRIPTED)
    page.say("Break in the middle")
    page.wait_for("the first half")
    wait_for("the error", LATE_SECONDS, lambda: page.shows("the script asked this run to fail") or None)
    page.take_picture("error")
    return "shown below half an answer"


def real_model(stage: Stage, page: Page) -> str:
    """A small real model answers, without a system prompt; what it says is not judged."""
    stage.webui.set_page({"version": stage.webui.version(), "system": ""})
    page.new_chat(REAL)
    page.say("What is the capital of France? Answer in one sentence.")
    page.wait_for_end()
    text = page.newest_answer().strip()
    expect(text, "the answer is empty")
    page.take_picture("real-model")
    return text.splitlines()[0]
