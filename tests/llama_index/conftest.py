"""A scripted model that speaks, thinks, calls tools and fails, as LlamaIndex objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rkllm_providers.engine import shared_registry
from rkllm_providers.llama_index import RKLLM
from tests.conftest import WriteModel

HELLO = "Hello there, 你好."
SCRIPT = """
context 2048
words hm so I look Ada Lima weather time
word " la"
rule "<tool_response>\\nnoon"
  text "It is 17 degrees at noon."
end
rule "<tool_response>\\n17"
  text "<tool_call>\\n{\\"name\\": \\"get_time\\", \\"arguments\\": {\\"city\\": \\"Lima\\"}}\\n</tool_call>"
end
rule "<tool_response>\\nTool no_such_tool not found"
  text "There is no such tool."
end
rule "</think>\\n\\n<tool_call>\\n{\\"name\\": \\"Person\\", \\"arguments\\": "
  text "{\\"name\\": \\"Ada\\", \\"age\\": 36}}\\n</tool_call>"
end
rule "</think>\\n\\n<tool_call>\\n{\\"name\\": \\"get_time\\", \\"arguments\\": "
  text "{\\"city\\": \\"Lima\\"}}\\n</tool_call>"
end
rule "stubborn{rest}</think>\\n\\n<tool_call>\\n"
  text "I will not."
end
rule "</think>\\n\\n<tool_call>\\n"
  text "{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\"Rome\\"}}\\n</tool_call>"
end
rule "one after the other"
  text "<think>\\nhm so\\n</think>\\n\\nI look. "
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\"Lima\\"}}\\n</tool_call>"
end
rule "both at once"
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\"Lima\\", \\"days\\": 2}}"
  text "\\n</tool_call>\\n"
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\"北京\\"}}\\n</tool_call>"
end
rule "broken"
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": </tool_call>"
end
rule "cut off"
  text "<tool_call>\\n{\\"name\\": \\"get_weather\\", \\"arguments\\": {\\"city\\": \\""
  forever " la"
end
rule "fail"
  text "Hello"
  error
end
rule "slow"
  text " la la"
  sleep 60000
end
rule "endless"
  forever " la"
end
rule "think"
  text "<think>\\nhm so\\n</think>\\n\\nHello there, 你好."
end
rule "Answer me twice: {word}."
  text "{word}, {word}"
end
rule *
  text "Hello there, 你好."
end
"""

OpenLLM = Callable[..., RKLLM]


@pytest.fixture
def model_path(write_model: WriteModel) -> Path:
    return write_model(SCRIPT)


@pytest.fixture
def open_llm(model_path: Path) -> Iterator[OpenLLM]:
    """Objects on the scripted model; the engine they share is closed after the test."""

    def opened(model: str = "scripted", **settings: Any) -> RKLLM:
        return RKLLM(model=model, models_dir=str(model_path.parent), **settings)

    yield opened
    shared_registry().close()


@pytest.fixture
def llm(open_llm: OpenLLM) -> RKLLM:
    return open_llm()
