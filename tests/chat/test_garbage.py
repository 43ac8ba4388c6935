import pytest

from rkllm_providers.chat.garbage import GarbageWatch, garbage_message, known_bad_pair
from rkllm_providers.chat.stream import Token

END = 2


def problem_of(tokens: list[Token]) -> str | None:
    watch = GarbageWatch({END})
    for token in tokens:
        watch.feed([token])
    whole = GarbageWatch({END})
    assert whole.feed(tokens) == watch.problem
    return watch.problem


@pytest.mark.parametrize(
    "raw", [b"[PAD151935]", b"<unk>", b"<|extra_204|>", b"<unused42>", b"<pad>", b"[unused12]", b" <unk>", b""]
)
def test_filler_ends_soon(raw: bytes) -> None:
    assert problem_of([(1000 + number, raw) for number in range(15)]) is None
    assert "16 padding or unused tokens" in str(problem_of([(1000 + number, raw) for number in range(16)]))


def test_one_token_without_end_ends() -> None:
    assert problem_of([(9, b"x")] * 511) is None
    assert "512 times the same token 9" in str(problem_of([(9, b"x")] * 2000))


def test_the_first_token_of_a_vocabulary_ends_sooner() -> None:
    assert "128 times the same token 0" in str(problem_of([(0, b"!")] * 128))


@pytest.mark.parametrize(
    "tokens",
    [
        [(9, b"-----")] * 256,
        [(9, b"\n")] * 64,
        [(9, b" ")] * 300,
        [(9, b"la"), (10, b" ")] * 2000,
        [(9, b"|"), (9, b"|"), (10, b"---")] * 1000,
        [(9, b"<"), (10, b"[")] * 1000,
        [(9, None), (10, None), (11, "😀".encode())] * 1000,
        [(9, b"<unk>"), (10, b" is a token. ")] * 100,
        [(END, b"")] * 100,
    ],
    ids=["rule", "blank lines", "blanks", "song", "table", "brackets", "emoji", "about tokens", "end"],
)
def test_what_people_ask_for_is_no_garbage(tokens: list[Token]) -> None:
    assert problem_of(tokens) is None


def test_known_bad_pairs_are_named() -> None:
    pair = known_bad_pair("DeepSeek-R1-Distill-Qwen-1.5B_w8a8_rk3588", "1.2.3")
    assert pair is not None
    assert known_bad_pair("DeepSeek-R1-Distill-Qwen-1.5B", "1.2.2") is None
    assert known_bad_pair("Qwen3-0.6B", "1.2.3") is None
    message = garbage_message("16 padding tokens", "deepseek-r1-distill-qwen", "1.2.3")
    assert "'deepseek-r1-distill-qwen' on runtime 1.2.3" in message
    assert "issue 424" in message
    assert "toolkit" in garbage_message("16 padding tokens", "other", "1.3.0")
