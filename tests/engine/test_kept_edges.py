"""What befalls kept states and steps: other adapters, lost files and folders, dying workers, strangers' folders."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions
from rkllm_providers.engine import EngineLimits, ModelClient
from rkllm_providers.engine.engine import Engine
from rkllm_providers.engine.kept_folder import KeptFolder, KeptState
from rkllm_providers.engine.kept_states import KeptStates, KeptStateSettings
from rkllm_providers.engine.ledger import CacheLedger, CacheUse
from rkllm_providers.engine.limits import deadline_of
from rkllm_providers.engine.queue import RunQueue
from rkllm_providers.engine.run import LoadSpec, Order, PrefillProgress, Run, RunDone, RunRequest, run_end
from rkllm_providers.engine.streams import NoStream, SyncStream
from rkllm_providers.errors import WorkerCrashed
from rkllm_providers.models.observations import observed
from tests.conftest import OpenModel, WriteModel, needs_llama
from tests.engine.test_kept_states import LONG, SCRIPT, conversation, limits, prefilled


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "states"


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeptFolder, "probe_write_rate", lambda _: 1e12)


@pytest.fixture
def ledger(tmp_path: Path) -> CacheLedger:
    ledger = CacheLedger("model", tmp_path / "model")
    ledger.open("1.3.0")
    return ledger


def take_turns(client: ModelClient, n_turns: int) -> None:
    for turn in range(1, n_turns + 1):
        for who in ("anna", "bert"):
            client.complete(conversation(who, turn))


@contextmanager
def killed_when(client: ModelClient, is_it: Callable[[Order], bool]) -> Iterator[None]:
    """Kill the worker while it carries out such an order."""
    work = client.engine._work

    def kill() -> None:
        while (order := work._steps.order) is None or not is_it(order):
            time.sleep(0.001)
        assert work.worker_pid is not None
        os.kill(work.worker_pid, 9)

    killer = threading.Thread(target=kill)
    killer.start()
    yield
    killer.join(20)


def wait_for(client: ModelClient) -> None:
    """Have the engine's thread do a whole turn."""
    for _ in range(2):
        done = threading.Event()
        assert client.engine.post(done.set)
        assert done.wait(20)


@needs_llama
def test_another_adapter_between_does_not_cost_a_state(
    open_model: OpenModel, write_model: WriteModel, base: Path
) -> None:
    model = write_model(SCRIPT)
    adapter = model.parent / "lora" / "pirate.rkllm"
    adapter.parent.mkdir()
    adapter.write_text('#!rkllm-script 1\nrule *\n  text "answer"\nend\n')
    client = open_model(model, "1.3.0", limits(base))
    take_turns(client, 2)
    client.complete(conversation("cora"), GenerateOptions(lora="pirate"))
    assert prefilled(client.complete(conversation("anna", 3)).finish) < 100


@needs_llama
def test_a_folder_that_is_removed_costs_only_time(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    model = write_model(SCRIPT)
    client = open_model(model, "1.3.0", limits(base))
    take_turns(client, 2)
    pid = client.engine.worker_pid
    shutil.rmtree(base)
    for turn in (3, 4):
        for who in ("anna", "bert", "cora"):
            assert client.complete(conversation(who, turn)).text == "alpha beta gamma delta answer"
    assert client.engine.worker_pid == pid
    assert not observed(model)  # which is no fault of the model's


@needs_llama
def test_states_of_a_file_that_was_replaced_are_not_used(
    open_model: OpenModel, write_model: WriteModel, base: Path
) -> None:
    model = write_model(SCRIPT)
    client = open_model(model, "1.3.0", limits(base))
    take_turns(client, 2)
    before, files = model.stat(), list(base.glob("*/*.state"))
    client.engine.unload()
    while client.engine.worker_pid is not None:
        time.sleep(0.001)
    write_model(SCRIPT.replace('text "alpha', 'text "question'))
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert prefilled(client.complete(conversation("cora")).finish) > 400
    assert files
    assert not any(file.exists() for file in files)


@needs_llama
def test_a_worker_that_dies_while_it_writes_a_state_writes_no_more(
    open_model: OpenModel, write_model: WriteModel, base: Path
) -> None:
    client = open_model(write_model(f"save_ms 2\n{SCRIPT}"), "1.3.0", limits(base))
    client.complete(conversation("anna"))
    with killed_when(client, lambda order: order.save_to is not None), pytest.raises(WorkerCrashed):
        client.complete(conversation("bert"))
    take_turns(client, 2)
    assert not list(base.glob("*/*.state"))


@needs_llama
def test_a_worker_that_dies_with_a_loaded_state_loads_it_no_more(
    open_model: OpenModel, write_model: WriteModel, base: Path
) -> None:
    client = open_model(write_model(f"load_ms 2\n{SCRIPT}"), "1.3.0", limits(base))
    take_turns(client, 1)
    (file,) = base.glob("*/*.state")
    with killed_when(client, lambda order: order.restore is not None), pytest.raises(WorkerCrashed):
        client.complete(conversation("anna", 2))
    assert not file.exists()
    assert client.complete(conversation("anna", 2)).text == "alpha beta gamma delta answer"


@needs_llama
def test_an_embedding_between_does_not_cost_a_state(
    open_model: OpenModel, write_model: WriteModel, base: Path
) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", limits(base))
    take_turns(client, 2)
    client.embed(["alpha beta"])
    assert prefilled(client.complete(conversation("anna", 3)).finish) < 100


@needs_llama
def test_an_abort_between_pieces_counts_each_piece_once(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(
        write_model(SCRIPT.replace("prefill_ms 0.2", "prefill_ms 5")), "1.3.0", EngineLimits(prefill_chunk=100)
    )
    client.complete([ChatMessage("user", "question")])
    stream = SyncStream()
    run = client.engine.submit(RunRequest(array("i", client.tokenize(LONG)), max_tokens=4), stream)
    items: list[object] = []
    while not items or not isinstance(items[-1], RunDone):
        items += stream.get(20)
        if isinstance(items[-1], PrefillProgress):
            client.engine.abort(run)
    end = items[-1]
    assert isinstance(end, RunDone)
    assert end.n_tokens == 0
    assert end.prefill_tokens in (100, 200)  # the abort meets the second piece, or comes before it


@needs_llama
def test_what_nobody_asked_for_loads_no_model(open_model: OpenModel, write_model: WriteModel) -> None:
    client = open_model(write_model(SCRIPT))
    client.warm("alpha beta")
    client.engine.unload()
    while client.engine.worker_pid is not None:
        time.sleep(0.001)
    unloaded = threading.Event()

    def unload(_: object) -> None:
        client.engine.unload()
        unloaded.set()

    client.engine.load(unload)
    assert unloaded.wait(20)
    wait_for(client)
    assert not client.engine.is_busy
    assert client.engine.worker_pid is None


def kept(base: Path, ledger: CacheLedger, **values: object) -> KeptStates:
    states = KeptStates(KeptStateSettings("auto", base, **values), "model", base.parent / "model", ledger)  # type: ignore[arg-type]
    (base.parent / "model").open("a").close()  # is there
    states.open("1.3.0", "identity")
    states.note_run({"error": None, "prefill_tokens": 1000, "prefill_ms": 2300.0})
    states._token_bytes = 1000
    return states


def ids(first: int, n_tokens: int = 1000) -> array[int]:
    return array("i", range(first, first + n_tokens))


def save(states: KeptStates, ledger: CacheLedger, tokens: array[int], n_bytes: int = 1_000_000) -> Path:
    ledger.hold(np.frombuffer(tokens, np.int32))
    path = states.plan(ids(9_000_000, 100)).save_to
    assert path is not None
    path.write_bytes(bytes(n_bytes))
    states.note_saved(path, tokens, {"error": None, "saved_bytes": n_bytes, "decode_ms": 1.0, "generated": [1]})
    return path


def test_what_is_to_be_loaded_does_not_go_for_what_is_to_be_saved(base: Path, ledger: CacheLedger) -> None:
    states = kept(base, ledger, max_bytes=1_500_000)
    path = save(states, ledger, ids(0))
    ledger.hold(np.frombuffer(ids(5000), np.int32))
    plan = states.plan(ids(0, 1100))
    assert plan.restore is not None
    assert plan.save_to is None
    assert path.exists()
    states.close()


def test_nothing_goes_for_what_has_no_room_anyway(base: Path, ledger: CacheLedger) -> None:
    states = kept(base, ledger, max_bytes=2_500_000)
    paths = [save(states, ledger, ids(0)), save(states, ledger, ids(3000))]
    ledger.hold(np.frombuffer(ids(5000, 2000), np.int32))
    plan = states.plan(ids(0, 1100))
    assert plan.save_to is None
    assert all(path.exists() for path in paths)
    states.close()


def test_files_that_are_gone_are_no_fault_of_the_runtime(base: Path, ledger: CacheLedger) -> None:
    states = kept(base, ledger)
    paths = [save(states, ledger, ids(0)), save(states, ledger, ids(3000))]
    paths[0].unlink()
    paths[1].write_bytes(b"shorter")
    ledger.hold(np.frombuffer(ids(500_000, 10), np.int32))
    assert states.plan(ids(0, 1100)).restore is None
    assert states.plan(ids(3000, 1100)).restore is None
    assert states.states == []
    assert states.is_on
    states.close()


@pytest.mark.parametrize("fails", ["_add_wear", "_write_index"])
def test_a_full_disk_ends_keeping_and_nothing_else(
    base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    states = kept(base, ledger, persist=True)
    monkeypatch.setattr(KeptFolder, fails, full)
    save(states, ledger, ids(0))
    assert not states.is_on
    assert states.plan(ids(0, 1100)) == (None, None)
    states.close()


def test_another_file_or_runtime_gets_a_folder_of_its_own(base: Path, ledger: CacheLedger) -> None:
    states = kept(base, ledger)
    path = save(states, ledger, ids(0))
    states.open("1.3.0", "identity")
    assert [state.path for state in states.states] == [path]
    states.open("1.3.0", "another file")
    assert states.states == []
    assert not path.exists()
    states.close()


def test_states_with_which_runs_fail_are_not_loaded_again(base: Path, ledger: CacheLedger) -> None:
    states = kept(base, ledger)
    for number in range(2):
        save(states, ledger, ids(3000 * number))
        states.note_failed(states.states[0])
        assert states.states == []
    assert not states.is_on
    states.close()


def test_a_write_that_was_cancelled_wears_the_disk_too(base: Path, ledger: CacheLedger) -> None:
    states = kept(base, ledger, max_bytes_per_day=1_500_000)
    tokens = ids(0)
    ledger.hold(np.frombuffer(tokens, np.int32))
    path = states.plan(ids(9_000_000, 100)).save_to
    assert path is not None
    path.write_bytes(bytes(10))
    states.note_saved(path, tokens, {"error": None, "saved_bytes": 1_000_000, "decode_ms": 1.0, "generated": []})
    assert not path.exists()
    assert states.plan(ids(9_000_000, 100)).save_to is None
    states.close()


def test_many_small_writes_are_not_forgotten_early(base: Path) -> None:
    folder = KeptFolder(base, "key", persist=False)
    now = time.time()
    rows = [(now - 86_300, 1), *((now, 1) for _ in range(999))]
    (base / "written.json").write_text(json.dumps(rows))
    folder._add_wear(1)
    assert all(when > now - 60 for when, _ in json.loads((base / "written.json").read_text()))
    assert folder.written_today == 1001
    folder.close()


def test_a_folder_that_others_may_write_to_is_refused(base: Path) -> None:
    base.mkdir()
    base.chmod(0o777)
    with pytest.raises(PermissionError, match="go-w"):
        KeptFolder(base, "key", persist=False)


def test_a_folder_that_is_a_link_is_refused(base: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    base.mkdir(mode=0o700)
    (base / "model-key").symlink_to(elsewhere)
    with pytest.raises(OSError, match="model-key"):
        KeptFolder(base, "key", persist=True)
    assert not list(elsewhere.iterdir())


def test_a_folder_that_others_may_read_is_closed_to_them(base: Path) -> None:
    (base / "model-key").mkdir(parents=True)
    (base / "model-key").chmod(0o755)
    folder = KeptFolder(base, "key", persist=True)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.close()


def test_what_no_engine_has_wanted_for_a_month_goes(base: Path) -> None:
    for key in ("old", "new"):
        folder = KeptFolder(base, key, persist=True)
        path = folder.new_path()
        path.write_bytes(b"state")
        folder.add(KeptState(path, np.arange(5, dtype=np.int32), 5))
        folder.close()
    then = time.time() - 31 * 86_400
    os.utime(base / "model-old" / "index.json", (then, then))
    dead = base / "engine-dead"
    dead.mkdir()
    (dead / "lock").touch()
    KeptFolder(base, "newest", persist=True).close()
    assert {path.name for path in base.iterdir()} == {"model-new", "model-newest", "written.json"}


def test_a_folder_that_is_gone_can_be_closed(base: Path) -> None:
    folder = KeptFolder(base, "key", persist=True)
    path = folder.new_path()
    path.write_bytes(b"state")
    folder.add(KeptState(path, np.arange(5, dtype=np.int32), 5))
    shutil.rmtree(base)
    folder.close()
    assert not base.exists()


def test_a_users_home_is_not_looked_for_when_nothing_is_kept(
    base: Path, monkeypatch: pytest.MonkeyPatch, ledger: CacheLedger
) -> None:
    def no_home(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", no_home)
    Engine(LoadSpec("model", base, emulated=True, context_length=100))
    states = KeptStates(KeptStateSettings("auto"), "model", base, ledger)
    states.open("1.3.0", "identity")
    assert not states.is_on


def test_a_request_that_no_thread_can_take_leaves_no_place_taken(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptors(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    engine = Engine(LoadSpec("model", base, emulated=True, context_length=100))
    for name in ("os.eventfd", "select.epoll"):
        with monkeypatch.context() as patched:
            patched.setattr(name, no_descriptors)
            with pytest.raises(OSError, match="Too many open files"):
                engine.submit(RunRequest(ids(0, 5), 1), NoStream())
        assert engine.waiting == 0
    assert engine._inbox._wake_fd == -1


def test_a_run_that_goes_on_waits_before_all_others() -> None:
    queue = RunQueue(4, 4)
    chat = Run(1, RunRequest(ids(0, 5), 1), NoStream())
    segment = Run(2, RunRequest(ids(0, 5), 1, priority="bulk", continues=True), NoStream())
    queue.append(chat)
    queue.put_back(segment)
    assert queue.first() is segment


def test_a_run_that_is_put_back_waits_anew() -> None:
    queue = RunQueue(4, 4)
    run = Run(1, RunRequest(ids(0, 5), 1, priority="background"), NoStream())
    now = time.monotonic()
    run.submitted_at, run.started_at = now - 1000, now - 900
    run.prefill_ms, run.kept_ms = 800_000.0, 50_000.0
    queue.put_back(run)
    assert deadline_of(run, EngineLimits(queue_seconds=300), 0.0) > now + 200
    run.started_at = run.submitted_at + 1010
    content: dict[str, object] = {
        "prefill_tokens": 5,
        "prefill_ms": 1000.0,
        "restore_ms": 0.0,
        "decode_ms": 1.0,
        "kv_size": 5,
    }
    content |= {"n_tokens": 1, "max_tokens": 1, "generated": [1]}
    end = run_end(run, content, CacheUse(0, False, None), ())
    # 1,010 s until it was begun again: 800 of reading, and the rest of waiting, in part for another's state.
    assert (end.prefill_ms, round(end.queue_ms)) == (801_000.0, 210_000)
