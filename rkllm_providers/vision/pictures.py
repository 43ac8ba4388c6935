"""Pictures as callers send them, checked, and made into what an encoder takes.

Pillow and numpy come with the extra ``vision`` and are imported when they are needed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rkllm_providers.errors import InvalidRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""What is read, by Pillow's names. Other formats are refused unread; TIFF too, which no chat client sends and whose
decoder is a large one to show to strangers."""

GREY: Final = (128, 128, 128)
"""The padding of the vendor's samples: 127.5, stored as 128."""

# How many times the encoder's size a JPEG is decoded to, at least. The differences to decoding it in full are below
# one level of 255 on average (tests/vision/test_pictures.py).
_DRAFT_FACTOR: Final = 2
# What transparent parts are put on: the colour of the pages and windows that such pictures are drawn for.
_PAPER: Final = (255, 255, 255)
# The longest side that JPEG has. A longer one, with few pixels all the same, would make the padded square huge.
_LONGEST_SIDE: Final = 65_535
_ORIENTATION: Final = 0x0112
# EXIF's orientation to what turns a picture upright, by Pillow's names. From 5 on width and height change places.
_TURNS: Final[Mapping[int, str]] = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What is accepted: bytes of a file, pixels of a picture, pictures of a request.

    A picture takes up to about ten bytes of memory per pixel while it is prepared.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_pictures: int = 16

    def check_count(self, n_pictures: int) -> None:
        """Raise ``InvalidRequest`` for more pictures than a request may have."""
        if n_pictures > self.max_pictures:
            raise InvalidRequest(
                f"The request has {n_pictures} pictures, and at most {self.max_pictures} are allowed.", "image"
            )


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a picture's head says: size in pixels as stored (before it is turned), and Pillow's name of the format."""

    width: int
    height: int
    format: str


def check_picture(data: bytes, limits: PictureLimits) -> PictureFacts:
    """Check a picture by its head alone: no pixel is decoded.

    Raises:
        InvalidRequest: It is too large, of another format, or broken; or Pillow is not installed.
    """
    with _opened(data, limits) as image:
        return PictureFacts(image.width, image.height, str(image.format))


def prepare_picture(
    data: bytes,
    size: tuple[int, int],
    limits: PictureLimits,
    padding: tuple[int, int, int] = GREY,
) -> NDArray[np.uint8]:
    """A picture as an encoder of ``size`` (width, height) takes it: RGB bytes ``[height, width, 3]``.

    Turned as its EXIF says, its first frame if there are several, transparent parts on white, centred on a square
    of ``padding``, and scaled with a bilinear filter that covers all pixels (antialiased). Colour profiles are not
    applied. The vendor's samples do the same but for the filter, which there reads only the nearest four pixels.

    Raises:
        InvalidRequest: As ``check_picture``, or the pixels cannot be decoded.
    """
    import numpy as np

    with _opened(data, limits) as image:
        return np.array(_squared(image, size, padding), np.uint8)


@contextmanager
def _opened(data: bytes, limits: PictureLimits) -> Iterator[Image]:
    """A picture within the limits, not decoded yet. Whatever goes wrong inside is an ``InvalidRequest``."""
    pillow = _pillow()
    if len(data) > limits.max_bytes:
        raise InvalidRequest(
            f"The picture has {len(data)} bytes, and at most {limits.max_bytes} are allowed. Send a smaller one.",
            "image",
        )
    if not data:
        raise InvalidRequest("The picture is empty: it has 0 bytes.", "image")
    try:
        with pillow.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_pixels(image, limits)
            yield image
    except InvalidRequest:
        raise
    except pillow.UnidentifiedImageError:
        raise InvalidRequest(
            f"The picture ({len(data)} bytes) is in no format that is read here ({', '.join(FORMATS)}), "
            "or is broken at its beginning.",
            "image",
        ) from None
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise InvalidRequest(
            f"The picture has too many pixels, and at most {limits.max_pixels} are allowed: {error}", "image"
        ) from error
    except Exception as error:
        # Of strangers' bytes Pillow's readers raise whatever their code meets.
        told = f"{type(error).__name__}: {error}"[:200]
        raise InvalidRequest(f"The picture is broken, or ends too early ({told}).", "image") from error


def _pillow() -> Any:
    try:
        import numpy  # noqa: F401 - told here, before any work
        from PIL import Image
    except ImportError as error:
        raise InvalidRequest(
            f"Pictures need the extra vision ({error.name} is not installed): pip install 'rkllm-providers[vision]'",
            "image",
        ) from error
    return Image


def _check_pixels(image: Image, limits: PictureLimits) -> None:
    n_pixels = image.width * image.height
    if n_pixels > limits.max_pixels:
        raise InvalidRequest(
            f"The picture has {image.width} x {image.height} = {n_pixels} pixels, and at most {limits.max_pixels} "
            "are allowed. Send a smaller one.",
            "image",
        )
    if max(image.size) > _LONGEST_SIDE:
        raise InvalidRequest(
            f"The picture has {image.width} x {image.height} pixels, and a side may have {_LONGEST_SIDE}.", "image"
        )
    if n_pixels == 0:
        raise InvalidRequest(f"The picture has no pixels ({image.width} x {image.height}).", "image")


def _squared(image: Image, size: tuple[int, int], padding: tuple[int, int, int]) -> Image:
    """Turned, padded and scaled.

    The longer side, which needs no padding, is scaled first, so that the padded square never exists at the
    picture's own size; a filter of rows and columns gives the same in this order, but for roundings.
    """
    import PIL.Image

    orientation = _orientation(image)
    swaps = orientation >= 5
    width, height = size[::-1] if swaps else size
    side = max(image.size)
    # Decodes a JPEG to no more pixels than are needed; no other format can do that.
    image.draft(None, tuple(max(1, _DRAFT_FACTOR * max(size) * length // side) for length in image.size))
    side = max(image.size)
    colours = _rgb(image)
    lies = colours.width >= colours.height
    colours = colours.resize(
        (width, colours.height) if lies else (colours.width, height), PIL.Image.Resampling.BILINEAR
    )
    if orientation in _TURNS:
        colours = colours.transpose(PIL.Image.Transpose[_TURNS[orientation]])
        lies = lies != swaps
    square = PIL.Image.new("RGB", (colours.width, side) if lies else (side, colours.height), padding)
    square.paste(colours, (0, (side - colours.height) // 2) if lies else ((side - colours.width) // 2, 0))
    return square.resize(size, PIL.Image.Resampling.BILINEAR)


def _orientation(image: Image) -> int:
    """EXIF's orientation; 1, which is upright, where it says nothing that is known."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - as in _opened; a picture can be seen whatever its metadata are
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _rgb(image: Image) -> Image:
    """The colours of a picture's first frame, whatever its mode, in RGB."""
    import numpy as np
    import PIL.Image

    if image.mode.startswith("I"):
        # Grey levels of 16 bits, which Pillow's own conversion would cut off at 255.
        levels = np.clip(np.asarray(image), 0, 65_535) >> 8
        return PIL.Image.fromarray(levels.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        paper = PIL.Image.new("RGB", clear.size, _PAPER)
        paper.paste(clear, mask=clear)
        return paper
    return image.convert("RGB")
