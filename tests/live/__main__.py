"""Run it: ``make test-openwebui``, which makes the environment first."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from tests.live import page_scenarios, scenarios
from tests.live.figures import Figures
from tests.live.page import CHROMIUM_HINT, find_chromium, running_page
from tests.live.service import RKLLM
from tests.live.stage import Stage, running_stage

Play = Callable[[Stage, Figures], str]

OVER_API: Final[tuple[Play, ...]] = (
    scenarios.chat_and_regenerate,
    scenarios.talk_with_a_clock,
    scenarios.document_chat,
    scenarios.web_search,
    scenarios.stop_in_mid_stream,
    scenarios.stop_before_the_first_token,
    scenarios.continue_a_stopped_answer,
    scenarios.errors_are_shown,
    scenarios.default_settings,
)
IN_PAGE: Final = (
    page_scenarios.chat_and_regenerate,
    page_scenarios.document_chat,
    page_scenarios.web_search,
    page_scenarios.stop,
    page_scenarios.error,
    page_scenarios.real_model,
)


def main(arguments: list[str]) -> int:
    """Play all scenarios; 0 if all that were wanted were played and passed."""
    parser = argparse.ArgumentParser(prog="make test-openwebui")
    parser.add_argument("--folder", type=Path, help="where logs and screenshots go (default: a new one)")
    parser.add_argument("--no-browser", action="store_true", help="leave the page out")
    parser.add_argument("--only", default="", help="play scenarios with this in their names")
    given = parser.parse_args(arguments)
    # Whoever ends this run ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not RKLLM.exists():
        sys.exit(f"{RKLLM} is not there: `make test-openwebui` makes it.")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="rkllm-openwebui-"))
    folder.mkdir(parents=True, exist_ok=True)
    figures = Figures()
    with (
        tempfile.TemporaryDirectory(prefix="rkllm-openwebui-data-") as data,
        running_stage(Path(data), folder) as stage,
    ):
        print(f"Open WebUI {stage.webui.version()} with {', '.join(stage.service.models())}.", flush=True)
        for play in OVER_API:
            if given.only in _name(play):
                figures.run(f"API: {_name(play)}", partial(play, stage, figures))
        figures.print_costs()
        if not given.no_browser:
            _play_in_page(stage, figures, given.only)
    print(f"Logs and screenshots: {folder}")
    figures.print_end()
    return 1 if figures.failed or figures.skipped else 0


def _play_in_page(stage: Stage, figures: Figures, only: str) -> None:
    wanted = [show for show in IN_PAGE if only in _name(show)]
    chromium = find_chromium()
    if chromium is None:
        for show in wanted:
            figures.skip(f"page: {_name(show)}", CHROMIUM_HINT)
    elif wanted:
        with running_page(chromium, stage) as page:
            for show in wanted:
                figures.run(f"page: {_name(show)}", partial(show, stage, page))


def _name(play: Callable[..., str]) -> str:
    return play.__name__.replace("_", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
