"""The command ``rkllm``, without a server."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag_service.cli import app
from rkllm_providers import __version__
from rkllm_providers.errors import ModelNotFound, UnsupportedRuntime
from rkllm_providers.runtime import identify
from tests.conftest import needs_llama
from tests.models import gguf_files

runner = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Deep Folder").mkdir()
    (tmp_path / "Talker_One.gguf").write_text('#!rkllm-script 1\ncontext 512\nrule *\n  text "Hi"\nend\n')
    (tmp_path / "Deep Folder" / "talker one.rkllm").write_bytes(
        b"RKxx" + gguf_files.head({"rkllm.max_context": ("u32", 2048), "rkllm.version": ("str", "1.2.1")})[4:]
    )
    return tmp_path


def test_models_are_listed_with_what_runs_them(folder: Path) -> None:
    result = runner.invoke(app, ["models", "list", "--models-dir", str(folder)])
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.output.splitlines()[1:]}
    assert "script" in lines["talker-one"]
    assert "NPU" in lines["deep-folder-talker-one"]


def test_a_model_is_shown(folder: Path) -> None:
    result = runner.invoke(app, ["models", "show", "talker-one", "--models-dir", str(folder)])
    assert result.exit_code == 0
    assert "512 tokens" in result.output
    assert "tokenised here" in result.output


def test_the_head_of_an_npu_model_is_shown(folder: Path) -> None:
    result = runner.invoke(app, ["models", "show", "deep-folder-talker-one", "--models-dir", str(folder)])
    assert result.exit_code == 0
    assert "given to the runtime as text" in result.output
    assert "rkllm.max_context" in result.output
    assert "2048" in result.output


def test_an_unknown_model_names_those_there_are(folder: Path) -> None:
    result = runner.invoke(app, ["models", "show", "nobody", "--models-dir", str(folder)])
    assert isinstance(result.exception, ModelNotFound)
    assert "talker-one" in str(result.exception)


def test_the_version() -> None:
    assert runner.invoke(app, ["version"]).output.strip() == __version__


def test_settings_that_are_wrong_are_told_in_a_line(folder: Path) -> None:
    result = runner.invoke(app, ["serve", "--port", "99999", "--models-dir", str(folder)])
    assert result.exit_code == 2
    assert "port: " in result.output
    assert "Traceback" not in result.output


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
