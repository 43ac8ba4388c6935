"""What is logged of requests, and what is not."""

from __future__ import annotations

import io
import json
import logging
import re
import stat
from pathlib import Path

import httpx
import pytest

from rag_service.app import create_app
from rag_service.config_file import SettingsError
from rag_service.logs import JSONFormatter, LineFormatter, configure_logging, places_of, request_id
from rag_service.settings import ServiceSettings
from rkllm_providers.errors import GenerationError
from tests.conftest import WriteModel, needs_llama
from tests.service.conftest import StartService

SECRET = "rk-secret-0123456789"
WORDS = "strawberry confession"

SCRIPT = """
rule "crash"
  text "vanilla"
  crash
end
rule *
  text "vanilla answer"
end
"""


def record(message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("rag_service.test", logging.INFO, "file.py", 1, message, values, info)


def raised(error: ValueError) -> ValueError:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        raise error
    return caught.value


def test_a_line_for_people() -> None:
    assert LineFormatter().format(record("seen %d", 3)) == "INFO rag_service.test: seen 3"
    timed = LineFormatter(timed=True).format(record("seen %d", 3))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 INFO rag_service\.test: seen 3", timed)
    token = request_id.set("r-1")
    assert LineFormatter().format(record("a\nb")) == "INFO rag_service.test: [r-1] a\\nb"
    request_id.reset(token)


def test_a_line_for_machines() -> None:
    token = request_id.set("r-1")
    told = json.loads(JSONFormatter().format(record("seen %s", "\n{")))
    request_id.reset(token)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", told.pop("time"))
    assert told == {"level": "info", "logger": "rag_service.test", "message": "seen \n{", "request_id": "r-1"}


def test_of_an_unexpected_error_the_place_is_told_and_not_what_it_quotes() -> None:
    error = ValueError(f"cannot read {WORDS}")
    error.__cause__ = KeyError(WORDS)
    error = raised(error)
    line = LineFormatter().format(record("it failed", error=error))
    assert "ValueError" in line
    assert "KeyError" in line
    assert "test_logs.py" in line
    assert WORDS not in line
    assert WORDS not in JSONFormatter().format(record("it failed", error=error))
    assert WORDS in LineFormatter(private=False).format(record("it failed", error=error))
    assert places_of(GenerationError("The run ended.\nWhat the library printed")).endswith(
        "GenerationError: The run ended."
    )


def test_a_log_file_is_its_owner_s_and_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag_service.logs.FILE_BYTES", 2000)
    path = tmp_path / "service.log"
    configure_logging(ServiceSettings(log_file=path, log_format="json"), io.StringIO())
    for number in range(200):
        logging.getLogger("rag_service.test").info("line %d", number)
    files = sorted(tmp_path.glob("service.log*"))
    assert [file.name for file in files] == ["service.log", "service.log.1", "service.log.2"]
    for file in files:
        assert file.stat().st_size <= 2000
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(path.read_text().splitlines()[-1])["message"] == "line 199"


def test_the_level(tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_logging(ServiceSettings(api_log_level="warning"), stream)
    logging.getLogger("rag_service.test").info("quiet")
    logging.getLogger("rag_service.test").warning("loud")
    assert stream.getvalue() == "WARNING rag_service.test: loud\n"
    with pytest.raises(SettingsError, match="cannot be written"):
        configure_logging(ServiceSettings(log_file=tmp_path / "none" / "x.log"), stream)


@needs_llama
def test_no_text_and_no_secret_is_logged(start_service: StartService, write_model: WriteModel) -> None:
    write_model(SCRIPT, "talker")
    url = start_service(api_key=SECRET)
    stream = io.StringIO()
    configure_logging(ServiceSettings(), stream)
    headers = {"Authorization": f"Bearer {SECRET}", "X-Request-Id": "my-request.1"}
    for text in (WORDS, f"{WORDS} crash"):
        for streamed in (False, True):
            body = {"model": "talker", "stream": streamed, "messages": [{"role": "user", "content": text}]}
            httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    httpx.post(f"{url}/v1/chat/completions", json={"model": WORDS, "messages": [WORDS]}, headers=headers)
    httpx.get(f"{url}/v1/models/{WORDS}?q={WORDS}", headers=headers)
    httpx.get(f"{url}/{WORDS}", headers=headers)
    httpx.get(f"{url}/v1/models", headers={"Authorization": f"Bearer {SECRET}x"})
    logged = stream.getvalue()
    assert "[my-request.1] POST /chat/completions 200 in" in logged
    assert " for api_key" in logged
    assert "worker process" in logged
    for secret in (SECRET, WORDS, "strawberry", "vanilla"):
        assert secret not in logged


@needs_llama
@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("abc-1.2_3:4", True), ("x" * 64, True), ("x" * 65, False), ("two words", False), ("a/b", False), ("ä", False)],
)
def test_the_id_of_a_request(start_service: StartService, given: str, is_kept: bool) -> None:
    response = httpx.get(f"{start_service()}/health", headers={b"X-Request-Id": given.encode()})
    told = response.headers["X-Request-Id"]
    assert (told == given) is is_kept
    assert is_kept or re.fullmatch(r"[0-9a-f]{32}", told)


async def test_a_fault_of_ours_is_a_500_with_the_id(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(ServiceSettings(models_dir=tmp_path))

    @app.get("/broken")
    def broken() -> None:
        raise ValueError(WORDS)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        response = await client.get("/broken", headers={"X-Request-Id": "r-1"})
    assert response.status_code == 500
    assert response.headers["X-Request-Id"] == "r-1"
    assert response.json()["error"]["code"] == "internal_error"
    assert WORDS not in response.text
    failure = next(line for line in caplog.records if line.levelno == logging.ERROR)
    assert WORDS not in LineFormatter().format(failure)
