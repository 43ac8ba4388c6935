"""The first example in docs/uses.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rkllm_providers.engine import shared_registry

TEXT = (Path(__file__).parents[2] / "docs" / "uses.md").read_text()


@pytest.mark.real
def test_the_example_runs(real_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    values: dict[str, object] = {}
    try:
        exec(example[1], values)
    finally:
        shared_registry().close()
    assert "Hello there" in capsys.readouterr().out
