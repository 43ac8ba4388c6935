"""The command ``rkllm``, without a server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from rag_service import model_commands
from rag_service.cli import app
from rkllm_providers import __version__
from rkllm_providers.errors import ModelLoadError, ModelNotFound, UnsupportedRuntime
from rkllm_providers.runtime import identify
from tests.conftest import needs_llama
from tests.models import gguf_files

runner = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Deep Folder").mkdir()
    (tmp_path / "Talker_One.gguf").write_text('#!rkllm-script 1\ncontext 512\nrule *\n  text "Hi"\nend\n')
    gguf_files.write_npu_file(
        tmp_path / "Deep Folder" / "talker one.rkllm",
        b"RKxx" + gguf_files.head({"rkllm.max_context": ("u32", 2048), "rkllm.version": ("str", "1.2.1")})[4:],
    )
    return tmp_path


def test_models_are_listed_with_what_runs_them(folder: Path) -> None:
    result = runner.invoke(app, ["models", "list", "--models-dir", str(folder)])
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.output.splitlines()[1:]}
    assert "script" in lines["talker-one"]
    assert "NPU" in lines["deep-folder-talker-one"]


def test_broken_models_are_listed_with_what_is_wrong(folder: Path) -> None:
    (folder / "broken.rkllm").write_bytes(b"")
    result = runner.invoke(app, ["models", "list", "--models-dir", str(folder)])
    lines = {line.split()[0]: line for line in result.output.splitlines()[1:]}
    assert lines["broken"].rstrip().endswith("broken.rkllm is empty.")
    assert "thinking, tools" in lines["talker-one"]
    assert "512" in lines["talker-one"]


def test_the_list_for_programs(folder: Path) -> None:
    result = runner.invoke(app, ["models", "list", "--json", "--models-dir", str(folder)])
    rows = {row["id"]: row for row in json.loads(result.output)}
    assert rows["talker-one"] == {
        "id": "talker-one",
        "aliases": ["talker"],
        "format": "script",
        "runs_on": "CPU (emulator)",
        "file": str(folder / "Talker_One.gguf"),
        "context_length": 512,
        "knows_context": True,
        "capabilities": ["thinking", "tools"],
        "problem": None,
    }


def test_tables_in_a_pipe_are_not_filled_up_with_blanks(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / f"{'long' * 40}.rkllm").write_bytes(b"")
    for command in (["list"], ["show", "talker-one"]):
        result = runner.invoke(app, ["models", *command, "--models-dir", str(folder)])
        assert result.exit_code == 0
        assert all(line == line.rstrip() for line in result.output.splitlines())


def test_a_model_in_a_narrow_terminal_is_shown_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_commands, "_console", lambda: Console(width=60, force_terminal=True))
    result = runner.invoke(app, ["models", "show", "talker", "--models-dir", str(folder)])
    assert result.exit_code == 0
    assert "…" not in result.output
    shown = "".join(line[17:45].strip() for line in result.output.splitlines())
    assert "Talker_One.gguf" in shown


def rkllm(*arguments: str, stdout: IO[str] | int, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "rag_service.cli", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
        check=False,
    )


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["show", "talker"]])
def test_output_that_cannot_be_written_is_an_error_in_a_line(folder: Path, arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        result = rkllm("models", *arguments, "--models-dir", str(folder), stdout=full)
    assert (result.returncode, result.stderr) == (1, "Error: No space left on device.\n")


def test_the_service_does_not_start_with_a_version_that_is_not_known(folder: Path) -> None:
    result = rkllm("serve", "--port", "0", stdout=subprocess.DEVNULL, RKLLM_RUNTIME_VERSION="abc")
    assert result.returncode == 2
    words = " ".join(result.stderr.replace("│", " ").split())
    assert "RKLLM runtime abc is not supported. Supported: 1.1.0, 1.1.1" in words


@pytest.mark.parametrize("by_option", [True, False])
def test_the_service_warns_of_a_folder_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_option: bool
) -> None:
    monkeypatch.setattr("rag_service.server.run_server", lambda settings: None)
    nowhere = str(tmp_path / "nowhere")
    if not by_option:
        monkeypatch.setenv("RKLLM_MODELS_DIR", nowhere)
    result = runner.invoke(app, ["serve", *(["--models-dir", nowhere] if by_option else [])])
    assert result.exit_code == 0
    assert f"Warning: there is no folder {nowhere}." in result.output.replace("\n", " ").replace("  ", " ")


def test_an_emulated_version_from_the_environment_is_named_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RKLLM_EMULATOR_VERSION", "9.8")
    result = CliRunner().invoke(app, ["emulator", "build", "--output", str(tmp_path)])
    assert "no runtime version '9.8', which RKLLM_EMULATOR_VERSION names. Choose" in str(result.exception)
    result = CliRunner().invoke(app, ["emulator", "build", "--abi", "9.9", "--output", str(tmp_path)])
    assert "no runtime version '9.9'. Choose one of: 1.1.0" in str(result.exception)


def test_the_list_in_a_narrow_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "broken.rkllm").write_bytes(b"")
    monkeypatch.setattr(model_commands, "_console", lambda: Console(width=60))
    result = runner.invoke(app, ["models", "list", "--models-dir", str(folder)])
    lines = result.output.splitlines()
    assert "talker-one  script, CPU (emulator), context 512, thinking," in result.output
    assert "    also: talker" in lines
    assert f"    {folder / 'broken.rkllm'} is empty." in lines


def test_a_model_is_shown_with_where_everything_is_from(folder: Path) -> None:
    (folder / "Talker_One.toml").write_text("[sampling]\ntop_k = 3\n")
    result = runner.invoke(app, ["models", "show", "talker", "--models-dir", str(folder)])
    assert result.exit_code == 0
    lines = [line.split("  ") for line in result.output.splitlines()]
    shown = {cells[0].strip(): [cell.strip() for cell in cells[1:] if cell.strip()] for cells in lines}
    assert shown["context window"] == ["512 tokens", "the script"]
    assert shown["sampling defaults"] == ["top_k 3", "Talker_One.toml"]
    assert "tokenised here" in result.output
    assert "Missing" not in result.output


def test_a_model_for_programs(folder: Path) -> None:
    result = runner.invoke(app, ["models", "show", "talker-one", "--json", "--models-dir", str(folder)])
    shown = json.loads(result.output)
    assert (shown["context_length"], shown["prompt_form"], shown["family"]) == (512, "tokens", None)
    assert shown["facts"]["context window"] == {"value": "512 tokens", "source": "the script"}
    assert shown["missing"] == []


def test_the_head_of_an_npu_model_is_shown_and_what_is_missing(folder: Path) -> None:
    result = runner.invoke(app, ["models", "show", "deep-folder-talker-one", "--models-dir", str(folder)])
    assert result.exit_code == 0
    assert "given to the runtime as text" in result.output
    assert "rkllm.max_context" in result.output
    assert "2048" in result.output
    assert f"put the tokenizer.json of the original model into {folder / 'Deep Folder'}." in result.output


def test_a_broken_model_says_what_is_wrong(folder: Path) -> None:
    (folder / "broken.rkllm").write_bytes(b"")
    result = runner.invoke(app, ["models", "show", "broken", "--models-dir", str(folder)])
    assert isinstance(result.exception, ModelLoadError)
    assert "is empty" in str(result.exception)


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
