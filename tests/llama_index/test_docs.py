"""Every example of docs/llama_index.md runs as it stands, and prints what it should."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import llama_index.core
import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager

from rkllm_providers.engine import shared_registry
from rkllm_providers.llama_index.settings import GenerationSettings

TEXT = (Path(__file__).parents[2] / "docs" / "llama_index.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(llama_index.core, "global_tokenizer", None)
    yield tmp_path
    shared_registry().close()
    Settings.callback_manager = CallbackManager()


@pytest.mark.real
@pytest.mark.usefixtures("folder", "real_model")
# The framework looks for an agent's steps among all attributes of a pydantic object.
@pytest.mark.filterwarnings("ignore:The `.*` attribute is deprecated:pydantic.PydanticDeprecatedSince20")
@pytest.mark.filterwarnings("ignore:Accessing the '.*' attribute on the instance:pydantic.PydanticDeprecatedSince211")
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    values: dict[str, object] = {"__name__": "__main__"}
    printed = []
    for number, example in enumerate(EXAMPLES):
        exec(compile(textwrap.dedent(example), f"docs/llama_index.md, example {number}", "exec"), values)
        printed.append(capsys.readouterr().out)
    shown = "\n".join(printed)
    assert "'finish_reason': 'stop'" not in shown
    for expected in ("'prompt_tokens'", "Paris", "I must look.It is 17 degrees in Lima.", "name='Ada' age=36"):
        assert expected in shown
    assert all(text.strip() for example, text in zip(EXAMPLES, printed, strict=True) if "print(" in example)


def test_every_setting_is_named() -> None:
    for name in GenerationSettings.model_fields:
        assert f"`{name}`" in TEXT
