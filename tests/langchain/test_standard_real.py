"""LangChain's own suite on the real small model, as far as it needs no model that is good at tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests

from rkllm_providers.langchain import ChatRKLLM

MODEL_INDEPENDENT: Final = frozenset(
    {
        "test_no_overrides_DO_NOT_OVERRIDE",
        "test_invoke",
        "test_ainvoke",
        "test_stream",
        "test_astream",
        "test_stream_events_v3",
        "test_astream_events_v3",
        "test_invoke_with_model_override",
        "test_ainvoke_with_model_override",
        "test_stream_with_model_override",
        "test_astream_with_model_override",
        "test_batch",
        "test_abatch",
        "test_conversation",
        "test_double_messages_conversation",
        "test_message_with_name",
        "test_stop_sequence",
        "test_usage_metadata",
        "test_usage_metadata_streaming",
        "test_tool_message_histories_string_content",
        "test_tool_message_histories_list_content",
        "test_tool_message_error_status",
        "test_structured_few_shot_examples",
        "test_tool_calling_with_no_arguments",
        "test_bind_runnables_as_tools",
    }
)
"""The 25 that need no tools to be called, and two more whose calls are forced, with their variants."""


@pytest.mark.real
class TestRealModel(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _model(self, real_model: Path, request: pytest.FixtureRequest) -> None:
        if request.node.originalname not in MODEL_INDEPENDENT:
            pytest.skip("needs a model that was trained to call tools")

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatRKLLM

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "smollm2-135m-instruct", "temperature": 0, "max_tokens": 40}

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "smollm2"
