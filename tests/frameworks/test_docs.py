"""Every example of docs/retrievers.md runs as it stands, and prints what it should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag_service.frameworks.langchain as for_langchain
import rag_service.frameworks.llama_index as for_llama_index
from rkllm_providers.engine import shared_registry

TEXT = (Path(__file__).parents[2] / "docs" / "retrievers.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SAID = ("Bread rises", "1874", "'start_index'", "1874", "packed")


@pytest.fixture
def closed() -> Iterator[None]:
    yield
    shared_registry().close()


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("closed", "real_model")
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    values: dict[str, object] = {"__name__": "__main__"}
    for number, (example, said) in enumerate(zip(EXAMPLES, SAID, strict=True)):
        exec(compile(example, f"docs/retrievers.md, example {number}", "exec"), values)
        printed = capsys.readouterr().out
        assert said in printed
        assert "rights reserved" not in printed


def test_every_class_is_named() -> None:
    for name in (*for_langchain.__all__, *for_llama_index.__all__):
        assert f"`{name}`" in TEXT
