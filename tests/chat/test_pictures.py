"""Conversations with pictures as one text: a tag for each picture where it stands, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rkllm_providers.chat import (
    ChatMessage,
    GenerateOptions,
    ImagePart,
    PicturePrompt,
    Prompt,
    ResponseFormat,
    Tool,
    build_prompt,
    count_prompt_tokens,
)
from rkllm_providers.chat.pictures import joined, placeholder, told, with_tags, without_tags
from rkllm_providers.errors import ContextLengthExceeded, InvalidRequest
from rkllm_providers.models import Catalog, ModelCard, read_card
from tests.conftest import WriteModel

CAT, DOG = ImagePart(b"cat"), ImagePart(b"dog", "image/png")
CONTROLS = 'control "<|vision_start|>" "<|vision_end|>" "<|image_pad|>"\n'
RULE = 'rule *\n  text "yes"\nend\n'


def seeing(path: Path) -> ModelCard:
    path.with_suffix(".rknn").write_text("#!rknn-script 1\n")
    return read_card(Catalog(path.parent).get(path.stem))


@pytest.fixture
def card(write_model: WriteModel) -> ModelCard:
    """A model with a tokenizer and a template, and an encoder beside it."""
    return seeing(write_model(CONTROLS + RULE, "qwen2-vl-2b"))


def content_of(prompt: Prompt) -> PicturePrompt:
    assert isinstance(prompt.content, PicturePrompt)
    return prompt.content


def test_pictures_stand_where_they_were_put(card: ModelCard) -> None:
    messages = [
        ChatMessage("system", "Be brief."),
        ChatMessage("user", ("Compare ", CAT, " with ", DOG, ".")),
        ChatMessage("assistant", "Both sit."),
        ChatMessage("user", "And the first?"),
    ]
    content = content_of(build_prompt(card, messages))
    assert content.pictures == (CAT, DOG)
    assert "<|im_start|>user\nCompare <image> with <image>.<|im_end|>" in content.text
    assert content.text.count("<image>") == 2
    assert content.text.endswith("And the first?<|im_end|>\n<|im_start|>assistant\n")


def test_text_alone_goes_as_tokens_as_ever(card: ModelCard) -> None:
    prompt = build_prompt(card, [ChatMessage("user", ("Hi ", "there"))])
    assert card.guard is not None
    assert not isinstance(prompt.content, PicturePrompt)
    assert list(prompt.content) == list(build_prompt(card, [ChatMessage("user", "Hi there")]).content)  # type: ignore[arg-type]


def test_the_text_is_counted_with_what_stands_around_a_picture(card: ModelCard) -> None:
    with_picture = content_of(build_prompt(card, [ChatMessage("user", ("Hi", CAT))]))
    alone = build_prompt(card, [ChatMessage("user", "Hi")])
    assert with_picture.n_tokens == alone.n_tokens + 2  # <|vision_start|> and <|vision_end|>
    assert count_prompt_tokens(card, [ChatMessage("user", ("Hi", CAT, DOG))], None, 196) == alone.n_tokens + 2 * 198


@pytest.mark.parametrize("text", ["<image>", "<video>", "<audio>", "<<image>image>", "<|image_pad|>", "<|im_end|>"])
def test_what_a_caller_writes_is_no_picture_and_no_control_token(card: ModelCard, text: str) -> None:
    plain = content_of(build_prompt(card, [ChatMessage("user", CAT_AND(""))])).text
    written = content_of(build_prompt(card, [ChatMessage("user", CAT_AND(text))])).text
    for mark in ("<image>", "<video>", "<audio>", "<|image_pad|>", "<|im_end|>"):
        assert written.count(mark) == plain.count(mark)
    assert written.replace("\u200b", "").count(text) == plain.count(text) + 1  # still to be read


def CAT_AND(text: str) -> tuple[str | ImagePart, ...]:  # noqa: N802 - reads as what it makes
    return (text, CAT)


_PIECES = st.sampled_from(
    ["<image", "image>", "<", ">", "<|image_", "pad|>", "a", "\u200b", placeholder(0), "\ufdd0"]
)


@given(st.lists(_PIECES, max_size=12).map("".join), st.lists(_PIECES, max_size=12).map("".join))
def test_no_text_around_a_picture_makes_or_hides_one(before: str, after: str) -> None:
    text, pictures = with_tags(f"{without(before)}{placeholder(0)}{without(after)}", [CAT])
    assert text.count("<image>") == 1
    assert pictures == (CAT,)
    assert "<image>" not in without_tags(before + after)


def without(text: str) -> str:
    """As the guard leaves a caller's text: without the characters that placeholders are made of."""
    return "".join("\ufffd" if "\ufdd0" <= char <= "\ufddf" else char for char in text)


def test_a_model_without_an_encoder_takes_none(write_model: WriteModel) -> None:
    path = write_model(RULE, "text-only")
    with pytest.raises(InvalidRequest, match=r"text-only takes no pictures: there is no vision encoder"):
        build_prompt(read_card(Catalog(path.parent).get("text-only")), [ChatMessage("user", (CAT,))])


def test_a_model_of_an_unknown_family_says_what_to_write(write_model: WriteModel) -> None:
    unknown = seeing(write_model(RULE, "own-eyes"))
    with pytest.raises(InvalidRequest, match=r"\[vision\] of .*own-eyes\.toml"):
        build_prompt(unknown, [ChatMessage("user", (CAT,))])


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_users_and_tools_send_pictures(card: ModelCard, role: str) -> None:
    messages = [ChatMessage("user", "Hi"), ChatMessage(role, ("Look: ", CAT)), ChatMessage("user", "Well?")]  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match=f"Message 1 .* the role {role}"):
        build_prompt(card, messages)


def test_a_tool_shows_a_picture(card: ModelCard) -> None:
    tool = Tool("camera")
    messages = [ChatMessage("user", "Look"), ChatMessage("tool", ("Front door: ", CAT), "camera", tool_call_id="1")]
    content = content_of(build_prompt(card, messages, GenerateOptions(tools=(tool,))))
    assert "Front door: <image>" in content.text
    assert content.pictures == (CAT,)


def test_tool_results_of_a_template_without_tools_keep_their_pictures(write_model: WriteModel) -> None:
    template = "template <<END\n{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}\nEND\n"
    plain = seeing(write_model(CONTROLS + template + RULE, "qwen2-vl-plain"))
    messages = [ChatMessage("user", ("First ", DOG)), ChatMessage("tool", (CAT,), "camera")]
    content = content_of(build_prompt(plain, messages, GenerateOptions(tools=(Tool("camera"),))))
    assert content.pictures == (DOG, CAT)
    assert "Result of camera:\n<image>" in content.text


def test_a_template_that_leaves_a_picture_out_is_an_error(write_model: WriteModel) -> None:
    template = "template <<END\n{{ messages[-1].content }}\nEND\n"
    short = seeing(write_model(CONTROLS + template + RULE, "qwen2-vl-short"))
    with pytest.raises(InvalidRequest, match="does not write 1 of the 1 pictures"):
        build_prompt(short, [ChatMessage("user", (CAT,)), ChatMessage("assistant", "Hm"), ChatMessage("user", "?")])


def test_without_a_template_it_is_a_transcript(card: ModelCard) -> None:
    bare = replace(card, template=None, guard=None, text_guard=None)
    one = content_of(build_prompt(bare, [ChatMessage("user", ("What is it? <|im_end|>", CAT))]))
    assert (one.text, one.n_tokens, one.is_transcript) == ("What is it? <\u200b|im_end|><image>", None, False)
    messages = [
        ChatMessage("user", ("What is it?", CAT)),
        ChatMessage("assistant", "A cat."),
        ChatMessage("user", "Sure?"),
    ]
    several = content_of(build_prompt(bare, messages))
    assert several.text == "User: What is it?<image>\n\nAssistant: A cat.\n\nUser: Sure?"
    assert several.is_transcript


def test_without_a_tokenizer_the_text_is_bounded_and_not_counted(card: ModelCard) -> None:
    content = content_of(build_prompt(card.without_tokenizer(), [ChatMessage("user", ("Hi", CAT))]))
    assert content.n_tokens is None
    assert content.bound >= len(content.text.encode()) - len("<image>")
    assert "<|im_start|>user\nHi<image><|im_end|>" in content.text


def test_a_text_that_does_not_fit_is_refused_before_anything_runs(card: ModelCard) -> None:
    with pytest.raises(ContextLengthExceeded, match="context window holds 4096"):
        build_prompt(card, [ChatMessage("user", ("word " * 5000, CAT))])


def test_json_is_asked_for_behind_the_picture(card: ModelCard) -> None:
    options = GenerateOptions(response_format=ResponseFormat(), thinking=False)
    content = content_of(build_prompt(card, [ChatMessage("user", (CAT, "Describe."))], options))
    assert "<image>Describe.\n\nAnswer with one JSON object only" in content.text


def test_contents_are_joined_and_told_apart() -> None:
    assert joined("a", "b") == "ab"
    assert joined(("a", CAT), "b") == ("a", CAT, "b")
    assert told((CAT,)) != told((DOG,))
    assert CAT.digest == "77af778b51abd4a3c51c5ddd97204a9c3ae614ebccb75a606c3b6865aed6744e"
    message = ChatMessage("user", ("a", CAT, "b"))
    assert (message.text, message.pictures) == ("ab", (CAT,))
    assert "cat" not in repr(message)  # megabytes of it in a log
