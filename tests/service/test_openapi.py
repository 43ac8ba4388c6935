"""The API's description, and requests made from it: what it says is what the service does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.config import SchemathesisConfig

from rag_service.app import create_app
from rag_service.settings import ServiceSettings
from tests.conftest import needs_llama
from tests.service.conftest import running

CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            # A time limit of a request may be shorter than its queue.
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
            # A schema cannot say that a model must exist, or that a field is known and cannot be done.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "422", "503"]},
            # Fields that are not known are taken and named in a header; numbers are taken as text.
            "negative_data_rejection": {"enabled": False},
            "max_response_time": 20,
        },
        "generation": {"allow-x00": True},
    }
)


def document() -> dict[str, Any]:
    """Without the one route whose answer has no end."""
    described = create_app(ServiceSettings()).openapi()
    described["paths"].pop("/models/sse")
    return described


schema = schemathesis.openapi.from_dict(document(), config=CONFIG)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "talker.rkllm").write_text('#!rkllm-script 1\nrule *\n  text "Hello"\nend\n')
    with running(ServiceSettings(port=0, models_dir=folder, model="talker")) as url:
        yield url


@needs_llama
@schema.parametrize()
@hypothesis_settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_the_service_does_what_its_description_says(case: schemathesis.Case[Any], url: str) -> None:
    # Most of the models that a schema can think of are not there: half the requests ask the one that is.
    if isinstance(case.body, dict) and len(str(case.body)) % 2:
        case.body = {**case.body, "model": "talker"}
    case.call_and_validate(base_url=url, timeout=60)


@needs_llama
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/completions", "/v1/messages", "/api/chat", "/api/generate"]
)
def test_streams_are_what_the_description_says(path: str, url: str) -> None:
    body: dict[str, Any] = {"model": "talker", "stream": True, "max_tokens": 4, "prompt": "Hi"}
    body["messages"] = [{"role": "user", "content": "Hi"}]
    operation = schema[path]["POST"]
    answer = operation.Case(body=body, media_type="application/json").call_and_validate(base_url=url, timeout=60)
    assert answer.status_code == 200
    assert not answer.headers["content-type"][0].startswith("application/json")


def test_errors_are_described_as_they_are_sent() -> None:
    described = document()
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for operation in methods.values():
            for status in ("400", "401", "404", "413", "429", "503"):
                content = operation["responses"][status]["content"]["application/json"]
                form = "Ollama" if path.startswith("/api/") else "Anthropic" if "/messages" in path else ""
                assert content["schema"] == {"$ref": f"#/components/schemas/{form}Error"}, path
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/messages"):
        assert "text/event-stream" in described["paths"][path]["post"]["responses"]["200"]["content"]
    for path in ("/api/chat", "/api/generate"):
        assert "application/x-ndjson" in described["paths"][path]["post"]["responses"]["200"]["content"]


def test_the_description_is_made_once(tmp_path: Any) -> None:
    app = create_app(ServiceSettings(models_dir=tmp_path))
    assert app.openapi() is app.openapi()


@needs_llama
def test_the_description_is_served(url: str) -> None:
    assert httpx.get(f"{url}/openapi.json").json()["paths"].keys() >= {"/health", "/ready", "/metrics", "/models/sse"}
