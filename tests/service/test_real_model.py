"""The built-in small model through `rkllm serve`'s application and the real OpenAI client."""

import asyncio
from pathlib import Path

import openai
import pytest

from rkllm_providers.models import BUILT_IN_MODEL
from tests.service.conftest import StartService

pytestmark = pytest.mark.real


def test_streamed_not_streamed_eight_at_once_and_one_cancelled(start_service: StartService, real_model: Path) -> None:
    url = start_service(model=BUILT_IN_MODEL, context_length=1024)

    async def ask(client: openai.AsyncOpenAI, country: str) -> str:
        answer = await client.chat.completions.create(
            model=BUILT_IN_MODEL,
            messages=[{"role": "user", "content": f"What is the capital of {country}?"}],
            temperature=0,
            max_tokens=16,
        )
        assert answer.usage is not None
        assert 0 < answer.usage.completion_tokens <= 16
        return answer.choices[0].message.content or ""

    async def stream(client: openai.AsyncOpenAI, most: int | None) -> str:
        text = ""
        chunks = await client.chat.completions.create(
            model=BUILT_IN_MODEL,
            messages=[{"role": "user", "content": "What is the capital of France?"}],
            temperature=0,
            max_tokens=16,
            stream=True,
        )
        count = 0
        async for chunk in chunks:
            text += chunk.choices[0].delta.content or ""
            count += 1
            if count == most:
                await chunks.close()
                break
        return text

    async def everybody() -> None:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            streamed = await stream(client, None)
            whole = await ask(client, "France")
            assert streamed == whole
            assert "Paris" in whole
            countries = ["France", "Italy", "Spain", "Japan", "Germany", "Egypt", "Cuba", "France"]
            cut, *answers = await asyncio.gather(stream(client, 3), *(ask(client, name) for name in countries))
            assert whole.startswith(cut)
            assert answers[0] == answers[7] == whole
            assert len(set(answers)) > 3

    asyncio.run(everybody())
