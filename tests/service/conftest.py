"""A service on a real socket, as `rkllm serve` runs it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rag_service.server import listen, make_server
from rag_service.settings import ServiceSettings

StartService = Callable[..., str]


@contextmanager
def running(settings: ServiceSettings) -> Iterator[str]:
    """Serve in a thread; gives the base URL."""
    with listen(settings) as listener:
        server = make_server(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the service did not shut down"


@contextmanager
def serving(folder: Path, **scripts: str) -> Iterator[str]:
    """Serve scripted models, by their names and without their first lines, to several tests; gives the base URL."""
    for name, text in scripts.items():
        (folder / f"{name}.rkllm").write_text(f"#!rkllm-script 1\n{text}")
    with running(ServiceSettings(port=0, models_dir=folder)) as url:
        yield url


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings file and keys of whoever runs the tests do not count; nor does what a test does to logging."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("RKLLM_CONFIG", "RKLLM_API_KEY", "RKLLM_API_KEYS_FILE", "RKLLM_PORT", "RKLLM_HOST"):
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        if handler not in root.handlers:
            root.addHandler(handler)
    root.setLevel(level)


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """Start services for one test; they end with it."""
    with ExitStack() as stack:

        def start(**settings: object) -> str:
            given = {"port": 0, "models_dir": tmp_path / "models", **settings}
            return stack.enter_context(running(ServiceSettings(**given)))  # type: ignore[arg-type]

        yield start
