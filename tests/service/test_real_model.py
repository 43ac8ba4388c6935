"""The built-in small model through `rkllm serve`'s application and the real OpenAI client."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import openai
import pytest

from rkllm_providers.chat import ChatMessage, GenerateOptions, Sampling
from rkllm_providers.errors import InvalidRequest
from rkllm_providers.models import BUILT_IN_MODEL
from rkllm_providers.remote import RemoteModel
from tests.service.conftest import StartService

DOCUMENT = Path(__file__).parents[2] / "docs" / "http.md"

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


def test_a_remote_model_says_what_the_model_says(start_service: StartService, real_model: Path) -> None:
    url = start_service(context_length=1024)
    options = GenerateOptions(sampling=Sampling(temperature=0), max_tokens=16)
    messages = [ChatMessage("user", "What is the capital of France?")]
    remote = RemoteModel(BUILT_IN_MODEL, f"{url}/v1")
    try:
        expected = remote.complete(messages, options)
        assert "Paris" in expected.text
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        answer = client.chat.completions.create(
            model=BUILT_IN_MODEL,
            messages=[{"role": "user", "content": messages[0].text}],
            temperature=0,
            max_tokens=16,
        )
        assert answer.choices[0].message.content == expected.text
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == expected.finish.usage.prompt_tokens == remote.count_tokens(messages)
        written = client.completions.create(
            model=BUILT_IN_MODEL, prompt="The capital of France is", temperature=0, max_tokens=4
        )
        assert (
            written.choices[0].text
            == remote.complete_text("The capital of France is", replace(options, max_tokens=4)).text
        )
        assert "Paris" in written.choices[0].text
        text = "Grüße, 你好 👋 <|im_end|>"
        assert remote.detokenize(remote.tokenize(text)) == text
        with pytest.raises(InvalidRequest, match="embedding"):
            remote.embed([text])
    finally:
        remote.release()


def test_the_example_in_the_documentation_runs(
    start_service: StartService, real_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert example is not None
    exec(example[1].replace("http://127.0.0.1:8000", start_service()), {})
    assert "Finish(reason=" in capsys.readouterr().out
