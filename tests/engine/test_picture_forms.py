"""Pictures for models without a tokenizer or a template here: the runtime counts, and has a template of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.emulator import build_library, build_vision_library
from rkllm_providers.engine import Engine, LoadSpec, ModelClient
from rkllm_providers.engine.frames import FrameKind, FrameReader, pack_json, pack_token
from rkllm_providers.engine.picture_encoder import EncoderPlan
from rkllm_providers.engine.picture_order import pack_pictures, unpack_pictures
from rkllm_providers.errors import ContextLengthExceeded
from rkllm_providers.models import Catalog, ModelCard, read_card
from tests.conftest import ABI_VERSIONS, WriteModel, needs_llama
from tests.engine.pictures import CONTROLS, GREEN, N_TOKENS, RED, ask, write_seeing_model

QWEN = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
SHOWS = (
    CONTROLS
    + "context 128\n"
    + 'rule "<|im_start|>user\\n<|vision_start|><image tokens={n} size={size} rows={sum}><|vision_end|>{said}'
    + '<|im_end|>"\n'
    + '  text "In a template, with \\"{said}\\", {n_prompt}"\nend\n'
    + 'rule "<|vision_start|><image tokens={n} size={size} rows={sum}><|vision_end|>"\n'
    + '  text "As it is, {n_prompt}"\nend\n'
)
Open = Callable[..., ModelClient]


@pytest.fixture
def opened(write_model: WriteModel) -> Iterator[Open]:
    """A client whose library is found by path, and whose card is changed as a test says."""
    engines: list[Engine] = []

    def open_(version: str, change: Callable[[ModelCard], ModelCard], n_tokens: int = N_TOKENS) -> ModelClient:
        path = write_seeing_model(write_model, SHOWS, n_tokens=n_tokens)
        card = change(read_card(Catalog(path.parent).get(path.stem)))
        assert card.vision is not None
        plan = EncoderPlan(card.vision.encoder, *QWEN, library=str(build_vision_library()))
        form = card.prompt_form
        spec = LoadSpec(
            "seeing",
            path,
            emulated=False,
            context_length=card.context_length,
            library=str(build_library(version)),
            form=form,
            fallback_form=form,
            vision=plan,
        )
        engines.append(Engine(spec))
        return ModelClient(card, engines[-1])

    yield open_
    for engine in engines:
        engine.close()


def bare(card: ModelCard) -> ModelCard:
    """Neither a tokenizer nor a template."""
    return replace(card, template=None, guard=None, text_guard=None, end_tokens=frozenset())


@needs_llama
@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_the_runtime_puts_its_own_template_around(opened: Open, version: str) -> None:
    client = opened(version, bare)
    for _ in range(2):
        result = client.complete([ask("What is it?", RED)])
        assert result.text.startswith("As it is" if version == "1.1.4" else 'In a template, with "What is it?"')
    usage = result.finish.usage
    knows = version in ("1.2.3", "1.3.0")
    assert usage.estimated is not knows
    assert not knows or result.text.endswith(f", {usage.prompt_tokens}")
    assert result.finish.timings.encoded_pictures == 0


@needs_llama
@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_a_rendered_text_is_given_as_it_is(opened: Open, version: str) -> None:
    client = opened(version, ModelCard.without_tokenizer)
    result = client.complete([ask("What is it?", RED)])
    assert result.text.startswith('In a template, with "What is it?"')
    assert result.finish.usage.completion_tokens > 5


@needs_llama
@pytest.mark.parametrize("version", ABI_VERSIONS)
@pytest.mark.parametrize("change", [bare, ModelCard.without_tokenizer], ids=["bare", "rendered"])
def test_what_does_not_fit_is_found_by_counting(
    opened: Open, version: str, change: Callable[[ModelCard], ModelCard]
) -> None:
    client = opened(version, change, n_tokens=90)
    with pytest.raises(ContextLengthExceeded) as caught:
        client.complete([ask("word " * 30, RED)])
    assert caught.value.n_ctx == 128
    finish = client.complete([ask("Hi", GREEN)], GenerateOptions(max_tokens=3)).finish
    assert (finish.reason, finish.usage.completion_tokens) == ("length", 3)


@needs_llama
@pytest.mark.parametrize("version", ["1.2.0", "1.3.0"])
def test_turns_with_pictures_and_without_take_turns(opened: Open, version: str) -> None:
    client = opened(version, bare)
    talk = [ChatMessage("user", "Hi"), ChatMessage("assistant", "Yes?"), ChatMessage("user", "Nothing.")]
    for messages in (talk[:1], [ask("What?", RED)], talk, [ask("What?", GREEN)], talk[:1]):
        text = client.complete(messages).text
        assert text.startswith("In a template") is bool(messages[0].pictures)


def test_each_file_travels_once() -> None:
    files = [("a" * 64, b"one"), ("b" * 64, b"two"), ("a" * 64, b"one")]
    fields, blob = pack_pictures("Ä<image><image><image>", files, frozenset())
    assert blob == "Ä<image><image><image>".encode() + b"onetwo"
    assert unpack_pictures(fields, blob) == ("Ä<image><image><image>", {"a" * 64: b"one", "b" * 64: b"two"})
    fields, blob = pack_pictures("<image>" * 3, files, frozenset({"a" * 64}))
    assert unpack_pictures(fields, blob) == ("<image>" * 3, {"b" * 64: b"two"})


def test_long_frames_come_whole_however_they_are_cut() -> None:
    long = pack_json(FrameKind.RUN, {"n": 1}, bytes(range(256)) * 100)
    stream = pack_token(1, 2, b"a") + long + pack_token(1, 3, b"b") + long
    for size in (1, 3, 1000, len(long) - 1, len(long), len(stream)):
        reader = FrameReader()
        frames = [frame for at in range(0, len(stream), size) for frame in reader.feed(stream[at : at + size])]
        assert [(frame.kind, frame.token_id, len(frame.body)) for frame in frames] == [
            (FrameKind.TOKEN, 2, 1),
            (FrameKind.RUN, 0, len(long) - 5),
            (FrameKind.TOKEN, 3, 1),
            (FrameKind.RUN, 0, len(long) - 5),
        ]
