"""Objects instead of text, in every way that LlamaIndex asks for them; what they hold is asserted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field, field_validator

from rkllm_providers.chat import ResponseFormat
from rkllm_providers.engine import shared_registry
from rkllm_providers.errors import GenerationError, InvalidOutput, InvalidRequest
from rkllm_providers.llama_index import RKLLM
from tests.conftest import WriteModel, needs_llama

pytestmark = needs_llama

# What follows the question is what the engine tells of the format. The model may think first.
SCRIPT = """
context 4096
words name age Ada Bob
word " la"
rule "</think>\\n\\n<tool_call>\\n{\\"name\\": \\"Person\\", \\"arguments\\": "
  text "{\\"name\\": \\"Ada\\", \\"age\\": 36}}\\n</tool_call>"
end
rule "never{rest}That is not the JSON"
  text "{\\"name\\": \\"Bob\\"}"
end
rule "That is not the JSON"
  text "{\\"name\\": \\"Bob\\", \\"age\\": 7}"
end
rule "Who is Ada?"
  text "<think>\\nwho\\n</think>\\n\\nHere: {\\"name\\": \\"Ada\\", \\"age\\": 36}"
end
rule "Who is Bob?"
  text "{\\"name\\": \\"Bob\\", \\"age\\": \\"seven\\"}"
end
rule "Who is never right?"
  text "{\\"name\\": \\"Bob\\", \\"age\\": \\"seven\\"}"
end
rule "Who is too old?"
  text "{\\"name\\": \\"Eve\\", \\"age\\": 999}"
end
rule "Who are they?"
  text "{\\"people\\": [{\\"name\\": \\"Ada\\", \\"age\\": 36}, {\\"name\\": \\"Bob\\", \\"age\\": 7}]}"
end
rule *
  text "I am Ada."
end
"""


class Person(BaseModel):
    """A person."""

    name: str
    age: int = Field(description="In years.")

    @field_validator("age")
    @classmethod
    def _possible(cls, age: int) -> int:
        if age > 150:
            raise ValueError("nobody is so old")
        return age


class People(BaseModel):
    """Several persons."""

    people: list[Person]


PROMPT: Any = PromptTemplate("Who is {who}?")
ADA = Person(name="Ada", age=36)


@pytest.fixture
def llm(write_model: WriteModel) -> Iterator[RKLLM]:
    path = write_model(SCRIPT)
    yield RKLLM(model="scripted", models_dir=str(path.parent))
    shared_registry().close()


def by_function(llm: RKLLM) -> RKLLM:
    return llm.model_copy(update={"pydantic_program_mode": PydanticProgramMode.FUNCTION})


async def predicted(llm: RKLLM, who: str, output_cls: type[BaseModel] = Person) -> list[Any]:
    """What the four ways give at last."""
    streamed = list(llm.stream_structured_predict(output_cls, PROMPT, who=who))
    astreamed = [item async for item in await llm.astream_structured_predict(output_cls, PROMPT, who=who)]
    return [
        llm.structured_predict(output_cls, PROMPT, who=who),
        await llm.astructured_predict(output_cls, PROMPT, who=who),
        streamed[-1],
        astreamed[-1],
    ]


async def test_an_object_after_thinking(llm: RKLLM) -> None:
    assert await predicted(llm, "Ada") == [ADA] * 4


async def test_a_wrong_object_is_corrected(llm: RKLLM) -> None:
    assert await predicted(llm, "Bob") == [Person(name="Bob", age=7)] * 4


async def test_one_that_stays_wrong_is_an_error(llm: RKLLM) -> None:
    for who, problem in (("never right", "age"), ("too old", "nobody is so old")):
        with pytest.raises(InvalidOutput, match=problem):
            llm.structured_predict(Person, PROMPT, who=who)
        with pytest.raises(InvalidOutput, match=problem):
            await llm.astructured_predict(Person, PROMPT, who=who)
        with pytest.raises(InvalidOutput, match=problem):
            list(llm.stream_structured_predict(Person, PROMPT, who=who))
        with pytest.raises(InvalidOutput, match=problem):
            [item async for item in await llm.astream_structured_predict(Person, PROMPT, who=who)]


async def test_by_a_call_where_that_is_wanted(llm: RKLLM) -> None:
    assert await predicted(by_function(llm), "somebody") == [ADA] * 4
    with pytest.raises(GenerationError, match="was to call People and did not, twice"):
        by_function(llm).structured_predict(People, PROMPT, who="somebody")
    with pytest.raises(GenerationError, match="was to call People and did not, twice"):
        list(by_function(llm).stream_structured_predict(People, PROMPT, who="somebody"))


def test_an_object_of_objects(llm: RKLLM) -> None:
    people = llm.structured_predict(People, PromptTemplate("Who are they?"))
    assert people == People(people=[ADA, Person(name="Bob", age=7)])


def test_prompts_of_messages_and_arguments(llm: RKLLM) -> None:
    prompt: Any = ChatPromptTemplate([ChatMessage(role="system", content="Be brief."), ChatMessage("Who is {who}?")])
    arguments = {"max_tokens": 200, "tool_choice": "none"}
    assert llm.structured_predict(Person, prompt, llm_kwargs=arguments, who="Ada") == ADA
    assert arguments == {"max_tokens": 200, "tool_choice": "none"}
    with pytest.raises(InvalidOutput):
        llm.structured_predict(Person, prompt, llm_kwargs={"max_tokens": 8}, who="Ada")
    told = llm.model_copy(update={"system_prompt": "Who is Ada?"})
    assert told.structured_predict(Person, PromptTemplate("Answer."), llm_kwargs={"thinking": False}) == ADA


# StructuredLLM writes its objects with a method that pydantic will drop.
@pytest.mark.filterwarnings("ignore:The `json` method is deprecated:pydantic.PydanticDeprecatedSince20")
async def test_as_a_structured_model(llm: RKLLM) -> None:
    structured = llm.as_structured_llm(Person)
    asked = [ChatMessage(role="user", content="Who is Ada?")]
    for response in (structured.chat(asked), await structured.achat(asked), structured.complete("Who is Ada?")):
        assert response.raw == ADA
    *_, last = structured.stream_chat(asked)
    assert last.raw == ADA
    assert Person.model_validate_json(last.message.content or "") == ADA
    assert [item async for item in await structured.astream_chat(asked)][-1].raw == ADA
    with pytest.raises(InvalidOutput):
        structured.complete("Who is never right?")


def test_a_format_in_a_chat(llm: RKLLM) -> None:
    asked = [ChatMessage(role="user", content="Who is Ada?")]
    described = {"type": "json_schema", "json_schema": {"name": "Person", "schema": Person.model_json_schema()}}
    for wanted in (Person, described, ResponseFormat(Person.model_json_schema())):
        assert llm.chat(asked, response_format=wanted).message.content == '{"name": "Ada", "age": 36}'
    with pytest.raises(InvalidRequest, match="response_format is of type str"):
        llm.chat(asked, response_format="json")


class Heard(BaseEventHandler):
    events: list[Any] = Field(default_factory=list)

    def handle(self, event: Any, **kwargs: Any) -> None:
        self.events.append(type(event).__name__)


def test_events_come_once(llm: RKLLM) -> None:
    seen, heard, root = LlamaDebugHandler(print_trace_on_end=False), Heard(), get_dispatcher()
    watched = llm.model_copy(update={"callback_manager": CallbackManager([seen])})
    root.add_event_handler(heard)
    try:
        watched.structured_predict(Person, PROMPT, who="Ada")
    finally:
        root.event_handlers.remove(heard)
    assert Counter(heard.events) == {
        "LLMStructuredPredictStartEvent": 1,
        "LLMStructuredPredictEndEvent": 1,
        "LLMChatStartEvent": 1,
        "LLMChatEndEvent": 1,
    }
    assert len(seen.get_event_pairs(CBEventType.LLM)) == 1


@pytest.mark.filterwarnings("ignore:The `.*` attribute is deprecated:pydantic.PydanticDeprecatedSince20")
@pytest.mark.filterwarnings("ignore:Accessing the '.*' attribute on the instance:pydantic.PydanticDeprecatedSince211")
async def test_an_agent_with_an_output_class(llm: RKLLM) -> None:
    agent = FunctionAgent(llm=llm, output_cls=Person, tools=[])
    output: Any = await agent.run(user_msg="Who is Ada?")
    assert output.structured_response == ADA.model_dump()
