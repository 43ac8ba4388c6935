"""Text completions: a model goes on from a text, without its chat template."""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.api.event_stream import EventStreamResponse, unless_disconnected
from rag_service.api.openai.answer_wire import AnswerWire
from rag_service.api.openai.fields import Refusal, pool_of
from rag_service.api.openai.generation import GenerationRequest
from rag_service.api.openai.token_texts import one_text
from rag_service.api.wire_lists import WireList
from rkllm_providers.chat import ChatEvent, ChatResult, Finish, TextDelta
from rkllm_providers.chat.conversation import encodable
from rkllm_providers.engine import ModelClient
from rkllm_providers.errors import InvalidRequest

router = APIRouter()

_REFUSED: Final[Mapping[str, Refusal]] = {
    "n": Refusal("Only one answer per request is supported: leave n out, or send the request several times.", (1,)),
    "best_of": Refusal("Only one answer is generated: leave best_of out.", (1,)),
    "logprobs": Refusal("The runtime gives no log probabilities while it generates: leave logprobs out."),
    "logit_bias": Refusal("The runtime cannot weigh single tokens: leave logit_bias out.", ({},)),
    "suffix": Refusal("The models here go on from a text and do not fill gaps: leave suffix out.", ("",)),
}


class CompletionRequest(GenerationRequest):
    """The body of ``POST /v1/completions``."""

    refused: ClassVar[Mapping[str, Refusal]] = _REFUSED

    prompt: str | WireList[int] | WireList[str] | WireList[WireList[int]]
    echo: bool | None = None
    parse_special: bool = False

    def one_prompt(self) -> str | list[int]:
        """The prompt: a text, or tokens.

        Raises:
            InvalidRequest: There are several.
        """
        prompt = self.prompt
        if isinstance(prompt, str):
            return prompt
        if prompt and isinstance(prompt[0], int):
            return [token for token in prompt if isinstance(token, int)]
        if len(prompt) != 1 or isinstance(prompt[0], int):
            raise InvalidRequest(f"prompt has {len(prompt)} prompts; one per request is supported.", "prompt")
        return prompt[0]


@router.post("/completions", response_model=None)
async def create_completion(request: Request, body: CompletionRequest) -> Response:
    """Go on from a text, whole or as server-sent events."""
    options = body.options()
    client = await pool_of(request).client(body.model)
    prompt = encodable(await one_text(client, body.one_prompt(), "prompt"))
    wire = TextWire(client, prompt if body.echo else "", include_usage=body.include_usage)
    headers = body.headers()
    if body.stream:
        response = EventStreamResponse(wire, headers)
        response.answer = await client.aopen_text(prompt, options, parse_special=body.parse_special)
        return response
    answer = await client.aopen_text(prompt, options, parse_special=body.parse_special)
    result = await unless_disconnected(request, answer.collect(), wire.model)
    return JSONResponse(wire.whole(result), headers=headers)


class TextWire(AnswerWire):
    """Encodes one text completion, behind what it is to repeat."""

    def __init__(self, client: ModelClient, echoed: str, *, include_usage: bool) -> None:
        super().__init__(client, "cmpl", "text_completion", include_usage=include_usage)
        self._echoed = echoed
        self._before = f'{self._chunk}"text":'
        self._after = ',"logprobs":null,"finish_reason":null}]}\n\n'

    def opening(self) -> bytes:
        """The prompt, where it is to be repeated."""
        return self._piece(self._echoed).encode() if self._echoed else b""

    def encode(self, events: list[ChatEvent]) -> bytes:
        """One chunk per event; an answer's end also closes the stream."""
        parts: list[str] = []
        for event in events:
            if isinstance(event, TextDelta):
                parts.append(self._piece(event.text))
            elif isinstance(event, Finish):
                choice = f'"text":"","logprobs":null,"finish_reason":"{event.reason}"'
                parts.append(self._closing(choice, event))
        return "".join(parts).encode()

    def whole(self, result: ChatResult) -> dict[str, Any]:
        """An answer that is not streamed."""
        choice = {"text": self._echoed + result.text, "logprobs": None, "finish_reason": result.finish.reason}
        return self._complete("text_completion", choice, result.finish)

    def _piece(self, text: str) -> str:
        return self._before + encode_basestring(text) + self._after
