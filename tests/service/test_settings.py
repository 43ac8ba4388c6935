"""Settings: where they come from, in which order, and what is said of those that are wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from rag_service.cli import app
from rag_service.config_file import (
    OTHER_VARIABLES,
    SettingsError,
    find_config,
    load_settings,
    nearest,
    read_config,
    variable_of,
)
from rag_service.setting_table import FLAGS, settings_document
from rag_service.settings import ServiceSettings
from rkllm_providers.chat import ImagePart
from rkllm_providers.chat.openai_forms import data_url

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('port = 1\nqueue_limit = 2\nmemory_budget = "6G"\ncors_origins = ["http://a", "http://b"]\n')
    settings = load_settings({}, config)
    assert (settings.port, settings.queue_limit, settings.memory_budget) == (1, 2, 6 << 30)
    assert settings.cors_origins == ("http://a", "http://b")
    monkeypatch.setenv("RKLLM_PORT", "10")
    monkeypatch.setenv("RKLLM_QUEUE_LIMIT", "20")
    monkeypatch.setenv("RKLLM_CORS_ORIGINS", "http://c, http://d")
    settings = load_settings({"port": 100}, config)
    assert (settings.port, settings.queue_limit) == (100, 20)
    assert settings.cors_origins == ("http://c", "http://d")


def test_the_file_is_found_where_it_is_named_and_in_its_default_place(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().port == 8000
    home = tmp_path / "config" / "rkllm-providers" / "config.toml"
    home.parent.mkdir(parents=True)
    home.write_text("port = 1\n")
    assert load_settings().port == 1
    config.write_text("port = 2\n")
    monkeypatch.setenv("RKLLM_CONFIG", str(config))
    assert load_settings().port == 2
    other = tmp_path / "other.toml"
    other.write_text("port = 3\n")
    assert load_settings(None, other).port == 3
    assert find_config(other) == other


def test_names_of_others_that_the_environment_has() -> None:
    settings = ServiceSettings(rknn_lib_path="/lib/one.so")
    assert settings.rknn_lib_path == "/lib/one.so"
    assert variable_of("rknn_lib_path") == "RKNN_LIB_PATH"
    assert variable_of("api_log_level") == "RKLLM_API_LOG_LEVEL"
    assert variable_of("lib_path") == "RKLLM_LIB_PATH"


def test_libraries_and_log_level_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RKNN_LIB_PATH", "/lib/librknnrt.so")
    monkeypatch.setenv("RKLLM_LIB_PATH", "/lib/librkllmrt.so")
    monkeypatch.setenv("RKLLM_API_LOG_LEVEL", "WARNING")
    settings = load_settings()
    assert (settings.rknn_lib_path, settings.lib_path) == ("/lib/librknnrt.so", "/lib/librkllmrt.so")
    assert settings.api_log_level == "warning"


def test_what_is_no_setting_is_named_with_what_is_like_it(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("prot = 1\nqueue_limits = 3\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(None, config)
    assert caught.value.problems == (
        f"{config}: there is no setting 'prot'; did you mean 'port'.",
        f"{config}: there is no setting 'queue_limits'; did you mean 'queue_limit'.",
    )
    monkeypatch.setenv("RKLLM_MODEL_DIR", "/models")
    with pytest.raises(SettingsError, match="RKLLM_MODEL_DIR; did you mean 'RKLLM_MODELS_DIR'"):
        load_settings()
    monkeypatch.delenv("RKLLM_MODEL_DIR")
    with pytest.raises(SettingsError, match="'hots'; did you mean 'host'"):
        load_settings({"hots": "1"})


def test_a_wrong_value_is_named_with_where_it_is_from(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('keep_alive = "soon"\n')
    with pytest.raises(SettingsError, match=rf"{re.escape(str(config))}: keep_alive: .*number of seconds"):
        load_settings(None, config)
    monkeypatch.setenv("RKLLM_PORT", "many")
    with pytest.raises(SettingsError, match=r"port \(RKLLM_PORT\): "):
        load_settings()


@pytest.mark.parametrize(
    ("text", "said"), [("port = ", "is no TOML"), (b"\xff\xfe", "is no TOML"), (None, "cannot be read")]
)
def test_a_file_that_cannot_be_read(config: Path, text: str | bytes | None, said: str) -> None:
    if text is not None:
        config.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError, match=said):
        read_config(config)


@given(st.text(max_size=200))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        values = read_config(path)
    except SettingsError:
        return
    assert set(values) <= set(ServiceSettings.model_fields)


def test_every_variable_of_the_code_is_known() -> None:
    """Otherwise a variable that works would be refused as unknown."""
    named: set[str] = set()
    for folder in ("rkllm_providers", "rag_service"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            named |= set(re.findall(r"environ(?:\.get\(|\[)\s*\"(RKLLM_\w+)\"", text))
            named |= set(re.findall(r"_VARIABLE(?:: Final)? = \"(RKLLM_\w+)\"", text))
    assert {"RKLLM_MODELS_DIR", "RKLLM_CONFIG", "RKLLM_NPU_LOCK"} <= named
    known = {*map(variable_of, ServiceSettings.model_fields), *OTHER_VARIABLES}
    assert named <= known


def test_nothing_is_like_everything() -> None:
    assert nearest("zzzz", ["port", "host"]) == ""


def test_the_page_of_all_settings_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_document(), (
        "docs/settings.md: rkllm settings --markdown > docs/settings.md"
    )


def test_the_page_is_the_same_for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings_document()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings_document() == before


def test_every_option_of_the_table_is_there() -> None:
    shown = CliRunner(env={"COLUMNS": "300", "TERM": "dumb"}).invoke(app, ["serve", "--help"]).output
    assert set(FLAGS) <= set(ServiceSettings.model_fields)
    for flag in FLAGS.values():
        assert flag in shown


def test_settings_are_shown_with_where_they_are_from_and_secrets_are_not(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("port = 1234\n")
    monkeypatch.setenv("RKLLM_API_KEY", "a-secret-of-the-environment")
    result = CliRunner().invoke(app, ["settings", "--config", str(config)])
    assert result.exit_code == 0
    rows = {line.split()[0]: line for line in result.output.splitlines() if line.strip()}
    assert rows["port"].split()[1:3] == ["1234", str(config)]
    assert rows["api_key"].split()[1:3] == ["(secret)", "environment"]
    assert "a-secret-of-the-environment" not in result.output
    assert result.output.rstrip().endswith(f"Settings file: {config}")


def test_settings_that_are_wrong_end_the_command(config: Path) -> None:
    config.write_text("prot = 1\n")
    for command in ("settings", "serve"):
        result = CliRunner(env={"COLUMNS": "300"}).invoke(app, [command, "--config", str(config)])
        assert result.exit_code == 2
        assert "did you mean 'port'" in result.output


def test_settings_that_floors_below_read_are_handed_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    monkeypatch.setattr("rag_service.server.run_server", lambda settings: None)
    for name in ("RKLLM_NPU_LOCK", "RKNN_LIB_PATH"):
        monkeypatch.setenv(name, "before")  # restored after the test
        monkeypatch.delenv(name)
    config.write_text(f'npu_lock = "off"\nrknn_lib_path = "/lib/librknnrt.so"\nmodels_dir = "{tmp_path}"\n')
    assert CliRunner().invoke(app, ["serve", "--config", str(config)]).exit_code == 0
    assert (os.environ["RKLLM_NPU_LOCK"], os.environ["RKNN_LIB_PATH"]) == ("off", "/lib/librknnrt.so")


@pytest.mark.parametrize("picture_bytes", [None, "40M", "1", "2", "3"])
def test_a_picture_of_the_limit_fits_into_a_body(monkeypatch: pytest.MonkeyPatch, picture_bytes: str | None) -> None:
    if picture_bytes is not None:
        monkeypatch.setenv("RKLLM_PICTURE_BYTES", picture_bytes)
    settings = load_settings()
    sent = len(data_url(ImagePart(bytes(settings.picture_bytes), "image/png")))
    assert settings.body_limit - sent in range(10 << 20, 17 << 20)


def test_a_body_limit_that_is_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RKLLM_BODY_LIMIT", "5M")
    assert load_settings().body_limit == 5 << 20
    monkeypatch.setenv("RKLLM_BODY_LIMIT", "100")
    with pytest.raises(SettingsError, match=r"body_limit \(RKLLM_BODY_LIMIT\): .*1024"):
        load_settings()
    monkeypatch.setenv("RKLLM_BODY_LIMIT", "off")
    with pytest.raises(SettingsError, match="body_limit"):
        load_settings()


def test_a_wrong_picture_limit_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RKLLM_PICTURE_BYTES", "many")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [problem.partition(" ")[0] for problem in caught.value.problems] == ["picture_bytes"]


def test_settings_of_retrieval_reach_its_stages(config: Path) -> None:
    config.write_text("rag_floor = 0.5\nrag_duplicates = 0.6\nrag_passages = 7\nrag_tokens = 99\n")
    grounding = load_settings(None, config).desk.grounding
    assert (grounding.retrieval.floor, grounding.retrieval.duplicate_share) == (0.5, 0.6)
    assert (grounding.retrieval.candidates, grounding.tokens) == (7, 99)
