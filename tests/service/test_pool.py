"""The models a service offers."""

from __future__ import annotations

from pathlib import Path

from rag_service.pool import ModelPool
from rag_service.settings import ServiceSettings
from rkllm_providers.models import BUILT_IN_MODEL


async def test_broken_models_are_not_offered(tmp_path: Path) -> None:
    (tmp_path / "good.rkllm").write_text("#!rkllm-script 1\n")
    (tmp_path / "empty.rkllm").write_bytes(b"")
    pool = ModelPool(ServiceSettings(models_dir=tmp_path))
    assert [entry.id for entry in await pool.entries() if entry.id != BUILT_IN_MODEL] == ["good"]
    await pool.close()
