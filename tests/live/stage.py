"""Everything that a scenario plays on, running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.live.service import Service, running_service
from tests.live.web import PAGES, Web, running_web
from tests.live.webui import RECOMMENDED, OpenWebUI, running_webui

MODELS: Final = Path(__file__).parent / "models"
SCRIPTED: Final = "scripted-4k"
REAL: Final = "smollm2-135m-instruct"
MANUAL: Final = PAGES / "manual.md"
CLOCK_PROMPT: Final = (
    "You help the owner of a small house by the sea with garden, boat and household. You answer in full sentences, "
    "in the language of the question, and say so if you do not know something. Prices are in crowns, and measures "
    "are metric. When an answer rests on a source, its number stands behind it in square brackets.\n"
    "Today is {{CURRENT_WEEKDAY}}, {{CURRENT_DATE}}. The time is {{CURRENT_TIME}}."
)
"""A system prompt with the variables that Open WebUI documents for one: the time has seconds."""


LOCAL_PAGES: Final = {"RKLLM_WEB_LOADER_NETWORKS": "127.0.0.1/32"}
"""The small web is on this machine, where the service loads no pages from otherwise."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The service, the web it may search, an Open WebUI, where data go, and where what was seen is kept."""

    service: Service
    web: Web
    webui: OpenWebUI
    data: Path
    folder: Path

    @property
    def pictures(self) -> Path:
        """Where screenshots go."""
        return self.folder / "screenshots"

    @property
    def defaults_log(self) -> Path:
        """The log of the service behind an Open WebUI with default settings."""
        return self.folder / "service-defaults.log"


@contextmanager
def running_stage(data: Path, folder: Path) -> Iterator[Stage]:
    """Start it all, Open WebUI with the recommended settings; logs are in ``folder``."""
    with (
        running_web() as web,
        running_service(MODELS, data / "service", folder / "service.log", LOCAL_PAGES) as service,
        running_webui(
            service.base_url,
            data / "webui",
            folder / "webui.log",
            {**RECOMMENDED, **_web_search(web), **_loaders(service)},
        ) as webui,
    ):
        yield Stage(service, web, webui, data, folder)


@contextmanager
def running_defaults(stage: Stage) -> Iterator[OpenWebUI]:
    """Another pair: Open WebUI as it comes, and a service that searches on the model's behalf.

    But for the search engine, and for whole files instead of embeddings: the slim variant brings no model for them.
    """
    data, log = stage.data / "defaults", stage.folder / "webui-defaults.log"
    with (
        running_service(MODELS, data / "service", stage.defaults_log, {"RKLLM_SEARCH_FOR_MODEL": "true"}) as service,
        running_webui(
            service.base_url,
            data / "webui",
            log,
            {**_web_search(stage.web), "BYPASS_EMBEDDING_AND_RETRIEVAL": "True"},
        ) as webui,
    ):
        yield webui


def _web_search(web: Web) -> Mapping[str, str]:
    return {
        "ENABLE_WEB_SEARCH": "True",
        "WEB_SEARCH_ENGINE": "searxng",
        "SEARXNG_QUERY_URL": f"{web.url}/search",
        "WEB_SEARCH_RESULT_COUNT": "3",
        # Its pages are on this machine, which Open WebUI otherwise does not read.
        "ENABLE_RAG_LOCAL_WEB_FETCH": "True",
    }


def _loaders(service: Service) -> Mapping[str, str]:
    """Have the service load pages and documents."""
    return {
        "WEB_LOADER_ENGINE": "external",
        "EXTERNAL_WEB_LOADER_URL": f"{service.base_url}/loaders/web",
        "EXTERNAL_WEB_LOADER_API_KEY": "none",
        "CONTENT_EXTRACTION_ENGINE": "external",
        "EXTERNAL_DOCUMENT_LOADER_URL": f"{service.base_url}/loaders/documents",
        "EXTERNAL_DOCUMENT_LOADER_API_KEY": "none",
    }
