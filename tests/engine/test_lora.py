"""LoRA adapters of a model's folder: chosen per request, really applied, and none from anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import GenerationError, InvalidRequest
from rkllm_providers.models import Catalog
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

ASK = [ChatMessage("user", "Hi!")]
BASE = 'rule *\n  text "plain"\nend\n'


@pytest.fixture
def model(write_model: WriteModel) -> Path:
    return write_model(BASE)


def adapter(path: Path, answer: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!rkllm-script 1\nrule *\n  text "{answer}"\nend\n')
    return path


def answer(client: ModelClient, lora: str | None = None) -> str:
    return client.complete(ASK, GenerateOptions(lora=lora)).text


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_an_adapter_changes_the_answer_and_leaving_it_out_restores_it(
    open_model: OpenModel, model: Path, version: str
) -> None:
    adapter(model.parent / "lora" / "pirate.rkllm", "arr")
    adapter(model.parent / "scripted.lora" / "poet.rkllm", "rose")
    client = open_model(model, version)
    assert client.adapters() == ["pirate", "poet"]
    said = [answer(client, name) for name in (None, "pirate", None, "poet", "pirate", None)]
    assert said == ["plain", "arr", "plain", "rose", "arr", "plain"]
    assert client.complete_text("Hi", GenerateOptions(lora="poet")).text == "rose"


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_nothing_computed_with_another_adapter_is_reused(open_model: OpenModel, model: Path, version: str) -> None:
    adapter(model.parent / "lora" / "pirate.rkllm", "arr")
    client = open_model(model, version)
    for lora in (None, "pirate", None):
        assert client.complete(ASK, GenerateOptions(lora=lora)).finish.usage.cached_tokens == 0


def test_an_unknown_adapter_is_refused_with_the_names_there_are(open_model: OpenModel, model: Path) -> None:
    client = open_model(model)
    with pytest.raises(InvalidRequest, match=r"no LoRA adapter 'poet' for this model; there are: none"):
        answer(client, "poet")
    adapter(model.parent / "lora" / "pirate.rkllm", "arr")
    for name in ("poet", "", "../lora/pirate", "pirate.rkllm", "lora/pirate"):
        with pytest.raises(InvalidRequest, match="there are: pirate") as caught:
            answer(client, name)
        assert caught.value.param == "lora"
    assert answer(client, "pirate") == "arr"


def test_a_new_or_replaced_adapter_needs_no_restart(open_model: OpenModel, model: Path) -> None:
    client = open_model(model)
    assert answer(client) == "plain"
    pid = client.engine.worker_pid
    adapter(model.parent / "lora" / "pirate.rkllm", "arr")
    assert answer(client, "pirate") == "arr"
    adapter(model.parent / "lora" / "pirate.rkllm", "ahoy there")
    assert answer(client, "pirate") == "ahoy there"
    assert client.engine.worker_pid == pid


def test_an_adapter_that_the_library_refuses_costs_its_request(open_model: OpenModel, model: Path) -> None:
    broken = model.parent / "lora" / "broken.rkllm"
    broken.parent.mkdir()
    broken.write_text("no adapter")
    client = open_model(model)
    with pytest.raises(GenerationError, match="rkllm_load_lora returned -1"):
        answer(client, "broken")
    assert answer(client) == "plain"
    adapter(broken, "mended")
    assert answer(client, "broken") == "mended"


def test_adapters_and_their_scales_can_be_written_down(open_model: OpenModel, model: Path) -> None:
    adapter(model.parent / "made" / "first.rkllm", "one")
    adapter(model.parent / "beside.rkllm", "two")
    adapter(model.parent / "lora" / "third.rkllm", "three")
    model.with_suffix(".toml").write_text(
        '[lora.a]\nfile = "made/first.rkllm"\nscale = 0.5\n[lora.b]\nfile = "beside.rkllm"\n[lora.third]\nscale = 2\n'
    )
    client = open_model(model)
    assert client.adapters() == ["a", "b", "third"]
    assert [answer(client, name) for name in ("a", "b", "third")] == ["one", "two", "three"]


@pytest.mark.parametrize("where", ["../outside.rkllm", "/etc/passwd", "a/../../outside.rkllm", "", "a\\..\\b"])
def test_no_path_leads_out_of_the_folder(open_model: OpenModel, model: Path, where: str) -> None:
    adapter(model.parent.parent / "outside.rkllm", "out")
    model.with_suffix(".toml").write_text(f"[lora.x]\nfile = '{where}'\n")
    with pytest.raises(Exception, match="must be a path in the model's folder"):
        open_model(model)


def test_no_link_leads_out_of_the_folder(open_model: OpenModel, model: Path) -> None:
    # A sibling folder whose path begins with the same letters is not inside.
    sibling = adapter(Path(f"{model.parent}-other") / "secret.rkllm", "out")
    inside = adapter(model.parent / "lora" / "real.rkllm", "in")
    (model.parent / "lora" / "linked.rkllm").symlink_to(sibling)
    (model.parent / "lora" / "alias.rkllm").symlink_to(inside)
    (model.parent / "lora" / "loop.rkllm").symlink_to("loop.rkllm")
    (model.parent / "lora" / "folder.rkllm").mkdir()
    (model.parent / "scripted.lora").symlink_to(sibling.parent)
    client = open_model(model)
    for name in ("linked", "secret"):
        with pytest.raises(InvalidRequest, match="leads out of the model's folder"):
            answer(client, name)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        answer(client, "loop")
    with pytest.raises(InvalidRequest, match="no regular file"):
        answer(client, "folder")
    assert [answer(client, name) for name in ("real", "alias")] == ["in", "in"]


def test_adapters_are_no_models(model: Path) -> None:
    adapter(model.parent / "lora" / "pirate.rkllm", "arr")
    adapter(model.parent / "deep" / "scripted.lora" / "poet.rkllm", "rose")
    adapter(model.parent / "beside.rkllm", "two")
    model.with_suffix(".toml").write_text('[lora.b]\nfile = "beside.rkllm"\n')
    listed = [entry.id for entry in Catalog(model.parent).entries() if entry.path.is_relative_to(model.parent)]
    assert listed == ["scripted"]


def test_an_embedding_after_an_adapter_is_that_of_the_model_alone(open_model: OpenModel, model: Path) -> None:
    adapter(model.parent / "lora" / "pirate.rkllm", "arr")
    client = open_model(model)
    cold = client.embed(["a text"]).vectors.tolist()
    assert answer(client, "pirate") == "arr"
    assert client.embed(["a text"]).vectors.tolist() == cold
    assert [answer(client, "pirate"), answer(client)] == ["arr", "plain"]
