from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag_service.cli import app
from rkllm_providers.errors import UnsupportedRuntime
from rkllm_providers.runtime import identify
from tests.conftest import needs_llama


@needs_llama
def test_emulator_build(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):  # a second time, it is replaced
        result = CliRunner().invoke(app, ["emulator", "build", "--abi", "1.2.3", "--output", str(folder)])
        assert (result.exit_code, result.output) == (0, f"{folder / 'librkllmrt.so'}\n")
    assert [path.name for path in folder.iterdir()] == ["librkllmrt.so"]
    identity = identify(folder / "librkllmrt.so")
    assert (identity.version, identity.is_emulator) == ("1.2.3", True)


def test_emulator_build_of_an_unknown_version(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["emulator", "build", "--abi", "9.9", "--output", str(tmp_path)])
    assert isinstance(result.exception, UnsupportedRuntime)
    with pytest.raises(UnsupportedRuntime, match=r"no runtime version '9\.9'"):
        raise result.exception
