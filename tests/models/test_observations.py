"""What was seen of models at work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkllm_providers.models.observations import observations_path, observe, observed


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.rkllm"
    path.write_bytes(b"model")
    return path


def test_a_note_holds_until_it_is_taken_back_or_the_file_changes(model: Path) -> None:
    assert observed(model) == []
    observe(model, "cache", "It computes everything anew.")
    observe(model, "tokenizer", "It is another model's.")
    assert observed(model) == ["It computes everything anew.", "It is another model's."]
    observe(model, "cache", None)
    assert observed(model) == ["It is another model's."]
    model.write_bytes(b"another")
    assert observed(model) == []


def test_a_folder_that_cannot_be_written_is_no_error(model: Path, cache: Path) -> None:
    cache.write_text("a file in its place")
    observe(model, "cache", "It computes everything anew.")
    assert observed(model) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_is_in_the_file(model: Path, content: object) -> None:
    path = observations_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({str(model): content}) if isinstance(content, dict) else json.dumps(content))
    assert isinstance(observed(model), list)
    observe(model, "kind", "text")
    assert observed(model) == ["text"]
