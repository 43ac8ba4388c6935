"""What LangChain wants to know of a model: ``chat.profile``."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import ModelProfile

from rkllm_providers.engine import ModelFacts


def model_profile(facts: ModelFacts) -> ModelProfile:
    """The capabilities of a model, as far as its file tells them."""
    can = facts.capabilities
    return ModelProfile(
        name=facts.id,
        open_weights=True,
        max_input_tokens=facts.context_length,
        # Prompt and answer share one window.
        max_output_tokens=facts.context_length,
        text_inputs=True,
        text_outputs=True,
        image_inputs=can.vision,
        # Addresses of pictures, that is: nothing is fetched.
        image_url_inputs=False,
        audio_inputs=False,
        video_inputs=False,
        pdf_inputs=False,
        image_tool_message=can.vision,
        pdf_tool_message=False,
        temperature=True,
        reasoning_output=can.thinking,
        reasoning_effort_levels=["none", "minimal", "low", "medium", "high"] if can.thinking else [],
        tool_calling=can.tools,
        tool_choice=can.tools and facts.forces_tool_calls,
        tool_call_streaming=can.tools,
        structured_output=True,
    )


class LazyProfile:
    """``profile``, resolved when it is first asked for and not when the object is made.

    A profile that was given stays. One that was read is read again where the object names another model since.
    """

    def __get__(self, chat: Any, owner: type | None = None) -> Any:
        if chat is None:
            return self
        given = chat.__dict__.get("profile")
        return chat._resolve_model_profile() if given is None else given

    def __set__(self, chat: Any, value: Any) -> None:
        chat.__dict__["profile"] = value
