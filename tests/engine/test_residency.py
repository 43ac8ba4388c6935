"""Several models: who may be loaded, who leaves for whom, and when a model is unloaded."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, TextDelta
from rkllm_providers.emulator import build_library
from rkllm_providers.engine import (
    EngineLimits,
    EngineRegistry,
    ModelClient,
    Residency,
    RuntimeInfo,
    parse_budget,
    parse_keep_alive,
    parse_size,
)
from rkllm_providers.engine.memory import MachineMemory, estimated_bytes, resident_bytes
from rkllm_providers.errors import EngineClosed, InvalidRequest, ModelLoadError, RequestTimeout, RKLLMError
from rkllm_providers.models import Catalog, ModelEntry, ModelFormat
from tests.conftest import WriteModel, needs_llama
from tests.engine.test_supervision import wait_until_gone

pytestmark = needs_llama

MIB = 1 << 20
SCRIPT = """
context 512
word " la"
decode_ms 1
rule "endless"
  forever " la"
end
rule *
  text "Hello there."
end
"""

Open = Callable[..., ModelClient]


def ask(text: str = "Hi!") -> list[ChatMessage]:
    return [ChatMessage("user", text)]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - an engine has no event for it
        await asyncio.sleep(0.005)


@pytest.fixture
def models(write_model: WriteModel, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], Path]:
    """Write models that are taken to need so many bytes."""
    sizes: dict[str, int] = {}
    monkeypatch.setattr("rkllm_providers.engine.residency.estimated_bytes", lambda spec: sizes[spec.name])
    monkeypatch.setattr("rkllm_providers.engine.residency.resident_bytes", lambda pid, peak: 0)

    def write(name: str, size: int) -> Path:
        sizes[name] = size
        return write_model(SCRIPT, name)

    return write


@pytest.fixture
def budgeted() -> Iterator[Callable[[int | None], Open]]:
    """Open models that share a budget: emulated ones, or as if on an NPU with a runtime version."""
    registries: list[EngineRegistry] = []

    def made(budget: int | None) -> Open:
        registry = EngineRegistry(Residency(budget))
        registries.append(registry)

        def opened(path: Path, npu: str | None = None, limits: EngineLimits | None = None) -> ModelClient:
            if npu is None:
                return registry.acquire(Catalog(path.parent).find(path), limits=limits)
            entry = ModelEntry(path.stem, path, ModelFormat.RKLLM, 0)
            return registry.acquire(entry, library=str(build_library(npu)), context_length=512, limits=limits)

        return opened

    yield made
    for registry in registries:
        registry.close()


def is_loaded(client: ModelClient) -> bool:
    return client.engine.worker_pid is not None


def unloaded(client: ModelClient, seconds: float = 10.0) -> None:
    """Wait until a model is unloaded."""
    pid = client.engine.worker_pid
    if pid is not None:
        wait_until_gone(pid, seconds)
    while client.engine.memory:
        threading.Event().wait(0.005)


def load(client: ModelClient) -> RuntimeInfo | RKLLMError:
    """Have a model loaded, and wait for what came of it."""
    outcomes: list[RuntimeInfo | RKLLMError] = []
    done = threading.Event()

    def sink(outcome: RuntimeInfo | RKLLMError) -> None:
        outcomes.append(outcome)
        done.set()

    client.engine.load(sink)
    assert done.wait(30)
    return outcomes[0]


# The budget -------------------------------------------------------------------------------------


def test_the_least_recently_used_model_leaves_first(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(340 * MIB)
    first, second, third = (open_one(models(name, 120 * MIB)) for name in ("one", "two", "three"))
    for client in (first, second):
        client.complete(ask())
    assert first.engine.memory == 120 * MIB
    first.complete(ask())
    assert first.engine.last_used > second.engine.last_used
    assert third.complete(ask()).text == "Hello there."
    assert [is_loaded(client) for client in (first, second, third)] == [True, False, True]
    # The one that left comes back by itself, and the least recently used goes.
    assert second.complete(ask()).text == "Hello there."
    assert [is_loaded(client) for client in (first, second, third)] == [False, True, True]


def test_a_model_that_can_never_fit_is_refused_with_the_numbers(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(100 * MIB)
    small, large = open_one(models("small", 20 * MIB)), open_one(models("large", 120 * MIB))
    small.complete(ask())
    with pytest.raises(ModelLoadError, match=r"large takes about 120 MiB .*models may have 100 MiB"):
        large.complete(ask())
    assert isinstance(load(large), ModelLoadError)
    assert is_loaded(small)


def test_a_load_waits_for_a_busy_model_and_both_are_answered_in_order(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(200 * MIB)
    one, two = open_one(models("one", 120 * MIB)), open_one(models("two", 120 * MIB))
    one.complete(ask())
    running = one.stream(ask("endless"))
    assert isinstance(next(running), TextDelta)

    async def both() -> tuple[str, str]:
        waiting = asyncio.create_task(two.acomplete(ask()))
        await until(lambda: two.engine.is_busy)
        behind = asyncio.create_task(one.acomplete(ask()))
        await until(lambda: one.engine.waiting > 0)
        assert not is_loaded(two)
        running.close()
        return (await waiting).text, (await behind).text

    assert asyncio.run(both()) == ("Hello there.", "Hello there.")
    assert not (is_loaded(one) and is_loaded(two))


def test_waiting_for_room_has_the_queue_s_limit(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(200 * MIB)
    one = open_one(models("one", 120 * MIB))
    two = open_one(models("two", 120 * MIB), limits=EngineLimits(queue_seconds=0.2))
    running = one.stream(ask("endless"))
    next(running)
    with pytest.raises(RequestTimeout, match="in the queue"):
        two.complete(ask())
    outcome = load(two)
    assert isinstance(outcome, RequestTimeout)
    assert "could not be loaded" in str(outcome)
    # Nobody waits for its place any more: the busy one stays.
    pid = one.engine.worker_pid
    running.close()
    assert one.complete(ask()).text == "Hello there."
    assert one.engine.worker_pid == pid


def test_a_request_that_is_cancelled_while_it_waits_for_room_evicts_nobody(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(200 * MIB)
    one, two = open_one(models("one", 120 * MIB)), open_one(models("two", 120 * MIB))
    running = one.stream(ask("endless"))
    next(running)

    async def cancelled() -> None:
        task = asyncio.create_task(two.acomplete(ask()))
        await until(lambda: two.engine.is_busy)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    while two.engine.is_busy:
        threading.Event().wait(0.005)
    pid = one.engine.worker_pid
    running.close()
    assert one.complete(ask()).text == "Hello there."
    assert one.engine.worker_pid == pid


def test_closing_an_engine_that_waits_for_room(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(200 * MIB)
    one, two, three = (open_one(models(name, 120 * MIB)) for name in ("one", "two", "three"))
    running = one.stream(ask("endless"))
    next(running)

    async def closed_while_waiting() -> None:
        task = asyncio.create_task(two.acomplete(ask()))
        await until(lambda: two.engine.is_busy)
        await asyncio.to_thread(two.engine.close)
        with pytest.raises(EngineClosed):
            await task

    asyncio.run(closed_while_waiting())
    running.close()
    assert three.complete(ask()).text == "Hello there."


def test_many_requests_to_more_models_than_fit_are_all_answered(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(200 * MIB)
    clients = [open_one(models(name, 120 * MIB)) for name in ("one", "two", "three")]

    async def all_of_them() -> list[str]:
        results = await asyncio.gather(*(clients[n % 3].acomplete(ask()) for n in range(18)))
        return [result.text for result in results]

    assert asyncio.run(all_of_them()) == ["Hello there."] * 18
    assert sum(is_loaded(client) for client in clients) == 1


def test_what_the_machine_has_is_the_budget(
    models: Callable[[str, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = MachineMemory(total=1000 * MIB, available=600 * MIB)
    monkeypatch.setattr("rkllm_providers.engine.residency.machine_memory", lambda: machine)
    registry = EngineRegistry(Residency("auto"))
    paths = [models("one", 200 * MIB), models("two", 120 * MIB), models("huge", 700 * MIB)]
    one, two, huge = (registry.acquire(Catalog(path.parent).find(path)) for path in paths)
    one.complete(ask())
    # 256 MiB stay free for others; 100 more than that are too few for the second model beside the first.
    machine = MachineMemory(total=1000 * MIB, available=356 * MIB)
    two.complete(ask())
    assert not is_loaded(one)
    with pytest.raises(ModelLoadError, match="huge takes about"):
        huge.complete(ask())
    registry.close()


def test_a_model_alone_may_take_the_reserve(
    models: Callable[[str, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = MachineMemory(total=1000 * MIB, available=300 * MIB)
    monkeypatch.setattr("rkllm_providers.engine.residency.machine_memory", lambda: machine)
    registry = EngineRegistry(Residency("auto"))
    path = models("one", 200 * MIB)
    assert registry.acquire(Catalog(path.parent).find(path)).complete(ask()).text == "Hello there."
    registry.close()


# Runtimes that take one model, and memory domains ------------------------------------------------


def test_a_runtime_that_takes_one_model_gets_one_at_a_time(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(None)
    one, two = open_one(models("one", MIB), "1.2.0"), open_one(models("two", MIB), "1.2.0")
    one.complete(ask())
    running = one.stream(ask("endless"))
    next(running)
    texts: list[str] = []
    thread = threading.Thread(target=lambda: texts.append(two.complete(ask()).text))
    thread.start()
    while not two.engine.is_busy:
        threading.Event().wait(0.005)
    assert not is_loaded(two)
    running.close()
    thread.join(20)
    assert texts == ["Hello there."]
    assert not is_loaded(one)


def test_models_whose_runtime_is_not_known_yet_do_not_meet_on_one_that_takes_one(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(None)
    clients = [open_one(models(name, MIB), "1.2.0") for name in ("one", "two", "three")]

    async def all_at_once() -> list[str]:
        return [result.text for result in await asyncio.gather(*(client.acomplete(ask()) for client in clients))]

    assert asyncio.run(all_at_once()) == ["Hello there."] * 3
    assert sum(is_loaded(client) for client in clients) == 1


def test_emulated_models_stand_in_nobody_s_way(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(None)
    one, two = open_one(models("one", MIB), "1.2.0"), open_one(models("two", MIB))
    for client in (one, two, one):
        assert client.complete(ask()).text == "Hello there."
    assert is_loaded(one)
    assert is_loaded(two)


def test_every_model_on_the_npu_gets_the_lowest_free_memory_domain(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    open_one = budgeted(None)
    one, two, three = (open_one(models(name, MIB), "1.3.0") for name in ("one", "two", "three"))
    for client in (one, two):
        assert client.complete(ask()).text == "Hello there."
    assert [client.engine.memory_domain for client in (one, two, three)] == [0, 1, None]
    one.engine.unload()
    unloaded(one)
    three.complete(ask())
    assert [client.engine.memory_domain for client in (one, two, three)] == [None, 1, 0]


def test_a_model_s_owner_chooses_its_memory_domain(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    path = models("one", MIB)
    path.with_suffix(".toml").write_text("base_domain_id = 5\n")
    open_one = budgeted(None)
    one, two = open_one(path, "1.3.0"), open_one(models("two", MIB), "1.3.0")
    for client in (one, two):
        assert client.complete(ask()).text == "Hello there."
    assert [client.engine.memory_domain for client in (one, two)] == [5, 0]


# Unloading --------------------------------------------------------------------------------------


def test_a_model_is_unloaded_when_nobody_used_it_for_its_time(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    client = budgeted(None)(models("one", MIB), limits=EngineLimits(keep_alive=0.05))
    assert client.complete(ask()).text == "Hello there."
    unloaded(client)
    assert client.engine.info is None
    assert not client.engine.closed
    assert client.complete(ask()).text == "Hello there."


def test_a_model_s_owner_says_how_long_it_stays(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    path = models("one", MIB)
    path.with_suffix(".toml").write_text("keep_alive = '50ms'\n")
    client = budgeted(None)(path)
    client.complete(ask())
    unloaded(client)
    assert client.engine.info is None
    assert not client.engine.closed


def test_a_request_says_how_long_the_model_stays(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    client = budgeted(None)(models("one", MIB))
    client.complete(ask(), GenerateOptions(keep_alive=0))
    unloaded(client)
    # It counts until another request says otherwise.
    client.complete(ask())
    unloaded(client)
    client.complete(ask(), GenerateOptions(keep_alive=math.inf))
    pid = client.engine.worker_pid
    client.complete(ask())
    assert client.engine.worker_pid == pid is not None


def test_unloading_waits_for_the_run_that_is_under_way(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open]
) -> None:
    client = budgeted(None)(models("one", MIB))
    client.engine.unload()  # nothing to do
    stream = client.stream(ask("endless"), GenerateOptions(max_tokens=100))
    next(stream)
    pid = client.engine.worker_pid
    client.engine.unload()
    assert sum(isinstance(event, TextDelta) for event in stream) > 0
    unloaded(client)
    assert client.engine.memory == 0
    assert client.complete(ask()).text == "Hello there."
    assert client.engine.worker_pid != pid


def test_a_worker_that_has_grown_too_large_is_replaced(
    models: Callable[[str, int], Path], budgeted: Callable[[int | None], Open], caplog: pytest.LogCaptureFixture
) -> None:
    client = budgeted(None)(models("one", MIB), limits=EngineLimits(worker_memory=MIB))
    client.complete(ask())
    unloaded(client)
    assert "its limit is 1 MiB; it is replaced" in caplog.text
    assert client.complete(ask()).text == "Hello there."


# Settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("5m", 300),
        ("1h30m", 5400),
        ("90", 90),
        (2.5, 2.5),
        ("0", 0),
        (-1, math.inf),
        ("-1m", math.inf),
        ("forever", math.inf),
    ],
)
def test_how_times_are_written(written: str | float, seconds: float) -> None:
    assert parse_keep_alive(written) == seconds


@pytest.mark.parametrize("written", ["", "soon", "5 minutes", "nan", "m", math.nan])
def test_times_that_are_none(written: str | float) -> None:
    with pytest.raises(InvalidRequest, match="keep_alive"):
        parse_keep_alive(written)


def test_how_sizes_are_written() -> None:
    assert [parse_size(text) for text in ("1000", "3k", "2M", "1.5GiB", "4gb", "off")] == [
        1000,
        3 << 10,
        2 << 20,
        3 << 29,
        4 << 30,
        None,
    ]
    assert parse_budget("AUTO") == "auto"
    for wrong in ("", "much", "-1", "0", "5 T"):
        with pytest.raises(InvalidRequest):
            parse_budget(wrong)


def test_the_environment_sets_what_nobody_gave(
    registry: EngineRegistry, models: Callable[[str, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RKLLM_MEMORY_BUDGET", "30M")
    monkeypatch.setenv("RKLLM_KEEP_ALIVE", "7m")
    monkeypatch.setenv("RKLLM_WORKER_MEMORY_LIMIT", "2G")
    path = models("one", 50 * MIB)
    client = registry.acquire(Catalog(path.parent).find(path))
    assert client.engine.limits == EngineLimits(keep_alive=420, worker_memory=2 << 30)
    with pytest.raises(ModelLoadError, match="RKLLM_MEMORY_BUDGET"):
        client.complete(ask())


def test_an_estimate_grows_with_file_and_context(registry: EngineRegistry, write_model: WriteModel) -> None:
    path = write_model(SCRIPT)
    with path.open("a") as file:
        file.write("#" + "x" * 4 * MIB)
    entry = Catalog(path.parent).find(path)
    whole, half = (registry.acquire(entry, context_length=length).engine.spec for length in (512, 256))
    assert 4 * MIB < estimated_bytes(half) < estimated_bytes(whole) < 9 * MIB
    assert resident_bytes(None) == 0


def test_what_a_loaded_model_really_takes_is_measured(registry: EngineRegistry, write_model: WriteModel) -> None:
    path = write_model(SCRIPT)
    client = registry.acquire(Catalog(path.parent).find(path))
    assert client.engine.memory == 0
    client.complete(ask())
    # A Python process with the library in it takes more than this script and its context.
    assert client.engine.memory > estimated_bytes(client.engine.spec)
    assert client.engine.memory >= resident_bytes(client.engine.worker_pid)
