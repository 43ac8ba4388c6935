"""Chats and completions of the Ollama API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from rag_service.api.chats import AskedChat, RawMessage, ask_chat, content_of, open_chat, picture_part, text_part
from rag_service.api.cited_answer import CitedAnswer
from rag_service.api.event_stream import unless_disconnected
from rag_service.api.ollama.any_type import AnyTypeRoute
from rag_service.api.ollama.generation import OllamaGeneration
from rag_service.api.ollama.wire import LINES_TYPE, Kind, LineStreamResponse, OllamaWire
from rag_service.api.openai.answer_wire import dump_json
from rag_service.api.openai.fields import Refusal, named_extras, pool_of
from rag_service.api.wire_lists import WireList
from rkllm_providers.chat import Tool
from rkllm_providers.chat.conversation import encodable
from rkllm_providers.chat.openai_forms import read_tool
from rkllm_providers.engine import AsyncAnswer
from rkllm_providers.errors import InvalidRequest

router = APIRouter(route_class=AnyTypeRoute)

_MAX_TOOLS: Final = 128
# The format says nothing of what a picture is; its bytes do.
_PICTURE_TYPE: Final = "image/*"


class CalledFunction(BaseModel):
    """What a tool call of the history called."""

    model_config = ConfigDict(extra="allow")

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class HistoryCall(BaseModel):
    """A tool call of the history."""

    model_config = ConfigDict(extra="allow")

    id: str = ""
    function: CalledFunction


class OllamaMessage(BaseModel):
    """A message of a chat; ``images`` are in base64."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    thinking: str | None = None
    images: WireList[str] | None = None
    tool_calls: WireList[HistoryCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None

    def raw(self) -> RawMessage:
        """The message as the OpenAI API has it."""
        pictures = [picture_part(_PICTURE_TYPE, data) for data in self.images or []]
        message: RawMessage = {"role": self.role, "content": content_of([*pictures, text_part(self.content or "")])}
        if self.thinking is not None and self.role == "assistant":
            message["reasoning_content"] = self.thinking
        if self.tool_calls:
            message["tool_calls"] = [
                {"id": call.id, "function": {"name": call.function.name, "arguments": call.function.arguments}}
                for call in self.tool_calls
            ]
        if self.role == "tool":
            message |= {"name": self.tool_name, "tool_call_id": self.tool_call_id}
        return message


class OllamaChat(OllamaGeneration):
    """The body of ``POST /api/chat``."""

    messages: WireList[OllamaMessage] = Field(default_factory=list)
    tools: WireList[dict[str, Any]] | None = Field(default=None, max_length=_MAX_TOOLS)

    def chat_tools(self) -> tuple[Tool, ...]:
        """The tools that the model may call.

        Raises:
            InvalidRequest: One is no function, or two have one name.
        """
        tools = tuple(read_tool(tool) for tool in self.tools or [])
        if len({tool.name for tool in tools}) < len(tools):
            raise InvalidRequest("Two tools have the same name.", "tools")
        return tools

    def ignored_fields(self) -> list[str]:
        """Names of fields that were sent and are not used."""
        inner = {name for message in self.messages for name in named_extras("messages", message)}
        return sorted([*super().ignored_fields(), *inner])


class OllamaCompletion(OllamaGeneration):
    """The body of ``POST /api/generate``. ``raw`` goes on from the prompt, without the chat template."""

    refused: ClassVar[Mapping[str, Refusal]] = {
        **OllamaGeneration.refused,
        "suffix": Refusal("The models here go on from a text and do not fill gaps: leave suffix out.", ("",)),
        "template": Refusal("A model's chat template is not changed by a request: put it beside the model.", ("",)),
        "context": Refusal("Conversations are sent whole, to /api/chat: leave context out.", ([],)),
    }

    prompt: str = ""
    system: str = ""
    images: WireList[str] | None = None
    raw: bool = False

    def messages(self) -> list[RawMessage]:
        """The prompt as a chat of one turn."""
        turn = {"role": "user", "content": content_of([*self._pictures(), text_part(self.prompt)])}
        return [{"role": "system", "content": self.system}, turn] if self.system else [turn]

    def bare_prompt(self) -> str:
        """The prompt that is gone on from.

        Raises:
            InvalidRequest: There is something besides, which only a chat template could place.
        """
        if self.system or self.images or self.format:
            raise InvalidRequest("With raw there is only the prompt: leave system, images and format out.", "raw")
        return encodable(self.prompt)

    def _pictures(self) -> list[RawMessage]:
        return [picture_part(_PICTURE_TYPE, data) for data in self.images or []]


@router.post("/api/chat", response_model=None)
async def create_chat(request: Request, body: OllamaChat) -> Response:
    """Answer a conversation, line by line unless told otherwise; without messages, load the model or unload it."""
    if not body.messages:
        return await _load(request, body, "chat")
    chat = await ask_chat(request, body.model_name, [message.raw() for message in body.messages])
    options = body.generate_options(chat.client, tools=body.chat_tools())
    answer, told = await open_chat(request, chat, options, stream=body.stream)
    return await _respond(request, body, await _wire(request, body, chat, "chat"), answer, told)


@router.post("/api/generate", response_model=None)
async def create_completion(request: Request, body: OllamaCompletion) -> Response:
    """Answer a prompt, line by line unless told otherwise; without one, load the model or unload it."""
    if not body.prompt and not body.images:
        return await _load(request, body, "generate")
    if body.raw:
        client = await pool_of(request).client(body.model_name)
        options = body.generate_options(client)
        bare = await client.aopen_text(body.bare_prompt(), options, parse_special=True)
        return await _respond(request, body, OllamaWire(client.card.entry.id, "generate", body.model), bare, {})
    chat = await ask_chat(request, body.model_name, body.messages())
    options = body.generate_options(chat.client)
    answer, told = await open_chat(request, chat, options, stream=body.stream)
    return await _respond(request, body, await _wire(request, body, chat, "generate"), answer, told)


async def _wire(request: Request, body: OllamaGeneration, chat: AskedChat, kind: Kind) -> OllamaWire:
    """Tells the model by the name that the request gave it; another one that sees its pictures by its own."""
    answering = chat.client.card.entry.id
    is_asked = (await pool_of(request).entry(body.model_name)).id == answering
    return OllamaWire(answering, kind, body.model if is_asked else None)


async def _respond(
    request: Request,
    body: OllamaGeneration,
    wire: OllamaWire,
    answer: CitedAnswer | AsyncAnswer,
    told: Mapping[str, str],
) -> Response:
    headers = {**body.headers(), **told}
    if body.stream:
        response = LineStreamResponse(wire, headers)
        response.answer = answer
        return response
    result = await unless_disconnected(request, answer.collect(), wire.model)
    return JSONResponse(wire.whole(result), headers=headers)


async def _load(request: Request, body: OllamaGeneration, kind: Kind) -> Response:
    """Have a model in memory, or, where it is to stay there for no time, give its memory back."""
    body.check_refused()
    pool = pool_of(request)
    entry = await pool.entry(body.model_name)
    reason: Literal["load", "unload"] = "unload" if body.seconds_to_stay() == 0 else "load"
    if reason == "unload":
        await pool.unload(entry.id)
    else:
        await unless_disconnected(request, pool.load(entry.id))
    told = OllamaWire(entry.id, kind, body.model).loaded(reason)
    if not body.stream:
        return JSONResponse(told, headers=body.headers())
    return Response(f"{dump_json(told)}\n", media_type=LINES_TYPE, headers=body.headers())
