"""A small web of this machine: a stand-in of SearXNG that finds a few pages, and these pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

PAGES: Final = Path(__file__).parent / "pages"


class Web(ThreadingHTTPServer):
    """Remembers what was searched for and which pages were read."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.queries: list[str] = []
        self.read: list[str] = []

    def results(self, query: str) -> list[dict[str, Any]]:
        """What SearXNG answers, with the words that page and query share as the score."""
        words = set(query.lower().split())
        found = []
        for path in sorted(PAGES.glob("*.html")):
            text = path.read_text()
            score = sum(word in text.lower() for word in words)
            title = text.partition("<title>")[2].partition("</title>")[0]
            snippet = text.partition('name="description" content="')[2].partition('"')[0]
            found.append({"url": f"{self.url}/{path.name}", "title": title, "content": snippet, "score": score})
        return sorted(found, key=lambda result: -int(result["score"]))


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        """Search, or read a page."""
        address = urlsplit(self.path)
        if address.path == "/search":
            query = parse_qs(address.query).get("q", [""])[0]
            self.server.queries.append(query)
            body = json.dumps({"query": query, "results": self.server.results(query)}).encode()
            self._answer(200, "application/json", body)
            return
        page = PAGES / Path(address.path).name
        if page.suffix == ".html" and page.is_file():
            self.server.read.append(page.name)
            self._answer(200, "text/html; charset=utf-8", page.read_bytes())
        else:
            self._answer(404, "text/plain", b"There is no such page.\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: what came is remembered."""


@contextmanager
def running_web() -> Iterator[Web]:
    """Serve the small web."""
    with Web() as web:
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        try:
            yield web
        finally:
            web.shutdown()
            thread.join(10)
