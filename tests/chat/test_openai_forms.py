"""Tools, choices and formats in OpenAI's form."""

import base64
import binascii
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat.openai_forms import (
    PIECE,
    data_url,
    read_base64,
    read_image_url,
    read_response_format,
    read_tool,
    read_tool_choice,
)
from rkllm_providers.chat.types import ImagePart, ResponseFormat, Tool
from rkllm_providers.errors import InvalidRequest

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([1])
FORM_KEYS = st.sampled_from(["type", "function", "name", "parameters", "json_schema", "schema", "description"])
FORM_WORDS = st.sampled_from(["function", "tool", "json_schema", "json_object", "text", "auto", "any", "one"])
INNER = LEAVES | FORM_WORDS | st.dictionaries(FORM_KEYS, LEAVES | FORM_WORDS, max_size=3)
FORMS = INNER | st.dictionaries(FORM_KEYS, INNER, max_size=4)


def test_a_tool() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "weather", "description": "Tells it.", "parameters": schema, "strict": True}
    expected = Tool("weather", "Tells it.", schema)
    assert read_tool({"type": "function", "function": function}) == expected
    assert read_tool(function) == expected
    assert read_tool({"type": "function", "name": "bare"}) == Tool("bare")
    assert read_tool({"name": "bare", "parameters": None, "description": None}) == Tool("bare")


@pytest.mark.parametrize("wrong", [{}, {"name": ""}, {"function": "f"}, {"name": "f", "parameters": []}])
def test_what_is_no_tool(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        read_tool(wrong)


def test_other_kinds_of_tools_are_named() -> None:
    with pytest.raises(InvalidRequest, match="web_search"):
        read_tool({"type": "web_search"})


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ("auto", None)),
        ("auto", ("auto", None)),
        ("none", ("none", None)),
        (False, ("none", None)),
        ("any", ("required", None)),
        ("required", ("required", None)),
        (True, ("required", None)),
        ("two", ("required", "two")),
        ({"type": "function", "function": {"name": "two"}}, ("required", "two")),
        ({"type": "function", "name": "two"}, ("required", "two")),
        ({"type": "tool", "name": "two"}, ("required", "two")),
        ({"name": "two"}, ("required", "two")),
        ({"type": "any"}, ("required", None)),
        ({"type": "auto"}, ("auto", None)),
    ],
)
def test_choices(choice: object, expected: tuple[str, str | None]) -> None:
    assert read_tool_choice(choice, ["one", "two"]) == expected


def test_the_only_tool_is_the_one_to_call() -> None:
    assert read_tool_choice("any", ["one"]) == ("required", "one")


def test_a_tool_may_be_called_like_a_word() -> None:
    assert read_tool_choice("any", ["any", "two"]) == ("required", "any")


@pytest.mark.parametrize("choice", ["three", {"name": "three"}, {"type": "what"}, 3, {}, ["one"]])
def test_a_choice_that_is_not_offered(choice: object) -> None:
    with pytest.raises(InvalidRequest, match="one, two"):
        read_tool_choice(choice, ["one", "two"])


def test_a_choice_without_tools() -> None:
    with pytest.raises(InvalidRequest, match="no tools"):
        read_tool_choice("any", [])


def test_formats() -> None:
    assert read_response_format({"type": "text"}) is None
    assert read_response_format({"type": "json_object"}) == ResponseFormat()
    schema = {"type": "object"}
    inner = {"name": "joke", "description": "Short.", "schema": schema, "strict": True}
    assert read_response_format({"type": "json_schema", "json_schema": inner}) == ResponseFormat(
        schema, "joke", "Short."
    )


@given(form=st.dictionaries(FORM_KEYS, FORMS, max_size=5))
def test_any_form_is_read_or_refused(form: dict[str, Any]) -> None:
    try:
        tool = read_tool(form)
    except InvalidRequest:
        pass
    else:
        assert tool.name
    try:
        read = read_response_format(form)
    except InvalidRequest:
        pass
    else:
        assert read is None or read.schema is None or isinstance(read.schema, dict)


@given(choice=FORMS, names=st.lists(st.text(min_size=1, max_size=5), max_size=3))
def test_any_choice_is_read_or_refused(choice: object, names: list[str]) -> None:
    try:
        known, forced = read_tool_choice(choice, names)
    except InvalidRequest:
        return
    assert forced is None or (forced in names and known == "required")
    assert known != "required" or names


@given(
    st.binary(min_size=1, max_size=40), st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]), st.booleans()
)
def test_base64_of_either_alphabet_with_padding_or_without(data: bytes, encode: Any, padded: bool) -> None:
    text = encode(data).decode()
    assert read_base64(text if padded else text.rstrip("="), "url") == data
    assert read_base64("\n".join(text[at : at + 4] for at in range(0, len(text), 4)), "url") == data


@pytest.mark.parametrize("wrong", ["", "=", "a", "ab!d", "a*b*c*d*", "é", "ab=d", "abc=defg"])
def test_what_is_no_base64_is_never_bytes(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match=r"url (is|holds)"):
        read_base64(wrong, "url")


def test_a_large_picture_is_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a piece is read all other threads wait: for the whole of 20 MiB, a quarter of a second."""
    sizes: list[int] = []
    decode = binascii.a2b_base64

    def read(piece: str) -> bytes:
        sizes.append(len(piece))
        return decode(piece)

    monkeypatch.setattr(binascii, "a2b_base64", read)
    for size in (PIECE // 4 * 3 * 2 + more for more in (-1, 0, 1)):
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        text = base64.b64encode(data).decode()
        assert read_base64(text, "url") == data
        assert read_base64(text.rstrip("="), "url") == data
        for wrong in (f"{text[:PIECE]}!{text[PIECE:]}", f"{text[: PIECE - 2]}=={text[PIECE:]}"):
            with pytest.raises(InvalidRequest, match="url is not written in base64"):
                read_base64(wrong, "url")
    assert max(sizes) == PIECE


@given(st.text(max_size=30) | st.none() | st.dictionaries(st.just("url"), st.text(max_size=30), max_size=1))
def test_whatever_is_no_picture_is_a_clear_error(given_: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"image_url (has|must|is|holds)"):
        read_image_url(given_, "image_url")  # no text that short and that random is a picture


def test_an_address_is_kept_and_what_was_read_stays() -> None:
    picture = read_image_url({"url": " HTTPS://example.org/cat.png"}, "url")
    assert picture == ImagePart(url="HTTPS://example.org/cat.png")
    assert picture.digest != ImagePart(url="https://example.org/dog.png").digest
    assert data_url(picture) == picture.url
    assert read_image_url({"url": picture}, "url") is picture


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"\x89PNG\r\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"RIFF1234WEBP", "image/webp"),
        (b"?", "image/*"),
    ],
)
def test_a_picture_travels_as_a_data_url(data: bytes, media_type: str) -> None:
    url = data_url(ImagePart(data))
    assert url.startswith(f"data:{media_type};base64,")
    assert read_image_url({"url": url}, "url") == ImagePart(data, media_type)
    assert read_image_url(url.replace("data:", "DATA:").replace(";base64", ";x=1;BASE64"), "url").data == data
