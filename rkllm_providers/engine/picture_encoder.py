"""Pictures as embedding rows, in the worker: the vision encoder, and what it made of recent pictures.

A conversation sends its pictures anew with every turn. Their rows are kept by the digest of their bytes, the least
recently used go first, and the engine is told which there are: it sends the bytes of no others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rkllm_providers.vision import EncoderFacts, PictureLimits, VisionEncoder
    from rkllm_providers.vision.projector import ProjectorEncoder


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """How a model's pictures are read: what its worker must know of them.

    ``encoder`` is the file of the vision encoder. ``start``, ``end`` and ``content`` are the texts around a picture
    and the token that its rows stand for; ``several_since`` is the first runtime version with which the model takes
    more than one picture; ``width`` and ``height`` are what the decoder is told of its size in pixels, where that is
    not the encoder's own. ``library`` overrides how librknnrt is found; an ``emulated`` encoder runs on the
    emulator's, and where it is the projector of the GGUF model ``decoder``, on llama.cpp. ``n_cores`` of the NPU are
    used, or as many as the library chooses. ``modified_ns`` is the encoder's time stamp, so that a file that was
    replaced is another encoder.
    """

    encoder: Path
    start: str
    end: str
    content: str
    several_since: str | None = None
    width: int | None = None
    height: int | None = None
    emulated: bool = False
    library: str | None = None
    n_cores: int | None = None
    decoder: Path | None = None
    modified_ns: int = 0

    def order(self) -> dict[str, Any]:
        """The plan as JSON takes it."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"encoder": str(self.encoder), "decoder": None if self.decoder is None else str(self.decoder)}


def encoder_plan(order: dict[str, Any]) -> EncoderPlan:
    """The plan in what ``EncoderPlan.order`` made of it."""
    decoder = order["decoder"]
    paths = {"encoder": Path(order["encoder"]), "decoder": None if decoder is None else Path(decoder)}
    return EncoderPlan(**(order | paths))


def _loaded(plan: EncoderPlan) -> VisionEncoder | ProjectorEncoder:
    from rkllm_providers.vision import RknnLibrary, VisionEncoder

    if plan.decoder is not None:
        from rkllm_providers.vision.projector import ProjectorEncoder

        return ProjectorEncoder.load(plan.encoder, plan.decoder)
    library: Path | str | None = plan.library
    if plan.emulated:
        from rkllm_providers.emulator import build_vision_library

        library = build_vision_library()
    return VisionEncoder.load(RknnLibrary.open(library), plan.encoder, plan.n_cores)


class PictureEncoder:
    """The vision encoder of one model, loaded when it is first needed, and the rows it has made."""

    def __init__(self, plan: EncoderPlan, limits: PictureLimits, cache_bytes: int) -> None:
        """Rows of at most ``cache_bytes`` are kept."""
        self._plan = plan
        self._limits = limits
        self._cache_bytes = cache_bytes
        self._encoder: VisionEncoder | ProjectorEncoder | None = None
        self._rows: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._n_bytes = 0

    @property
    def known(self) -> list[str]:
        """Digests of the pictures whose rows are kept."""
        return list(self._rows)

    @property
    def is_loaded(self) -> bool:
        """Whether the encoder is loaded."""
        return self._encoder is not None

    def load(self) -> EncoderFacts:
        """Load the encoder if it is not loaded.

        Raises:
            LibraryNotFound: There is no librknnrt.
            RKLLMError: It refuses the file.
        """
        if self._encoder is None:
            self._encoder = _loaded(self._plan)
        return self._encoder.facts

    def kept(self, digests: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """The rows that are kept of these pictures, by digest. They are the last to go from now on."""
        found = {digest: self._rows[digest] for digest in digests if digest in self._rows}
        for digest in found:
            self._rows.move_to_end(digest)
        return found

    def encode(self, digest: str, data: bytes) -> NDArray[np.float32]:
        """The rows of a picture, float32 ``[n_tokens, n_embd]``; ``data`` are the bytes of its file.

        Raises:
            InvalidRequest: The picture is broken.
            RKLLMError: The encoder fails.
        """
        from rkllm_providers.vision import prepare_picture

        facts = self.load()
        if self._encoder is None:
            raise RuntimeError("The encoder was loaded and is not there.")
        rows = self._encoder.encode(prepare_picture(data, (facts.width, facts.height), self._limits))
        self._keep(digest, rows)
        return rows

    def close(self) -> None:
        """Free the encoder and all rows."""
        self._rows.clear()
        self._n_bytes = 0
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None

    def _keep(self, digest: str, rows: NDArray[np.float32]) -> None:
        if rows.nbytes > self._cache_bytes:
            return
        self._rows[digest] = rows
        self._n_bytes += rows.nbytes
        while self._n_bytes > self._cache_bytes:
            _, oldest = self._rows.popitem(last=False)
            self._n_bytes -= oldest.nbytes
