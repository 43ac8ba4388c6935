"""A model without a tokenizer of ours, on a library found by path: what a bare .rkllm file gets."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.emulator import build_library
from rkllm_providers.engine import Engine, LoadSpec, ModelClient
from rkllm_providers.errors import ContextLengthExceeded, LibraryNotFound, ModelLoadError
from rkllm_providers.models import Catalog, ModelCard, ModelEntry, ModelFormat, read_card
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama

pytestmark = needs_llama

SCRIPT = """
rule "User: second"
  text "A transcript."
end
rule "first"
  text "One turn of {n_prompt} tokens."
end
"""


@pytest.fixture(params=ABI_VERSIONS)
def client(request: pytest.FixtureRequest, write_model: WriteModel) -> Iterator[ModelClient]:
    path = write_model("context 256\n" + SCRIPT)
    entry = ModelEntry("bare", path, ModelFormat.RKLLM, 0)
    library = str(build_library(request.param))
    engine = Engine(LoadSpec("bare", path, emulated=False, context_length=256, library=library))
    yield ModelClient(ModelCard(entry, 256, None, None, frozenset()), engine)
    engine.close()


def test_one_turn_is_sent_as_it_is(client: ModelClient) -> None:
    result = client.complete([ChatMessage("user", "first")])
    info = client.engine.info
    assert info is not None
    assert result.text.startswith("One turn of ")
    assert result.finish.reason == "stop"
    if info.version in ("1.2.3", "1.3.0"):
        # The runtime's own count, of the prompt with the template it put around it.
        assert f"of {result.finish.usage.prompt_tokens} tokens" in result.text
    else:
        assert result.finish.usage.prompt_tokens > 0


def test_several_turns_become_a_transcript(client: ModelClient) -> None:
    messages = [ChatMessage("user", "first"), ChatMessage("assistant", "Yes?"), ChatMessage("user", "second")]
    assert client.complete(messages).text == "A transcript."


def test_the_limit_on_tokens(client: ModelClient) -> None:
    finish = client.complete([ChatMessage("user", "first")], GenerateOptions(max_tokens=2)).finish
    assert (finish.reason, finish.usage.completion_tokens) == ("length", 2)


def test_a_prompt_that_cannot_fit_is_refused(client: ModelClient) -> None:
    with pytest.raises(ContextLengthExceeded):
        client.complete([ChatMessage("user", "word " * 2000)])


def test_a_file_that_is_no_model_is_refused_by_the_library(open_model: OpenModel, tmp_path: Path) -> None:
    path = tmp_path / "garbage.rkllm"
    path.write_bytes(b"\x00garbage" * 150_000)
    entry = Catalog(tmp_path).get("garbage")
    assert entry.format is ModelFormat.RKLLM
    spec = LoadSpec("garbage", path, emulated=False, context_length=256, library=str(build_library()))
    engine = Engine(spec)
    with pytest.raises(ModelLoadError, match="invalid rknn llm model magic"):
        ModelClient(read_card(entry), engine).complete([ChatMessage("user", "Hi")])
    engine.close()


def test_without_the_library_the_error_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.rkllm"
    path.write_bytes(b"\x00model")
    os.truncate(path, 2 * 1024 * 1024)
    monkeypatch.setenv("RKLLM_LIB_PATH", str(tmp_path / "nowhere.so"))
    engine = Engine(LoadSpec("model", path, emulated=False, context_length=256))
    with pytest.raises(LibraryNotFound, match=r"nowhere\.so"):
        ModelClient(read_card(Catalog(tmp_path).get("model")), engine).complete([ChatMessage("user", "Hi")])
    engine.close()
