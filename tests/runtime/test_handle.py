from __future__ import annotations

import gc
import threading
import time
from array import array
from collections.abc import Callable
from typing import Any

import pytest

from rkllm_providers.errors import (
    EngineClosed,
    GenerationError,
    InvalidRequest,
    ModelLoadError,
    RKLLMError,
    UnsupportedFeature,
)
from rkllm_providers.runtime import (
    ErrorEvent,
    FinishEvent,
    ModelHandle,
    PerfStat,
    PromptInput,
    RuntimeEvent,
    SamplingParams,
    TokenEvent,
    TokenInput,
)
from tests.runtime.conftest import GROUP_VERSIONS, Stub

OpenStub = Callable[[str], Stub]
HELLO = PromptInput("Grüß \U0001f680")
PERF = PerfStat(12.5, 7, 250.0, 3, 1024.25)
TOKENS = [
    TokenEvent(11, b"Gr"),
    TokenEvent(12, b"", True),
    TokenEvent(13, "üß".encode()),
    TokenEvent(14, b""),
    TokenEvent(2, b""),
]
NO_ROLE = ("1.1.4", "1.2.0", "1.2.1b1")


def collect(handle: ModelHandle, text: str, **options: Any) -> list[RuntimeEvent]:
    events: list[RuntimeEvent] = []
    handle.run(PromptInput(text), events.append, **options)
    return events


class Background:
    """A run on another thread, begun when its first event has come."""

    def __init__(self, handle: ModelHandle, text: str, wait: bool = True) -> None:
        self.events: list[RuntimeEvent] = []
        self.result: Any = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(handle, text))
        self._thread.start()
        assert not wait or self._begun.wait(10)

    def _run(self, handle: ModelHandle, text: str) -> None:
        try:
            self.result = handle.run(PromptInput(text), self._on_event)
        except RKLLMError as error:
            self.result = error

    def _on_event(self, event: RuntimeEvent) -> None:
        self.events.append(event)
        self._begun.set()

    def join(self) -> Any:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.result


# --- initialisation


def test_init_passes_what_was_asked_and_the_librarys_defaults(stub: Stub) -> None:
    sampling = SamplingParams(top_k=1, temperature=0.25, presence_penalty=-0.5, mirostat=2)
    with stub.load(model_path="/models/ü.rkllm", max_context_len=4096, base_domain_id=1, sampling=sampling):
        record = stub.record
    assert record.pop("model_path") == "/models/ü.rkllm"
    expected: dict[str, object] = {
        "max_context_len": 4096,
        "max_new_tokens": -1,
        "top_k": 1,
        "top_p": 0.9,
        "temperature": 0.25,
        "repeat_penalty": 1.1,
        "frequency_penalty": 0,
        "presence_penalty": -0.5,
        "mirostat": 2,
        "mirostat_tau": 5,
        "mirostat_eta": 0.1,
        "skip_special_token": 1,
        "is_async": 0,
        "base_domain_id": 1,
        "reserved": 0,
        "others": 0,
    }
    group = stub.library.layout.group
    if group != "A":
        expected |= {"n_keep": -1, "embed_flash": 1, "enabled_cpus_num": 4, "enabled_cpus_mask": 0xF0}
    if group in ("C", "D", "D1"):
        expected["n_batch"] = 1
    expected |= {"ignore_eos_token": 0} if group in ("D", "D1") else {"img_start": ""}
    assert record == expected


def test_init_passes_the_newer_parameters(open_stub: OpenStub) -> None:
    stub = open_stub("1.3.0")
    given = {
        "n_keep": 7,
        "embed_flash": False,
        "enabled_cpus_num": 3,
        "enabled_cpus_mask": 0x0E,
        "ignore_eos_token": True,
        "skip_special_token": False,
        "max_new_tokens": 99,
    }
    with stub.load(**given):
        assert {name: stub.record[name] for name in given} == given


@pytest.mark.parametrize(
    ("version", "name", "value"),
    [
        ("1.1.4", "n_keep", 4),
        ("1.1.4", "embed_flash", True),
        ("1.1.4", "enabled_cpus_num", 4),
        ("1.1.4", "enabled_cpus_mask", 15),
        ("1.2.3", "ignore_eos_token", True),
    ],
)
def test_init_refuses_what_the_version_lacks(version: str, name: str, value: Any, open_stub: OpenStub) -> None:
    with pytest.raises(UnsupportedFeature, match=version):
        open_stub(version).load(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_context_len", 2**31),
        ("enabled_cpus_num", 128),
        ("enabled_cpus_mask", -1),
        ("model_path", "a\0b"),
        ("model_path", ""),
    ],
)
def test_init_refuses_what_does_not_fit(name: str, value: Any, open_stub: OpenStub) -> None:
    with pytest.raises(InvalidRequest, match=name) as caught:
        open_stub("1.3.0").load(**{name: value})
    assert caught.value.param == name


def test_a_refused_model(stub: Stub) -> None:
    with pytest.raises(ModelLoadError, match=r"/refused\.rkllm: rkllm_init returned -1 \(failure\).*not exist"):
        stub.load(model_path="/refused.rkllm")
    with pytest.raises(ModelLoadError, match="success, but no handle"):
        stub.load(model_path="/no-handle.rkllm")
    assert stub.destroys == 0


# --- runs


def test_events_of_a_generation(stub: Stub, model: ModelHandle) -> None:
    perf = PERF if stub.library.layout.group in ("C", "D", "D1") else None
    events: list[RuntimeEvent] = []
    result = model.run(HELLO, events.append)
    assert events == [*TOKENS, FinishEvent(perf)]
    assert all(type(event) is TokenEvent for event in events[:-1])
    assert (result.finished, result.perf, result.aborted) == (True, perf, False)
    assert collect(model, "again")[:-1] == TOKENS


def test_prompt_input_as_received(stub: Stub, model: ModelHandle) -> None:
    model.run(HELLO, print)
    record = stub.record
    assert (record["input_type"], record["prompt"], record["mode"]) == (0, HELLO.text, 0)
    assert (record["beyond"], record["userdata"], record["lora"]) == (0, 0, 0)
    assert record.get("keep_history", 0) == 0
    if stub.library.version in NO_ROLE:
        assert "role" not in record
        return
    assert (record["role"], record["enable_thinking"]) == ("user", 0)
    model.run(PromptInput("[]", role="tool", enable_thinking=True), print)
    assert (stub.record["role"], stub.record["enable_thinking"]) == ("tool", 1)


@pytest.mark.parametrize(
    "ids",
    [
        [1, 2, 2**31 - 1],
        (1, 2, 2**31 - 1),
        array("i", [1, 2, 2**31 - 1]),
        array("q", [1, 2, 2**31 - 1]),
        array("i", [1, 2, 2**31 - 1]).tobytes(),
        bytearray(array("i", [1, 2, 2**31 - 1]).tobytes()),
    ],
)
def test_token_input_as_received(ids: Any, open_stub: OpenStub) -> None:
    for version in ("1.1.4", "1.3.0"):
        stub = open_stub(version)
        with stub.load() as model:
            assert model.run(TokenInput(ids), print).finished
        assert (stub.record["input_type"], stub.record["ids"]) == (1, [1, 2, 2**31 - 1])


def test_many_tokens_arrive_in_order(open_stub: OpenStub) -> None:
    stub = open_stub("1.2.3")
    events: list[Any] = []
    with stub.load() as model:
        model.run(HELLO, lambda event: stub.drive(2000) if event == TOKENS[0] else events.append(event))
    assert events[:2000] == [TokenEvent(i, b" token") for i in range(2000)]
    assert events[2000:-1] == TOKENS[1:]


@pytest.mark.parametrize(
    "given",
    [
        PromptInput(""),
        PromptInput("a\0b"),
        PromptInput("a\ud800b"),
        PromptInput("a", role="system"),
        TokenInput([]),
        TokenInput(b""),
        TokenInput([1, 2**31]),
        TokenInput([-(2**31) - 1]),
        TokenInput([5, -1]),
        TokenInput(b"abc"),
        TokenInput([1.5]),  # type: ignore[list-item]
        TokenInput(["1"]),  # type: ignore[list-item]
    ],
)
def test_inputs_that_cannot_be_passed(given: Any, open_stub: OpenStub) -> None:
    with open_stub("1.3.0").load() as model:
        with pytest.raises(InvalidRequest) as caught:
            model.run(given, print)
        assert caught.value.param in ("prompt", "role", "ids")


def test_keep_history(stub: Stub, model: ModelHandle) -> None:
    if stub.library.version == "1.1.4":
        with pytest.raises(UnsupportedFeature, match=r"came with 1\.2\.0"):
            model.run(HELLO, print, keep_history=True)
        return
    model.run(HELLO, print, keep_history=True)
    assert stub.record["keep_history"] == 1


def test_sampling_and_length_of_one_run(stub: Stub) -> None:
    sampling = SamplingParams(temperature=0.0, top_k=5)
    with stub.load(sampling=SamplingParams(top_p=0.5, top_k=9)) as model:
        if stub.library.layout.group not in ("D", "D1"):
            with pytest.raises(UnsupportedFeature, match=r"came with 1\.3\.0"):
                model.run(HELLO, print, sampling=sampling)
            with pytest.raises(UnsupportedFeature, match=r"came with 1\.3\.0"):
                model.run(HELLO, print, max_new_tokens=5)
            return
        model.run(HELLO, print, sampling=sampling, max_new_tokens=5)
        assert stub.record["sampling"] == [5, 0.5, 0, 1.1, 0, 0, 0, 5, 0.1]
        assert stub.record["max_new_tokens"] == 5
        model.run(HELLO, print)
        assert "sampling" not in stub.record
        assert stub.record["max_new_tokens"] == 0
        for wrong in (0, -1, 2**31):
            with pytest.raises(InvalidRequest, match="max_new_tokens"):
                model.run(HELLO, print, max_new_tokens=wrong)
        for bad in (SamplingParams(top_p=float("nan")), SamplingParams(temperature=1e39)):
            with pytest.raises(InvalidRequest, match="finite"):
                model.run(HELLO, print, sampling=bad)


@pytest.mark.parametrize("version", NO_ROLE)
def test_roles_and_thinking_need_1_2_1(version: str, open_stub: OpenStub) -> None:
    with open_stub(version).load() as model:
        for given in (PromptInput("[]", role="tool"), PromptInput("a", enable_thinking=True)):
            with pytest.raises(UnsupportedFeature, match=r"came with 1\.2\.1"):
                model.run(given, print)


def test_a_refused_run(stub: Stub, model: ModelHandle) -> None:
    with pytest.raises(GenerationError, match=r"rkllm_run .* returned -1 \(failure\).*longer than the context"):
        collect(model, "refused")
    assert collect(model, "next")[:-1] == TOKENS


@pytest.mark.parametrize(("text", "what"), [("error", "returned -1"), ("error 0", "reported an error")])
def test_an_error_event_fails_the_run(text: str, what: str, model: ModelHandle) -> None:
    events: list[RuntimeEvent] = []
    with pytest.raises(GenerationError, match=what) as caught:
        model.run(PromptInput(text), events.append)
    assert events == [TokenEvent(1, b"a"), ErrorEvent()]
    assert "context" not in str(caught.value)


def test_states_the_headers_do_not_know(stub: Stub, model: ModelHandle) -> None:
    with pytest.raises(GenerationError, match="call state 9"):
        collect(model, "state 9")
    assert stub.aborts == 1
    if stub.library.layout.group == "A":
        assert collect(model, "state 4") == [FinishEvent(None)]
    else:
        with pytest.raises(GenerationError, match="call state 4"):
            collect(model, "state 4")
    with pytest.raises(GenerationError, match="without a result"):
        collect(model, "no result")
    assert collect(model, "next")[:-1] == TOKENS


# --- exceptions, lifetimes


class Stop(BaseException):
    pass


@pytest.mark.parametrize("kind", [ValueError, Stop, KeyboardInterrupt])
def test_what_the_handler_raises_comes_out_of_run(kind: type[BaseException], stub: Stub, model: ModelHandle) -> None:
    seen: list[RuntimeEvent] = []

    def on_event(event: RuntimeEvent) -> None:
        seen.append(event)
        if len(seen) == 3:
            raise kind("mine")

    with pytest.raises(kind, match="mine"):
        model.run(PromptInput("long"), on_event)
    assert (len(seen), stub.aborts) == (3, 1)
    assert collect(model, "next")[:-1] == TOKENS


def test_what_the_handler_raises_at_the_end_aborts_nothing(stub: Stub, model: ModelHandle) -> None:
    def on_event(event: RuntimeEvent) -> None:
        if isinstance(event, FinishEvent):
            raise LookupError("at the end")

    with pytest.raises(LookupError, match="at the end"):
        model.run(HELLO, on_event)
    assert stub.aborts == 0


def test_a_failing_run_does_not_hide_the_handlers_exception(model: ModelHandle) -> None:
    def on_event(event: RuntimeEvent) -> None:
        raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        model.run(PromptInput("error"), on_event)


def test_everything_the_library_points_to_stays(stub: Stub) -> None:
    model = stub.load(model_path="/models/" + "x" * 500)
    gc.collect()
    junk = [bytes(600) for _ in range(1000)]
    events: list[RuntimeEvent] = []

    def on_event(event: RuntimeEvent) -> None:
        gc.collect()
        events.append(event)

    model.run(TokenInput(list(range(1, 1000))), on_event)
    assert events[:-1] == TOKENS
    assert len(junk) == 1000
    model.destroy()


# --- abort


def test_abort_from_another_thread(stub: Stub, model: ModelHandle) -> None:
    run = Background(model, "long")
    running = [model.is_running]
    assert model.abort()
    result = run.join()
    running.append(model.is_running)
    assert running == [True, False]
    assert (result.finished, result.aborted) == (True, True)
    assert isinstance(run.events[-1], FinishEvent)
    assert len(run.events) < 4000
    assert collect(model, "next")[:-1] == TOKENS


def test_abort_from_inside_the_handler(stub: Stub, model: ModelHandle) -> None:
    events: list[RuntimeEvent] = []

    def on_event(event: RuntimeEvent) -> None:
        events.append(event)
        if len(events) == 2:
            assert model.abort()

    assert model.run(PromptInput("long"), on_event).aborted
    assert [type(event) for event in events] == [TokenEvent, TokenEvent, FinishEvent]


def test_abort_that_the_start_of_the_run_forgets(stub: Stub, model: ModelHandle) -> None:
    run = Background(model, "slow start", wait=False)
    while not model.abort():
        time.sleep(0.001)
    assert run.join().aborted
    assert len(run.events) <= 3


def test_a_failing_return_code_after_abort_is_no_error(model: ModelHandle) -> None:
    run = Background(model, "long -1")
    model.abort()
    assert run.join().aborted


def test_abort_without_a_run_calls_nothing(stub: Stub, model: ModelHandle) -> None:
    assert not model.abort()
    collect(model, "short")
    assert not model.abort()
    assert stub.aborts == 0


# --- one at a time, and the end


def test_one_run_at_a_time(model: ModelHandle) -> None:
    run = Background(model, "long")
    try:
        with pytest.raises(GenerationError, match="busy with a run"):
            collect(model, "second")
        with pytest.raises(GenerationError, match="during a run"):
            model.destroy()
        if model.library.version != "1.1.4":
            with pytest.raises(GenerationError, match="busy with a run"):
                model.clear_kv_cache()
    finally:
        model.abort()
        run.join()


def test_use_after_destroy(stub: Stub) -> None:
    model = stub.load()
    model.destroy()
    model.destroy()
    assert stub.destroys == 1
    uses: list[Callable[[], object]] = [
        lambda: model.run(HELLO, print),
        model.abort,
        lambda: model.is_running,
    ]
    if stub.library.version != "1.1.4":
        uses += [model.clear_kv_cache, lambda: model.set_chat_template("", "", "")]
    for use in uses:
        with pytest.raises(EngineClosed):
            use()


def test_context_manager_destroys_also_after_an_error(open_stub: OpenStub) -> None:
    stub = open_stub("1.2.3")
    with pytest.raises(LookupError), stub.load():
        raise LookupError
    assert stub.destroys == 1


# --- cache and template


@pytest.mark.parametrize("version", GROUP_VERSIONS)
def test_cache_and_template(version: str, open_stub: OpenStub) -> None:
    stub = open_stub(version)
    with stub.load() as model:
        if version == "1.1.4":
            with pytest.raises(UnsupportedFeature, match=r"came with 1\.2\.0"):
                model.clear_kv_cache()
            with pytest.raises(UnsupportedFeature, match=r"came with 1\.2\.0"):
                model.set_chat_template("", "", "")
        else:
            model.clear_kv_cache()
            assert stub.record == {"keep_system_prompt": 0, "range": 0}
            model.clear_kv_cache(keep_system_prompt=True)
            assert stub.record == {"keep_system_prompt": 1, "range": 0}
            model.set_chat_template("sü", "<u>", "")
            assert stub.record == {"system": "sü", "prefix": "<u>", "postfix": ""}
            with pytest.raises(GenerationError, match="rkllm_set_chat_template returned -1"):
                model.set_chat_template("refused", "", "")
            with pytest.raises(InvalidRequest, match="prefix holds a NUL"):
                model.set_chat_template("", "\0", "")
        if stub.library.layout.group in ("C", "D", "D1"):
            assert model.kv_cache_size() == 321
        else:
            with pytest.raises(UnsupportedFeature, match=r"came with 1\.2\.1"):
                model.kv_cache_size()
