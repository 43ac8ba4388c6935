"""Open WebUI's loaders of pages and documents, through the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rag_service.settings import ServiceSettings
from tests.retrieval.test_files import ARTICLE, PAGE, pdf
from tests.service.conftest import StartService, running
from tests.service.test_web_fetch import Site, serving_pages

TABLE = "<table><tr><th>state</th><th>power</th></tr><tr><td>idle</td><td>2.1 W</td></tr></table>"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    with running(ServiceSettings(port=0, models_dir=folder, web_loader_networks="127.0.0.0/8")) as base:  # type: ignore[arg-type]
        yield base


@pytest.fixture
def site() -> Iterator[str]:
    with serving_pages({"/harbour": PAGE.encode(), "/empty": b"<p></p>"}) as base:
        yield base


def load(url: str, *urls: Any, **fields: Any) -> httpx.Response:
    return httpx.post(f"{url}/v1/loaders/web", json={"urls": list(urls), **fields}, timeout=60)


def process(url: str, body: bytes, media_type: str = "", name: str = "") -> httpx.Response:
    headers = {"Content-Type": media_type, "X-Filename": name}
    return httpx.put(f"{url}/v1/loaders/documents/process", content=body, headers=headers, timeout=60)


def test_pages_come_clean_and_under_the_address_that_was_asked_for(url: str, site: str) -> None:
    addresses = [f"{site}/harbour", f"{site}/redirect?/harbour"]
    response = load(url, *addresses)
    assert response.status_code == 200
    assert "x-rkllm-hint" not in response.headers
    pages = response.json()
    assert [page["metadata"] for page in pages] == [{"source": one, "title": "The harbour"} for one in addresses]
    assert all(ARTICLE in page["page_content"] for page in pages)
    assert all("Products" not in page["page_content"] for page in pages)


def test_pages_that_cannot_be_had_are_left_out_and_counted(url: str, site: str) -> None:
    response = load(url, f"{site}/harbour", f"{site}/1", f"{site}/2", f"{site}/empty", "http://10.0.0.1/", "x")
    assert [page["metadata"]["source"] for page in response.json()] == [f"{site}/harbour"]
    hint = response.headers["x-rkllm-hint"]
    assert hint.startswith("5 of 6 pages were not loaded: 2 x HTTP 404; ")
    for reason in ("No text was found", "not on the public internet", "not of http or https"):
        assert reason in hint
    assert "10.0.0.1" not in hint
    assert load(url).json() == []


def test_what_is_no_list_of_addresses_is_refused(url: str) -> None:
    assert load(url, *["http://example.org/"] * 21).status_code == 400
    assert load(url, 7).status_code == 400
    assert httpx.post(f"{url}/v1/loaders/web", json={}).status_code == 400
    response = load(url, "x", depth=2)
    assert response.headers["x-rkllm-ignored-fields"] == "depth"


def test_it_can_be_turned_off_and_fetches_nothing_of_this_machine_by_default(
    start_service: StartService, site: str
) -> None:
    assert load(start_service(web_loader=False), f"{site}/harbour").status_code == 400
    response = load(start_service(), f"{site}/harbour")
    assert response.json() == []
    assert "RKLLM_WEB_LOADER_NETWORKS" in response.headers["x-rkllm-hint"]
    assert Site.asked == []


def test_files(url: str) -> None:
    name = "ec86ec64-fd94-4900-9d89-c637dcf6619b_notes%20%C3%BCber.txt"
    response = process(url, "Leerlauf: 2,1 W.".encode("cp1252"), "text/plain; charset=iso-8859-1", name)
    assert response.json() == {"page_content": "Leerlauf: 2,1 W.", "metadata": {"source": "notes über.txt"}}
    page = process(url, f"<title>Power</title><nav><a href=/>Home</a></nav>{TABLE}".encode(), "text/html").json()
    assert page["metadata"] == {"title": "Power"}
    assert "2.1 W" in page["page_content"]
    assert "Home" not in page["page_content"]


def test_a_pdf_is_read_or_says_what_is_missing(url: str) -> None:
    response = process(url, pdf("The board idles at 2.1 W.", "It peaks at 9.8 W."), "application/pdf", "a.pdf")
    try:
        import pypdf  # noqa: F401
    except ImportError:
        assert response.status_code == 400
        assert "rkllm-providers[pdf]" in response.json()["error"]["message"]
        return
    assert [page["metadata"] for page in response.json()] == [
        {"source": "a.pdf", "page": 0},
        {"source": "a.pdf", "page": 1},
    ]


@pytest.mark.parametrize(
    ("body", "media_type"), [(b"", ""), (b"PK\x03\x04", "application/zip"), (b" ", "text/plain")]
)
def test_files_that_hold_no_text_are_refused(url: str, body: bytes, media_type: str) -> None:
    response = process(url, body, media_type, "%FF%00%C3")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request"
    assert response.json()["error"]["message"]


def test_the_routes_of_open_webui_stand_without_v1_too(url: str) -> None:
    assert httpx.put(f"{url}/loaders/documents/process", content=b"text").json()["page_content"] == "text"
    assert httpx.post(f"{url}/loaders/web", json={"urls": []}).json() == []
