"""The vision half of a GGUF model, run by llama.cpp's mtmd: a real encoder where there is no NPU.

A projector (``mmproj-….gguf``) takes the place of a ``.rknn`` file where ``[vision]`` of a model's ``.toml`` names
it. ``ProjectorEncoder`` is used as ``rkllm_providers.vision.VisionEncoder`` is. llama.cpp calls the interface behind
it experimental; it is that of the ``llama-cpp-python`` which is installed (the ``cpu`` extra).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rkllm_providers.errors import EngineClosed, GenerationError, LibraryNotFound, ModelLoadError
from rkllm_providers.models.gguf import read_head
from rkllm_providers.vision.encoder import EncoderFacts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_IMAGE_SIZE: Final = "clip.vision.image_size"
_ROW_SIZE: Final = "clip.vision.projection_dim"
_DEEP_LAYERS: Final = "clip.vision.is_deepstack_layers"
_IMAGE_CHUNK: Final = 1
_LOG_ERROR: Final = 4  # ggml's number
_GREY: Final = 128
_MOST_PIXELS: Final = 4096


class ProjectorEncoder:
    """One loaded projector. For one thread at a time."""

    def __init__(self, mtmd: Any, context: Any, free_model: Callable[[], None], facts: EncoderFacts) -> None:
        self._mtmd = mtmd
        self._context = context
        self._free_model = free_model
        self.facts = facts

    @classmethod
    def load(cls, path: Path, decoder: Path) -> ProjectorEncoder:
        """Load a projector for the GGUF model ``decoder``, of which only the vocabulary is read.

        Raises:
            ModelLoadError: It is none, another model's, or cuts pictures into parts.
            LibraryNotFound: llama-cpp-python is not installed.
        """
        mtmd, llama = _libraries()
        side, width = _sizes(path, decoder)
        params = llama.llama_model_default_params()
        params.vocab_only = True
        # mtmd looks into its vocabulary for as long as it lives.
        model = llama.llama_model_load_from_file(os.fsencode(decoder), params)
        if not model:
            raise ModelLoadError(f"The vocabulary of {decoder} cannot be read.")
        context = mtmd.mtmd_init_from_file(os.fsencode(path), model, _options(mtmd))
        if not context:
            llama.llama_model_free(model)
            raise ModelLoadError(
                f"The projector {path} cannot be loaded for {decoder.name}: it may be another model's."
            )
        encoder = cls(mtmd, context, lambda: llama.llama_model_free(model), EncoderFacts(side, side, 3, 0, width, 1))
        try:
            with _Picture(mtmd, context, bytes([_GREY]) * (3 * side * side), side) as picture:
                encoder.facts = EncoderFacts(side, side, 3, picture.n_tokens, width, 1)
        except GenerationError as error:
            encoder.close()
            raise ModelLoadError(f"The projector {path} cannot be used: {error}") from error
        return encoder

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The rows of a picture, float32 ``[n_tokens, n_embd]``; ``pixels`` are RGB bytes of the projector's size.

        Raises:
            GenerationError: mtmd failed, or made another number of rows than before.
            EngineClosed: The encoder was closed.
        """
        import numpy as np

        if self._context is None:
            raise EngineClosed("The projector was closed.")
        facts = self.facts
        with _Picture(self._mtmd, self._context, pixels.tobytes(), facts.width) as picture:
            if picture.n_tokens != facts.n_tokens:
                raise GenerationError(
                    f"The projector made {picture.n_tokens} rows of a picture, not {facts.n_tokens}."
                )
            code = self._mtmd.mtmd_encode_chunk(self._context, picture.chunk)
            if code != 0:
                raise GenerationError(f"mtmd_encode_chunk failed with {code}.")
            rows = self._mtmd.mtmd_get_output_embd(self._context)
            return np.ctypeslib.as_array(rows, (facts.n_tokens, facts.n_embd)).astype(np.float32, copy=True)

    def close(self) -> None:
        """Free the projector. May be called again."""
        if self._context is not None:
            context, self._context = self._context, None
            self._mtmd.mtmd_free(context)
            self._free_model()


class _Picture:
    """A picture as mtmd holds it, freed at the end of a ``with`` block: ``chunk`` is what is encoded."""

    def __init__(self, mtmd: Any, context: Any, pixels: bytes, side: int) -> None:
        self._mtmd = mtmd
        self._chunks = mtmd.mtmd_input_chunks_init()
        self._bitmap = mtmd.mtmd_bitmap_init(side, side, (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels))
        marker = mtmd.mtmd_default_marker()
        text = mtmd.mtmd_input_text()
        text.text, text.text_len, text.add_special, text.parse_special = marker, len(marker), False, True
        bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(self._bitmap)
        code = mtmd.mtmd_tokenize(context, self._chunks, ctypes.byref(text), bitmaps, 1)
        n_chunks = mtmd.mtmd_input_chunks_size(self._chunks)
        chunks = [mtmd.mtmd_input_chunks_get(self._chunks, at) for at in range(n_chunks)]
        images = [chunk for chunk in chunks if mtmd.mtmd_input_chunk_get_type(chunk) == _IMAGE_CHUNK]
        if code != 0 or len(images) != 1:
            self._free()
            raise GenerationError(
                f"mtmd made {len(images)} parts of a picture (code {code}), and one is what can be used."
            )
        self.chunk = images[0]
        self.n_tokens = int(mtmd.mtmd_input_chunk_get_n_tokens(self.chunk))

    def __enter__(self) -> _Picture:
        return self

    def __exit__(self, *_: object) -> None:
        self._free()

    def _free(self) -> None:
        self._mtmd.mtmd_input_chunks_free(self._chunks)
        self._mtmd.mtmd_bitmap_free(self._bitmap)


def _sizes(path: Path, decoder: Path) -> tuple[int, int]:
    """The side of the projector's pictures in pixels, and the size of its rows, which is the decoder's.

    Raises:
        ModelLoadError: It is no projector, or another model's.
    """
    try:
        told, text = read_head(path), read_head(decoder)
    except (OSError, ValueError) as error:
        raise ModelLoadError(f"The projector {path} cannot be read: {error}") from error
    side, width = told.get(_IMAGE_SIZE), told.get(_ROW_SIZE)
    if not isinstance(side, int) or not 0 < side <= _MOST_PIXELS:
        raise ModelLoadError(f"{path} is no projector for pictures: its {_IMAGE_SIZE} is {side!r}.")
    wanted = text.get(f"{text.get('general.architecture')}.embedding_length")
    if not isinstance(width, int) or width != wanted:
        raise ModelLoadError(
            f"The projector {path} makes rows of {width!r} numbers, not {wanted!r} as {decoder.name} has."
        )
    if any(told.get(_DEEP_LAYERS) or ()):
        raise ModelLoadError(f"The projector {path} feeds several layers of its model, which is not supported.")
    return side, width


def _libraries() -> tuple[Any, Any]:
    try:
        from llama_cpp import llama_cpp, mtmd_cpp
    except (ImportError, OSError, RuntimeError) as error:
        raise LibraryNotFound(
            f"Projectors run on llama-cpp-python, which cannot be used ({error}): pip install 'rkllm-providers[cpu]'"
        ) from error
    # Importing it has set a callback that prints everything.
    llama_cpp.llama_log_set(_log_callback(llama_cpp), None)
    mtmd_cpp.mtmd_log_set(_log_callback(llama_cpp), None)
    return mtmd_cpp, llama_cpp


_callbacks: list[Any] = []


def _log_callback(llama: Any) -> Any:
    """What llama.cpp calls with its lines: errors are shown."""
    if not _callbacks:

        def show(level: int, text: bytes, _: object) -> None:
            if level == _LOG_ERROR:
                print(text.decode(errors="replace"), end="", file=sys.stderr)

        _callbacks.append(llama.llama_log_callback(show))  # it must outlive the library's use of it
    return _callbacks[0]


def _options(mtmd: Any) -> Any:
    options = mtmd.mtmd_context_params_default()
    options.use_gpu = options.print_timings = options.warmup = False
    options.n_threads = int(os.environ.get("RKLLM_EMULATOR_THREADS") or max(1, (os.cpu_count() or 2) // 2))
    return options
