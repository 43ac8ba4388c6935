"""The quick starts of README.md run as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_service.settings import ServiceSettings
from rkllm_providers.engine import shared_registry
from tests.service.conftest import running

TEXT = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SERVICE = "http://127.0.0.1:8000/v1"


@pytest.fixture(autouse=True)
def _nothing_stays_loaded(real_model: Path) -> Iterator[None]:
    yield
    shared_registry().close()


@pytest.mark.real
@pytest.mark.parametrize("number", [number for number, block in enumerate(BLOCKS) if SERVICE not in block])
def test_a_block(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert said_by(BLOCKS[number], capsys)


@pytest.mark.real
def test_the_block_for_a_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = [text for text in BLOCKS if SERVICE in text]
    with running(ServiceSettings(port=0, models_dir=tmp_path)) as url:
        assert said_by(block.replace(SERVICE, f"{url}/v1"), capsys)


def said_by(block: str, capsys: pytest.CaptureFixture[str]) -> str:
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    return capsys.readouterr().out.strip()
