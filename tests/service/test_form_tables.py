"""The tables of the other APIs' fields in the documentation say what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rag_service.api.anthropic.content import Block
from rag_service.api.anthropic.forms import CountRequest, MessageRequest
from rag_service.api.ollama.chat import OllamaChat, OllamaCompletion
from rag_service.api.ollama.generation import ModelOptions
from rag_service.api.openai.fields import WireRequest
from rkllm_providers.errors import InvalidRequest

DOCS = Path(__file__).parents[2] / "docs"
FORMS: dict[str, tuple[type[WireRequest], ...]] = {
    "ollama.md": (OllamaChat, OllamaCompletion),
    "anthropic.md": (MessageRequest, CountRequest),
}
NEEDED: dict[type[WireRequest], dict[str, Any]] = {
    OllamaChat: {},
    OllamaCompletion: {},
    MessageRequest: {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1},
    CountRequest: {"messages": [{"role": "user", "content": "Hi"}]},
}


def documented(page: str) -> dict[str, str]:
    """Field and class of a page's table of fields."""
    return dict(re.findall(r"^\| `(\w+)` \| (honoured|refused|named) \|", (DOCS / page).read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", FORMS)
def test_the_table_has_every_field_and_says_what_is_done(page: str) -> None:
    table = documented(page)
    honoured = {field for form in FORMS[page] for field in form.model_fields}
    refused = {field for form in FORMS[page] for field in form.refused}
    assert {field for field, kind in table.items() if kind == "honoured"} == honoured
    assert {field for field, kind in table.items() if kind == "refused"} == refused


@pytest.mark.parametrize("form", NEEDED)
def test_what_is_refused_is_and_what_is_unknown_is_named(form: type[WireRequest]) -> None:
    for field in form.refused:
        with pytest.raises(InvalidRequest) as caught:
            form.model_validate({**NEEDED[form], field: ["x"]}).check_refused()
        assert caught.value.param == field
    unknown = form.model_validate({**NEEDED[form], "metadata": {"a": 1}, "service_tier": "auto"})
    unknown.check_refused()
    assert unknown.ignored_fields() == ["metadata", "service_tier"]


def test_the_table_of_options_has_them_all() -> None:
    page = (DOCS / "ollama.md").read_text().partition("| option |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named - {"num_ctx"} == set(ModelOptions.model_fields)


def test_a_block_that_is_not_known_is_no_reason_to_fail_in_another_way() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "x", "content": [{"type": "y"}]}]}]}
    read = CountRequest.model_validate(body)
    content = read.messages[0].content
    assert isinstance(content, list)
    assert isinstance(content[0], Block)
    with pytest.raises(InvalidRequest, match="'x' is not supported here"):
        read.raw_messages()
