"""Structured output: every method with every form of schema, and what is in the answers."""

from __future__ import annotations

import functools
import operator
from typing import Any

import pydantic
import pydantic.v1
import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from typing_extensions import TypedDict

from rkllm_providers import errors
from rkllm_providers.langchain import ChatRKLLM
from rkllm_providers.langchain.errors import InvalidOutput
from tests.conftest import needs_llama


class Person(pydantic.BaseModel):
    """Somebody."""

    name: str
    age: int


class PersonV1(pydantic.v1.BaseModel):
    """Somebody."""

    class Config:
        title = "Person"

    name: str
    age: int


class PersonDict(TypedDict):
    """Somebody."""

    name: str
    age: int


JSON_SCHEMA = Person.model_json_schema()
SCHEMAS: dict[str, Any] = {
    "pydantic": Person,
    "pydantic 1": PersonV1,
    "typeddict": PersonDict,
    "json schema": JSON_SCHEMA,
    "openai function": convert_to_openai_function(Person),
    "openai tool": convert_to_openai_tool(Person),
    "response format": {"type": "json_schema", "json_schema": {"name": "Person", "schema": JSON_SCHEMA}},
}
ADA = {"name": "Ada", "age": 36}


def plain(parsed: Any) -> Any:
    if isinstance(parsed, Person):
        return parsed.model_dump()
    return parsed.dict() if isinstance(parsed, PersonV1) else parsed


PersonV1.__name__ = PersonDict.__name__ = "Person"


@needs_llama
@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_what_is_in_it(talker: ChatRKLLM, schema: str, method: Any) -> None:
    chain = talker.with_structured_output(SCHEMAS[schema], method=method)
    parsed = chain.invoke("a person")
    assert plain(parsed) == ADA
    assert plain(await chain.ainvoke("a person")) == ADA
    assert [plain(one) for one in chain.stream("a person")][-1] == ADA
    assert [plain(one) async for one in chain.astream("a person")][-1] == ADA
    if schema.startswith("pydantic"):
        assert type(parsed) is SCHEMAS[schema]
    raw = talker.with_structured_output(SCHEMAS[schema], method=method, include_raw=True).invoke("a person")
    assert set(raw) == {"raw", "parsed", "parsing_error"}
    assert plain(raw["parsed"]) == ADA
    assert raw["parsing_error"] is None
    assert isinstance(raw["raw"], AIMessage)
    assert raw["raw"].usage_metadata


@needs_llama
def test_the_model_may_think_before_it_answers(talker: ChatRKLLM) -> None:
    raw = talker.with_structured_output(Person, include_raw=True).invoke("a person")
    assert raw["raw"].additional_kwargs["reasoning_content"] == "Whom?"
    assert raw["parsed"] == Person(name="Ada", age=36)
    silent = talker.model_copy(update={"reasoning": False})
    assert silent.with_structured_output(Person).invoke("a person") == Person(name="Ada", age=36)
    silent.close()


@needs_llama
@pytest.mark.parametrize("question", ["no JSON", "half a person"])
async def test_what_is_not_of_the_form(talker: ChatRKLLM, question: str) -> None:
    chain = talker.with_structured_output(Person)
    with pytest.raises(InvalidOutput, match="talker") as caught:
        chain.invoke(question)
    assert isinstance(caught.value.__cause__, errors.InvalidOutput)
    assert caught.value.problem
    with pytest.raises(InvalidOutput):
        [one async for one in chain.astream(question)]
    raw_chain = talker.with_structured_output(JSON_SCHEMA, include_raw=True)
    streamed = functools.reduce(operator.add, raw_chain.stream(question))
    for raw in (raw_chain.invoke(question), await raw_chain.ainvoke(question), streamed):
        assert raw["parsed"] is None
        assert isinstance(raw["parsing_error"], OutputParserException)
        assert caught.value.problem in str(raw["parsing_error"])
        assert raw["raw"].content == caught.value.text


@needs_llama
def test_a_call_that_is_not_of_the_form(talker: ChatRKLLM) -> None:
    class Nobody(pydantic.BaseModel):
        name: str
        age: int

    with pytest.raises(pydantic.ValidationError):
        talker.with_structured_output(Nobody, method="function_calling").invoke("Hi!")
    raw = talker.with_structured_output(Nobody, method="function_calling", include_raw=True).invoke("Hi!")
    assert raw["parsed"] is None
    assert isinstance(raw["parsing_error"], pydantic.ValidationError)
    assert raw["raw"].tool_calls[0]["args"] == {"name": "Ada"}


@needs_llama
def test_formats_of_a_call(talker: ChatRKLLM) -> None:
    wanted = SCHEMAS["response format"]
    assert talker.invoke("a person", response_format=wanted, strict=True).content == '{"name": "Ada", "age": 36}'
    bound = talker.bind_tools([], response_format={"type": "json_object"}, strict=True)
    assert bound.invoke("a person").content == '{"name": "Ada", "age": 36}'
    assert talker.invoke("Hi!", response_format={"type": "text"}).content == "Hello there, 你好."
    with pytest.raises(errors.InvalidRequest, match="response_format"):
        talker.invoke("Hi!", response_format={"type": "grammar"})


@pytest.mark.parametrize(
    "wrong",
    [{"schema": Person, "metod": "json_mode"}, {"schema": Person, "method": "yaml"}, {"schema": None}],
)
def test_what_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"metod|yaml|schema"):
        ChatRKLLM(model="nobody").with_structured_output(**wrong)
