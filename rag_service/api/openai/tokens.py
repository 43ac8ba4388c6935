"""Text to tokens and back, in llama.cpp's form."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rag_service.api.openai.fields import WireRequest, pool_of
from rag_service.api.openai.token_texts import one_text
from rag_service.api.wire_lists import WireList

router = APIRouter()


class TokenizeRequest(WireRequest):
    """The body of ``POST /tokenize``; ``add_special`` puts around the text what the model's tokenizer does."""

    model: str | None = None
    content: str
    add_special: bool = False


class DetokenizeRequest(WireRequest):
    """The body of ``POST /detokenize``."""

    model: str | None = None
    tokens: WireList[int]


@router.post("/tokenize", response_model=None)
async def tokenize(request: Request, body: TokenizeRequest) -> Response:
    """The token ids of a text, in which no control token is found."""
    client = await pool_of(request).client(body.model)
    ids = await asyncio.to_thread(client.tokenize, body.content)
    if body.add_special:
        frame = client.card.text_frame
        ids = [*frame.start, *ids, *frame.end]
    return JSONResponse({"tokens": ids}, headers=body.headers())


@router.post("/detokenize", response_model=None)
async def detokenize(request: Request, body: DetokenizeRequest) -> Response:
    """The text of tokens."""
    client = await pool_of(request).client(body.model)
    return JSONResponse({"content": await one_text(client, body.tokens, "tokens")}, headers=body.headers())
