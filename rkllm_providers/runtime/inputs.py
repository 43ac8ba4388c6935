"""What a run is given, as plain values, and as the library's struct.

Sizes the library cannot check are checked here: it reads as many floats as it is told to, and a picture's
tag without a picture makes it read past the end.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.runtime.features import Feature
from rkllm_providers.runtime.library import RuntimeLibrary, oversized
from rkllm_providers.runtime.parameters import ROLES, Markers, encode_text, token_array


@dataclass(frozen=True)
class PromptInput:
    """Text of one turn, which the library puts through the model's chat template.

    ``role`` is ``user`` or ``tool`` (then ``text`` must be JSON); ``enable_thinking`` is honoured only by
    templates that the library parsed itself. Both need runtime 1.2.1, where they differ from the default.
    """

    text: str
    role: str = "user"
    enable_thinking: bool = False


@dataclass(frozen=True)
class TokenInput:
    """Token ids, used as they are, without a template; ``bytes`` are int32 in the machine's byte order."""

    ids: Sequence[int] | array[int] | bytes | bytearray


@dataclass(frozen=True)
class EmbedInput:
    """Embedding rows in place of tokens, used as they are: float32 ``[n_tokens, n_embd]``, contiguous.

    ``rows`` is a numpy array or whatever else has such a buffer.
    """

    rows: Any


@dataclass(frozen=True)
class Images:
    """Encoded pictures: float32 ``[n_images, n_tokens, n_embd]``, contiguous.

    ``width`` and ``height`` are those of the encoder's input in pixels, which some models need.
    ``markers`` (runtime 1.3.0) are those of ``InitParams`` where not given.
    """

    rows: Any
    width: int = 0
    height: int = 0
    markers: Markers | None = None


@dataclass(frozen=True)
class Videos:
    """Encoded videos (runtime 1.3.0): float32 ``[n_videos, n_frames, n_tokens, n_embd]``, contiguous."""

    rows: Any
    width: int = 0
    height: int = 0
    markers: Markers | None = None


@dataclass(frozen=True)
class MultimodalInput:
    """Text of one turn with pictures: one ``<image>`` in it per picture, one ``<video>`` per video."""

    text: str
    images: Images | None = None
    videos: Videos | None = None
    role: str = "user"
    enable_thinking: bool = False


RunInput = PromptInput | TokenInput | EmbedInput | MultimodalInput
"""Everything a handle runs."""


_TOKEN_ROWS = ("n_tokens", "n_embd")


class Rows:
    """Float rows as the library takes them: an address that is good while this object lives."""

    def __init__(self, given: object, dimensions: tuple[str, ...], width: int | None, param: str) -> None:
        view, self.shape = _view(given, dimensions, param)
        if width is not None and self.shape[-1] != width:
            raise InvalidRequest(
                f"{param} has rows of {self.shape[-1]} numbers, and the model takes rows of {width}.", param=param
            )
        buffer_type = ctypes.c_char * view.nbytes
        flat = view.cast("B")
        self._buffer = buffer_type.from_buffer_copy(flat) if view.readonly else buffer_type.from_buffer(flat)
        self.address = ctypes.addressof(self._buffer)


def _view(given: object, dimensions: tuple[str, ...], param: str) -> tuple[memoryview, tuple[int, ...]]:
    wanted = f"contiguous float32 [{', '.join(dimensions)}]"
    try:
        view = memoryview(given)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidRequest(f"{param} must be {wanted}, not {type(given).__name__}.", param=param) from None
    shape = tuple(view.shape or ())
    if view.format != "f" or len(shape) != len(dimensions) or not view.c_contiguous or not all(shape):
        order = "contiguous" if view.c_contiguous else "scattered"
        raise InvalidRequest(
            f"{param} must be {wanted} without empty dimensions, not {order} items of the format {view.format!r} "
            f"and the shape {shape}.",
            param=param,
        )
    return view, shape


def n_tokens_of(given: RunInput) -> int | None:
    """How many tokens an input has, where that does not depend on the model's tokenizer."""
    if isinstance(given, TokenInput):
        return len(token_array(given.ids))
    return _view(given.rows, _TOKEN_ROWS, "rows")[1][0] if isinstance(given, EmbedInput) else None


class InputBuilder:
    """Makes input structs for one handle. Each comes with the data it points to, to be kept meanwhile."""

    def __init__(self, library: RuntimeLibrary, markers: Markers | None, embedding_size: int | None) -> None:
        self._library = library
        self._layout = library.layout
        self._markers = markers
        self._width = embedding_size

    def build(self, given: RunInput) -> tuple[ctypes.Structure, object]:
        """The input struct, and what it points to."""
        types = self._layout.enums["RKLLMInputType"]
        struct: Any = oversized(self._layout.structs["RKLLMInput"])
        role = b"user"
        kept: object
        if isinstance(given, TokenInput):
            tokens = token_array(given.ids)
            kept = tokens
            struct.input_type = types["RKLLM_INPUT_TOKEN"]
            struct.token_input.input_ids, struct.token_input.n_tokens = tokens.buffer_info()
        elif isinstance(given, EmbedInput):
            rows = Rows(given.rows, _TOKEN_ROWS, self._width, "rows")
            kept = rows
            struct.input_type = types["RKLLM_INPUT_EMBED"]
            struct.embed_input.embed, struct.embed_input.n_tokens = rows.address, rows.shape[0]
        else:
            text, role = self._turn(given)
            if isinstance(given, MultimodalInput):
                struct.input_type = types["RKLLM_INPUT_MULTIMODAL"]
                struct.multimodal_input.prompt = text
                kept = (text, self._pictures(struct.multimodal_input, given))
            else:
                struct.input_type = types["RKLLM_INPUT_PROMPT"]
                struct.prompt_input = text
                kept = text
            if self._library.supports(Feature.ROLE):
                struct.enable_thinking = given.enable_thinking
        if self._library.supports(Feature.ROLE):
            struct.role = role
        return struct, (kept, role)

    def _turn(self, given: PromptInput | MultimodalInput) -> tuple[bytes, bytes]:
        if given.role not in ROLES:
            raise InvalidRequest(f"The role of a prompt is {' or '.join(ROLES)}, not {given.role!r}.", param="role")
        if given.role != "user":
            self._library.require(Feature.ROLE)
        if given.enable_thinking:
            self._library.require(Feature.THINKING)
        if not given.text:
            raise InvalidRequest("The prompt is empty; a run needs some text.", param="prompt")
        return encode_text(given.text, "prompt"), given.role.encode()

    def _pictures(self, struct: Any, given: MultimodalInput) -> object:
        images, videos = given.images, given.videos
        if images is None and videos is None:
            raise InvalidRequest("A multimodal input needs images or videos.", param="images")
        kept: list[object] = []
        per_input = self._library.supports(Feature.MARKERS_PER_INPUT)
        if videos is not None:
            self._library.require(Feature.VIDEO)
            rows = Rows(videos.rows, ("n_videos", "n_frames", "n_tokens", "n_embd"), self._width, "videos")
            part = struct.video
            part.video_embed = rows.address
            part.n_video, part.n_frame_per_video, part.n_frame_tokens = rows.shape[:3]
            part.frame_width, part.frame_height = videos.width, videos.height
            kept += [rows, self._mark(part, "video", videos.markers)]
        if images is not None:
            rows = Rows(images.rows, ("n_images", "n_tokens", "n_embd"), self._width, "images")
            part = struct.image if per_input else struct
            part.image_embed, part.n_image_tokens = rows.address, rows.shape[1]
            if self._library.supports(Feature.SEVERAL_IMAGES):
                part.n_image, part.image_width, part.image_height = rows.shape[0], images.width, images.height
            elif rows.shape[0] != 1:
                self._library.require(Feature.SEVERAL_IMAGES)
            if images.markers is not None:
                self._library.require(Feature.MARKERS_PER_INPUT)
            kept += [rows, self._mark(part, "image", images.markers) if per_input else None]
        counts = {"<image>": len(memoryview(images.rows)) if images else 0}
        if self._library.supports(Feature.VIDEO):
            counts["<video>"] = len(memoryview(videos.rows)) if videos else 0
        for tag, n in counts.items():
            if given.text.count(tag) != n:
                raise InvalidRequest(
                    f"The prompt has {given.text.count(tag)} tags {tag}, and the input {n} embeddings for them; "
                    "there must be as many of one as of the other.",
                    param="prompt",
                )
        return kept

    def _mark(self, struct: Any, kind: str, markers: Markers | None) -> object:
        chosen = markers or self._markers or Markers()
        texts = {name: encode_text(getattr(chosen, name), f"markers.{name}") for name in ("start", "end", "content")}
        for name, text in texts.items():
            setattr(struct, f"{kind}_{name}", text)
        return texts
