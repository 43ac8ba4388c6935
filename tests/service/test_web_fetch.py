"""Fetching pages for clients: what is refused, and what bounds it has."""

from __future__ import annotations

import gzip
import ipaddress
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag_service.fetch_limits import FetchLimits, PageNotLoaded, is_allowed, is_near, may_fetch
from rag_service.web_fetch import WebFetcher

LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
        *("169.254.169.254", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        *("fec0::1", "feff::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("2002:7f00:1::", "2002:a00:1::1", "", "localhost", "1.2.3", "not an address"),
    ],
)
def test_addresses_that_are_not_fetched_from(address: str) -> None:
    assert not may_fetch(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_of_the_public_internet(address: str) -> None:
    assert may_fetch(address)


def test_networks_that_the_owner_adds() -> None:
    home = (ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("fd12::/16"))
    assert may_fetch("192.168.1.7", home)
    assert may_fetch("::ffff:192.168.1.7", home)
    assert may_fetch("fd12::7", home)
    assert not may_fetch("192.168.2.7", home)
    assert not may_fetch("127.0.0.1", home)


def test_public_addresses_of_this_machine_are_told() -> None:
    # Called from themselves, as any address of this machine is.
    assert is_near("127.0.0.1")
    assert is_near("::ffff:127.0.0.1")
    assert not is_near("192.0.2.1")
    assert is_allowed("::ffff:127.0.0.1", LOCAL)
    assert not is_allowed("1.1.1.1", LOCAL)


class Site(BaseHTTPRequestHandler):
    """Pages of a test, by their paths."""

    asked: list[tuple[str, dict[str, str]]]
    pages: dict[str, bytes]

    def do_GET(self) -> None:
        self.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        path, _, query = self.path.partition("?")
        if path == "/redirect":
            self.send_response(302)
            self.send_header("Location", query)
            self.end_headers()
            return
        body = self.pages.get(path)
        self.send_response(404 if body is None else 200)
        if path in ("/packed", "/bomb"):
            self.send_header("Content-Encoding", "gzip")
        if path == "/odd":
            self.send_header("Content-Encoding", "br")
        self.send_header("Content-Type", 'text/html; charset="UTF-8"; x=y')
        self.send_header("Set-Cookie", "who=somebody; Path=/")
        if path != "/large":
            self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving_pages(pages: dict[str, bytes]) -> Iterator[str]:
    """Serve pages by their paths; gives the base URL."""
    Site.asked, Site.pages = [], pages
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[str]:
    pages = {"/page": b"<p>Hello</p>", "/large": b"x" * 5000, "/packed": gzip.compress(b"y" * 500), "/odd": b"z"}
    with serving_pages(pages) as url:
        yield url


MakeFetcher = Callable[..., WebFetcher]


@pytest.fixture
async def make_fetcher() -> AsyncIterator[MakeFetcher]:
    made: list[WebFetcher] = []

    def make(**limits: object) -> WebFetcher:
        given = {"allowed": LOCAL, "seconds": 30.0} | limits
        made.append(WebFetcher(FetchLimits(**given)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for fetcher in made:
        await fetcher.close()


async def test_a_page(make_fetcher: MakeFetcher, site: str) -> None:
    page = await make_fetcher().fetch(f"{site}/page#part")
    assert (page.body, page.media_type, page.charset, page.path) == (b"<p>Hello</p>", "text/html", "utf-8", "/page")
    path, headers = Site.asked[0]
    assert path == "/page"
    assert headers["host"] == site.removeprefix("http://")
    assert not {"cookie", "authorization"} & set(headers)


async def test_no_cookie_is_kept(make_fetcher: MakeFetcher, site: str) -> None:
    fetcher = make_fetcher()
    for _ in range(2):
        await fetcher.fetch(f"{site}/page")
        await fetcher.fetch(f"{site}/redirect?/page")
    assert len(Site.asked) == 6
    assert not any("cookie" in headers for _, headers in Site.asked)


async def test_a_packed_page(make_fetcher: MakeFetcher, site: str) -> None:
    assert (await make_fetcher().fetch(f"{site}/packed")).body == b"y" * 500


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "not of http or https"),
        ("ftp://example.org/", "not of http or https"),
        ("javascript:alert(1)", "not of http or https"),
        ("//example.org/", "not of http or https"),
        ("http://", "not of http or https"),
        ("http://[::1", "no URL"),
        ("nonsense", "not of http or https"),
        ("http://xn--a/", "no URL"),
        ("http://1.1.1.1:99999/", "the port 99999, and ports are 1 to 65535"),
        ("http://1.1.1.1:-1/", "the port -1"),
        ("http://example.org/" + "x" * 5000, "5019 characters"),
        ("http://127.0.0.1:1/", "not on the public internet"),
        ("http://2130706433:1/", "not on the public internet"),
        ("http://0x7f.1:1/", "not on the public internet"),
        ("http://user:pass@127.0.0.1:1/", "not on the public internet"),
        ("http://[::ffff:127.0.0.1]:1/", "not on the public internet"),
        ("http://[::1]:1/", "not on the public internet"),
        ("http://169.254.169.254/latest/meta-data/", "not on the public internet"),
    ],
)
async def test_what_is_refused(make_fetcher: MakeFetcher, url: str, why: str) -> None:
    with pytest.raises(PageNotLoaded, match=why):
        await make_fetcher(allowed=()).fetch(url)


async def test_a_redirect_is_followed_and_checked_like_an_address(make_fetcher: MakeFetcher, site: str) -> None:
    fetcher = make_fetcher()
    assert (await fetcher.fetch(f"{site}/redirect?/page")).body == b"<p>Hello</p>"
    assert (await fetcher.fetch(f"{site}/redirect?{site}/redirect?/page")).body == b"<p>Hello</p>"
    for place, why in (
        ("http://10.0.0.1/", "not on the public internet"),
        ("file:///etc/passwd", "not of http"),
        ("http://xn--a/", "could not be fetched"),
        ("http://127.0.0.1:99999/", "the port 99999"),
        ("http://169.254.169.254/", "not on the public internet"),
    ):
        with pytest.raises(PageNotLoaded, match=why):
            await fetcher.fetch(f"{site}/redirect?{place}")


async def test_redirects_without_end(make_fetcher: MakeFetcher, site: str) -> None:
    with pytest.raises(PageNotLoaded, match="more than 5 redirects"):
        await make_fetcher().fetch("".join([f"{site}/redirect?"] * 10) + "/page")
    assert len(Site.asked) == 6


async def test_a_name_that_changes_its_address_gains_nothing(make_fetcher: MakeFetcher, site: str) -> None:
    port = int(site.rpartition(":")[2])
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    fetcher = make_fetcher()
    fetcher.resolve = lambda host, asked: answers.pop(0)
    page = await fetcher.fetch(f"http://site.test:{port}/page")
    # It was asked once, and what was checked is what was called.
    assert (page.body, len(answers)) == (b"<p>Hello</p>", 1)
    assert Site.asked[0][1]["host"] == f"site.test:{port}"
    with pytest.raises(PageNotLoaded, match="not on the public internet"):
        await fetcher.fetch(f"http://site.test:{port}/page")


async def test_a_name_with_one_address_inside_is_refused(make_fetcher: MakeFetcher, site: str) -> None:
    fetcher = make_fetcher()
    fetcher.resolve = lambda host, asked: ["127.0.0.1", "10.0.0.1"]
    with pytest.raises(PageNotLoaded, match="not on the public internet"):
        await fetcher.fetch(f"http://site.test:{site.rpartition(':')[2]}/page")
    assert Site.asked == []


async def test_a_public_address_of_the_own_network_is_refused(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher()
    fetcher.resolve = lambda host, asked: ["2606:4700::1111"]
    fetcher.is_near = lambda address: address == "2606:4700::1111"
    with pytest.raises(PageNotLoaded, match="not on the public internet"):
        await fetcher.fetch("http://neighbour.test/")


async def test_the_next_address_is_tried(make_fetcher: MakeFetcher, site: str) -> None:
    fetcher = make_fetcher()
    fetcher.resolve = lambda host, asked: ["127.0.0.2", "127.0.0.1"]
    page = await fetcher.fetch(f"http://site.test:{site.rpartition(':')[2]}/page")
    assert page.body == b"<p>Hello</p>"


async def test_bounds(make_fetcher: MakeFetcher, site: str) -> None:
    small = make_fetcher(size=400)
    for path, why in (
        ("/large", "more than 400 bytes"),
        ("/packed", "more than 400 bytes"),
        ("/missing", "HTTP 404"),
        ("/odd", "packed as 'br'"),
    ):
        with pytest.raises(PageNotLoaded, match=why):
            await small.fetch(site + path)
    Site.pages["/bomb"] = gzip.compress(bytes(20_000_000), 1)
    with pytest.raises(PageNotLoaded, match="more than 8388608 bytes"):
        await make_fetcher().fetch(f"{site}/bomb")
    with pytest.raises(PageNotLoaded, match=r"took more than 0\.00001 s|1e-05 s"):
        await make_fetcher(seconds=0.00001).fetch(f"{site}/page")


async def test_a_host_that_is_not_there(make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher()

    def unknown(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    fetcher.resolve = unknown
    with pytest.raises(PageNotLoaded, match="host is not known"):
        await fetcher.fetch("http://nowhere.test/")
    fetcher.resolve = lambda host, port: ["127.0.0.1"]
    with pytest.raises(PageNotLoaded, match="could not be fetched"):
        await fetcher.fetch("http://nowhere.test:1/")
