"""Inputs, modes, adapters, prompt caches and pauses of the binding, on the emulator of every ABI group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rkllm_providers.emulator import Script, build_library, load_script
from rkllm_providers.errors import GenerationError, InvalidRequest, UnsupportedFeature
from rkllm_providers.runtime import (
    Action,
    EmbedInput,
    Images,
    InitParams,
    Markers,
    ModelHandle,
    MultimodalInput,
    PromptInput,
    RuntimeEvent,
    RuntimeLibrary,
    TokenEvent,
    TokenInput,
    Videos,
)
from tests.conftest import needs_llama

pytestmark = needs_llama
VERSIONS = ("1.1.4", "1.2.0", "1.2.3", "1.3.0")
COUNT = 'rule *\n  text "{n_prompt} {n_prefill}"\nend\n'
SEEN = 'rule "(<image tokens={n} size={size} rows={s}>)"\n  text "{n} {size}"\nend\n'
SEEN += 'rule "<video frames={f} tokens={n} size={size} rows={s}>"\n  text "{f} {n}"\nend\n' + COUNT
OpenModel = Callable[..., ModelHandle]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(body: str) -> Path:
        path = tmp_path / f"model{len(list(tmp_path.iterdir()))}.script"
        path.write_text("#!rkllm-script 1\n" + body)
        return path

    return write


def opened(version: str, path: Path, **params: Any) -> ModelHandle:
    return ModelHandle(RuntimeLibrary.open(build_library(version)), InitParams(path, **params))


def answer(model: ModelHandle, given: Any, **options: Any) -> str:
    events: list[RuntimeEvent] = []
    model.run(given, events.append, **options)
    return b"".join(event.text for event in events if isinstance(event, TokenEvent)).decode()


def rows(script: Script, ids: Sequence[int]) -> Any:
    return np.array([script.embedding(token) for token in ids], np.float32)


@pytest.mark.parametrize("version", VERSIONS)
def test_embeddings_and_hidden_states(version: str, write: Callable[[str], Path]) -> None:
    path = write('rule "the of"\n  text "yes"\nend\n')
    script = load_script(path)
    ids = script.encode("the of")
    given = rows(script, ids)
    with opened(version, path, embedding_size=64) as model:
        assert answer(model, EmbedInput(given)) == "yes"
        given.flags.writeable = False
        assert answer(model, EmbedInput(given)) == "yes"
        states = model.hidden_states(TokenInput(ids))
        assert states.dtype == np.float32
        assert states.shape == (2, 64)
        assert states.flags.owndata
        assert (states[0] == given[0]).all()
        np.testing.assert_allclose(states[1], given[1] + given[0] / 4, rtol=1e-6)
        assert (model.hidden_states(EmbedInput(given)) == states).all()
        with pytest.raises(InvalidRequest, match=r"2 x 64 x 4 = 512 bytes, and the limit is 511"):
            model.hidden_states(TokenInput(ids), max_bytes=511)
        with pytest.raises(GenerationError, match=r"bytes, and the limit is 100; they were not copied"):
            model.hidden_states(PromptInput("the"), max_bytes=100)
        assert answer(model, TokenInput(ids)) == "yes"
        for wrong in (given[:, :8].copy(), given[:, ::2], given.astype(np.float64), given[0], given[:0], "x", None):
            with pytest.raises(InvalidRequest, match="rows"):
                model.hidden_states(EmbedInput(wrong))


@pytest.mark.parametrize("version", VERSIONS)
def test_logits(version: str, write: Callable[[str], Path]) -> None:
    path = write("")
    n_vocab = len(load_script(path).tokens)
    with opened(version, path) as model:
        if version == "1.1.4":
            with pytest.raises(UnsupportedFeature, match=r"came with 1\.2\.0"):
                model.logits(TokenInput([97]))
            return
        with pytest.raises(InvalidRequest, match=f"2 x {n_vocab} x 4 = {n_vocab * 8} bytes"):
            model.logits(TokenInput([97, 98]), max_bytes=n_vocab * 8 - 1, vocab_size=n_vocab)
        scores = model.logits(TokenInput([97, 98]), max_bytes=n_vocab * 8)
        assert scores.shape == (2, n_vocab)
        assert scores[0].argmax() == 98
        with pytest.raises(InvalidRequest, match="the limit is 4"):
            model.logits(TokenInput([97]), max_bytes=4)
        last = model.logits(TokenInput([97, 98]), max_bytes=n_vocab * 4, last_only=True)
        assert last.shape == (1, n_vocab)
        assert (last[0] == scores[1]).all()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_last_row_alone(version: str, write: Callable[[str], Path]) -> None:
    with opened(version, write("")) as model:
        states = model.hidden_states(TokenInput([97, 98, 99]))
        last = model.hidden_states(TokenInput([97, 98, 99]), max_bytes=256, last_only=True)
        assert last.shape == (1, 64)
        assert last.flags.owndata
        assert (last[0] == states[2]).all()
        # What a prompt is made of is known only afterwards: the limit is on what is copied.
        assert model.hidden_states(PromptInput("abc"), max_bytes=256, last_only=True).shape == (1, 64)


@pytest.mark.parametrize("version", VERSIONS)
def test_pictures(version: str, write: Callable[[str], Path]) -> None:
    one = np.full((1, 3, 64), 0.5, np.float32)
    markers = Markers("(", ")", "<pad>")
    with opened(version, write(SEEN), markers=markers) as model:
        size = "28x14" if version in ("1.2.3", "1.3.0") else "0x0"
        assert answer(model, MultimodalInput("a <image>", Images(one, 28, 14))) == f"3 {size}"
        for text in ("none", "<image> <image>"):
            with pytest.raises(InvalidRequest, match="tags <image>, and the input 1 embeddings"):
                answer(model, MultimodalInput(text, Images(one)))
        with pytest.raises(InvalidRequest, match="needs images or videos"):
            answer(model, MultimodalInput("none"))
        two = Images(np.zeros((2, 3, 64), np.float32))
        if version < "1.2.1":
            with pytest.raises(UnsupportedFeature, match="several images"):
                answer(model, MultimodalInput("<image><image>", two))
        else:
            assert answer(model, MultimodalInput("<image><image>", two)) == "3 0x0"
        video = Videos(np.zeros((1, 2, 3, 64), np.float32))
        if version != "1.3.0":
            with pytest.raises(UnsupportedFeature, match=r"video input .* came with 1\.3\.0"):
                answer(model, MultimodalInput("<video>", videos=video))
            with pytest.raises(UnsupportedFeature, match="picture markers per input"):
                answer(model, MultimodalInput("<image>", Images(one, markers=markers)))
            return
        assert answer(model, MultimodalInput("<video>", videos=video)) == "2 3"
        model.set_chat_template("", "", "")
        other = Images(one, markers=Markers("<<", ">>"))
        assert answer(model, MultimodalInput("<image>", other)) == "7 7"


@pytest.mark.parametrize("version", VERSIONS)
def test_adapters(version: str, write: Callable[[str], Path]) -> None:
    adapter = write('rule *\n  text "adapted"\nend\n')
    with opened(version, write('rule *\n  text "base"\nend\n')) as model:
        with pytest.raises(InvalidRequest, match=r"No adapter named 'x' is loaded\. Loaded: none"):
            answer(model, TokenInput([97]), lora="x")
        model.load_lora(adapter, "x", 0.5)
        assert answer(model, TokenInput([97]), lora="x") == "adapted"
        assert answer(model, TokenInput([97])) == "base"
        with pytest.raises(InvalidRequest, match="a name no other has"):
            model.load_lora(adapter, "x")
        with pytest.raises(GenerationError, match="rkllm_load_lora returned -1"):
            model.load_lora(adapter.parent / "none", "y")


@pytest.mark.parametrize("version", VERSIONS)
def test_prompt_caches(version: str, write: Callable[[str], Path], tmp_path: Path) -> None:
    path, file = write(COUNT), tmp_path / "cache.bin"
    with opened(version, path) as model:
        with pytest.raises(GenerationError, match="rkllm_load_prompt_cache returned -1"):
            model.load_prompt_cache(file)
        answer(model, TokenInput([97] * 9), prompt_cache=file)
    with opened(version, path) as model:
        model.load_prompt_cache(file)
        assert answer(model, TokenInput([97] * 9 + [98])) == "10 1"
        model.release_prompt_cache()
        assert answer(model, TokenInput([97] * 9 + [98])) == "10 10"


@pytest.mark.parametrize("version", VERSIONS)
def test_pauses(version: str, write: Callable[[str], Path]) -> None:
    with opened(version, write('rule *\n  text "the of and to"\nend\n')) as model:
        seen: list[RuntimeEvent] = []

        def pause_at_second(event: RuntimeEvent) -> object:
            seen.append(event)
            return Action.PAUSE if len(seen) == 2 else True

        if version < "1.2.1":
            with pytest.raises(UnsupportedFeature, match="pausing a run"):
                model.run(TokenInput([97]), pause_at_second)
            return
        result = model.run(TokenInput([97]), pause_at_second)
        assert (result.finished, result.paused, result.aborted, len(seen)) == (True, True, False, 3)
        assert model.kv_cache_size() == 2
        tokens = [event.token_id for event in seen if isinstance(event, TokenEvent)]
        resumed = model.run(TokenInput([97, *tokens]), lambda event: None)
        assert resumed.perf is not None
        assert (resumed.perf.prefill_tokens, resumed.paused) == (1, False)
        model.clear_kv_cache(span=(1, 3))
        assert model.kv_cache_size() < 7
        with pytest.raises(InvalidRequest, match="span"):
            model.clear_kv_cache(span=(3, 3))


@pytest.mark.parametrize("version", VERSIONS)
def test_function_tools(version: str, write: Callable[[str], Path]) -> None:
    tools = [{"type": "function", "function": {"name": "wetter_ü"}}]
    with opened(version, write('rule "SYS\\n\\n# Tools{a}\\n<tools>{t}</tools>"\n  text "{t}"\nend\n')) as model:
        if version < "1.2.1":
            with pytest.raises(UnsupportedFeature, match="function tools"):
                model.set_function_tools("SYS", tools)
            with pytest.raises(UnsupportedFeature, match="came with"):
                model.clear_kv_cache(span=(0, 1))
            return
        model.set_function_tools("SYS", tools)
        assert '{"name": "wetter_ü"}' in answer(model, PromptInput("?"))
        with pytest.raises(GenerationError, match="rkllm_set_function_tools returned -1"):
            model.set_function_tools("SYS", "[")
