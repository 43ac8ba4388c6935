"""Structured output: what the model is asked for, and how its answer is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final, Literal

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.runnables import AddableDict, Runnable, RunnableGenerator
from langchain_core.utils.function_calling import convert_to_openai_function, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.langchain.answers import INVALID_OUTPUT

Method = Literal["function_calling", "json_schema", "json_mode"]
Schema = Mapping[str, Any] | type
_METHODS: Final = ("function_calling", "json_schema", "json_mode")


def plain_schema(schema: Schema | None, method: Method) -> dict[str, Any] | type | None:
    """The schema without what OpenAI's forms put around it.

    Raises:
        InvalidRequest: There is none and the method needs one, or there is no such method.
    """
    if method not in _METHODS:
        raise InvalidRequest(f"There is no method {method!r}; there are {', '.join(_METHODS)}.", "method")
    if schema is None:
        if method != "json_mode":
            raise InvalidRequest(f"The method {method} needs a schema; only json_mode goes without.", "schema")
        return None
    if isinstance(schema, type):
        return schema
    wrapped = schema.get("json_schema") if schema.get("type") == "json_schema" else None
    if isinstance(wrapped, Mapping) and isinstance(wrapped.get("schema"), Mapping):
        named = {"title": wrapped.get("name") or "answer", "description": wrapped.get("description") or ""}
        return {**named, **wrapped["schema"]}
    function = schema.get("function") if schema.get("type") == "function" else None
    return dict(function if isinstance(function, Mapping) else schema)


def call_kwargs(schema: dict[str, Any] | type | None, method: Method) -> dict[str, Any]:
    """What a call has to say for the model to answer so."""
    kwargs: dict[str, Any] = {"ls_structured_output_format": {"kwargs": {"method": method}, "schema": schema}}
    if method == "function_calling" and schema is not None:
        tool = convert_to_openai_tool(schema)
        return {"tools": [tool], "tool_choice": tool["function"]["name"], **kwargs}
    if method == "json_mode" or schema is None:
        return {"response_format": {"type": "json_object"}, **kwargs}
    function = convert_to_openai_function(schema)
    wanted = {
        "name": function["name"],
        "description": function.get("description", ""),
        "schema": function.get("parameters", {}),
    }
    return {"response_format": {"type": "json_schema", "json_schema": wanted}, **kwargs}


def answer_parser(schema: dict[str, Any] | type | None, method: Method) -> Runnable[Any, Any]:
    """Reads an answer: an object of a pydantic class, or what JSON has."""
    is_class = isinstance(schema, type) and is_basemodel_subclass(schema)
    if method == "function_calling" and schema is not None:
        if is_class:
            return PydanticToolsParser(tools=[schema], first_tool_only=True)  # type: ignore[list-item]
        name = convert_to_openai_tool(schema)["function"]["name"]
        return JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)
    if is_class:
        return PydanticOutputParser(pydantic_object=schema)  # type: ignore[arg-type]
    return JsonOutputParser()


def structured_chain(model: Runnable[Any, Any], parser: Runnable[Any, Any], include_raw: bool) -> Runnable[Any, Any]:
    """The model and its parser; with ``include_raw`` what was said, what it means, and why it means nothing."""
    if not include_raw:
        return model | parser
    return model | _raw_and_parsed(parser)


def _raw_and_parsed(parser: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """Passes the answer on as it comes, and at its end what it means."""

    def read(parts: Iterator[Any]) -> Iterator[AddableDict]:
        whole = None
        for part in parts:
            yield AddableDict(raw=part)
            whole = part if whole is None else whole + part
        try:
            parsed = parser.invoke(_refuse_invalid(whole))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is part of the result
            yield AddableDict(parsed=None, parsing_error=error)
        else:
            yield AddableDict(parsed=parsed, parsing_error=None)

    async def aread(parts: AsyncIterator[Any]) -> AsyncIterator[AddableDict]:
        whole = None
        async for part in parts:
            yield AddableDict(raw=part)
            whole = part if whole is None else whole + part
        try:
            parsed = await parser.ainvoke(_refuse_invalid(whole))
        except Exception as error:  # noqa: BLE001 - as above
            yield AddableDict(parsed=None, parsing_error=error)
        else:
            yield AddableDict(parsed=parsed, parsing_error=None)

    return RunnableGenerator(read, aread)


def _refuse_invalid(message: Any) -> AIMessage:
    if not isinstance(message, AIMessage):
        raise OutputParserException("The model gave no message.")
    problem = message.response_metadata.get(INVALID_OUTPUT)
    if problem is not None:
        raise OutputParserException(str(problem), llm_output=message.text)
    return message
