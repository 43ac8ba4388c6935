"""Cards of models whose heads and neighbours a test writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.models import Catalog, ModelCard, read_card
from tests.models import gguf_files

MakeCard = Callable[..., ModelCard]


@pytest.fixture
def make_card(tmp_path: Path) -> MakeCard:
    """Write a model and files beside it (``__`` in a name is a dot), and read its card."""

    def made(pairs: dict[str, Any] | None = None, name: str = "m.rkllm", **files: str) -> ModelCard:
        raw = gguf_files.head(pairs or {})
        if name.endswith(".gguf"):
            (tmp_path / name).write_bytes(raw)
        else:
            gguf_files.write_npu_file(tmp_path / name, b"RKxx" + raw[4:])
        for key, content in files.items():
            (tmp_path / key.replace("__", ".")).write_text(content)
        return read_card(Catalog(tmp_path).find(tmp_path / name))

    return made
