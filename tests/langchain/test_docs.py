"""Every block of docs/langchain.md runs as it stands, given a folder of models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rkllm_providers.engine import shared_registry
from tests.conftest import needs_llama

TEXT = (Path(__file__).parents[2] / "docs" / "langchain.md").read_text()
BLOCKS = re.findall(r"```python( real)?\n(.*?)```", TEXT, re.DOTALL)
THINKER = r"""#!rkllm-script 1
context 8192
rule "It is sunny"
  text "<think>\nIt told me.\n</think>\n\nTake sunglasses."
end
rule "What is the weather in {city}?"
  text "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"{city}\"}}\n</tool_call>"
end
rule "first program"
  text "<think>\nAda.\n</think>\n\n{\"name\": \"Ada\", \"age\": 36}"
end
rule "<think>\n\n</think>"
  text "Yes."
end
rule "prime"
  text "<think>\nNothing divides it.\n</think>\n\nYes, it is."
end
rule *
  text " there was a cat."
end
"""
SAID = [
    ("there was a cat", 5),
    ("Take sunglasses.", 2),
    ("name='Ada' age=36", 3),
    ("nobody", 4),
    ("Nothing divides", 1),
]


@pytest.mark.real
def test_the_block_for_the_real_model(real_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = [text for real, text in BLOCKS if real]
    run(block, Path())
    assert "input_tokens" in capsys.readouterr().out


@needs_llama
@pytest.mark.parametrize(("said", "number"), SAID)
def test_a_block(said: str, number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thinker.rkllm").write_text(THINKER)
    run(BLOCKS[number][1], tmp_path)
    assert said in capsys.readouterr().out


def test_no_block_is_forgotten() -> None:
    assert sorted(number for _, number in SAID) == [n for n, (real, _) in enumerate(BLOCKS) if not real]


def run(block: str, models_dir: Path) -> None:
    try:
        exec(block, {"models_dir": str(models_dir), "__name__": "docs"})
    finally:
        shared_registry().close()
