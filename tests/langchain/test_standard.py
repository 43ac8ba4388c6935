"""LangChain's own suites, on a scripted model that can all they ask for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from rkllm_providers.langchain import ChatRKLLM
from tests.conftest import needs_llama
from tests.engine.pictures import RED


class TestUnit(ChatModelUnitTests):
    """No model is there at all."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatRKLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "nobody"}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "other"


class StandardTests(ChatModelIntegrationTests):
    """What both ways of structured output share."""

    @pytest.fixture(autouse=True)
    def _models(self, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The models that the tests name are in the folder."""
        monkeypatch.setenv("RKLLM_MODELS_DIR", str(models_dir))

    @pytest.fixture(autouse=True)
    def _pictures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The suite loads its pictures from the web, where tests do not go: they get one of their own."""

        def get(url: str, **_: Any) -> httpx.Response:
            return httpx.Response(200, content=RED.data)

        monkeypatch.setattr("langchain_tests.integration_tests.chat_models.httpx", SimpleNamespace(get=get))

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatRKLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "player"}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "other"

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> dict[Literal["invoke", "stream"], list[Any]]:
        details = ["reasoning_output", "cache_read_input"]
        return {"invoke": details, "stream": details}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        message = _ask(self.chat_model_class(**self.chat_model_params), stream)
        assert message.usage_metadata is not None
        assert message.usage_metadata["output_token_details"]["reasoning"] > 0
        return message

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        model = self.chat_model_class(**self.chat_model_params)
        model.invoke("What is new?")
        message = _ask(model, stream)
        assert message.usage_metadata is not None
        assert message.usage_metadata["input_token_details"]["cache_read"] > 0
        return message


@needs_llama
class TestIntegration(StandardTests):
    """Structured output as it is by default."""


@needs_llama
class TestIntegrationByTools(StandardTests):
    """Structured output by a forced call."""

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "function_calling"}


def _ask(model: BaseChatModel, stream: bool) -> AIMessage:
    if not stream:
        return model.invoke("What is new?")
    whole: AIMessageChunk | None = None
    for chunk in model.stream("What is new?"):
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole
