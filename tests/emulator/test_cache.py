"""What a run leaves in the KV cache, and what the next one takes from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.emulator.clib import NORMAL, Library, Model
from tests.emulator.conftest import WriteScript

Captured = pytest.CaptureFixture[str]
BODY = 'context 64\nrule *\n  text "{n_prompt} {n_prefill}"\nend\n'


def counts(model: Model, prompt: str | list[int], **options: bool) -> tuple[int, int]:
    run = model.run(prompt, **options)
    n_prompt, n_prefill = map(int, run.text.split())
    if model.layout.group in "CD":
        assert run.perf.prefill_tokens == n_prefill
    return n_prompt, n_prefill


def test_group_a_starts_every_run_cold(open_library: Callable[[str], Library], write_script: WriteScript) -> None:
    with open_library("1.1.4").open(write_script(BODY)) as model:
        assert counts(model, [97] * 5) == (5, 5)
        assert counts(model, [97] * 5) == (5, 5)
        assert counts(model, "abc") == (3, 3)


def test_the_common_prefix_is_reused(chat_library: Library, write_script: WriteScript) -> None:
    with chat_library.open(write_script(BODY)) as model:
        assert counts(model, [97, 98, 99, 100]) == (4, 4)
        assert counts(model, [97, 98, 99, 100]) == (4, 0)
        assert counts(model, [97, 98, 99, 101]) == (4, 1)
        assert counts(model, [97, 98, 99]) == (3, 1), "a shorter prompt computes its last token again"
        assert counts(model, [97, 98, 99]) == (3, 0)
        assert counts(model, [98]) == (1, 1)


def test_evaluated_answer_tokens_are_reused(chat_library: Library, write_script: WriteScript) -> None:
    with chat_library.open(write_script('rule *\n  text "the of and"\nend\n')) as model:
        run = model.run([97, 98])
        answer = run.tokens
        assert len(answer) == 4
        again = model.run([97, 98, *answer, 99])
        # Its end token was sampled and never evaluated, so it is new as well.
        if chat_library.layout.group in "CD":
            assert again.perf.prefill_tokens == 2


def test_history_appends_turns_without_system_text(newest: Library, write_script: WriteScript) -> None:
    with newest.open(write_script('rule *\n  text "zz"\nend\n')) as model:
        model.set_chat_template("SYS", "<", ">")
        assert model.run("bbb", history=True).perf.prefill_tokens == len("SYS<bbb>")
        assert model.cache_size() == len("SYS<bbb>") + 2
        # The end token of the last answer was not evaluated then; it comes first now.
        assert model.run("ddd", history=True).perf.prefill_tokens == 1 + len("<ddd>")
        assert model.cache_size() == len("SYS<bbb>") + 2 + 1 + len("<ddd>") + 2


def test_history_renders_what_a_whole_conversation_would(newest: Library, write_script: WriteScript) -> None:
    whole = (
        "<|im_start|>user\\none<|im_end|>\\n<|im_start|>assistant\\nno<|im_end|>\\n"
        "<|im_start|>user\\ntwo<|im_end|>\\n<|im_start|>assistant\\n"
    )
    body = f'rule "{whole}"\n  text "whole"\nend\nrule *\n  text "no"\nend\n'
    with newest.open(write_script(body)) as model:
        assert model.run("one", history=True).text == b"no"
        assert model.run("two", history=True).text == b"whole"
    with newest.open(write_script(body), max_new_tokens=1) as model:
        assert model.run("one", history=True).text == b"no"
        assert model.run("two", history=True).text == b"who", "an answer cut short is closed by the template"


def test_a_run_without_history_forgets_the_conversation(newest: Library, write_script: WriteScript) -> None:
    with newest.open(write_script(BODY)) as model:
        counts(model, "one", history=True)
        n_prompt, _ = counts(model, [97])
        assert n_prompt == 1


def test_clear(chat_library: Library, write_script: WriteScript) -> None:
    with chat_library.open(write_script(BODY)) as model:
        counts(model, [97, 98])
        assert model.clear() == 0
        assert counts(model, [97, 98]) == (2, 2)
        model.set_chat_template("S!", "<", ">")
        counts(model, "x")
        assert model.clear(keep_system=1) == 0
        assert counts(model, "x") == (5, 3)


def test_clear_of_a_range(newest: Library, write_script: WriteScript, capfd: Captured) -> None:
    with newest.open(write_script("rule *\n  no_eos\nend\n")) as model:
        model.run(list(range(97, 107)))
        assert model.cache_size() == 10
        assert model.clear(span=(2, 11)) == -1
        assert model.clear(span=(5, 5)) == -1
        assert "does not lie in the 10 positions" in capfd.readouterr().out
        assert model.clear(span=(2, 4)) == 0
        assert model.cache_size() == 8
        assert model.clear(span=(6, 8)) == 0
        assert model.cache_size() == 6
        assert model.run([97, 98, 101, 102]).perf.prefill_tokens == 2, "what moved is not reused"
        model.run("?", history=True)
        assert model.clear(span=(0, 1)) == -1


def test_a_full_window_shifts_and_goes_on(newest: Library, write_script: WriteScript, capfd: Captured) -> None:
    script = write_script('context 64\nrule *\n  forever " the"\nend\n')
    with newest.open(script, max_new_tokens=500, n_keep=3) as model:
        run = model.run([97, 98, 99, 100])
        assert run.states.count(NORMAL) == 500
        assert model.cache_size() < 64
        out = capfd.readouterr().out
        assert out.count("is discarded") == 1
        assert "the window of 64 tokens is full, range [3, 33) is discarded" in out
        assert model.run([97, 98, 99, 100]).perf.prefill_tokens == 1, "only what n_keep kept is reused"


def test_a_long_history_shifts_too(newest: Library, write_script: WriteScript) -> None:
    script = write_script('context 64\nrule *\n  text "no"\nend\n')
    with newest.open(script, n_keep=4) as model:
        for _ in range(20):
            assert model.run("abcdef", history=True).text == b"no"
            assert model.cache_size() < 64
