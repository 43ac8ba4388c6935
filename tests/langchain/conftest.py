"""Models for the tests of LangChain's classes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rkllm_providers.emulator import write_vision_encoder
from rkllm_providers.engine import shared_registry
from rkllm_providers.langchain import ChatRKLLM
from tests.langchain.scripts import OTHER, PLAYER, TALKER


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A models folder whose models stay loaded for the tests of a module."""
    folder = tmp_path_factory.mktemp("models")
    for name, script in {"player": PLAYER, "other": OTHER, "talker": TALKER}.items():
        (folder / f"{name}.rkllm").write_text(f"#!rkllm-script 1\n{script}")
    (folder / "player.toml").write_text('[vision]\nfamily = "qwen2-vl"\n')
    write_vision_encoder(folder / "player.rknn")
    yield folder
    shared_registry().close()


@pytest.fixture
def talker(models_dir: Path) -> Iterator[ChatRKLLM]:
    """A model that thinks and calls a tool named ``look``."""
    with ChatRKLLM(model="talker", models_dir=str(models_dir)) as chat:
        yield chat
