"""Conversations whose state is kept in files while others have the KV cache."""

from __future__ import annotations

import errno
import stat
import subprocess
import sys
import threading
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rkllm_providers.chat import ChatMessage, Finish, GenerateOptions
from rkllm_providers.engine import EngineLimits, ModelClient, write_probe
from rkllm_providers.engine.kept_folder import KeptFolder, KeptState
from rkllm_providers.engine.kept_states import KeepPlan, KeptStates, KeptStateSettings
from rkllm_providers.engine.ledger import CacheLedger
from rkllm_providers.models.observations import observed
from tests.conftest import OpenModel, WriteModel, needs_llama

# A board in small: reading a token costs far more than its bytes do.
SCRIPT = """
context 4096
prefill_ms 0.2
state_bytes 64
words alpha beta gamma delta question answer anna bert cora
rule "endless"
  forever "alpha "
end
rule *
  text "alpha beta gamma delta answer"
end
"""
LONG = "alpha beta gamma delta " * 100


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "states"


@pytest.fixture
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a file was written, a state is taken for as large as a real model's."""
    monkeypatch.setattr(KeptFolder, "probe_write_rate", lambda _: 1e12)


def limits(base: Path, **settings: object) -> EngineLimits:
    return EngineLimits(kept_states=KeptStateSettings("auto", base, **settings))  # type: ignore[arg-type]


def conversation(who: str, n_turns: int = 1) -> list[ChatMessage]:
    turns = [ChatMessage("system", f"{who} {LONG}")]
    for number in range(n_turns):
        turns.append(ChatMessage("user", f"question {number}"))
        turns.append(ChatMessage("assistant", "alpha beta gamma delta answer"))
    return turns[:-1]


def prefilled(finish: Finish) -> int:
    return finish.usage.prompt_tokens - finish.usage.cached_tokens


def alternate(client: ModelClient, n_turns: int, names: str = "anna bert") -> list[int]:
    return [
        prefilled(client.complete(conversation(who, turn)).finish)
        for turn in range(1, n_turns + 1)
        for who in names.split()
    ]


@needs_llama
@pytest.mark.usefixtures("fast_disk")
@pytest.mark.parametrize("version", ["1.2.1", "1.2.3", "1.3.0"])
def test_two_conversations_take_turns(
    open_model: OpenModel, write_model: WriteModel, base: Path, version: str
) -> None:
    kept = alternate(open_model(write_model(SCRIPT), version, limits(base)), 4)
    alone = alternate(open_model(write_model(SCRIPT, "alone"), version), 4)
    # The first time each is read in full, from then on only its new turns are.
    assert all(tokens > 400 for tokens in [*kept[:2], *alone])
    assert all(tokens < 60 for tokens in kept[2:])


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_answers_are_those_of_a_cold_run(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    script = SCRIPT.replace('rule "endless"', 'rule "anna"\n  text "anna"\nend\nrule "endless"')
    client = open_model(write_model(script), "1.3.0", limits(base))
    for turn in range(1, 4):
        for who in ("anna", "bert", "cora"):
            cold = open_model(write_model(script, f"cold{turn}{who}")).complete(conversation(who, turn))
            assert client.complete(conversation(who, turn)).text == cold.text


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_off_by_default(open_model: OpenModel, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    monkeypatch.setattr(KeptFolder, "__init__", lambda _, base, *args, **options: made.append(base))
    alternate(open_model(write_model(SCRIPT)), 2)
    assert made == []


@needs_llama
@pytest.mark.usefixtures("fast_disk")
@pytest.mark.parametrize("version", ["1.1.4", "1.2.0"])
def test_not_where_the_runtime_does_not_tell_what_it_computed(
    open_model: OpenModel, write_model: WriteModel, base: Path, version: str
) -> None:
    alternate(open_model(write_model(SCRIPT), version, limits(base)), 3)
    assert not base.exists()


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_files_are_private_and_go_with_the_engine(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", limits(base))
    alternate(client, 2)
    (folder,) = base.glob("engine-*")
    files = list(folder.glob("*.state"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert files
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    client.release()
    assert not folder.exists()


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_persisted_states_serve_the_next_engine(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    model = write_model(SCRIPT)
    client = open_model(model, "1.3.0", limits(base, persist=True))
    alternate(client, 2)
    client.release()
    client = open_model(model, "1.3.0", limits(base, persist=True))
    # What a token costs must be learned first, by reading something.
    client.complete(conversation("cora"))
    assert prefilled(client.complete(conversation("anna", 3)).finish) < 60
    client.release()
    # Another runtime's states are not these.
    client = open_model(model, "1.2.3", limits(base, persist=True))
    client.complete(conversation("cora"))
    assert prefilled(client.complete(conversation("anna", 3)).finish) > 400


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_a_model_that_cannot_save_is_asked_once(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    model = write_model(f"saves_state no\n{SCRIPT}")
    client = open_model(model, "1.3.0", limits(base))
    each = alternate(client, 4)
    assert all(tokens > 400 for tokens in each)
    assert not list(base.glob("*/*.state"))
    assert any("wrote no state" in note for note in observed(model))


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_a_state_that_is_another_ones_is_found_out(
    open_model: OpenModel, write_model: WriteModel, base: Path
) -> None:
    model = write_model(SCRIPT)
    client = open_model(model, "1.3.0", limits(base))
    alternate(client, 2, "anna bert cora")
    files = sorted(base.glob("*/*.state"), key=lambda file: file.stat().st_mtime)
    assert len(files) == 3
    for file in files:
        file.write_bytes(files[-1].read_bytes())
    for who in ("anna", "bert"):
        answer = client.complete(conversation(who, 3))
        assert answer.text == "alpha beta gamma delta answer"
        assert prefilled(answer.finish) > 400
    assert any("were not used" in note for note in observed(model))
    assert not list(base.glob("*/*.state"))


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_a_file_that_is_gone_costs_only_time(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", limits(base))
    alternate(client, 2)
    for file in base.glob("*/*.state"):
        file.unlink()
    result = client.complete(conversation("anna", 3))
    assert result.text == "alpha beta gamma delta answer"
    assert prefilled(result.finish) > 400
    assert prefilled(client.complete(conversation("anna", 4)).finish) < 60


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_loading_after_an_abort(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", limits(base))
    alternate(client, 2)
    for turn in range(3, 6):
        stream = client.stream([*conversation("bert", turn)[:-1], ChatMessage("user", "endless")])
        next(stream)
        stream.close()
        # What was said since the state was kept is read again, and the new turn.
        assert prefilled(client.complete(conversation("anna", turn)).finish) < 100


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_an_edited_turn_is_no_other_conversation(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    client = open_model(write_model(SCRIPT), "1.3.0", limits(base))
    client.complete(conversation("anna", 3))
    client.complete([*conversation("anna", 3)[:-1], ChatMessage("user", "question edited")])
    client.complete(conversation("anna", 3))
    assert not list(base.glob("*/*.state"))


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_a_cancel_while_another_conversation_is_kept(
    open_model: OpenModel, write_model: WriteModel, base: Path
) -> None:
    client = open_model(write_model(f"save_ms 1\n{SCRIPT}"), "1.3.0", limits(base))
    client.complete(conversation("anna"))
    options = GenerateOptions(timeout=0.15)  # the state of anna takes longer to write
    with pytest.raises(TimeoutError):
        client.complete(conversation("bert"), options)
    for turn in (1, 2):
        for who in ("anna", "bert"):
            assert client.complete(conversation(who, turn)).text == "alpha beta gamma delta answer"


@needs_llama
@pytest.mark.usefixtures("fast_disk")
def test_time_spent_for_another_is_the_queues(open_model: OpenModel, write_model: WriteModel, base: Path) -> None:
    client = open_model(write_model(f"save_ms 0.05\nload_ms 0.05\n{SCRIPT}"), "1.3.0", limits(base))
    client.complete(conversation("anna"))
    keeping = client.complete(conversation("bert")).finish.timings
    assert keeping.queue_ms > 20
    loading = client.complete(conversation("anna", 2)).finish.timings
    assert loading.prefill_ms > 20


def settings(base: Path, **values: object) -> KeptStateSettings:
    return KeptStateSettings("auto", base, **values)  # type: ignore[arg-type]


def kept(base: Path, ledger: CacheLedger, **values: object) -> KeptStates:
    states = KeptStates(settings(base, **values), "model", base.parent / "model", ledger)
    (base.parent / "model").open("a").close()  # is there
    states.open("1.3.0", "identity")
    # 2.3 ms a token, as a model of 1.7 billion parameters on an RK3588.
    states.note_run({"error": None, "prefill_tokens": 1000, "prefill_ms": 2300.0})
    return states


def ids(first: int, n_tokens: int) -> array[int]:
    return array("i", range(first, first + n_tokens))


def save(states: KeptStates, ledger: CacheLedger, tokens: array[int], n_bytes: int, seconds: float) -> Path | None:
    """Have another conversation push these tokens out."""
    ledger.hold(np.frombuffer(tokens, np.int32))
    path = states.plan(ids(1_000_000, 100)).save_to
    if path is not None:
        path.write_bytes(bytes(n_bytes))
        content = {"error": None, "saved_bytes": n_bytes, "decode_ms": seconds * 1000, "generated": [1]}
        states.note_saved(path, tokens, content)
    return path


@pytest.fixture
def ledger(tmp_path: Path) -> CacheLedger:
    ledger = CacheLedger("model", tmp_path / "model")
    ledger.open("1.3.0")
    return ledger


def test_a_slow_disk_keeps_nothing(base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    # 2,000 tokens: 4.6 s to read, 230 MB to write, and to load. At 120 MB/s that is worth it, at 80 MB/s it is not.
    for rate, worth in ((120e6, True), (80e6, False)):
        monkeypatch.setattr(KeptFolder, "probe_write_rate", lambda _, rate=rate: rate)
        states = kept(base, ledger)
        ledger.hold(np.arange(2000, dtype=np.int32))
        assert (states.plan(ids(9000, 100)).save_to is not None) is worth
        states.close()


def test_a_disk_that_takes_long_to_measure_is_not_waited_for(
    base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def measure(_: KeptFolder) -> float:
        assert answers.wait(30)
        return 1e12

    monkeypatch.setattr(KeptFolder, "probe_write_rate", measure)
    monkeypatch.setattr(write_probe, "_PATIENCE_SECONDS", 0.0)
    states = kept(base, ledger)
    ledger.hold(np.arange(2000, dtype=np.int32))
    assert states.plan(ids(9000, 100)) == KeepPlan()
    answers.set()
    probe = states._probe
    assert probe is not None
    assert probe.wait(30)
    assert states.plan(ids(9000, 100)).save_to is not None
    states.close()


def test_a_disk_that_cannot_be_measured_ends_keeping(
    base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def measure(_: KeptFolder) -> float:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(KeptFolder, "probe_write_rate", measure)
    states = kept(base, ledger)
    ledger.hold(np.arange(2000, dtype=np.int32))
    assert states.plan(ids(9000, 100)) == KeepPlan()
    assert not states.is_on
    assert "no space left" in caplog.text
    states.close()


def test_a_disk_is_measured_only_when_a_state_may_be_worth_it(
    base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[KeptFolder] = []

    def measure(folder: KeptFolder) -> float:
        measured.append(folder)
        return 1e12

    monkeypatch.setattr(KeptFolder, "probe_write_rate", measure)
    states = kept(base, ledger)
    ledger.hold(np.arange(20, dtype=np.int32))
    states.plan(ids(0, 100))
    assert not measured
    ledger.hold(np.arange(2000, dtype=np.int32))
    for start in (9000, 9500):
        assert states.plan(ids(start, 100)).save_to is not None
    assert len(measured) == 1
    states.close()


def test_the_probe_leaves_nothing(base: Path, ledger: CacheLedger) -> None:
    states = kept(base, ledger)
    ledger.hold(np.arange(2000, dtype=np.int32))
    states.plan(ids(9000, 100))
    states.close()
    assert [path.name for path in base.rglob("*") if path.is_dir() or path.name == "probe"] == []


def test_engines_of_one_process_count_what_they_write_at_once(base: Path) -> None:
    folders = [KeptFolder(base, name, persist=False) for name in "ab"]

    def write(folder: KeptFolder) -> None:
        for _ in range(100):
            folder.drop(folder.new_path(), 1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, folders))
    assert folders[0].written_today > 0
    for folder in folders:
        folder.close()
    assert [path.name for path in base.iterdir()] == ["written.json"]


def test_what_files_really_cost_is_learned(base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeptFolder, "probe_write_rate", lambda _: 200e6)
    states = kept(base, ledger)
    assert save(states, ledger, ids(0, 2000), 2_000_000, 10.0) is not None
    assert save(states, ledger, ids(5000, 2000), 2_000_000, 10.0) is None
    states.close()


def test_the_least_recently_used_go_first(base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeptFolder, "probe_write_rate", lambda _: 1e12)
    states = kept(base, ledger, max_bytes=3_500_000)
    states._token_bytes = 1000
    paths = [save(states, ledger, ids(number * 3000, 1000), 1_000_000, 0.001) for number in range(3)]
    used = states.states[0]
    ledger.hold(np.frombuffer(ids(500_000, 10), np.int32))
    plan = states.plan(ids(0, 1100))
    assert plan.restore is used
    use = ledger.note_run(ids(0, 1100), [1], 100)
    assert use.cached_tokens == 1000
    states.note_restored(used, use, 1000, {"restored": True, "restore_ms": 1.0})
    save(states, ledger, ids(90_000, 1000), 1_000_000, 0.001)
    assert [state.path for state in states.states][:2] == [paths[0], paths[2]]
    assert paths[1] is not None
    assert not paths[1].exists()
    states.close()


def test_no_more_is_written_in_a_day_than_allowed(
    base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeptFolder, "probe_write_rate", lambda _: 1e12)
    states = kept(base, ledger, max_bytes_per_day=2_500_000)
    states._token_bytes = 1000
    assert [save(states, ledger, ids(number * 3000, 1000), 1_000_000, 0.001) is None for number in range(4)] == [
        *(False, False, True, True)
    ]
    states.close()
    # The account outlives the engine: a service that is restarted all day wears the card no less.
    again = kept(base, ledger, max_bytes_per_day=2_500_000)
    again._token_bytes = 1000
    assert save(again, ledger, ids(0, 1000), 1_000_000, 0.001) is None
    again.close()


def test_the_same_conversation_later_replaces_its_state(
    base: Path, ledger: CacheLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeptFolder, "probe_write_rate", lambda _: 1e12)
    states = kept(base, ledger)
    first = save(states, ledger, ids(0, 1000), 1000, 0.001)
    assert save(states, ledger, ids(0, 1100), 1000, 0.001) is None  # nearly all of it is kept
    second = save(states, ledger, ids(0, 1500), 1000, 0.001)
    assert [state.path for state in states.states] == [second]
    assert first is not None
    assert not first.exists()
    states.close()


def test_folders_of_dead_engines_are_swept(base: Path) -> None:
    alive = KeptFolder(base, "key", persist=False)
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom rkllm_providers.engine.kept_folder import KeptFolder\n"
        "KeptFolder(Path(sys.argv[1]), 'key', persist=False)\nos._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(base)], check=False)
    assert len(list(base.glob("engine-*"))) == 2
    other = KeptFolder(base, "key", persist=False)
    assert {*base.glob("engine-*")} == {alive.path, other.path}
    alive.close()
    other.close()
    assert not list(base.glob("engine-*"))


def test_one_folder_is_persisted_by_one_engine_at_a_time(base: Path) -> None:
    first = KeptFolder(base, "key", persist=True)
    second = KeptFolder(base, "key", persist=True)
    assert (first.persists, second.persists) == (True, False)
    for folder in (first, second):
        path = folder.new_path()
        path.write_bytes(b"state")
        folder.add(KeptState(path, np.arange(5, dtype=np.int32), 5, time.time()))
        folder.close()
    third = KeptFolder(base, "key", persist=True)
    assert [state.tokens.tolist() for state in third.states] == [[0, 1, 2, 3, 4]]
    third.close()


@pytest.mark.parametrize("damage", ["index", "tokens", "state", "missing"])
def test_a_damaged_persisted_state_is_dropped(base: Path, damage: str) -> None:
    folder = KeptFolder(base, "key", persist=True)
    path = folder.new_path()
    path.write_bytes(b"state")
    folder.add(KeptState(path, np.arange(5, dtype=np.int32), 5, time.time()))
    folder.close()
    if damage == "index":
        (folder.path / "index.json").write_text('[{"file": "../../x"}, 7')
    elif damage == "tokens":
        path.with_suffix(".tokens").write_bytes(b"1234")
    elif damage == "state":
        path.write_bytes(b"shorter or longer")
    else:
        path.unlink()
    again = KeptFolder(base, "key", persist=True)
    assert again.states == []
    assert {file.name for file in again.path.iterdir()} <= {"index.json", "lock"}
    again.close()
