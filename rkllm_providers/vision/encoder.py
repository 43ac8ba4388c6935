"""A vision encoder: a ``.rknn`` file in ``librknnrt.so``, pixels in, embedding rows out."""

from __future__ import annotations

import ctypes
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rkllm_providers.errors import EngineClosed, InvalidRequest, ModelLoadError, RknnError
from rkllm_providers.vision.abi import CONTEXT, structs, value_of
from rkllm_providers.vision.library import RknnLibrary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

# Cores to core mask, as the vendor's sample chooses it; with any other number the library does.
_CORE_MASKS: Final = {2: "RKNN_NPU_CORE_0_1", 3: "RKNN_NPU_CORE_0_1_2"}
_FLOAT_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What an encoder takes and gives.

    A picture is ``height`` × ``width`` pixels of ``n_channels`` bytes, and becomes ``n_tokens`` rows of ``n_embd``
    numbers. Encoders with several outputs (``n_outputs``) give each row in as many parts; ``n_embd`` counts all.
    ``api_version`` and ``driver_version`` are those of the library and of the NPU's driver, in their own words.
    """

    width: int
    height: int
    n_channels: int
    n_tokens: int
    n_embd: int
    n_outputs: int
    api_version: str = ""
    driver_version: str = ""


class VisionEncoder:
    """One loaded encoder. For one thread at a time; a context manager that closes it."""

    def __init__(self, library: RknnLibrary, context: int, facts: EncoderFacts) -> None:
        self._library = library
        self._context: int | None = context
        self.facts = facts

    @classmethod
    def load(cls, library: RknnLibrary, path: Path, n_cores: int | None = None) -> VisionEncoder:
        """Load a ``.rknn`` file.

        ``n_cores`` is how many cores of the NPU to use, 2 or 3; else the library chooses.

        Raises:
            ModelLoadError: The library refuses it, or it is no encoder of pictures.
        """
        handle = CONTEXT()
        # With size 0 the library reads "model" as the path of a file.
        name = ctypes.create_string_buffer(os.fsencode(path))
        try:
            library.call("rknn_init", ctypes.addressof(handle), ctypes.addressof(name), 0, 0, None)
        except RknnError as error:
            raise ModelLoadError(f"The vision encoder {path} cannot be loaded: {error}") from error
        context = int(handle.value)
        try:
            if n_cores in _CORE_MASKS:
                library.call("rknn_set_core_mask", context, value_of("rknn_core_mask", _CORE_MASKS[n_cores]))
            return cls(library, context, _facts(library, context))
        except (RknnError, ValueError) as error:
            _destroy(library, context)
            raise ModelLoadError(f"The vision encoder {path} cannot be used: {error}") from error

    def __enter__(self) -> VisionEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The rows of a picture: float32 ``[n_tokens, n_embd]``, the caller's own.

        ``pixels`` are RGB bytes ``[height, width, n_channels]`` of the encoder's size; ``prepare_picture`` makes
        them. Mean and deviation belong to the encoder. Rows of several outputs are put together token by token.

        Raises:
            InvalidRequest: The pixels have another shape or type.
            RknnError: The library failed, or gave rows that are no numbers.
            EngineClosed: The encoder was closed.
        """
        if self._context is None:
            raise EngineClosed("The vision encoder was closed.")
        self._set_input(self._context, pixels)
        self._library.call("rknn_run", self._context, None)
        return self._rows(self._context)

    def close(self) -> None:
        """Free the encoder. May be called again."""
        if self._context is not None:
            context, self._context = self._context, None
            _destroy(self._library, context)

    def _set_input(self, context: int, pixels: NDArray[np.uint8]) -> None:
        import numpy as np

        facts = self.facts
        wanted = (facts.height, facts.width, facts.n_channels)
        if pixels.dtype != np.uint8 or pixels.shape != wanted:
            raise InvalidRequest(
                f"The encoder takes bytes of the shape {wanted}, not {pixels.dtype} of the shape {pixels.shape}.",
                "image",
            )
        packed = np.ascontiguousarray(pixels)
        given: Any = structs()["rknn_input"]()
        given.index = 0
        given.buf, given.size = packed.ctypes.data, packed.nbytes
        given.type = value_of("rknn_tensor_type", "RKNN_TENSOR_UINT8")
        given.fmt = value_of("rknn_tensor_format", "RKNN_TENSOR_NHWC")
        # The library copies or converts the pixels before it returns, as pass_through is 0.
        self._library.call("rknn_inputs_set", context, 1, ctypes.addressof(given))

    def _rows(self, context: int) -> NDArray[np.float32]:
        n_outputs = self.facts.n_outputs
        outputs: Any = (structs()["rknn_output"] * n_outputs)()
        for index, output in enumerate(outputs):
            output.index = index
            output.want_float = 1
        address = ctypes.addressof(outputs)
        try:
            self._library.call("rknn_outputs_get", context, n_outputs, address, None)
            rows = self._interleaved(outputs)
        except BaseException:
            try:
                self._release(context, outputs)
            except RknnError as error:
                # The one before it says what went wrong.
                logger.warning("What the vision encoder gave could not be freed: %s", error)
            raise
        self._release(context, outputs)
        return rows

    def _release(self, context: int, outputs: Any) -> None:
        """Free all outputs: each is a buffer of its own. After a failure some may have been made."""
        if any(output.buf for output in outputs):
            self._library.call("rknn_outputs_release", context, len(outputs), ctypes.addressof(outputs))

    def _interleaved(self, outputs: Any) -> NDArray[np.float32]:
        """One row per token, its parts from the outputs in their order."""
        import numpy as np

        facts = self.facts
        width = facts.n_embd // facts.n_outputs
        n_bytes = facts.n_tokens * width * _FLOAT_BYTES
        rows = np.empty((facts.n_tokens, facts.n_outputs, width), np.float32)
        for index, output in enumerate(outputs):
            if not output.buf or output.size != n_bytes:
                raise _unusable(f"output {index} has {output.size} bytes, and {n_bytes} were told")
            given = memoryview((ctypes.c_char * n_bytes).from_address(output.buf))
            rows[:, index] = np.frombuffer(given, np.float32).reshape(facts.n_tokens, width)
        wrong = rows.size - int(np.count_nonzero(np.isfinite(rows)))
        if wrong:
            raise _unusable(f"{wrong} of {rows.size} numbers are infinite or none at all")
        return rows.reshape(facts.n_tokens, facts.n_embd)


def _unusable(problem: str) -> RknnError:
    return RknnError(f"What the vision encoder gave cannot be used: {problem}.", function="rknn_outputs_get")


def _destroy(library: RknnLibrary, context: int) -> None:
    try:
        library.call("rknn_destroy", context)
    except RknnError as error:
        # Nothing can be done about it, and what it was needed for is done.
        logger.warning("The vision encoder could not be freed: %s", error)


def _facts(library: RknnLibrary, context: int) -> EncoderFacts:
    """Raises ``ValueError`` where the file is no encoder of pictures."""
    counts = library.query(context, "RKNN_QUERY_IN_OUT_NUM", "rknn_input_output_num")
    if counts.n_input != 1 or counts.n_output < 1:
        raise ValueError(f"it has {counts.n_input} inputs and {counts.n_output} outputs, not 1 and at least 1.")
    height, width, n_channels = _input_shape(library.query(context, "RKNN_QUERY_INPUT_ATTR", "rknn_tensor_attr", 0))
    shapes = [
        _rows_shape(library.query(context, "RKNN_QUERY_OUTPUT_ATTR", "rknn_tensor_attr", index))
        for index in range(counts.n_output)
    ]
    if len(set(shapes)) != 1:
        raise ValueError(f"its outputs have different shapes: {', '.join(f'{n} x {size}' for n, size in shapes)}.")
    n_tokens, size = shapes[0]
    api_version, driver_version = library.versions(context)
    return EncoderFacts(
        width, height, n_channels, n_tokens, size * len(shapes), len(shapes), api_version, driver_version
    )


def _dims(tensor: Any) -> list[int]:
    if tensor.n_dims > len(tensor.dims):
        raise ValueError(f"a tensor of it is said to have {tensor.n_dims} dimensions: the library is another one.")
    return [int(size) for size in tensor.dims[: tensor.n_dims]]


def _input_shape(tensor: Any) -> tuple[int, int, int]:
    """Height, width and channels."""
    dims = _dims(tensor)
    if len(dims) != 4 or dims[0] != 1:
        raise ValueError(f"its input has the shape {dims}, not that of one picture.")
    is_nchw = tensor.fmt == value_of("rknn_tensor_format", "RKNN_TENSOR_NCHW")
    n_channels, height, width = dims[1:] if is_nchw else (dims[3], dims[1], dims[2])
    if n_channels != 3 or not height or not width:
        raise ValueError(f"its input has the shape {dims}, not that of a picture with 3 channels.")
    return height, width, n_channels


def _rows_shape(tensor: Any) -> tuple[int, int]:
    """Tokens, and numbers of each: the first dimension above 1, and the one behind it."""
    dims = _dims(tensor)
    first = next((index for index, size in enumerate(dims) if size > 1), len(dims))
    if first + 1 >= len(dims) or dims[first] * dims[first + 1] != tensor.n_elems:
        raise ValueError(f"its output {tensor.index} has the shape {dims}, not tokens x numbers.")
    return dims[first], dims[first + 1]
