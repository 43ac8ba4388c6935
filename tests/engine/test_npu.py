"""One NPU, one owner: the lock between processes, and what a fork and an exec leave behind."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rkllm_providers.chat import ChatMessage
from rkllm_providers.emulator import build_library
from rkllm_providers.engine import Engine, EngineRegistry, LoadSpec, ModelClient, npu
from rkllm_providers.errors import ModelLoadError, NPUBusy
from rkllm_providers.models import ModelCard, ModelEntry, ModelFormat
from tests.conftest import WriteModel, needs_llama
from tests.engine.test_supervision import wait_until_gone

pytestmark = needs_llama

SCRIPT = 'context 512\nword " la"\nrule "endless"\n  forever " la"\nend\nrule *\n  text "Hello there."\nend\n'
HELLO = [ChatMessage("user", "Hi!")]

# Opens a model as if it were on an NPU, says how that went, and keeps it until its input ends.
OTHER_PROCESS = r"""
import json, sys
from pathlib import Path
from rkllm_providers.chat import ChatMessage
from rkllm_providers.engine import shared_registry
from rkllm_providers.errors import NPUBusy
from rkllm_providers.models import ModelEntry, ModelFormat
registry = shared_registry()
registry.announce("http://127.0.0.1:8123/v1")
entry = ModelEntry("other", Path(sys.argv[1]), ModelFormat.RKLLM, 0)
client = registry.acquire(entry, library=sys.argv[2], context_length=256)
try:
    said = {"text": client.complete([ChatMessage("user", "Hi!")]).text, "worker": client.engine.worker_pid}
except NPUBusy as error:
    said = {"busy": str(error), "holder": error.holder_pid}
print(json.dumps(said), flush=True)
sys.stdin.read()
"""


@contextmanager
def other_process(model: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(model), str(build_library())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
        process.stdin.close()


def on_npu(registry: EngineRegistry, path: Path) -> ModelClient:
    entry = ModelEntry(path.stem, path, ModelFormat.RKLLM, 0)
    return registry.acquire(entry, library=str(build_library()), context_length=256)


def is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_second_process_is_told_who_has_the_npu(registry: EngineRegistry, write_model: WriteModel) -> None:
    path = write_model(SCRIPT)
    client = on_npu(registry, path)
    with other_process(path) as (process, said):
        assert said["text"] == "Hello there."
        with pytest.raises(NPUBusy) as caught:
            client.complete(HELLO)
        assert caught.value.holder_pid == process.pid
        assert caught.value.base_url == "http://127.0.0.1:8123/v1"
        assert caught.value.models == ("other",)
        for part in (f"process {process.pid} (other)", "http://127.0.0.1:8123/v1", "RKLLM_NPU_LOCK=off"):
            assert part in str(caught.value)
    assert client.complete(HELLO).text == "Hello there."
    with other_process(path) as (_, said):
        assert said["holder"] == os.getpid()


def test_the_lock_can_be_switched_off(
    registry: EngineRegistry, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch, npu_lock: Path
) -> None:
    monkeypatch.setenv("RKLLM_NPU_LOCK", "off")
    path = write_model(SCRIPT)
    with other_process(path) as (_, said):
        assert said["text"] == "Hello there."
        assert on_npu(registry, path).complete(HELLO).text == "Hello there."
    assert not npu_lock.exists()


def test_a_worker_keeps_the_npu_when_its_parent_is_killed(registry: EngineRegistry, write_model: WriteModel) -> None:
    path = write_model(SCRIPT)
    with other_process(path) as (process, said):
        worker = said["worker"]
        assert isinstance(worker, int)
        os.kill(worker, signal.SIGSTOP)
        process.kill()
        process.wait(10)
        with pytest.raises(NPUBusy, match="ends within seconds"):
            on_npu(registry, path).complete(HELLO)
        os.kill(worker, signal.SIGCONT)
        wait_until_gone(worker)
    # What the dead process wrote is no hindrance.
    assert on_npu(registry, path).complete(HELLO).text == "Hello there."


def test_several_models_of_one_process_hold_the_lock_once(
    registry: EngineRegistry, write_model: WriteModel, npu_lock: Path
) -> None:
    one, two = (on_npu(registry, write_model(SCRIPT, name)) for name in ("one", "two"))
    for client in (one, two):
        client.complete(HELLO)
    assert is_locked(npu_lock)
    written = json.loads(npu_lock.read_text())
    assert (written["pid"], written["models"]) == (os.getpid(), ["one", "two"])
    registry.release(one)
    assert is_locked(npu_lock)
    assert json.loads(npu_lock.read_text())["models"] == ["two"]
    registry.release(two)
    assert not is_locked(npu_lock)


def test_all_users_of_the_machine_may_use_the_file(
    registry: EngineRegistry, write_model: WriteModel, npu_lock: Path
) -> None:
    before = os.umask(0o077)
    try:
        on_npu(registry, write_model(SCRIPT)).complete(HELLO)
    finally:
        os.umask(before)
    assert stat.S_IMODE(npu_lock.stat().st_mode) == 0o666


def test_emulated_models_leave_the_npu_alone(
    registry: EngineRegistry, write_model: WriteModel, npu_lock: Path
) -> None:
    path = write_model(SCRIPT)
    entry = ModelEntry(path.stem, path, ModelFormat.SCRIPT, 0)
    assert registry.acquire(entry).complete(HELLO).text == "Hello there."
    assert not npu_lock.exists()


def test_whatever_a_stranger_writes_is_harmless(npu_lock: Path) -> None:
    odd = b'{"pid": true, "base_url": "file:///x", "models": "all"}'
    for content in (b"", b"\xff\xfe", b"[1]", odd, b"[" * 9000):
        npu_lock.write_bytes(content)
        with npu_lock.open("rb") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            with pytest.raises(NPUBusy) as caught:
                npu.shared_npu().enter("mine")
        assert (caught.value.holder_pid, caught.value.base_url, caught.value.models) == (None, None, ())
    npu_lock.write_text(json.dumps({"pid": os.getpid(), "models": ["a\x1b[2J\nb"], "base_url": "http://x/\n"}))
    with npu_lock.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(NPUBusy) as caught:
            npu.shared_npu().enter("mine")
    assert (caught.value.base_url, caught.value.models) == ("http://x/", ("a[2Jb",))


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "second name", "nowhere"])
def test_a_lock_file_that_cannot_be_used_is_named(npu_lock: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "folder":
        npu_lock.mkdir()
    elif kind == "pipe":
        os.mkfifo(npu_lock)
    elif kind == "link":
        npu_lock.symlink_to(npu_lock.parent / "elsewhere")
    elif kind == "second name":
        npu_lock.touch()
        os.link(npu_lock, npu_lock.parent / "elsewhere")
    else:
        monkeypatch.setenv("RKLLM_NPU_LOCK", str(npu_lock.parent / "missing" / "npu.lock"))
    with pytest.raises(ModelLoadError, match="RKLLM_NPU_LOCK"):
        npu.shared_npu().enter("mine")


def test_the_lock_file_is_where_all_users_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RKLLM_NPU_LOCK")
    path = npu.lock_path()
    assert path is not None
    assert path.name == "rkllm-npu.lock"
    assert path.parent.stat().st_mode & stat.S_IWOTH


def test_nothing_of_an_engine_survives_an_exec(write_model: WriteModel) -> None:
    path = write_model(SCRIPT)
    before = set(os.listdir("/proc/self/fd"))
    engine = Engine(LoadSpec("bare", path, emulated=False, context_length=256, library=str(build_library())))
    card = ModelCard(ModelEntry("bare", path, ModelFormat.RKLLM, 0), 256, None, None, frozenset())
    ModelClient(card, engine).complete(HELLO)
    made = [int(fd) for fd in set(os.listdir("/proc/self/fd")) - before if Path(f"/proc/self/fd/{fd}").exists()]
    assert len(made) >= 4  # wake-up, poll, socket, output, lock
    assert not [fd for fd in made if os.get_inheritable(fd)]
    worker = engine.worker_pid
    flags = {
        fd.name: int(Path(f"/proc/{worker}/fdinfo/{fd.name}").read_text().split("flags:")[1].split()[0], 8)
        for fd in Path(f"/proc/{worker}/fd").iterdir()
    }
    assert {fd for fd, flag in flags.items() if not flag & os.O_CLOEXEC} == {"0", "1", "2"}
    engine.close()


FORKING = r"""
import json, os, sys
from pathlib import Path
from rkllm_providers.chat import ChatMessage
from rkllm_providers.engine import shared_registry
from rkllm_providers.errors import EngineClosed, NPUBusy
from rkllm_providers.models import ModelEntry, ModelFormat
hello = [ChatMessage("user", "Hi!")]
registry = shared_registry()
entry = ModelEntry("forking", Path(sys.argv[1]), ModelFormat.RKLLM, 0)
def opened():
    return registry.acquire(entry, library=sys.argv[2], context_length=256)
client = opened()
client.complete(hello)
ours, theirs = os.pipe()
if os.fork() == 0:
    said = {}
    try:
        client.complete(hello)
    except EngineClosed as error:
        said["closed"] = str(error)
    try:
        opened().complete(hello)
    except NPUBusy as error:
        said["holder"] = error.holder_pid
    os.write(theirs, json.dumps(said).encode() + b"\n")
    sys.stdin.readline()  # the parent has let go of the NPU meanwhile, and so must this process have
    os._exit(0)
said = json.loads(os.read(ours, 9999))
said["parent"] = os.getpid()
said["text"] = client.complete(hello).text
registry.release(client)
print(json.dumps(said), flush=True)
sys.stdin.read()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_told_that_the_npu_is_its_parent_s(write_model: WriteModel, npu_lock: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORKING, str(write_model(SCRIPT)), str(build_library())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert "forked" in said["closed"]
        assert said["holder"] == said["parent"]
        assert said["text"] == "Hello there."
        # The child, which is still there, does not keep what the parent gave back.
        assert not is_locked(npu_lock)
        process.stdin.close()
