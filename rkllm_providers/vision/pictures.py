"""Pictures as callers send them, checked, and made into what an encoder takes.

Pillow and numpy come with the extra ``vision`` and are imported when they are needed.
"""

from __future__ import annotations

import io
import math
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
# EXIF's orientation to what turns a picture upright, by Pillow's names.
_TURNS: Final[Mapping[int, str]] = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
# Those in which width and height change places, and in which the order of the stored rows or columns is turned.
_SWAPPED: Final = frozenset({5, 6, 7, 8})
_FLIPS_ROWS: Final = frozenset({3, 4, 6, 7})
_FLIPS_COLUMNS: Final = frozenset({2, 3, 7, 8})


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What is accepted: bytes of a file, pixels of a picture, pictures of a request.

    While it is prepared, a picture takes up to 17 bytes of memory per pixel (WebP), 11 (PNG), or, if it is a large
    JPEG, less than one.
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
    """Padded, scaled, and then turned, which is cheap with a small picture."""
    import PIL.Image

    orientation = _orientation(image)
    full = image.size
    wanted, most = _DRAFT_FACTOR * max(size), max(full)
    enough = max(1, wanted * full[0] // most), max(1, wanted * full[1] // most)
    # Decodes a JPEG to no more pixels than are needed; no other format can do that.
    drafted = image.draft(None, enough)
    shrunk = full[0] / drafted[1][2] if drafted is not None else 1.0
    stored_size = size[::-1] if orientation in _SWAPPED else size
    scaled = _scaled(_rgb(image), full, shrunk, stored_size, padding, orientation)
    return scaled.transpose(PIL.Image.Transpose[_TURNS[orientation]]) if orientation in _TURNS else scaled


def _scaled(
    colours: Image,
    full: tuple[int, int],
    shrunk: float,
    size: tuple[int, int],
    padding: tuple[int, int, int],
    orientation: int,
) -> Image:
    """A picture of the size ``full``, decoded ``shrunk`` times smaller, in the middle of a padded square, scaled.

    The longer side, which needs no padding, is scaled first, so that the padded square never exists at the
    picture's own size; a filter of rows and columns gives the same in this order, but for roundings. Lengths of a
    shrunk picture are fractions of pixels.
    """
    import PIL.Image

    bilinear = PIL.Image.Resampling.BILINEAR
    lies = full[0] >= full[1]
    side, room = max(full), abs(full[0] - full[1])
    # What is padded by an odd number has one pixel less before it, once it is upright.
    before = room - room // 2 if orientation in (_FLIPS_ROWS if lies else _FLIPS_COLUMNS) else room // 2
    length, start = side / shrunk, before / shrunk
    if lies:
        colours = colours.resize((size[0], colours.height), bilinear, (0, 0, length, colours.height))
    else:
        colours = colours.resize((colours.width, size[1]), bilinear, (0, 0, colours.width, length))
    at = math.ceil(start)
    begin, end = at - start, at - start + length
    if lies:
        square = PIL.Image.new("RGB", (size[0], math.ceil(end)), padding)
        square.paste(colours, (0, at))
        return square.resize(size, bilinear, (0, begin, size[0], end))
    square = PIL.Image.new("RGB", (math.ceil(end), size[1]), padding)
    square.paste(colours, (at, 0))
    return square.resize(size, bilinear, (begin, 0, end, size[1]))


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
