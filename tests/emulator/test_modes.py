"""Hidden states, LoRA adapters, prompt cache files, function tools and pauses of scripted models."""

from __future__ import annotations

import ctypes
import math
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.emulator import load_script
from tests.emulator.clib import FINISH, HIDDEN, LOGITS, NORMAL, Library, Model, Run
from tests.emulator.conftest import WriteScript

Captured = pytest.CaptureFixture[str]
COUNT = 'context 64\nrule *\n  text "{n_prompt} {n_prefill}"\nend\n'


def states(run: Run) -> list[list[float]]:
    assert run.code == 0
    assert run.events[0].hidden is not None
    width, n, raw = run.events[0].hidden
    values: list[Any] = memoryview(raw).cast("f").tolist()
    return [values[row * width : (row + 1) * width] for row in range(n)]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    def length(v: Sequence[float]) -> float:
        return math.sqrt(sum(x * x for x in v))

    return sum(x * y for x, y in zip(a, b, strict=True)) / (length(a) * length(b))


def test_hidden_states(library: Library, write_script: WriteScript) -> None:
    path = write_script("")
    script = load_script(path)
    with library.open(path) as model:
        run = model.run([97, 98, 99], mode=HIDDEN)
        assert run.states == [4 if library.layout.group == "A" else NORMAL, FINISH]
        rows = states(run)
        assert rows[0] == script.embedding(97)
        expected = [e + 0.25 * before for e, before in zip(script.embedding(98), rows[0], strict=True)]
        assert rows[1] == pytest.approx(expected, abs=1e-6)
        other = states(model.run([100, 97, 101, 99], mode=HIDDEN))
        assert cosine(rows[2], other[3]) > 0.8, "a token keeps most of its direction wherever it stands"
        assert abs(cosine(rows[2], other[0])) < 0.5
        assert states(model.run([97, 98, 99], mode=HIDDEN)) == rows, "as on a cold run"
        if library.layout.group in "CD":
            assert model.cache_size() == 3
            assert run.perf.prefill_tokens == 3


def test_prompts_go_through_the_template_for_hidden_states(chat_library: Library, write_script: WriteScript) -> None:
    path = write_script("")
    text = "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n"
    with chat_library.open(path) as model:
        assert len(states(model.run("x", mode=HIDDEN))) == len(load_script(path).encode(text))


def test_what_was_handed_out_is_spoiled_after_the_callback(chat_library: Library, write_script: WriteScript) -> None:
    kept: list[Any] = []

    def keep(result: Any) -> None:
        if result.hidden or result.logits:
            kept.append(ctypes.cast(result.hidden or result.logits, ctypes.POINTER(ctypes.c_float)))
        elif result.text:
            address = ctypes.c_void_p.from_buffer(result).value
            kept.append((address, result.text))
        if len(kept) > 1 and isinstance(kept[-2], tuple):
            address, text = kept[-2]
            assert ctypes.string_at(address, len(text)) != text

    with chat_library.open(write_script('rule *\n  piece "ab"\n  piece "c"\nend\n')) as model:
        model.on_result = keep
        assert model.run([97]).text == b"abc"
        assert len(kept) == 2
        seen: list[float] = []

        def read_last(result: Any) -> None:
            keep(result)
            seen.append(kept[-1][0])

        model.on_result = read_last
        for mode in (HIDDEN, LOGITS):
            seen.clear()
            model.run([97], mode=mode)
            assert [math.isnan(value) for value in seen] == [False, True]


def test_return_value_2_is_no_pause(newest: Library, write_script: WriteScript) -> None:
    with newest.open(write_script("")) as model:
        model.on_event = lambda event: 2
        assert model.run([97], mode=HIDDEN).states == [NORMAL, FINISH]
        assert model.run([97], mode=LOGITS).states == [NORMAL, FINISH]


# --- LoRA adapters


def test_an_adapter_is_chosen_for_a_run(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    base = write_script('rule "q"\n  text "base {n_prefill}"\nend\n')
    adapter = write_script('rule "q"\n  text "adapted {n_prefill}"\nend\n')
    with library.open(base) as model:
        assert model.load_lora(adapter, "a") == 0
        assert model.load_lora(adapter, "a") == -1
        assert "'a' is loaded already" in capfd.readouterr().out
        assert model.run([113]).text == b"base 1"
        assert model.run([113], lora=b"a").text == b"adapted 1", "another adapter starts cold"
        assert model.run([113], lora=b"a").text == (b"adapted 1" if library.layout.group == "A" else b"adapted 0")
        assert model.run([113]).text == b"base 1"
        assert model.run([113], lora=b"b").code == -1
        assert "no LoRA adapter named 'b' is loaded" in capfd.readouterr().out


def test_what_is_no_adapter_is_refused(
    newest: Library, write_script: WriteScript, tmp_path: Path, capfd: Captured
) -> None:
    with newest.open(write_script("")) as model:
        foreign = tmp_path / "foreign"
        foreign.write_bytes(b"GGUF")
        assert model.load_lora(foreign, "a") == -1
        assert "is no script" in capfd.readouterr().out
        assert model.load_lora(tmp_path / "none", "a") == -1
        assert "could not open" in capfd.readouterr().out
        assert model.load_lora(write_script('rule *\n  piece "\\xff\\xff"\nend\n'), "a") == -1
        assert "a piece that is no token of the model" in capfd.readouterr().out


def test_another_adapter_does_not_go_on_with_a_conversation(newest: Library, write_script: WriteScript) -> None:
    adapter = write_script('rule *\n  text "{n_prompt}"\nend\n')
    with newest.open(write_script(COUNT)) as model:
        model.set_chat_template("", "<", ">")
        assert model.load_lora(adapter, "a") == 0
        model.run("abc", history=True)
        assert model.run("abc", history=True, lora=b"a").text == b"5"


# --- prompt cache files


def test_a_saved_prompt_is_reused_by_another_handle(
    library: Library, write_script: WriteScript, tmp_path: Path, capfd: Captured
) -> None:
    script, file = write_script(COUNT), tmp_path / "prompt.bin"
    with library.open(script) as model:
        assert model.run([97] * 10, save=(1, str(file).encode())).text == b"10 10"
        assert "saved the prompt cache" in capfd.readouterr().out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("prompt.bin*")] == ["prompt.bin"]
    with library.open(script) as model:
        assert model.call("load_prompt_cache", str(file)) == 0
        assert "loaded the prompt cache" in capfd.readouterr().out
        assert model.run([97] * 10 + [98, 98]).text == b"12 2"
        assert model.call("release_prompt_cache") == 0
        assert model.run([97] * 10).text == b"10 10"
        assert model.call("release_prompt_cache") == 0


def test_the_default_path(
    newest: Library, write_script: WriteScript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with newest.open(write_script(COUNT)) as model:
        model.run([97], save=(0, b"other.bin"))
        assert list(tmp_path.glob("*.bin")) == []
        model.run([97], save=(1, None))
        assert list(tmp_path.glob("*.bin")) == [tmp_path / "prompt_cache.bin"]


def test_embedding_input_writes_no_file(
    newest: Library, write_script: WriteScript, tmp_path: Path, capfd: Captured
) -> None:
    file = tmp_path / "prompt.bin"
    with newest.open(write_script("")) as model:
        assert model.run([0], rows=[0.5] * 64, save=(1, str(file).encode())).code == 0
    assert not file.exists()
    assert "no prompt cache is written" in capfd.readouterr().out


def test_files_that_cannot_be_used(
    newest: Library, write_script: WriteScript, tmp_path: Path, capfd: Captured
) -> None:
    script, file = write_script(COUNT), tmp_path / "prompt.bin"
    with newest.open(script) as model:
        model.run([97] * 10, save=(1, str(file).encode()))
        good = file.read_bytes()

        def load(content: bytes | None) -> str:
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_bytes(content)
            capfd.readouterr()
            assert model.call("load_prompt_cache", str(file)) == -1
            return capfd.readouterr().out

        assert "is missing" in load(None)
        assert "is empty" in load(b"")
        for bad in (b"x" * 100, good[:-1], good + b"x", good[:9], good[:-20] + b"\xff" * 20):
            assert "failed to load" in load(bad)
        assert model.run([97] * 10).text == b"10 0", "what was there before is still there"
        assert model.run([97], save=(1, str(tmp_path / "none" / "x").encode())).code == 0
        assert "failed to save the prompt cache" in capfd.readouterr().out
        file.write_bytes(good)
    with newest.open(write_script("name other\n")) as model:
        assert model.call("load_prompt_cache", str(file)) == -1
        assert "does not match the model" in capfd.readouterr().out
    with newest.open(script, max_context_len=16) as model:
        assert model.call("load_prompt_cache", str(file)) == 0
    with newest.open(script, max_context_len=8) as model:
        assert model.call("load_prompt_cache", str(file)) == -1
        assert "do not fit the context of 8" in capfd.readouterr().out


# --- function tools

TOOLS = '[{"name": "f", "d": [1, "]"]} , {"name": "g"}]'


@pytest.fixture(params=["1.2.3", "1.3.0"])
def tools_model(
    request: pytest.FixtureRequest, open_library: Callable[[str], Library], write_script: WriteScript
) -> Any:
    whole = (
        'rule "<|im_start|>system\\nSYS\\n\\n# Tools{a}\\n<tools>\\n{b}\\n</tools>{c}<|im_end|>\\n<|im_start|>user\\n'
    )
    body = whole + '{q}<|im_end|>\\n<|im_start|>assistant\\n"\n  text "{b}|{q}"\nend\nrule *\n  text "none"\nend\n'
    with open_library(request.param).open(write_script(body)) as model:
        yield model


def test_tools_are_in_the_system_text(tools_model: Model) -> None:
    assert tools_model.call("set_function_tools", "SYS", TOOLS, "tool_response") == 0
    assert tools_model.run("hi").text == b'{"name": "f", "d": [1, "]"]}\n{"name": "g"}|hi'
    results = tools_model.run('[{"t": 20}, "x"]', role=b"tool")
    first, second = b'<tool_response>\n{"t": 20}\n</tool_response>', b'<tool_response>\n"x"\n</tool_response>'
    assert results.text.split(b"|")[1] == first + b"\n" + second
    assert tools_model.run("no json", role=b"tool").code == -1
    assert tools_model.clear(keep_system=1) == 0
    assert tools_model.run("other").perf.prefill_tokens < 40
    assert tools_model.call("set_chat_template", "", "", "") == 0
    assert tools_model.run("hi").text == b"none", "a template of one's own cancels the tools"


def test_tools_that_cannot_be_set(tools_model: Model, write_script: WriteScript, capfd: Captured) -> None:
    for tools in ("[", "{}", "[]", ""):
        assert tools_model.call("set_function_tools", "SYS", tools, "t") == -1
        assert "the tools must be a JSON array" in capfd.readouterr().out
    assert tools_model.call("set_function_tools", "SYS", TOOLS, "") == -1
    tools_model.set_chat_template("a", "b", "c")
    assert tools_model.call("set_function_tools", "SYS", TOOLS, "t") == -1
    assert "leaves no place for tools" in capfd.readouterr().out
    unknown = write_script("template <<X\n{{ messages }}\nX\n")
    with tools_model.library.open(unknown) as model:
        assert model.call("set_function_tools", "SYS", TOOLS, "t") == -1
        assert "function tools need a chat template" in capfd.readouterr().out


def test_the_process_may_not_be_able_to_write(newest: Library, write_script: WriteScript, tmp_path: Path) -> None:
    link = tmp_path / "link.bin"
    target = tmp_path / "target"
    target.write_text("mine")
    os.symlink(target, link)
    with newest.open(write_script(COUNT)) as model:
        model.run([97], save=(1, str(link).encode()))
    assert target.read_text() == "mine", "a link is replaced, not followed"
