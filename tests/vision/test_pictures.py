"""Pictures: every mode and orientation becomes what an encoder takes, and whatever else comes is refused."""

from __future__ import annotations

import contextlib
import io
import struct
import sys
import warnings
import zlib
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rkllm_providers.errors import InvalidRequest
from rkllm_providers.vision import GREY, PictureFacts, PictureLimits, check_picture, prepare_picture

LIMITS = PictureLimits()
SIZE = (56, 56)


def noise(width: int, height: int, seed: int = 1) -> PIL.Image.Image:
    """Soft shapes of all colours, as photographs have them."""
    small = np.random.default_rng(seed).integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    return PIL.Image.fromarray(small).resize((width, height), PIL.Image.Resampling.BICUBIC)


def saved(image: PIL.Image.Image, format: str = "PNG", **options: Any) -> bytes:
    into = io.BytesIO()
    image.save(into, format, **options)
    return into.getvalue()


def reference(image: PIL.Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The documented steps one after the other, on the whole padded square."""
    side = max(image.size)
    square = PIL.Image.new("RGB", (side, side), GREY)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return np.array(square.resize(size, PIL.Image.Resampling.BILINEAR))


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int64]:
    apart: NDArray[np.int64] = np.abs(one.astype(np.int64) - other.astype(np.int64))
    return apart


def prepared(data: bytes, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    pixels = prepare_picture(data, size, LIMITS)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (size[1], size[0], 3)
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    return pixels


@pytest.mark.parametrize(
    "shape", [(80, 60), (60, 80), (81, 40), (40, 81), (57, 57), (300, 7), (7, 300), (20, 10), (1, 1), (1, 90)]
)
@pytest.mark.parametrize("size", [(56, 56), (64, 32)])
def test_padded_and_scaled_as_documented(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = noise(*shape)
    assert difference(prepared(saved(image), size), reference(image, size)).max() <= 1


def test_padding_is_grey_and_the_picture_in_the_middle() -> None:
    pixels = prepared(saved(PIL.Image.new("RGB", (100, 50), (255, 0, 0))))
    assert (pixels[:13] == 128).all()
    assert (pixels[43:] == 128).all()
    assert (pixels[15:41] == (255, 0, 0)).all()
    other = prepare_picture(saved(PIL.Image.new("RGB", (50, 100))), SIZE, LIMITS, padding=(1, 2, 3))
    assert (other[:, :13] == (1, 2, 3)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(56, 56), (64, 32)])
def test_turned_as_exif_says(orientation: int, size: tuple[int, int]) -> None:
    image = noise(90, 41)
    exif = image.getexif()
    exif[0x0112] = orientation
    for format in ("PNG", "WEBP"):
        data = saved(image, format, exif=exif, **({"lossless": True} if format == "WEBP" else {}))
        with PIL.Image.open(io.BytesIO(data)) as stored:
            upright = PIL.ImageOps.exif_transpose(stored).convert("RGB")
        assert difference(prepared(data, size), reference(upright, size)).max() <= 1
        assert check_picture(data, LIMITS) == PictureFacts(90, 41, format)


@pytest.mark.parametrize("exif", [b"", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\xff", b"\0"])
@pytest.mark.filterwarnings("ignore")
def test_broken_metadata_do_not_hide_the_picture(exif: bytes) -> None:
    image = noise(40, 30)
    assert difference(prepared(saved(image, exif=b"Exif\0\0" + exif)), reference(image, SIZE)).max() <= 1


RED = (200, 40, 10)


@pytest.mark.parametrize(
    ("mode", "format", "colour"),
    [
        ("RGB", "PNG", RED),
        ("RGB", "BMP", RED),
        ("RGB", "WEBP", RED),
        ("RGB", "JPEG", RED),
        ("CMYK", "JPEG", RED),
        ("RGBA", "PNG", RED),
        ("RGBA", "WEBP", RED),
        ("P", "PNG", RED),
        ("P", "GIF", RED),
        ("P", "BMP", RED),
        ("L", "PNG", (84, 84, 84)),
        ("L", "JPEG", (84, 84, 84)),
        ("LA", "PNG", (84, 84, 84)),
        ("1", "PNG", None),
        ("1", "BMP", None),
    ],
)
def test_every_mode(mode: str, format: str, colour: tuple[int, int, int] | None) -> None:
    image = PIL.Image.new("RGB", (64, 64), RED if colour else (255, 255, 255))
    if mode == "P":
        image = image.convert("P", palette=PIL.Image.Palette.ADAPTIVE)
    pixels = prepared(saved(image.convert(mode), format))
    assert difference(pixels, np.array(colour or (255, 255, 255), np.uint8)).max() <= 3


def test_grey_levels_of_16_bits() -> None:
    levels = np.repeat(np.arange(64, dtype=np.uint16)[:, None] * 1024, 64, axis=1)
    data = saved(PIL.Image.fromarray(levels))
    with PIL.Image.open(io.BytesIO(data)) as image:
        assert image.mode == "I;16"
    pixels = prepared(data, (64, 64))
    assert (pixels[..., 0] == (levels >> 8)).all()
    assert (pixels == pixels[..., :1]).all()


def test_what_is_clear_is_white() -> None:
    clear = PIL.Image.new("RGBA", (64, 64), (9, 9, 9, 0))
    clear.paste((200, 40, 10, 255), (0, 0, 64, 32))
    for data in (saved(clear), saved(clear, "WEBP", lossless=True), saved(clear.convert("LA"))):
        assert (prepared(data, (64, 64))[40:] == 255).all()
    half = prepared(saved(PIL.Image.new("RGBA", (64, 64), (0, 0, 0, 128))))
    assert difference(half, np.full(3, 127, np.uint8)).max() <= 1
    palette = PIL.Image.new("P", (64, 64), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    for options in ({"transparency": 1}, {"transparency": bytes([255, 0])}):
        for format in ("PNG", "GIF") if options["transparency"] == 1 else ("PNG",):
            assert (prepared(saved(palette, format, **options)) == 255).all()
    assert (prepared(saved(palette))[..., 2] == 30).all()
    key = PIL.Image.new("RGB", (64, 64), (1, 2, 3))
    assert (prepared(saved(key, transparency=(1, 2, 3))) == 255).all()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(format: str) -> None:
    frames = [PIL.Image.new("RGB", (64, 64), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    lossless = {"lossless": True} if format == "WEBP" else {}
    data = saved(frames[0], format, save_all=True, append_images=frames[1:], duration=50, **lossless)
    with PIL.Image.open(io.BytesIO(data)) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert (prepared(data) == (255, 0, 0)).all()


@pytest.mark.parametrize("shape", [(1201, 800), (800, 1201), (2000, 600)])
def test_jpegs_decoded_small_look_the_same(shape: tuple[int, int]) -> None:
    data = saved(noise(*shape), "JPEG", quality=90)
    with PIL.Image.open(io.BytesIO(data)) as image:
        wrong = difference(prepared(data, (64, 64)), reference(image, (64, 64)))
    assert wrong.mean() < 1
    assert wrong.max() <= 12


def test_limits_are_told_with_numbers() -> None:
    data = saved(noise(40, 30))
    assert check_picture(data, PictureLimits(len(data), 1200)) == PictureFacts(40, 30, "PNG")
    for check in (check_picture, lambda data, limits: prepare_picture(data, SIZE, limits)):
        with pytest.raises(InvalidRequest, match=rf"has {len(data)} bytes, and at most {len(data) - 1} are allowed"):
            check(data, PictureLimits(max_bytes=len(data) - 1))
        with pytest.raises(
            InvalidRequest, match=r"has 40 x 30 = 1200 pixels, and at most 1199 are allowed"
        ) as raised:
            check(data, PictureLimits(max_pixels=1199))
        assert raised.value.param == "image"
    LIMITS.check_count(16)
    with pytest.raises(InvalidRequest, match="has 17 pictures, and at most 16 are allowed"):
        LIMITS.check_count(17)


def png(width: int, height: int, *more: bytes) -> bytes:
    """The head of a PNG of any size, and far too few of its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    texts = b"".join(chunk(b"zTXt", b"a\0\0" + zlib.compress(text)) for text in more)
    return b"\x89PNG\r\n\x1a\n" + head + texts + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (png(10_000, 8_000), r"10000 x 8000 = 80000000 pixels, and at most 50000000"),
        (png(60_000, 60_000), r"too many pixels, and at most 50000000 are allowed: .*3600000000"),
        (png(2**31 - 1, 2**31 - 1), "too many pixels"),
        (png(70_000, 2), r"70000 x 2 pixels, and a side may have 65535"),
        (png(0, 5), "broken"),
        (png(64, 64, bytes(8 * 1024 * 1024)), "broken"),
    ],
    ids=["pixels", "bomb", "largest", "side", "none", "text"],
)
def test_bombs(data: bytes, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        check_picture(data, LIMITS)
    with pytest.raises(InvalidRequest, match=told):
        prepare_picture(data, SIZE, LIMITS)


@pytest.mark.parametrize("format", ["TIFF", "ICO", "PPM", "TGA", "PCX", "JPEG2000", "ICNS", "AVIF", "DDS"])
def test_other_formats_are_refused(format: str) -> None:
    data = saved(noise(64, 64), format)
    with pytest.raises(InvalidRequest, match=r"no format that is read here \(JPEG, PNG, WEBP, GIF, BMP\)"):
        check_picture(data, LIMITS)


@pytest.mark.parametrize("data", [b"", b"\0", b"<svg/>", b"%PDF-1.7", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"0 bytes|no format that is read here|broken"):
        check_picture(data, LIMITS)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_pictures_that_end_too_early(format: str) -> None:
    data = saved(noise(300, 200), format)
    with pytest.raises(InvalidRequest, match=r"broken|no format"):
        prepare_picture(data[: len(data) // 2], SIZE, LIMITS)


def test_a_check_reads_the_head_alone() -> None:
    data = saved(noise(300, 200))
    assert check_picture(data[: len(data) // 2], LIMITS) == PictureFacts(300, 200, "PNG")


_SAMPLES = [
    *(saved(noise(40, 30), format) for format in ("JPEG", "PNG", "GIF", "BMP", "WEBP")),
    saved(noise(40, 30).convert("CMYK"), "JPEG"),
    saved(noise(40, 30).convert("RGBA")),
    saved(noise(40, 30), "GIF", save_all=True, append_images=[noise(40, 30, 2)]),
    saved(noise(40, 30), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"),
]


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(_SAMPLES)))
    for _ in range(draw(st.integers(0, 8))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.one_of(st.binary(max_size=200), _damaged()))
def test_any_bytes_are_a_picture_or_refused(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for work in (lambda: check_picture(data, LIMITS), lambda: prepare_picture(data, SIZE, LIMITS)):
            with contextlib.suppress(InvalidRequest):
                made = work()
                assert isinstance(made, PictureFacts) or made.shape == (56, 56, 3)


@pytest.mark.parametrize("missing", ["PIL", "numpy"])
def test_the_extra_is_named_where_it_is_not_installed(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(
        InvalidRequest, match=rf"the extra vision \({missing} is not installed\): pip install 'rkllm-p"
    ):
        check_picture(b"x", LIMITS)
