from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.emulator.clib import ERROR, FINISH, LOGITS, NORMAL, WAITING, Event, Library
from tests.emulator.conftest import WriteScript

EOS = 258
Captured = pytest.CaptureFixture[str]


def test_one_event_per_token_then_the_end_token_then_finish(library: Library, write_script: WriteScript) -> None:
    with library.open(write_script('rule *\n  text "Hello world"\nend\n')) as model:
        run = model.run("?")
    assert run.code == 0
    assert [(event.state, event.text) for event in run.events] == [
        (NORMAL, b"Hello"),
        (NORMAL, b" world"),
        (NORMAL, b""),
        (FINISH, None),
    ]
    assert run.tokens[-1] == EOS
    assert run.events[-1].token == 0
    if library.layout.group in "CD":
        assert run.perf.generate_tokens == 2
        assert run.perf.memory_mb > 1


def test_special_tokens_have_text_where_they_are_not_skipped(library: Library, write_script: WriteScript) -> None:
    script = write_script('rule *\n  text "<think>a</think><|im_start|>b"\nend\n')
    with library.open(script, skip_special_token=False) as model:
        assert model.run("?").text == b"<think>a</think><|im_start|>b<|im_end|>"
    with library.open(script) as model:
        run = model.run("?")
    assert run.text == b"<think>a</think>b"
    assert len(run.tokens) == 6


def test_bytes_wait_until_a_character_is_whole(library: Library, write_script: WriteScript) -> None:
    body = 'rule *\n  piece "a\\xe4"\n  piece "\\xbd"\n  piece "\\xa0b"\n  piece "\\xff"\n  piece "\\xf0"\nend\n'
    with library.open(write_script(body)) as model:
        run = model.run("?")
    assert [(event.state, event.text) for event in run.events] == [
        (WAITING, None),
        (WAITING, None),
        (NORMAL, "a你b".encode()),
        (NORMAL, b"\xff"),
        (WAITING, None),
        (NORMAL, b""),
        (FINISH, None),
    ]


def test_raw_bytes_on_request(library: Library, write_script: WriteScript) -> None:
    body = 'raw_utf8 yes\nrule *\n  piece "\\xe4\\xbd"\n  piece "\\xa0"\nend\n'
    with library.open(write_script(body)) as model:
        assert [event.text for event in model.run("?").events] == [b"\xe4\xbd", b"\xa0", b"", None]


def test_rules_captures_and_counts(library: Library, write_script: WriteScript) -> None:
    body = """
    rule "Weather in {city}?"
      text "Sunny in {city}. {unknown} {\\"a\\": 1}"
    end
    rule "call {name} with <{args}> now"
      text "{name}({args})"
    end
    rule "last word {word}"
      text "[{word}]"
    end
    rule "count"
      text "{n_prompt} {n_prefill}"
    end
    """
    with library.open(write_script(body)) as model:
        last = model.run("Weather in Paris? Weather in Rome, Italy?")
        assert last.text == b'Sunny in Rome, Italy. {unknown} {"a": 1}'
        assert model.run("call f.x with <1, 2> now").text == b"f.x(1, 2)"
        assert model.run("last word a_b-c.d!").text == b"[a_b-c.d]"
        assert b"none of my rules" in model.run("last word !").text
        n_prompt, n_prefill = map(int, model.run("count").text.split())
        assert n_prompt >= n_prefill > 0


def test_max_new_tokens_counts_events(library: Library, write_script: WriteScript) -> None:
    script = write_script('rule "short"\n  text "no"\nend\nrule *\n  forever " la"\nend\n')
    with library.open(script, max_new_tokens=5) as model:
        run = model.run("?")
        assert run.states == [NORMAL] * 5 + [FINISH]
        if library.layout.group == "D":
            assert len(model.run("?", max_new_tokens=7).tokens) == 7
            assert model.run("short", max_new_tokens=1).tokens != [EOS]


def test_repeat_and_no_eos(library: Library, write_script: WriteScript) -> None:
    with library.open(write_script('rule *\n  repeat 3 " the"\n  no_eos\nend\n')) as model:
        run = model.run("?")
    assert run.text == b" the the the"
    assert run.states == [NORMAL] * 3 + [FINISH]


def test_a_rule_without_actions_ends_at_once(library: Library, write_script: WriteScript) -> None:
    with library.open(write_script('rule "silent"\n  no_eos\nend\nrule *\nend\n')) as model:
        assert model.run("?").tokens == [EOS]
        assert model.run("silent").states == [FINISH]


def test_faults(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    body = 'rule "error"\n  text "a b"\n  error\nend\nrule "fail"\n  text "a"\n  fail\nend\n'
    with library.open(write_script(body)) as model:
        run = model.run("error")
        assert (run.code, run.states) == (-1, [NORMAL] * 3 + [ERROR])
        run = model.run("fail")
        assert (run.code, run.states) == (-1, [NORMAL])
        assert model.is_running() == 0
        assert model.run("?").code == 0
    assert capfd.readouterr().out.count("E rkllm: rkllm_run failed") == 0


def test_a_crash_ends_the_process(newest: Library, write_script: WriteScript) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.emulator.clib import Library\n"
        "Library(Path(sys.argv[1]), '1.3.0').open(Path(sys.argv[2])).run('?')"
    )
    script = write_script('rule *\n  text "a"\n  crash\nend\n')
    ended = subprocess.run(
        [sys.executable, "-c", code, str(newest.path), str(script)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGABRT


def test_abort_inside_the_callback(library: Library, write_script: WriteScript) -> None:
    with library.open(write_script('rule *\n  forever " no"\nend\n')) as model:
        model.on_event = lambda event: model.abort() if len(model.events) == 3 else None
        run = model.run("?")
        assert (run.code, run.states) == (0, [NORMAL] * 3 + [FINISH])
        assert model.is_running() == 0


def test_abort_when_idle_does_not_touch_the_next_run(library: Library, write_script: WriteScript) -> None:
    with library.open(write_script('rule *\n  text "ok"\nend\n')) as model:
        assert model.abort() == 0
        assert model.run("?").text == b"ok"


def test_abort_from_another_thread_waits_for_the_prefill(library: Library, write_script: WriteScript) -> None:
    script = write_script('prefill_base_ms 200\nrule *\n  sleep 60000\n  text "late"\nend\n')
    with library.open(script) as model:

        def abort() -> None:
            while not model.is_running():
                time.sleep(0.001)
            model.abort()

        thread = threading.Thread(target=abort)
        thread.start()
        start = time.monotonic()
        run = model.run("?")
        thread.join()
    assert 0.2 <= time.monotonic() - start < 30
    assert (run.code, run.states) == (0, [FINISH])


def test_a_second_run_is_refused_while_one_is_active(
    library: Library, write_script: WriteScript, capfd: Captured
) -> None:
    with library.open(write_script('rule *\n  text "ok"\nend\n')) as model:
        seen: list[tuple[int, int, int]] = []

        def inside(event: Event) -> None:
            given, infer = model.request("?")
            code = model.c.rkllm_run(model.handle, ctypes.byref(given), ctypes.byref(infer), None)
            seen.append((model.is_running(), code, model.c.rkllm_destroy(model.handle)))

        model.on_event = inside
        assert model.run("?").text == b"ok"
    assert set(seen) == {(1, -1, -1)}
    assert "a run is active on this handle" in capfd.readouterr().out


def wait_for_last_event(events: list[Event]) -> None:
    limit = time.monotonic() + 10
    while not events or events[-1].state not in (FINISH, ERROR):
        assert time.monotonic() < limit, "no last event came"
        time.sleep(0.001)


def test_run_async(library: Library, write_script: WriteScript) -> None:
    body = 'rule "bad"\n  fail\nend\nrule "long"\n  sleep 60000\nend\nrule *\n  text "ok"\nend\n'
    with library.open(write_script(body)) as model:
        for _ in range(20):
            assert model.run_async("?") == 0
            wait_for_last_event(model.events)
            assert b"".join(event.text or b"" for event in model.events) == b"ok"
        assert model.run_async("bad") == 0
        wait_for_last_event(model.events)
        assert [event.state for event in model.events] == [ERROR]
        assert model.run_async("long") == 0
        assert model.is_running() == 1
        assert model.abort() == 0
        wait_for_last_event(model.events)
        assert [event.state for event in model.events] == [FINISH]
        assert model.run("?").text == b"ok"
        assert model.is_running() == 0


def test_run_async_copies_its_input_and_refuses_at_once(library: Library, write_script: WriteScript) -> None:
    with library.open(write_script('prefill_base_ms 50\nrule "say {word}"\n  text "{word}"\nend\n')) as model:
        given, infer = model.request("say yes")
        prompt = ctypes.create_string_buffer(b"say yes")
        given.value.prompt = ctypes.cast(prompt, ctypes.c_char_p)
        assert model.c.rkllm_run_async(model.handle, ctypes.byref(given), ctypes.byref(infer), None) == 0
        prompt.value = b"say not"
        wait_for_last_event(model.events)
        assert b"".join(event.text or b"" for event in model.events) == b"yes"
        assert model.run_async([10**6]) == -1
        assert model.is_running() == 0
        assert model.events == []


def test_destroy_aborts_and_waits(library: Library, write_script: WriteScript) -> None:
    model = library.open(write_script('rule *\n  forever " no"\nend\n'))
    assert model.run_async("?") == 0
    while not model.events:
        time.sleep(0.001)
    assert model.destroy() == 0
    assert model.events[-1].state == FINISH


def test_prompt_must_fit_the_window(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    with library.open(write_script("context 64\n")) as model:
        run = model.run([97] * 64)
        assert (run.code, run.events) == (-1, [])
        assert "the prompt has 64 tokens, which is not below max_context_len 64" in capfd.readouterr().out
        assert model.run([97] * 63).code == 0


def test_unusable_input_is_refused(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    with library.open(write_script("")) as model:
        for tokens in ([], [-1], [10**6]):
            assert model.run(tokens).code == -1
        assert model.run([97], mode=77).code == -1
        given, infer = model.request("?")
        for kind in (2, 3, 9):
            given.type = kind
            assert model.c.rkllm_run(model.handle, ctypes.byref(given), ctypes.byref(infer), None) == -1
        assert model.c.rkllm_run(model.handle, None, None, None) == -1
        assert model.events == []
    out = capfd.readouterr().out
    assert out.count("E rkllm: rkllm_run failed") == 8
    assert "token id 1000000 is not below the vocabulary size" in out


def test_roles(newest: Library, write_script: WriteScript, capfd: Captured) -> None:
    with newest.open(write_script('rule "<|im_start|>tool"\n  text "tool"\nend\n')) as model:
        assert model.run("?", role=None).code == 0
        assert model.run("?", role=b"system").code == -1
        assert model.run("not json", role=b"tool").code == -1
        for valid in ('{"a": [1, -2.5e3, "x\\u00e9", null, true]}', "[]", '"s"', "7"):
            assert model.run(valid, role=b"tool").text == b"tool"
        for invalid in ("", "[1,]", "{a: 1}", "[1] 2", '"\n"', "01", "[" * 300 + "]" * 300):
            assert model.run(invalid, role=b"tool").code == -1


def test_thinking_is_switched_in_the_prompt(newest: Library, write_script: WriteScript) -> None:
    body = 'rule "assistant\\n<think>\\n\\n</think>\\n\\n"\n  text "off"\nend\nrule *\n  text "on"\nend\n'
    with newest.open(write_script(body)) as model:
        assert model.run("?", thinking=True).text == b"on"
        assert model.run("?", thinking=False).text == b"off"
        model.set_chat_template("", "", "assistant\n")
        assert model.run("?", thinking=False).text == b"on"


def test_set_chat_template(chat_library: Library, write_script: WriteScript, capfd: Captured) -> None:
    with chat_library.open(
        write_script('rule "S[P"\n  text "{n_prompt}"\nend\nrule *\n  text "raw{n_prompt}"\nend\n')
    ) as model:
        assert model.run("aaa").code == 0
        capfd.readouterr()
        assert model.set_chat_template("S[", "P", "]\n") == 0
        assert capfd.readouterr().out.startswith("I rkllm: reset chat template:\nI rkllm: system_prompt: S[\n")
        assert model.run("zzz").text == b"8"
        assert model.set_chat_template("", "", "") == 0
        assert model.run("zzz").text == b"raw3"


def test_userdata_of_init_is_the_default(newest: Library, write_script: WriteScript) -> None:
    with newest.open(write_script("")) as model:
        model.run("?")
        assert set(model.userdata) == {0x1234}
        given, infer = model.request("?")
        model.userdata.clear()
        model.c.rkllm_run(model.handle, ctypes.byref(given), ctypes.byref(infer), ctypes.c_void_p(0x77))
        assert set(model.userdata) == {0x77}


@pytest.mark.parametrize("version", ["1.2.3", "1.3.0"])
def test_return_value_1_ends_the_run_and_keeps_the_cache(
    version: str, request: pytest.FixtureRequest, write_script: WriteScript
) -> None:
    library: Library = request.getfixturevalue("open_library")(version)
    with library.open(write_script('rule *\n  text "the of and to"\nend\n')) as model:
        model.on_event = lambda event: 1 if len(model.events) == 2 else 2
        run = model.run([97, 98, 99])
        assert (run.code, run.states) == (0, [NORMAL] * 2 + [FINISH])
        assert model.cache_size() == 4
        again = model.run([97, 98, 99, *run.tokens])
        assert again.perf.prefill_tokens == 1


def test_ignore_eos_starts_the_answer_again(newest: Library, write_script: WriteScript) -> None:
    script = write_script('rule "empty"\nend\nrule *\n  text "no"\nend\n')
    with newest.open(script, ignore_eos_token=True, max_new_tokens=5) as model:
        assert model.run("?").text == b"no" * 5
        assert model.run("empty").code == 0


def test_logits_of_a_script_point_at_the_next_token(chat_library: Library, write_script: WriteScript) -> None:
    with chat_library.open(write_script('rule *\n  text "no"\nend\n')) as model:
        prompt = [97, 98, 99]
        run = model.run(prompt, mode=LOGITS)
        assert (run.code, run.states) == (0, [NORMAL, FINISH])
        assert run.events[0].logits is not None
        width, rows, raw = run.events[0].logits
        values = memoryview(raw).cast("f").tolist()
        lines = [values[row * width : (row + 1) * width] for row in range(rows)]
        picked = [line.index(max(line)) for line in lines]
        assert picked == [98, 99, model.run(prompt).tokens[0]]


def test_timing_is_what_the_script_says(newest: Library, write_script: WriteScript) -> None:
    script = write_script('prefill_base_ms 20\nprefill_ms 10\ndecode_ms 20\nrule *\n  repeat 4 "the"\nend\n')
    with newest.open(script) as model:
        run = model.run([97] * 4)
        assert run.perf.prefill_ms >= 60
        assert run.perf.generate_ms >= 80
        assert model.run([97] * 4).perf.prefill_ms == 0


def test_log_levels(newest: Library, write_script: WriteScript, capfd: Captured) -> None:
    script = write_script('rule *\n  text "no"\nend\n')
    for level, expected in (("0", 0), ("1", 1), ("2", 2)):
        os.environ["RKLLM_LOG_LEVEL"] = level
        with newest.open(script) as model:
            capfd.readouterr()
            model.run([97, 98])
            model.run([97, 98, 99])
        out = capfd.readouterr().out
        assert ("Tokens per Second" in out) == (expected >= 1)
        assert ("kv cache matches 2 / 3 tokens of prompt" in out) == (expected >= 2)
        assert (out == "") == (expected == 0)
