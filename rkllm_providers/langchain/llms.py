"""``RKLLM``: a model that goes on from a text, without a chat template."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from typing import Any, Final, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseLLM, LangSmithParams
from langchain_core.outputs import Generation, GenerationChunk, LLMResult
from pydantic import model_validator

from rkllm_providers import __version__
from rkllm_providers.chat import ChatEvent, ChatResult, Finish, TextDelta
from rkllm_providers.langchain.answers import PROVIDER, finish_metadata, usage_metadata
from rkllm_providers.langchain.errors import langchain_errors
from rkllm_providers.langchain.options import Call, GenerationSettings, parameters, text_call
from rkllm_providers.langchain.tokens import number_of_tokens, token_ids

_NO_PARAMETERS: Final = frozenset({*BaseLLM.model_fields, "api_key"})


class RKLLM(BaseLLM, GenerationSettings):
    """A model as it goes on from a text. For answers to questions there is ``ChatRKLLM``.

    Finish reason, usage and timings are in ``generation_info``. Thinking and tools belong to chats: what comes here
    is text as it is.
    """

    parse_special: bool = False
    """Whether the prompt may hold control tokens, written as in the model's own format."""

    @model_validator(mode="after")
    def _note_rkllm_version(self) -> Self:
        self._add_version("rkllm-providers", __version__)
        return self

    @property
    def _llm_type(self) -> str:
        return "rkllm"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return parameters(self, _NO_PARAMETERS)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        params["ls_provider"] = PROVIDER
        return params

    def _generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        with langchain_errors():
            call = text_call(self, stop, kwargs)
            model = self._open(call.model)
            answers = [
                model.complete_text(prompt, call.options, parse_special=self.parse_special) for prompt in prompts
            ]
            return _result(answers, call)

    async def _agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        with langchain_errors():
            call = text_call(self, stop, kwargs)
            model = await self._aopen(call.model)
            answers = [
                await model.acomplete_text(prompt, call.options, parse_special=self.parse_special)
                for prompt in prompts
            ]
            return _result(answers, call)

    # Other than for chat models, LangChain does not tell its callbacks of these chunks by itself.
    def _stream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[GenerationChunk]:
        with langchain_errors():
            call = text_call(self, stop, kwargs)
            model = self._open(call.model)
            with closing(model.stream_text(prompt, call.options, parse_special=self.parse_special)) as events:
                for event in events:
                    chunk = _chunk(event, call)
                    if run_manager is not None:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    async def _astream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[GenerationChunk]:
        with langchain_errors():
            call = text_call(self, stop, kwargs)
            model = await self._aopen(call.model)
            async with aclosing(model.astream_text(prompt, call.options, parse_special=self.parse_special)) as events:
                async for event in events:
                    chunk = _chunk(event, call)
                    if run_manager is not None:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    def get_token_ids(self, text: str) -> list[int]:
        """The ids that the model's own tokenizer gives for a text, in which no control token is found.

        Raises:
            UnsupportedFeature: The model has no tokenizer.
        """
        return token_ids(self._open, self.custom_get_token_ids, text)

    def get_num_tokens(self, text: str) -> int:
        """Number of tokens of a text; an estimate where the model has no tokenizer."""
        return number_of_tokens(self._open, self.custom_get_token_ids, text)


def _chunk(event: ChatEvent, call: Call) -> GenerationChunk:
    if isinstance(event, Finish):
        return GenerationChunk(text="", generation_info=_info(event, call))
    return GenerationChunk(text=event.text if isinstance(event, TextDelta) else "")


def _info(finish: Finish, call: Call) -> dict[str, Any]:
    return {**finish_metadata(finish, call.model), "usage": dict(usage_metadata(finish))}


def _result(answers: list[ChatResult], call: Call) -> LLMResult:
    usages = [answer.finish.usage for answer in answers]
    n_prompt = sum(usage.prompt_tokens for usage in usages)
    n_completion = sum(usage.completion_tokens for usage in usages)
    return LLMResult(
        generations=[
            [Generation(text=answer.text, generation_info=_info(answer.finish, call))] for answer in answers
        ],
        llm_output={
            "model_name": call.model,
            "token_usage": {
                "prompt_tokens": n_prompt,
                "completion_tokens": n_completion,
                "total_tokens": n_prompt + n_completion,
            },
        },
    )
