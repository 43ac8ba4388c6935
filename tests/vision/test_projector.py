"""A real language model and a projector, both on llama.cpp: a picture goes all the way through them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, Sampling
from rkllm_providers.engine import EngineRegistry, ModelClient
from rkllm_providers.errors import EngineClosed, ModelLoadError
from rkllm_providers.models import Catalog
from rkllm_providers.vision.projector import ProjectorEncoder
from tests.engine.pictures import GREEN, RED, ask
from tests.vision.projectors import write_projector

pytestmark = pytest.mark.real

N_EMBD = 576  # of SmolLM2-135M


@pytest.fixture(autouse=True, scope="module")
def closed_files() -> Iterator[None]:
    """llama-cpp-python opens two files when it is imported, and closes none."""
    yield
    from llama_cpp import _utils

    _utils.outnull_file.close()
    _utils.errnull_file.close()


@pytest.fixture
def model(real_model: Path, tmp_path: Path) -> Path:
    """The real small model with a projector that its owner names."""
    folder = tmp_path / "models"
    folder.mkdir()
    path = folder / "smol.gguf"
    path.symlink_to(real_model)
    write_projector(folder / "mmproj-smol.gguf", N_EMBD)
    (folder / "smol.toml").write_text('[vision]\nencoder = "mmproj-smol.gguf"\nstart = ""\nend = ""\ncontent = ""\n')
    return path


@pytest.fixture
def encoder(model: Path) -> Iterator[ProjectorEncoder]:
    made = ProjectorEncoder.load(model.parent / "mmproj-smol.gguf", model)
    yield made
    made.close()


def test_rows_are_those_of_the_picture(encoder: ProjectorEncoder) -> None:
    facts = encoder.facts
    assert (facts.width, facts.height, facts.n_tokens, facts.n_embd) == (28, 28, 4, N_EMBD)
    dark, light = (np.full((28, 28, 3), value, np.uint8) for value in (0, 250))
    rows = encoder.encode(dark)
    assert rows.shape == (4, N_EMBD)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert not np.array_equal(rows, encoder.encode(light))
    assert np.array_equal(rows, encoder.encode(dark))
    encoder.close()
    encoder.close()
    with pytest.raises(EngineClosed):
        encoder.encode(dark)


def test_a_projector_of_another_model_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"makes rows of 64 numbers, not 576 as smol\.gguf has"):
        ProjectorEncoder.load(write_projector(tmp_path / "other.gguf", 64), model)
    with pytest.raises(ModelLoadError, match="is no projector for pictures"):
        ProjectorEncoder.load(model, model)


def test_a_real_model_answers_about_a_picture(registry: EngineRegistry, model: Path) -> None:
    client = registry.acquire(Catalog(model.parent).get("smol"), context_length=512)
    options = GenerateOptions(max_tokens=4, sampling=Sampling(temperature=0))
    messages = [ask("What is it?", RED)]
    first = client.complete(messages, options).finish
    assert first.usage.prompt_tokens == tokens_of_text(client, messages) + 4
    assert first.timings.encoded_pictures == 1
    messages += [ChatMessage("assistant", "A"), ask("And this?", GREEN)]
    second = client.complete(messages, options).finish
    assert second.timings.encoded_pictures == 1
    third = client.complete(messages, options).finish
    assert third.timings.encoded_pictures == 0
    assert third.usage.cached_tokens > 0


def tokens_of_text(client: ModelClient, messages: list[ChatMessage]) -> int:
    return client.count_tokens([ChatMessage(message.role, message.text) for message in messages])


def test_the_projector_is_no_model(model: Path) -> None:
    entries = Catalog(model.parent).entries()
    assert [entry.id for entry in entries if entry.path.parent == model.parent and not entry.problem] == ["smol"]
