"""Embedding and multimodal input of scripted models, and models without tokenizer or embedding."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.emulator import Script, load_script
from tests.emulator.clib import HIDDEN, Library, Picture
from tests.emulator.conftest import WriteScript

Captured = pytest.CaptureFixture[str]
SEEN = 'rule "<row {sum}>"\n  text "row {sum}"\nend\nrule "the of"\n  text "yes {n_prompt} {n_prefill}"\nend\n'
PICTURE = """
rule "[<image tokens={n} size={size} rows={sum}>] then [<image tokens={m} size={size2} rows={sum2}>]"
  text "{n} {size} {sum} {m} {sum2} of {n_prompt}"
end
rule "[<image tokens={n} size={size} rows={sum}>]"
  text "{n} {size} {sum} of {n_prompt}, {n_prefill} new"
end
rule "<video frames={frames} tokens={n} size={size} rows={sum}>"
  text "{frames} {n} {size} {sum} of {n_prompt}"
end
"""


def rows_of(script: Script, ids: Sequence[int]) -> list[float]:
    return [value for token in ids for value in script.embedding(token)]


def crc(rows: Sequence[float]) -> str:
    return f"{zlib.crc32(struct.pack(f'<{len(rows)}f', *rows)):08x}"


def test_rows_of_tokens_are_those_tokens(library: Library, write_script: WriteScript) -> None:
    path = write_script(SEEN)
    script = load_script(path)
    ids = script.encode("the of")
    with library.open(path) as model:
        run = model.run(ids, rows=rows_of(script, ids))
        assert (run.code, run.text) == (0, b"yes 2 2")
        strange = [0.25] * 64
        assert model.run([0], rows=strange).text == f"row {crc(strange)}".encode()


@pytest.mark.parametrize(("version", "n_prefill"), [("1.2.0", 2), ("1.2.3", 0), ("1.3.0", 0)])
def test_rows_are_reused_since_1_2_3(
    version: str, n_prefill: int, open_library: Callable[[str], Library], write_script: WriteScript
) -> None:
    path = write_script("embedding_size 8\n" + SEEN)
    script = load_script(path)
    assert script.embedding_size == 8
    ids = script.encode("the of")
    with open_library(version).open(path) as model:
        model.run(ids, rows=rows_of(script, ids))
        assert model.run(ids, rows=rows_of(script, ids)).text == f"yes 2 {n_prefill}".encode()
        assert model.run(ids).text == b"yes 2 2", "tokens are not compared with rows"


def test_embedding_input_is_checked(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    with library.open(write_script("context 16\n")) as model:
        assert model.run([], rows=[]).code == -1
        assert "has no rows" in capfd.readouterr().out
        assert model.run([0] * 16, rows=[0.0] * 64 * 16).code == -1
        assert "1 x 16 embedding rows, which is not below max_context_len 16" in capfd.readouterr().out


def tags(library: Library) -> dict[str, bytes]:
    """Given at init before 1.3.0."""
    return {} if library.layout.group == "D" else {"img_start": b"[", "img_end": b"]"}


def picture(rows: Sequence[float], n_tokens: int, **more: Any) -> Picture:
    return Picture(rows, n_tokens, width=28, height=14, start=b"[", end=b"]", **more)


def test_a_picture_takes_the_place_of_its_tag(library: Library, write_script: WriteScript) -> None:
    rows = [i / 100 for i in range(3 * 64)]
    size = "28x14" if library.layout.group in "CD" else "0x0"
    with library.open(write_script(PICTURE), **tags(library)) as model:
        run = model.run("a<image>b", image=picture(rows, 3))
        n = len("a[...]b") if library.layout.group == "A" else run.text.split()[4].rstrip(b",").decode()
        assert run.text == f"3 {size} {crc(rows)} of {n}, {n} new".encode()
        again = model.run("a<image>b", image=picture(rows, 3)).text
        new = b", 0 new" if library.layout.group in "CD" else b", 7 new"
        assert again.endswith(new if library.layout.group != "B" else f", {n} new".encode())
        other = [-value for value in rows]
        assert crc(other).encode() in model.run("a<image>b", image=picture(other, 3)).text


def test_several_pictures(open_library: Callable[[str], Library], write_script: WriteScript) -> None:
    first, second = [0.5] * 128, [0.25] * 128
    for version in ("1.2.3", "1.3.0"):
        library = open_library(version)
        with library.open(write_script(PICTURE), **tags(library)) as model:
            model.set_chat_template("", "", "")
            run = model.run("<image> then <image>", image=picture(first + second, 2, n=2))
            assert run.text == f"2 28x14 {crc(first)} 2 {crc(second)} of 10".encode()


def test_video_beside_an_image(newest: Library, write_script: WriteScript) -> None:
    rows = [0.125] * 64 * 6
    with newest.open(write_script(PICTURE)) as model:
        model.set_chat_template("", "", "")
        video = picture(rows, 3, frames=2)
        assert model.run("<video>", video=video).text == f"2 3 28x14 {crc(rows)} of 8".encode()
        both = model.run("<image><video>", image=picture([0.0] * 64, 1), video=video)
        assert both.text.startswith(b"1 28x14")


def test_tags_must_match_the_pictures(library: Library, write_script: WriteScript, capfd: Captured) -> None:
    with library.open(write_script(""), **tags(library)) as model:
        for prompt, n in (("none", 0), ("<image><image>", 2)):
            assert model.run(prompt, image=picture([0.0] * 64, 1)).code == -1
            assert f"the prompt has {n} tags <image>, but the input has 1" in capfd.readouterr().out
        assert model.run("<image>", image=picture([], 0)).code == -1
        assert model.run("<image>", image=picture([0.0], 2**62)).code == -1
        assert "embedding rows, which is not below" in capfd.readouterr().out


# --- models without a tokenizer or an embedding


def write_bare(write_script: WriteScript) -> Path:
    return write_script(
        'export no_tokenizer no_embedding\ncontrol "<X>"\ntemplate <<E\n?\nE\n'
        'rule "the of"\n  text " and"\nend\nrule "<row {s}>"\n  text "the"\nend\n'
    )


def test_callbacks_stand_in_for_what_was_not_exported(newest: Library, write_script: WriteScript) -> None:
    path = write_bare(write_script)
    script = load_script(path)
    assert (script.has_tokenizer, script.has_embedding) == (False, False)
    ids = script.encode("the of")
    asked: list[Any] = []

    def tokenize(_: object, text: bytes, length: int, into: Any, most: int) -> int:
        asked.append((text, length, most))
        into[0], into[1] = ids
        return 2

    def embed(_: object, tokens: Any, n: int, into: Any, size: int) -> int:
        asked.append(tokens[:n])
        for i, value in enumerate(rows_of(script, tokens[:n])):
            into[i] = value
        return 0 if size == n * 64 * 4 else 1

    with newest.open(path, tokenize=tokenize, embed=embed, max_new_tokens=2) as model:
        run = model.run("anything")
    answer = script.encode(" and")[0]
    assert run.tokens == [answer, script.eos_ids[0]]
    assert run.text == b"", "without a tokenizer there is no text"
    assert asked == [(b"anything", 8, 4096), ids, [answer]]


def test_missing_and_failing_callbacks(newest: Library, write_script: WriteScript, capfd: Captured) -> None:
    path = write_bare(write_script)
    with newest.open(path) as model:
        assert model.run("x").code == -1
        assert "it needs a tokenizer callback, or token input" in capfd.readouterr().out
        assert model.run([97]).code == -1
        assert "it needs an embed callback" in capfd.readouterr().out
        assert model.run([0], rows=[0.5] * 64).code == -1, "what is generated would have no row"
        assert model.run([0], rows=[0.5] * 64, mode=HIDDEN).code == 0
    with newest.open(path, tokenize=lambda *_: -7, embed=lambda *_: 3) as model:
        assert model.run("x").code == -1
        assert "the tokenizer callback failed with -7" in capfd.readouterr().out
        assert model.run([97]).code == -1
        assert "the embed callback failed with 3" in capfd.readouterr().out
