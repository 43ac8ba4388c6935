"""Files as they come, in bytes."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_service.retrieval.files import FilePage, RawFile, UnreadableFileError, decode, read_file
from rag_service.retrieval.process import RetrievalProcess

ARTICLE = (
    "The old harbour of the town was built in 1904, when the river had become too shallow for larger ships. "
    "Its two basins were dredged by hand, and the work took eleven years."
)
MENU = "<nav><a href=/>Home</a><a href=/a>Products</a><a href=/b>About</a></nav>"
PAGE = f"<html><head><title>The harbour</title></head><body>{MENU}<article><p>{ARTICLE}</p></article></body></html>"


def pdf(*texts: str) -> bytes:
    """A PDF with a page for each text."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for text in texts:
        stream = b"BT /F1 12 Tf 20 100 Td (%s) Tj ET" % text.encode() if text else b""
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        font = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        about = b"/Type /Page /Parent 2 0 R /MediaBox [0 0 300 200]"
        objects.append(b"<< %s /Contents %d 0 R /Resources %s >>" % (about, len(objects), font))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    written, places = bytearray(b"%PDF-1.4\n"), []
    for number, text_of in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, text_of)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(written)


def test_a_page_loses_its_menu_and_keeps_its_title() -> None:
    for kind in ("web", "attached"):
        (page,) = read_file(RawFile(PAGE.encode(), "text/html", kind=kind))
        assert ARTICLE in page.text
        assert "Products" not in page.text
        assert page.title == "The harbour"


@pytest.mark.parametrize(
    ("media_type", "name"), [("", "a.html"), ("application/octet-stream", "a"), ("application/xhtml+xml", "")]
)
def test_html_is_told_by_its_type_its_name_or_its_beginning(media_type: str, name: str) -> None:
    body = f"<!-- made by hand -->\n<!DOCTYPE html>{PAGE}".encode()
    assert "Products" not in read_file(RawFile(body, media_type, name=name))[0].text


def test_texts_stay_as_they_are() -> None:
    text = "# Notes\n\n* idle: 2.1 W\n* peak: 9.8 W\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"
    for media_type in ("text/markdown", "text/plain", "", "application/octet-stream"):
        assert read_file(RawFile(text.encode(), media_type)) == [FilePage(text)]
    assert "2.1 W" in read_file(RawFile(b'{"idle": "2.1 W"}', "application/json"))[0].text


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "Größe — 2 €"),
        ("iso-8859-1", "Größe – “2 €”"),
        ("windows-1251", "Размер порта"),
        ("gb2312", "港口的大小是两公里"),
        ("shift_jis", "港の大きさは二キロメートル①"),
        ("utf-16", "Größe 2 €"),
    ],
)
def test_charsets_that_are_declared(charset: str, text: str) -> None:
    really = {"iso-8859-1": "cp1252", "gb2312": "gb18030", "shift_jis": "cp932"}.get(charset, charset)
    assert decode(text.encode(really), charset) == text
    page = f'<html><head><meta http-equiv=Content-Type content="text/html; charset={charset}"></head><p>{text}</p>'
    assert text in read_file(RawFile(page.encode(really), "text/html"))[0].text


def test_charsets_that_are_not_declared_or_wrongly() -> None:
    assert decode("Größe €".encode()) == "Größe €"
    assert decode("港口的大小".encode(), "gbk2000-and-a-half") == "港口的大小"
    assert decode(b"plain", "rot13") == "plain"
    assert decode(b"cut off \xe6\xb8", "utf-8") == "cut off �"
    russian = "Порт был построен в 1904 году, когда река стала слишком мелкой для больших кораблей. " * 5
    assert "построен" in decode(russian.encode("windows-1251"))


@pytest.mark.parametrize(
    ("body", "media_type", "why"),
    [
        (b"PK\x03\x04\x00\x00", "application/zip", "application/zip cannot be read"),
        (b"\x89PNG\r\n\x1a\n\x00", "", "unknown type cannot be read"),
        (b"\x00\x01\x02", "text/plain", "cannot be read"),
        (b"   \n", "text/plain", "No text was found in 4 bytes"),
        (b"<html><body><script>x</script></body></html>", "text/html", "No text was found"),
        (b"{\\rtf1 x}", "text/rtf", "text/rtf cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, media_type: str, why: str) -> None:
    with pytest.raises(UnreadableFileError, match=why):
        read_file(RawFile(body, media_type))


def test_a_pdf_comes_page_by_page() -> None:
    pytest.importorskip("pypdf", reason="pypdf is not installed")
    pages = read_file(RawFile(pdf("The board idles at 2.1 W.", "", "It peaks at 9.8 W."), "application/pdf"))
    assert [(page.page, page.text) for page in pages] == [
        (0, "The board idles at 2.1 W."),
        (2, "It peaks at 9.8 W."),
    ]


def test_a_broken_pdf_says_so() -> None:
    pytest.importorskip("pypdf", reason="pypdf is not installed")
    whole = pdf("The board idles at 2.1 W.")
    for body in (b"%PDF-1.4\nnothing", whole.replace(b"/Pages 2 0 R", b"/Pages 9 0 R"), pdf("")):
        with pytest.raises(UnreadableFileError, match=r"is broken|No text was found"):
            read_file(RawFile(body))


def test_without_pypdf_a_pdf_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(UnreadableFileError, match=r"rkllm-providers\[pdf\]"):
        read_file(RawFile(pdf("text")))


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300), st.sampled_from(["", "text/html", "text/plain"]), st.text(max_size=12))
def test_any_bytes_are_read_or_refused(body: bytes, media_type: str, charset: str) -> None:
    try:
        pages = read_file(RawFile(body, media_type, charset))
    except UnreadableFileError:
        return
    assert all(page.text.strip() for page in pages)


async def test_the_process_reads_as_the_function_does() -> None:
    process = RetrievalProcess(seconds=60)
    try:
        file = RawFile(PAGE.encode(), "text/html", kind="web")
        assert await process.read(file) == read_file(file)
        with pytest.raises(UnreadableFileError, match="No text was found"):
            await process.read(RawFile(b" "))
        assert await process.read(RawFile(b"after that")) == [FilePage("after that")]
    finally:
        await process.close()
