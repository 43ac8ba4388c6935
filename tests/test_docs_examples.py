"""The examples of the pages that have no test of their own run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rkllm_providers.engine import shared_registry
from rkllm_providers.errors import InvalidOutput
from tests.conftest import OpenModel, WriteModel, needs_llama
from tests.engine.pictures import RED, seen, write_seeing_model
from tests.service.conftest import StartService, start_service

__all__ = ["start_service"]

DOCS = Path(__file__).parents[1] / "docs"


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


@pytest.mark.real
def test_the_engine_s(real_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream, json_answer = examples("engine.md")
    values: dict[str, object] = {}
    try:
        exec(compile(stream, "docs/engine.md", "exec"), values)
        assert "Finish(" in capsys.readouterr().out
        try:
            exec(compile(json_answer, "docs/engine.md", "exec"), values)
        except InvalidOutput:
            return  # a model of 135 million parameters may fail, and then says so
        assert '"city"' in capsys.readouterr().out
    finally:
        shared_registry().close()


@needs_llama
def test_the_emulator_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build, script = examples("emulator.md")
    values: dict[str, object] = {}
    exec(compile(build, "docs/emulator.md", "exec"), values)
    assert Path(str(values["path"])).is_file()
    written = re.search(
        r"```\n(#!rkllm-script 1\nname weather\n.*?)```", (DOCS / "emulator.md").read_text(), re.DOTALL
    )
    assert written is not None
    (tmp_path / "weather.script").write_text(written[1])
    monkeypatch.chdir(tmp_path)
    exec(compile(script, "docs/emulator.md", "exec"), values)
    assert values["ids"]


@needs_llama
def test_a_picture_s(
    write_model: WriteModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_seeing_model(write_model).parent
    (folder / "cat.jpg").write_bytes(RED.data)
    monkeypatch.setenv("RKLLM_MODELS_DIR", str(folder))
    monkeypatch.chdir(folder)
    try:
        exec(compile(examples("vision.md")[0], "docs/vision.md", "exec"), {})
    finally:
        shared_registry().close()
    assert capsys.readouterr().out.startswith("1 seen: ")


@needs_llama
@pytest.mark.parametrize("client", ["import openai", "ChatRKLLM", "ImageBlock"])
def test_pictures_of_clients(
    client: str,
    write_model: WriteModel,
    start_service: StartService,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = write_seeing_model(write_model).parent
    (folder / "cat.jpg").write_bytes(RED.data)
    monkeypatch.setenv("RKLLM_MODELS_DIR", str(folder))
    monkeypatch.chdir(folder)
    (example,) = [one for one in examples("vision.md") if client in one]
    if "http://board:8000" in example:
        example = example.replace("http://board:8000", start_service(models_dir=folder))
    try:
        exec(compile(example, "docs/vision.md", "exec"), {})
    finally:
        shared_registry().close()
    assert seen(capsys.readouterr().out.strip()) == ["255,0,0"]


@needs_llama
def test_an_adapter_s(open_model: OpenModel, write_model: WriteModel) -> None:
    model = write_model('rule *\n  text "plain"\nend\n')
    (model.parent / "lora").mkdir()
    (model.parent / "lora" / "pirate.rkllm").write_text('#!rkllm-script 1\nrule *\n  text "arr"\nend\n')
    adapter = examples("uses.md")[1]
    values: dict[str, object] = {"client": open_model(model)}
    exec(compile(f"answer = None\n{adapter.replace('client.', 'answer = client.')}", "docs/uses.md", "exec"), values)
    assert getattr(values["answer"], "text", None) == "arr"
