"""Who may call: keys, their files, and how often."""

from __future__ import annotations

import hashlib
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from typer.testing import CliRunner

from rag_service.access import Access, check_exposure, is_loopback
from rag_service.addresses import lan_address
from rag_service.api_keys import KeyRing, ensure_key, read_keys
from rag_service.cli import app
from rag_service.config_file import SettingsError
from rag_service.rate_limit import MOST_BUCKETS, RateLimit
from rag_service.settings import ServiceSettings
from tests.conftest import needs_llama
from tests.service.conftest import StartService, running

KEY = "rk-0123456789abcdef"
OTHER = "rk-fedcba9876543210"


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"# clients\nlaptop = {KEY}\nwebui = sha256:{hashlib.sha256(OTHER.encode()).hexdigest()}\n")
    path.chmod(0o600)
    return path


def ring(path: Path) -> KeyRing:
    return read_keys(ServiceSettings(api_keys_file=path))


def test_keys_have_names(keys_file: Path) -> None:
    keys = ring(keys_file)
    assert len(keys) == 2
    assert keys.owner(KEY.encode()) == "laptop"
    assert keys.owner(OTHER.encode()) == "webui"
    assert keys.owner(b"") is None
    assert keys.owner(KEY.encode()[:-1]) is None
    both = read_keys(
        ServiceSettings(api_keys_file=keys_file, api_key=SecretStr("one of the environment".replace(" ", "-")))
    )
    assert both.owner(b"one-of-the-environment") == "api_key"


def test_every_key_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a time that tells nothing: no end at the first that fits, and no comparison but the constant one."""
    compared: list[bytes] = []

    def compare(presented: bytes, known: bytes) -> bool:
        compared.append(known)
        return presented == known

    monkeypatch.setattr("rag_service.api_keys.hmac.compare_digest", compare)
    hashes = {str(n): hashlib.sha256(f"key {n}".encode()).digest() for n in range(5)}
    assert KeyRing(hashes).owner(b"key 0") == "0"
    assert compared == list(hashes.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no key"),
        (KEY, "line 1: write"),
        (f"a b = {KEY}", "line 1: write"),
        ("laptop = short-secret", "line 1: a key has 16 to 512"),
        ("laptop = with blanks in the middle", "line 1: a key has"),
        (f"laptop = {KEY}\nlaptop = {OTHER}", "line 2: there is a key with the name laptop already"),
    ],
)
def test_a_line_that_is_no_key_is_named_and_not_shown(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        ring(path)
    assert said in str(caught.value)
    for secret in (KEY, OTHER, "short-secret", "with blanks"):
        assert secret not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        ring(tmp_path / "none")


def test_a_file_that_others_can_read_is_warned_of(keys_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys_file.chmod(0o644)
    ring(keys_file)
    assert f"chmod 600 {keys_file}" in caplog.text
    assert KEY not in caplog.text


@given(st.text(max_size=100))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any-keys"
    path.touch(0o600)
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        keys = ring(path)
    except SettingsError:
        return
    assert len(keys) > 0


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "api_keys"
    key = ensure_key(path)
    assert key is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ring(path).owner(key.encode()) == "lan"
    assert ensure_key(path) is None
    assert ring(path).owner(key.encode()) == "lan"


def test_other_machines_need_a_key_unless_it_is_said_in_so_many_words(keys_file: Path) -> None:
    def check(**given: object) -> None:
        settings = ServiceSettings(**given)  # type: ignore[arg-type]
        check_exposure(settings, Access(settings))

    check()
    check(host="::1")
    check(host="localhost")
    check(host="0.0.0.0", api_keys_file=keys_file)
    check(host="0.0.0.0", api_key="0123456789abcdef")
    check(host="0.0.0.0", allow_no_key=True)
    for host in ("0.0.0.0", "::", "192.168.1.5", "board.local", ""):
        with pytest.raises(SettingsError, match=r"--lan.*--api-keys-file.*--no-key"):
            check(host=host)


def test_addresses_of_this_machine_only() -> None:
    assert is_loopback("127.3.4.5")
    assert not is_loopback("0.0.0.0")
    assert lan_address().count(".") == 3


def test_the_command_refuses_to_serve_others_without_a_key(tmp_path: Path) -> None:
    result = CliRunner(env={"COLUMNS": "300"}).invoke(
        app, ["serve", "--host", "0.0.0.0", "--port", "0", "--models-dir", str(tmp_path)]
    )
    assert result.exit_code == 2
    assert "--lan" in result.output


def test_serving_the_network_makes_a_key_and_shows_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[ServiceSettings] = []
    monkeypatch.setattr("rag_service.server.run_server", served.append)
    outputs = [
        CliRunner().invoke(app, ["serve", "--lan", "--port", "8123", "--models-dir", str(tmp_path)]).output
        for _ in range(2)
    ]
    path = tmp_path / "config" / "rkllm-providers" / "api_keys"
    key = path.read_text().splitlines()[-1].removeprefix("lan = ")
    assert served[0].host == "0.0.0.0"
    assert ring(path).owner(key.encode()) == "lan"
    assert outputs[0].count(key) == 1
    assert f"Base URL for other machines: http://{lan_address()}:8123/v1" in outputs[0]
    assert key not in outputs[1]
    assert str(path) in outputs[1]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "talker.rkllm").write_text('#!rkllm-script 1\nrule *\n  text "Hello"\nend\n')
    with running(
        ServiceSettings(port=0, models_dir=folder, api_key=SecretStr(KEY), cors_origins=("http://page",))
    ) as url:
        yield url


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY}"},
        {"api-key": KEY},
        {"X-Api-Key": KEY},
        {"Authorization": "Bearer wrong", "api-key": KEY},
    ],
)
def test_a_key_in_each_of_its_headers(url: str, headers: dict[str, str]) -> None:
    assert httpx.get(f"{url}/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "missing_api_key"),
        ({"Authorization": "Basic eDp5"}, "missing_api_key"),
        ({"api-key": ""}, "missing_api_key"),
        ({"Authorization": f"Bearer {KEY}x"}, "invalid_api_key"),
        ({"api-key": "x"}, "invalid_api_key"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/models", "/metrics", "/docs", "/openapi.json", "/nowhere"])
def test_without_a_key_nothing_is_told(url: str, headers: dict[str, str], code: str, path: str) -> None:
    response = httpx.get(f"{url}{path}", headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == code
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["X-Request-Id"]


def test_health_tells_strangers_the_status_alone(url: str) -> None:
    assert httpx.get(f"{url}/health").json() == {"status": "ok"}
    assert httpx.get(f"{url}/health", headers={"api-key": "wrong"}).json() == {"status": "ok"}
    told = httpx.get(f"{url}/health", headers={"api-key": KEY}).json()
    assert told["model_loaded"] is False
    assert httpx.get(f"{url}/ready").json() == {"status": "ready"}


def test_a_page_of_another_origin_may_ask_if_it_is_named(url: str) -> None:
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    named = httpx.options(f"{url}/v1/models", headers={"Origin": "http://page", **asking})
    assert (named.status_code, named.headers["Access-Control-Allow-Origin"]) == (200, "http://page")
    other = httpx.options(f"{url}/v1/models", headers={"Origin": "http://elsewhere", **asking})
    assert "Access-Control-Allow-Origin" not in other.headers


@needs_llama
def test_other_origins_are_not_let_in_by_default(start_service: StartService) -> None:
    response = httpx.get(f"{start_service()}/health", headers={"Origin": "http://page"})
    assert "Access-Control-Allow-Origin" not in response.headers


@needs_llama
def test_too_many_requests_of_one_key(start_service: StartService, keys_file: Path) -> None:
    url = start_service(api_keys_file=keys_file, requests_per_minute=2)
    mine, others = {"api-key": KEY}, {"api-key": OTHER}
    answers = [httpx.get(f"{url}/v1/models", headers=mine).status_code for _ in range(2)]
    refused = httpx.get(f"{url}/v1/models", headers=mine)
    assert [*answers, refused.status_code] == [200, 200, 429]
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert httpx.get(f"{url}/v1/models", headers=others).status_code == 200
    assert httpx.get(f"{url}/health", headers=mine).status_code == 200
    # Keys cannot be tried out at any pace either.
    assert [httpx.get(f"{url}/v1/models", headers={"api-key": "x"}).status_code for _ in range(3)] == [401, 401, 429]


def test_a_bucket_fills_with_time() -> None:
    now = 0.0
    limit = RateLimit(60, lambda: now)
    assert [limit.take("a") for _ in range(60)] == [0.0] * 60
    assert limit.take("a") == pytest.approx(1.0)
    assert limit.take("b") == 0
    now = 0.5
    assert limit.take("a") == pytest.approx(0.5)
    now = 1.0
    assert limit.take("a") == 0
    now = 1e6
    assert [limit.take("a") > 0 for _ in range(61)] == [False] * 60 + [True]


def test_the_table_of_clients_has_a_bound() -> None:
    limit = RateLimit(1, lambda: 0.0)
    for number in range(MOST_BUCKETS + 100):
        limit.take(str(number))
    assert len(limit) == MOST_BUCKETS
    assert limit.take(str(MOST_BUCKETS + 99)) > 0
    assert limit.take("0") == 0  # forgotten


@given(st.integers(1, 100), st.lists(st.floats(0, 100), max_size=200))
def test_never_more_than_the_rate(per_minute: int, pauses: list[float]) -> None:
    now = 0.0
    limit = RateLimit(per_minute, lambda: now)
    passed = 0
    for pause in pauses:
        now += pause
        passed += limit.take("a") == 0
    assert passed <= per_minute + now * per_minute / 60 + 1e-6


def test_keys_that_cannot_be_read_anew_stay(keys_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    access = Access(ServiceSettings(api_keys_file=keys_file))
    keys_file.write_text("nonsense of a secret kind")
    access.reload()
    assert access.owner([(b"api-key", KEY.encode())]) == "laptop"
    assert "stay as they are" in caplog.text
    assert "nonsense" not in caplog.text
    keys_file.write_text(f"new = {OTHER}\n")
    access.reload()
    assert access.owner([(b"api-key", KEY.encode())]) is None
    assert access.owner([(b"api-key", OTHER.encode())]) == "new"
