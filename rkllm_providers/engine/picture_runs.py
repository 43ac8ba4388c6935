"""Runs with pictures, in the worker: encoded, counted, and kept apart from what the KV cache holds of others.

The library replaces each tag ``<image>`` of a text by the rows of one picture. What its cache holds of a picture are
rows that it tells from others only by their place: consecutive runs about different pictures have been seen to mix
them up, and before 1.3.0 it reused rows wrongly (semantics.md §8). So the cache is cleared before a run
unless the run before it was about the very same pictures.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rkllm_providers.engine.picture_encoder import EncoderPlan, PictureEncoder
from rkllm_providers.engine.picture_order import unpack_pictures
from rkllm_providers.engine.rows_runs import clear_cache
from rkllm_providers.engine.text_runs import CUE, TextRun, TextRuns
from rkllm_providers.errors import ContextLengthExceeded, GenerationError, ModelLoadError, UnsupportedFeature
from rkllm_providers.runtime import Feature, Images, Markers, ModelHandle, MultimodalInput, PromptInput
from rkllm_providers.runtime.abi import rank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PictureRun:
    """How a run is made: its input, the most tokens it may give, and what its pictures took.

    ``digests`` tell its pictures from others. ``counting`` is the run that counted its prompt, where one had to.
    """

    content: MultimodalInput
    limit: int
    digests: tuple[str, ...]
    picture_tokens: int
    n_encoded: int
    encode_ms: float
    load_ms: float
    counting: TextRun | None = None

    def account(self) -> dict[str, Any]:
        """What the engine is told of it, as JSON takes it."""
        names = ("picture_tokens", "n_encoded", "encode_ms", "load_ms")
        return {name: getattr(self, name) for name in names}


class PictureRuns:
    """Makes the runs with pictures of one model."""

    def __init__(
        self, handle: ModelHandle, texts: TextRuns, plan: EncoderPlan, encoder: PictureEncoder, context_length: int
    ) -> None:
        self.encoder = encoder
        self._handle = handle
        self._texts = texts
        self._plan = plan
        self._context_length = context_length
        self._held: tuple[str, ...] | None = None
        self._is_checked = False

    def forget(self) -> None:
        """Something else was run: what the cache holds of pictures is not known any more."""
        self._held = None

    def prepare(
        self, order: dict[str, Any], blob: bytes, is_cancelled: Callable[[], bool], lora: str | None
    ) -> PictureRun | None:
        """Encode an order's pictures, and make its run; ``None`` if it was cancelled meanwhile.

        Raises:
            UnsupportedFeature: The runtime, or the model with this runtime, takes one picture only.
            ContextLengthExceeded: The prompt with its pictures leaves no room for an answer.
            RKLLMError: A picture is broken, or the encoder fails.
        """
        text, files = unpack_pictures(order, blob)
        digests = tuple(picture["digest"] for picture in order["pictures"])
        self._check_number(len(digests))
        load_ms = self._load()
        picture_tokens = len(digests) * self.encoder.load().n_tokens
        limit = self._limit(order, picture_tokens)
        began = time.monotonic()
        # What is kept is taken first: what is encoded now may push it out.
        rows = self.encoder.kept(digests)
        new = [digest for digest in dict.fromkeys(digests) if digest not in rows]
        for digest in new:
            if is_cancelled():
                return None
            rows[digest] = self.encoder.encode(digest, files[digest])
        encode_ms = (time.monotonic() - began) * 1000
        content = self._content(order, text, [rows[digest] for digest in digests])
        self._make_room(digests)
        counting = None
        if limit is None:
            counting = self._texts.counted(content, order["bound"] + picture_tokens, order["max_tokens"], lora)
            limit = counting.limit
            if not self._reuses:
                clear_cache(self._handle)  # nor is the run that counted these pictures to be gone on with
        return PictureRun(content, limit, digests, picture_tokens, len(new), encode_ms, load_ms, counting)

    def _content(self, order: dict[str, Any], text: str, rows: Sequence[NDArray[np.float32]]) -> MultimodalInput:
        """The library's input: the rows of all pictures in the order of their tags."""
        import numpy as np

        library, plan, facts = self._handle.library, self._plan, self.encoder.load()
        # Older runtimes were told when the model was loaded.
        per_input = library.supports(Feature.MARKERS_PER_INPUT)
        markers = Markers(plan.start, plan.end, plan.content) if per_input else None
        images = Images(np.stack(rows), plan.width or facts.width, plan.height or facts.height, markers)
        if order["is_transcript"] and not library.supports(Feature.CHAT_TEMPLATE):
            text += CUE
        thinks = bool(order["enable_thinking"]) and library.supports(Feature.THINKING)
        return MultimodalInput(text, images, enable_thinking=thinks)

    @property
    def _reuses(self) -> bool:
        return self._handle.library.supports(Feature.PICTURE_PREFIX_REUSE)

    def note_end(self, run: PictureRun, *, failed: bool) -> None:
        """Take account of a run that ended."""
        self._held = None if failed else run.digests

    def close(self) -> None:
        """Free the encoder."""
        self.encoder.close()

    def _check_number(self, n_pictures: int) -> None:
        library, since = self._handle.library, self._plan.several_since
        if n_pictures < 2:
            return
        library.require(Feature.SEVERAL_IMAGES)
        if since is not None and rank(library.version) < rank(since):
            raise UnsupportedFeature(
                f"There are {n_pictures} pictures in the conversation, and this model takes several only with "
                f"runtime {since} and later; this is {library.version}. Leave all but one out."
            )

    def _load(self) -> float:
        """Load the encoder, where that was not done; the milliseconds that took."""
        started = time.monotonic()
        self.encoder.load()
        if not self._is_checked:
            self._check_width()
            self._is_checked = True
        return (time.monotonic() - started) * 1000

    def _check_width(self) -> None:
        """Refuse an encoder whose rows are not the model's: the library reads rows of its own size in any case.

        Raises:
            ModelLoadError: The encoder is another model's.
        """
        facts = self.encoder.load()
        try:
            width = self._handle.hidden_states(PromptInput("a"), last_only=True).shape[1]
        except GenerationError as error:
            logger.warning(
                "the model does not tell the size of its rows, so the encoder's are taken as they are: %s", error
            )
            return
        finally:
            self._texts.forget()
        # Each output of an encoder with several goes to a layer of its own, and has the model's width.
        if facts.n_embd not in (width, width * facts.n_outputs):
            raise ModelLoadError(
                f"The vision encoder {self._plan.encoder.name} makes rows of {facts.n_embd} numbers "
                f"({facts.n_outputs} outputs), and the model has rows of {width}: it is another model's encoder."
            )

    def _limit(self, order: dict[str, Any], picture_tokens: int) -> int | None:
        """The most tokens of the answer; ``None`` where the prompt has to be counted by running it."""
        room = self._context_length - picture_tokens - self._texts.margin
        if order["n_text_tokens"] is None:
            if room - len(order["pictures"]) < 1:
                raise ContextLengthExceeded(picture_tokens, self._context_length)
            return None
        n_text_tokens: int = order["n_text_tokens"]
        room -= n_text_tokens
        if room < 1:
            raise ContextLengthExceeded(n_text_tokens + picture_tokens, self._context_length)
        return room if order["max_tokens"] is None else min(room, int(order["max_tokens"]))

    def _make_room(self, digests: tuple[str, ...]) -> None:
        """Clear the cache, unless the runtime may go on with what it holds of these pictures."""
        if not self._reuses or self._held != digests:
            clear_cache(self._handle)
        self._held = None
        self._texts.forget()  # and no conversation in the runtime's history goes on behind it
