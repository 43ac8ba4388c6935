"""What is refused of pictures, and what a picture that fails leaves standing."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, ImagePart
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.engine.memory import estimated_bytes
from rkllm_providers.engine.npu import NPU, chip_name
from rkllm_providers.errors import (
    ContextLengthExceeded,
    GenerationError,
    InvalidRequest,
    ModelLoadError,
    RequestTimeout,
    RknnError,
    WorkerCrashed,
)
from rkllm_providers.vision import PictureLimits
from tests.conftest import ABI_VERSIONS, OpenModel, WriteModel, needs_llama
from tests.engine.pictures import CONTROLS, GREEN, N_TOKENS, RED, TELLS, ask, picture, write_seeing_model

pytestmark = needs_llama

BLUE = picture((0, 0, 255), (200, 100))


def encoded(client: ModelClient, *pictures: ImagePart) -> int:
    return client.complete([ask("What?", *pictures)]).finish.timings.encoded_pictures


@pytest.mark.parametrize("version", ABI_VERSIONS)
def test_text_and_pictures_must_fit_together(open_model: OpenModel, write_model: WriteModel, version: str) -> None:
    client = open_model(write_seeing_model(write_model, n_tokens=100), version, context_length=128)
    for _ in range(2):  # found by the worker the first time, and before the queue from then on
        with pytest.raises(ContextLengthExceeded) as caught:
            client.complete([ask("word " * 30, RED)])
        assert caught.value.n_ctx == 128
        assert caught.value.n_prompt_tokens > 130
        assert client.complete([ask("Hi", RED)]).text.startswith("1 seen")


def test_answers_end_where_the_window_does(open_model: OpenModel, write_model: WriteModel) -> None:
    script = CONTROLS + 'rule *\n  forever "a"\nend\n'
    client = open_model(write_seeing_model(write_model, script, n_tokens=100), context_length=128)
    finish = client.complete([ask("Hi", RED)]).finish
    assert finish.reason == "length"
    assert finish.usage.total_tokens == 128


@pytest.mark.parametrize(
    ("limits", "pictures", "said"),
    [
        (PictureLimits(max_pictures=1), (RED, GREEN), "2 pictures, and at most 1"),
        (PictureLimits(max_bytes=50), (RED,), "bytes, and at most 50 are allowed"),
        (PictureLimits(max_pixels=1000), (RED,), "32 x 32 = 1024 pixels, and at most 1000"),
        (PictureLimits(), (ImagePart(b"no picture at all"),), "in no format that is read here"),
    ],
)
def test_what_cannot_be_read_is_refused_before_the_model_is_loaded(
    open_model: OpenModel, write_model: WriteModel, limits: PictureLimits, pictures: tuple[ImagePart, ...], said: str
) -> None:
    client = open_model(write_seeing_model(write_model), limits=EngineLimits(pictures=limits))
    with pytest.raises(InvalidRequest, match=said):
        client.complete([ask("What?", *pictures)])
    assert client.engine.worker_pid is None


def test_a_picture_that_ends_too_early_costs_its_request_alone(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    client = open_model(write_seeing_model(write_model))
    client.complete([ChatMessage("user", "Hi")])
    pid = client.engine.worker_pid
    with pytest.raises(InvalidRequest, match="broken, or ends too early"):
        client.complete([ask("What?", ImagePart(BLUE.data[: len(BLUE.data) // 2]))])
    assert encoded(client, BLUE) == 1
    assert client.engine.worker_pid == pid


def test_a_failing_encoder_costs_its_request_alone(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_seeing_model(write_model, faults=("rknn_run -1 2",)))
    assert encoded(client, RED) == 1
    pid = client.engine.worker_pid
    with pytest.raises(RknnError, match="RKNN_ERR_FAIL"):
        client.complete([ask("What?", GREEN)])
    assert encoded(client, GREEN) == 1
    assert encoded(client, RED) == 0
    assert client.engine.worker_pid == pid


def test_an_encoder_that_does_not_load_leaves_the_model_to_chats(
    open_model: OpenModel, write_model: WriteModel
) -> None:
    client = open_model(write_seeing_model(write_model, faults=("rknn_init -6",)))
    with pytest.raises(ModelLoadError, match=r"vision encoder .*RKNN_ERR_MODEL_INVALID"):
        client.complete([ask("What?", RED)])
    assert client.complete([ChatMessage("user", "Hi")]).text == "0 seen: "


def test_an_encoder_can_be_loaded_with_its_model(open_model: OpenModel, write_model: WriteModel) -> None:
    limits = EngineLimits(load_encoder=True)
    client = open_model(write_seeing_model(write_model, faults=("rknn_init -6",)), limits=limits)
    with pytest.raises(ModelLoadError, match="RKNN_ERR_MODEL_INVALID"):
        client.complete([ChatMessage("user", "Hi")])


def test_another_models_encoder_is_refused(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_seeing_model(write_model, n_embd=32))
    for _ in range(3):
        client.complete([ChatMessage("user", "Tell me something that is not about pictures.")])
        with pytest.raises(ModelLoadError, match=r"rows of 32 numbers .* the model has rows of 64"):
            client.complete([ask("What?", RED)])
    assert not client.engine.ledger.is_unreliable  # that the cache was lost in between is known


def test_a_crash_costs_one_request_and_pictures_are_sent_anew(open_model: OpenModel, write_model: WriteModel) -> None:
    script = TELLS.replace("rule *", 'rule "crash now"\n  crash\nend\nrule *')
    client = open_model(write_seeing_model(write_model, script))
    assert encoded(client, RED) == 1
    with pytest.raises(WorkerCrashed):
        client.complete([ask("crash now", RED)])
    assert encoded(client, RED) == 1
    assert encoded(client, RED) == 0


def test_encoded_pictures_are_kept_up_to_their_bound(open_model: OpenModel, write_model: WriteModel) -> None:
    one = N_TOKENS * 64 * 4  # bytes of a picture's rows
    client = open_model(write_seeing_model(write_model), limits=EngineLimits(picture_cache=2 * one))
    assert [encoded(client, shown) for shown in (RED, GREEN, RED, BLUE)] == [1, 1, 0, 1]
    assert encoded(client, RED) == 0  # used later than the green one
    assert encoded(client, GREEN) == 1
    assert encoded(client, BLUE, RED, GREEN) == 1  # more than are kept, in one request
    small = open_model(
        write_seeing_model(write_model, name="qwen2-vl-7b"), limits=EngineLimits(picture_cache=one - 1)
    )
    assert [encoded(small, RED, RED) for _ in range(2)] == [1, 1]


def test_a_request_can_be_given_up_between_its_pictures(open_model: OpenModel, write_model: WriteModel) -> None:
    path = write_seeing_model(write_model)
    file = path.with_suffix(".rknn")
    file.write_text(file.read_text().replace("run_ms 0", "run_ms 400"))
    client = open_model(path)
    client.complete([ChatMessage("user", "Hi")])
    with pytest.raises(RequestTimeout):
        client.complete([ask("What?", RED, GREEN, BLUE)], GenerateOptions(timeout=0.05))
    pid = client.engine.worker_pid
    # The first was under way when time was up, and is known now; the last was not begun.
    assert encoded(client, BLUE) == 1
    assert client.engine.worker_pid == pid


def test_threads_ask_about_their_own_pictures(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_seeing_model(write_model))
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    said: dict[int, str] = {}

    def run(number: int) -> None:
        said[number] = client.complete([ask("What?", picture(colours[number]))]).text

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(colours))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [said[number].rpartition("=")[2] for number in range(4)] == ["255,0,0", "0,255,0", "0,0,255", "255,255,0"]


def test_the_encoder_counts_in_the_memory_budget(open_model: OpenModel, write_model: WriteModel) -> None:
    spec = open_model(write_seeing_model(write_model)).engine.spec
    assert spec.vision is not None
    size = spec.vision.encoder.stat().st_size
    assert estimated_bytes(spec) == estimated_bytes(replace(spec, vision=None)) + size


def test_a_decoder_leaves_the_first_memory_domain_to_its_encoder() -> None:
    npu = NPU()
    try:
        seeing, blind, other = npu.enter("seeing", sees=True), npu.enter("blind"), npu.enter("other", sees=True)
        chosen = npu.enter("chosen", 0, sees=True)
    finally:
        npu.forget()
    assert [place.domain_id for place in (seeing, blind, other, chosen)] == [1, 2, 3, 0]


@pytest.mark.parametrize(
    ("said", "chip"),
    [
        (b"xunlong,orangepi-5-plus\0rockchip,rk3588\0", "rk3588"),
        (b"rockchip,rk3576-evb1-v10\0rockchip,rk3576\0", "rk3576"),
        (b"rockchip,rv1126b\0", "rv1126b"),
        (b"raspberrypi,5-model-b\0brcm,bcm2712\0", None),
        (None, None),
    ],
)
def test_the_chip_is_told_by_the_device_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes | None, chip: str | None
) -> None:
    file = tmp_path / "compatible"
    if said is not None:
        file.write_bytes(said)
    monkeypatch.setattr("rkllm_providers.engine.npu._DEVICE_TREE", file)
    assert chip_name() == chip


def test_on_chips_with_one_domain_the_decoder_lies_beside_its_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rkllm_providers.engine.npu.chip_name", lambda: "rk3562")
    npu = NPU()
    try:
        assert npu.enter("seeing", sees=True).domain_id == 0
    finally:
        npu.forget()


def test_a_failed_run_is_not_gone_on_with(open_model: OpenModel, write_model: WriteModel) -> None:
    script = TELLS.replace("rule *", 'rule "fail now"\n  error\nend\nrule *')
    client = open_model(write_seeing_model(write_model, script))
    with pytest.raises(GenerationError):
        client.complete([ask("fail now", RED)])
    result = client.complete([ask("What?", RED)])
    assert result.finish.usage.cached_tokens == 0
    assert result.finish.timings.encoded_pictures == 0


def test_an_encoder_that_was_replaced_is_another_one(open_model: OpenModel, write_model: WriteModel) -> None:
    path = write_seeing_model(write_model)
    old = open_model(path)
    assert encoded(old, RED) == 1
    encoder = path.with_suffix(".rknn")
    encoder.write_text(encoder.read_text().replace("n_tokens 4", "n_tokens 9"))
    os.utime(encoder, ns=(0, encoder.stat().st_mtime_ns + 1_000_000_000))
    assert open_model(path).complete([ask("What?", RED)]).text.startswith("1 seen: tokens=9 ")
