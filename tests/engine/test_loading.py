"""Loads that fail in the library's own ways, and requests that share one load."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, ChatResult, GenerateOptions, Sampling
from rkllm_providers.engine import Engine, LoadSpec, ModelClient
from rkllm_providers.errors import ModelLoadError
from rkllm_providers.models import ModelCard, ModelEntry, ModelFormat
from tests.conftest import OpenModel, WriteModel, needs_llama
from tests.runtime import conftest as stubs

HELLO = [ChatMessage("user", "Hi!")]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that fails to load models in the way their names say."""
    path = tmp_path_factory.mktemp("stub") / "librkllmrt.so"
    source = str(stubs.HERE / "stub.cpp")
    stubs.compile_cpp(["-shared", "-fPIC", f"-DRKLLM_ABI={stubs.ABI_NUMBERS['D']}", source, "-o", str(path)])
    with path.open("ab") as file:
        file.write(b"\0" + stubs.BANNER.format("1.3.0").encode() + b"\0")
    return path


@pytest.mark.parametrize(
    ("name", "said"), [("no-handle", "returned success, but no handle"), ("refused", r"returned -1 \(failure\)")]
)
def test_a_load_that_fails_is_an_error_and_the_next_has_a_process_of_its_own(
    tmp_path: Path, library: Path, name: str, said: str
) -> None:
    # This library ends its process when it is asked to load a second time.
    path = tmp_path / f"{name}-fragile.rkllm"
    path.write_bytes(b"a model")
    engine = Engine(LoadSpec(name, path, emulated=False, context_length=128, library=str(library)))
    card = ModelCard(ModelEntry(name, path, ModelFormat.RKLLM, 0), 128, None, None, frozenset())
    for _ in range(2):
        with pytest.raises(ModelLoadError, match=said):
            ModelClient(card, engine).complete(HELLO)
        assert engine.worker_pid is None
        assert engine.memory == 0
    engine.close()


@needs_llama
@pytest.mark.parametrize("version", ["1.2.3", "1.3.0"])
def test_of_two_who_share_a_load_the_first_sets_the_sampling_and_the_second_is_told(
    open_model: OpenModel, write_model: WriteModel, version: str
) -> None:
    client = open_model(write_model('rule *\n  text "Hello there."\nend\n'), version)

    async def both() -> tuple[ChatResult, ChatResult]:
        first = await client.aopen(HELLO, GenerateOptions(sampling=Sampling(temperature=0.2)))
        second = await client.aopen(HELLO, GenerateOptions(sampling=Sampling(temperature=0.9)))
        return await asyncio.gather(first.collect(), second.collect())

    first, second = asyncio.run(both())
    assert first.finish.warnings == ()
    if version == "1.3.0":
        assert second.finish.warnings == ()
    else:
        assert "not applied: temperature" in second.finish.warnings[0]
