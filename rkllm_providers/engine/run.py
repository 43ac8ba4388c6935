"""What an engine is asked and what it answers: plain values, and the run that joins them."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from rkllm_providers.chat.prompt_types import PicturePrompt, TextPrompt
from rkllm_providers.chat.stream import Token
from rkllm_providers.chat.types import Priority, Sampling
from rkllm_providers.durations import FOREVER
from rkllm_providers.engine.frames import Frame, FrameKind, pack_json
from rkllm_providers.engine.kept_states import KeptStateSettings
from rkllm_providers.engine.ledger import CacheUse
from rkllm_providers.engine.picture_encoder import EncoderPlan
from rkllm_providers.engine.picture_order import pack_pictures
from rkllm_providers.engine.rows_runs import RowsWanted
from rkllm_providers.errors import RKLLMError
from rkllm_providers.models import PromptForm
from rkllm_providers.models.adapters import Adapter
from rkllm_providers.vision import PictureLimits


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """What an engine loads: equal specs can share one engine.

    ``modified_ns`` is the file's time stamp, so that a file that was replaced is another model.
    ``library`` and ``runtime_version`` override how the runtime library is found and told; for an
    ``emulated`` model ``runtime_version`` is the version the emulator plays. ``form`` is how the model is
    given its prompts, ``fallback_form`` how if its tokenizer proves not to be the library's: the library must
    count ``check_tokens`` in ``check_text``. ``end_tokens`` end an answer, whatever the library thinks of them.
    ``sampling`` is what runtimes without sampling per run are loaded with where no request says otherwise.
    ``plain_text`` keeps the runtime's own template off a model that is not for chat and has no tokenizer here.
    ``domain_id`` is the NPU memory domain that its owner chose for it. ``vision`` says how its pictures are read,
    ``None`` if it takes none.
    """

    name: str
    model_path: Path
    emulated: bool
    context_length: int
    modified_ns: int = 0
    library: str | None = None
    runtime_version: str | None = None
    form: PromptForm = PromptForm.RUNTIME
    fallback_form: PromptForm = PromptForm.RUNTIME
    check_text: str | None = None
    check_tokens: int = 0
    end_tokens: frozenset[int] = frozenset()
    sampling: Sampling = field(default_factory=Sampling)
    plain_text: bool = False
    domain_id: int | None = None
    vision: EncoderPlan | None = None


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Bounds on everything that waits, in requests and seconds; bulk work has a queue of its own.

    ``first_token_seconds`` are from a run's start, the reading of its prompt included; ``token_seconds``
    are from one token to the next, after which a library counts as hung. ``keep_alive`` is how long a model stays
    loaded after its last request. A worker whose resident memory is above ``worker_memory`` bytes after a run is
    replaced. ``prefill_chunk`` has prompts read in pieces of so many tokens: between two of them a request can be
    cancelled and one of a higher priority be answered, at the price of about one decode for each piece.
    ``pictures`` is what is accepted of pictures, ``picture_cache`` how many bytes of encoded ones a worker keeps
    (one takes 1 to 7 MiB); ``load_encoder`` loads a vision encoder with its model, and not with the first picture.
    """

    queue: int = 64
    bulk_queue: int = 4096
    queue_seconds: float = 300.0
    bulk_queue_seconds: float = 3600.0
    load_seconds: float = 600.0
    run_seconds: float = 1800.0
    abort_seconds: float = 60.0
    first_token_seconds: float = 1200.0
    token_seconds: float = 300.0
    keep_alive: float = FOREVER
    worker_memory: int | None = None
    prefill_chunk: int | None = None
    kept_states: KeptStateSettings = field(default_factory=KeptStateSettings)
    pictures: PictureLimits = field(default_factory=PictureLimits)
    picture_cache: int = 64 << 20
    load_encoder: bool = False


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run: ``prompt`` is int32 token ids, or text that the runtime tokenises.

    ``max_tokens`` of ``None`` is what is left of the window. ``timeout`` is in seconds from submission to
    the last token, ``first_token_timeout`` to the first; ``None`` leaves the engine's limits. ``continues``
    is for a further segment of a request whose turn it is already; a run that ``may_continue`` keeps its turn until
    it is, or ``Engine.settle`` is called. One that is ``admitted`` belongs to a call whose first run was let into the
    queue. ``keep_alive`` changes the engine's from now on.
    A ``plain`` prompt is no turn of a chat: it goes without the chat template. ``rows`` asks for a vector in place
    of tokens, ``lora`` for an adapter.
    """

    prompt: array[int] | TextPrompt
    max_tokens: int | None
    sampling: Sampling = field(default_factory=Sampling)
    timeout: float | None = None
    first_token_timeout: float | None = None
    priority: Priority = "chat"
    continues: bool = False
    admitted: bool = False
    may_continue: bool = False
    keep_alive: float | None = None
    plain: bool = False
    rows: RowsWanted | None = None
    lora: Adapter | None = None


class RunDone(NamedTuple):
    """How a run ended, and where its time went (milliseconds).

    ``prefill_tokens`` are the prompt tokens that were really computed, ``None`` where the runtime
    does not tell; ``kv_size`` the positions in the KV cache afterwards, likewise. ``max_tokens`` is the
    limit that was in force. ``cached_tokens`` are the prompt's tokens that were in the KV cache already,
    ``cached_estimated`` where that is what was expected and not what the runtime says. ``broke_at`` is the
    number of the first prompt token that was not as in the cache, ``None`` if all that the cache held was used.
    ``vector`` is what a run without tokens was for: float32 values, little-endian. ``picture_tokens`` are those of
    the prompt's pictures, ``n_encoded`` how many of these were encoded for it, in ``encode_ms``.
    """

    n_tokens: int
    max_tokens: int
    queue_ms: float
    load_ms: float
    prefill_ms: float
    decode_ms: float
    prefill_tokens: int | None
    kv_size: int | None
    warnings: tuple[str, ...]
    cached_tokens: int | None = None
    cached_estimated: bool = False
    broke_at: int | None = None
    last_token: int | None = None
    vector: bytes = b""
    picture_tokens: int = 0
    n_encoded: int = 0
    encode_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class RuntimeInfo:
    """What runs the model: filled in when it is loaded.

    ``tokenizer_checked`` says that the library counts tokens as our tokenizer does; runtimes before 1.2.1
    cannot tell.
    """

    version: str
    group: str
    emulated: bool
    library: str
    per_run_sampling: bool
    context_length: int
    load_ms: float
    tokenizer_checked: bool = False


class PrefillProgress(NamedTuple):
    """How far the reading of a prompt is that is read in pieces: tokens of it that are in the KV cache, and all."""

    n_read: int
    n_tokens: int


# What a run delivers: its tokens in order, then exactly one end or error.
RunItem = Token | PrefillProgress | RunDone | RKLLMError


class Stream(Protocol):
    """Where a run's items go. ``loop`` is the event loop that waits for them, if one does."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop of its consumer; ``None`` for a thread."""
        ...

    def put(self, batch: list[RunItem]) -> bool:
        """Add items; ``False`` if nobody will ever take them. Called on the engine's thread."""
        ...


class PromptFormChanged(RKLLMError):
    """The model takes its prompts in another form than this one's, as loading it showed: render it anew."""


class RunState(Enum):
    """Where a run is. Only the engine's thread moves it."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


class Run:
    """A submitted request and the stream its items go to.

    ``queued_at`` is when it began to wait, for the last time. ``ordered_at`` is when the worker got its newest order
    of it. ``first_use``, ``computed``, ``prefill_ms`` and
    ``kept_ms`` are of the orders before the last: what the first of them found in the cache, the tokens they
    computed, the milliseconds that took, and those of keeping another conversation's state; ``spent_ms`` are
    those of both before it was put back.
    """

    __slots__ = (
        *("attempts", "cancelled", "id", "load_ms", "request", "started_at", "state", "stream", "submitted_at"),
        *("computed", "first_use", "kept_ms", "ordered_at", "prefill_ms", "queued_at", "spent_ms", "vector"),
    )

    def __init__(self, run_id: int, request: RunRequest, stream: Stream) -> None:
        self.id = run_id
        self.request = request
        self.stream = stream
        self.state = RunState.QUEUED
        self.cancelled = False
        self.attempts = 0
        self.submitted_at = self.queued_at = time.monotonic()
        self.started_at = 0.0
        self.load_ms = 0.0
        self.vector = b""
        self.ordered_at = 0.0
        self.first_use: CacheUse | None = None
        self.computed = 0
        self.prefill_ms = 0.0
        self.kept_ms = 0.0
        self.spent_ms = 0.0

    def note_put_back(self) -> None:
        """It waits again, for another goes before it or its worker was lost."""
        self.state = RunState.QUEUED
        self.queued_at = time.monotonic()
        self.spent_ms = self.prefill_ms + self.kept_ms


_TOKEN: Final = int(FrameKind.TOKEN)
_WAITING: Final = int(FrameKind.WAITING)


def token_items(received: Sequence[Frame], run_id: int) -> tuple[list[RunItem], list[Frame]]:
    """The tokens of a run in what a worker sent, and the frames that are no tokens.

    Tokens of other runs are late ones of a run that was aborted; they are dropped.
    """
    items: list[RunItem] = []
    others: list[Frame] = []
    for frame in received:
        kind = frame.kind
        if kind == _TOKEN:
            if frame.run_id == run_id:
                items.append((frame.token_id, frame.body))
        elif kind == _WAITING:
            if frame.run_id == run_id:
                items.append((frame.token_id, None))
        else:
            others.append(frame)
    return items, others


class Order(NamedTuple):
    """What a worker is to do for a run: the run itself, or a step before it, which gives no tokens to anybody.

    ``prompt`` of ``None`` is the run's own, else it may be a piece of one of ``n_prompt`` tokens. The cache's state
    at the end goes into the file ``save_to``; the state in the file ``restore`` is loaded first.
    """

    id: int
    prompt: array[int] | None = None
    save_to: Path | None = None
    restore: Path | None = None
    n_prompt: int = 0

    @property
    def is_step(self) -> bool:
        """Whether the run itself is still to come."""
        return self.prompt is not None


def order_frame(
    order: Order, run: Run, max_tokens: int | None, known_pictures: frozenset[str] = frozenset()
) -> bytes:
    """The frame that has a worker carry out an order; it knows pictures of these digests already."""
    request = run.request
    prompt = request.prompt if order.prompt is None else order.prompt
    adapter = request.lora
    content: dict[str, Any] = {
        "run": order.id,
        "max_tokens": 1 if order.is_step else max_tokens,
        "quiet": order.is_step,
        "save_to": None if order.save_to is None else str(order.save_to),
        "restore": None if order.restore is None else str(order.restore),
        "sampling": asdict(request.sampling),
        "plain": request.plain,
        "rows": asdict(request.rows) if request.rows is not None else None,
        "lora": None if adapter is None else {**asdict(adapter), "path": str(adapter.path)},
    }
    if not isinstance(prompt, TextPrompt):
        return pack_json(FrameKind.RUN, {**content, "input": "tokens"}, prompt.tobytes())
    content |= {
        "input": "text",
        "bound": prompt.bound,
        "fingerprint": prompt.fingerprint,
        "newest": None,
        "enable_thinking": prompt.enable_thinking,
    }
    if isinstance(prompt, PicturePrompt):
        files = [(picture.digest, picture.data) for picture in prompt.pictures]
        fields, blob = pack_pictures(prompt.text, files, known_pictures)
        content |= {"input": "pictures", "n_text_tokens": prompt.n_tokens, "is_transcript": prompt.is_transcript}
        return pack_json(FrameKind.RUN, content | fields, blob)
    if prompt.newest is not None:
        content["newest"] = asdict(prompt.newest)
    return pack_json(FrameKind.RUN, content, prompt.text.encode())


def run_end(run: Run, content: dict[str, Any], use: CacheUse, warnings: tuple[str, ...]) -> RunDone:
    """How a run ended, from what its worker says."""
    first, computed = run.first_use or use, content["prefill_tokens"]
    seen = content.get("pictures")
    waited = (run.started_at - run.submitted_at) * 1000
    return RunDone(
        n_tokens=content["n_tokens"],
        max_tokens=content["max_tokens"],
        queue_ms=max(0.0, waited - run.load_ms - run.spent_ms) + run.kept_ms,
        load_ms=run.load_ms + (seen["load_ms"] if seen else 0.0),
        prefill_ms=content["prefill_ms"] + content["restore_ms"] + run.prefill_ms,
        decode_ms=content["decode_ms"],
        prefill_tokens=None if computed is None else computed + run.computed,
        kv_size=content["kv_size"],
        warnings=warnings,
        cached_tokens=first.cached_tokens,
        cached_estimated=first.estimated,
        broke_at=first.broke_at,
        last_token=content["generated"][-1] if content["generated"] else None,
        vector=run.vector,
        picture_tokens=seen["picture_tokens"] if seen else 0,
        n_encoded=seen["n_encoded"] if seen else 0,
        encode_ms=seen["encode_ms"] if seen else 0.0,
    )
