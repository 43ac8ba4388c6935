"""Open WebUI's page in a headless Chromium, used as a person uses it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Locator, ViewportSize, sync_playwright
from playwright.sync_api import Page as Browsed

from tests.live.stage import CLOCK_PROMPT, Stage

CHROMIUM_HINT: Final = "there is no Chromium here; on Debian: apt install chromium"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_MS: Final = 60_000
_SIZE: Final[ViewportSize] = {"width": 1280, "height": 860}


def find_chromium() -> str | None:
    """Where a Chromium of this machine is."""
    return next((path for path in map(shutil.which, _NAMES) if path is not None), None)


class Page:
    """A browser's window on Open WebUI."""

    def __init__(self, browser: Browser, url: str, pictures: Path) -> None:
        self._browser = browser
        self._url = url
        self._pictures = pictures
        self._page = self._open()

    def _open(self) -> Browsed:
        opened = self._browser.new_context(viewport=_SIZE).new_page()
        opened.set_default_timeout(_PATIENCE_MS)
        return opened

    def new_chat(self, model: str) -> None:
        """Open a chat without turns, in a window that remembers nothing of the one before."""
        self._page.context.close()
        self._page = self._open()
        self._page.goto(f"{self._url}/?models={model}")
        self._page.locator("#chat-input").wait_for()
        self._page.get_by_role("button", name=f"Selected model: {model}").wait_for()

    def attach(self, path: Path) -> None:
        """Give a file to the next turn, and wait until Open WebUI has read it: before that, nothing is sent."""
        with self._page.expect_event("requestfinished", lambda request: "/process/status" in request.url):
            self._page.locator("input[type=file]:not(#camera-input)").first.set_input_files(path)
        self._page.get_by_text(path.name).first.wait_for()

    def switch_web_search_on(self) -> None:
        """Turn the switch of the menu below the input."""
        self._page.locator("#integration-menu-button").click()
        self._page.get_by_role("menuitemcheckbox", name="Web Search").click()
        self._page.keyboard.press("Escape")

    def say(self, text: str) -> None:
        """Type a turn and send it."""
        self._page.locator("#chat-input").click()
        self._page.keyboard.type(text)
        self._page.keyboard.press("Enter")

    def wait_for(self, text: str) -> None:
        """Wait until an answer shows a text."""
        self._answers().filter(has_text=text).last.wait_for()

    def wait_for_end(self) -> None:
        """Wait until the newest answer is whole, since its buttons come then; it is the first, or there already."""
        self._newest().get_by_role("button", name="Regenerate").wait_for()

    def wait_for_title(self) -> str:
        """The title of the chat, once it has one of its own."""
        self._page.wait_for_function("!/^(New Chat|Open WebUI|.*New Chat.*)/.test(document.title)")
        title: str = self._page.title()
        return title.split(" / ")[0]

    def regenerate(self) -> None:
        """Ask for another answer."""
        self._newest().get_by_role("button", name="Regenerate").click()
        self._page.get_by_text("Try Again", exact=True).click()

    def stop(self) -> None:
        """Press the button that stands in the place of the one that sends."""
        self._page.get_by_role("button", name=re.compile("stop", re.IGNORECASE)).last.click()

    def hover_info(self) -> str:
        """What the sign below the newest answer tells of its tokens."""
        self._newest().locator("button[id^=info-]").hover()
        shown = self._page.get_by_text("prompt_tokens:").last
        shown.wait_for()
        text: str = shown.inner_text()
        return text

    def shows(self, text: str) -> bool:
        """Whether a text is to be seen."""
        return bool(self._page.get_by_text(text).last.is_visible())

    def sees_button(self, name: str) -> bool:
        """Whether a button with this in its name is to be seen."""
        return bool(self._page.get_by_role("button", name=name).last.is_visible())

    def newest_answer(self) -> str:
        """The text of the last answer."""
        text: str = self._newest().locator("#response-content-container").inner_text()
        return text

    def take_picture(self, name: str) -> None:
        """Keep a screenshot."""
        self._page.screenshot(path=self._pictures / f"{name}.png")

    def _newest(self) -> Locator:
        return self._page.locator("[id^=message-]:has(#response-content-container)").last

    def _answers(self) -> Locator:
        return self._page.locator("#response-content-container")


@contextmanager
def running_page(chromium: str, stage: Stage) -> Iterator[Page]:
    """A browser on Open WebUI, whose user has the clock prompt."""
    stage.pictures.mkdir(exist_ok=True)
    stage.webui.set_page({"version": stage.webui.version(), "system": CLOCK_PROMPT})
    with sync_playwright() as driver:
        # The sandbox needs rights that containers do not give; the pages are all of this machine.
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"], timeout=_PATIENCE_MS)
        try:
            yield Page(browser, stage.webui.url, stage.pictures)
        finally:
            browser.close()
