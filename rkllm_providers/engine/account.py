"""What an answer took: its tokens and its time, over all its runs."""

from __future__ import annotations

import logging

from rkllm_providers.chat.prompt_types import PicturePrompt, Prompt, TextPrompt
from rkllm_providers.chat.types import Finish, FinishReason, Timings, Usage
from rkllm_providers.engine.run import RunDone

logger = logging.getLogger(__name__)


def joined(first: RunDone | None, last: RunDone) -> RunDone:
    """The account of several runs: the prompt's of the first, the end's of the last, times of all."""
    if first is None:
        return last
    return last._replace(
        n_tokens=first.n_tokens + last.n_tokens,
        queue_ms=first.queue_ms + last.queue_ms,
        load_ms=first.load_ms + last.load_ms,
        prefill_ms=first.prefill_ms + last.prefill_ms,
        decode_ms=first.decode_ms + last.decode_ms,
        n_encoded=first.n_encoded + last.n_encoded,
        encode_ms=first.encode_ms + last.encode_ms,
        picture_tokens=first.picture_tokens,
        prefill_tokens=first.prefill_tokens,
        # As if the first prompt had been all: less the tokens of the answer, it is the size of that prompt.
        kv_size=None if first.kv_size is None else first.kv_size + last.n_tokens,
        cached_tokens=first.cached_tokens,
        cached_estimated=first.cached_estimated,
        broke_at=first.broke_at,
    )


def finish_of(
    done: RunDone, prompt: Prompt, reason: FinishReason, completion_tokens: int, reasoning_tokens: int, name: str
) -> Finish:
    """The last event of an answer; ``prompt`` is that of its first run, ``name`` the model's."""
    n_prompt = prompt.n_tokens + done.picture_tokens
    content = prompt.content
    estimated = isinstance(content, TextPrompt)
    cached, break_at = done.cached_tokens or 0, None
    if estimated:
        if done.kv_size is not None:
            # The last sampled token is not in the cache.
            n_prompt = max(1, done.kv_size - max(0, done.n_tokens - 1))
            estimated = False
        elif isinstance(content, PicturePrompt):
            estimated = content.n_tokens is None
        cached = 0 if done.prefill_tokens is None else max(0, n_prompt - done.prefill_tokens)
    elif done.broke_at is not None and prompt.origin is not None:
        break_at = prompt.origin.message_of(done.broke_at), done.broke_at
        logger.debug("%s: the prompt left the KV cache at message %d, token %d of %d", name, *break_at, n_prompt)
    usage = Usage(
        n_prompt, completion_tokens, cached, estimated, reasoning_tokens, done.cached_estimated and cached > 0
    )
    timings = Timings(
        done.queue_ms, done.load_ms, done.prefill_ms, done.decode_ms, break_at, done.n_encoded, done.encode_ms
    )
    return Finish(reason, usage, timings, done.warnings)
