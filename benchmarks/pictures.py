"""What it costs to make pictures fit for a vision encoder, in milliseconds per megapixel.

Each picture is of soft shapes with some grain, as photographs are. "Check" reads its head alone, as a service does
before it queues a request; "prepare" decodes, pads and scales it to 392 x 392. "Plain" does the same in the
obvious way: it decodes the whole, pads it to a square, and scales that. "Differs" is how far the two are apart, on
average and at most, in levels of 255. Every time is a median; "memory" is how much a process grew meanwhile.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rkllm_providers.engine.memory import resident_bytes
from rkllm_providers.vision import GREY, PictureLimits, check_picture, prepare_picture

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE: Final = (392, 392)
LIMITS: Final = PictureLimits()
RUNS: Final = 5
PICTURES: Final = (
    ("JPEG", "RGB", 640, 480),
    ("JPEG", "RGB", 1600, 1200),
    ("JPEG", "RGB", 4000, 3000),
    ("PNG", "RGB", 1600, 1200),
    ("PNG", "RGBA", 1600, 1200),
    ("WEBP", "RGB", 1600, 1200),
)


def main() -> None:
    print(f"A picture made fit for an encoder of {SIZE[0]} x {SIZE[1]}: milliseconds (medians of {RUNS})")
    print(
        f"{'picture':<24}{'check':>8}{'prepare':>9}{'per MP':>8}{'plain':>8}{'ratio':>7}{'differs':>9}{'most':>6}"
        f"{'memory':>9}"
    )
    for format_, mode, width, height in PICTURES:
        data = picture(format_, mode, width, height)
        checked = milliseconds(lambda: check_picture(data, LIMITS))  # noqa: B023
        prepared = milliseconds(lambda: prepare_picture(data, SIZE, LIMITS))  # noqa: B023
        usual = milliseconds(lambda: plain(data))  # noqa: B023
        mean, most = difference(data)
        name = f"{format_} {mode} {width} x {height}"
        print(
            f"{name:<24}{checked:>8.2f}{prepared:>9.1f}{prepared / (width * height / 1e6):>8.1f}{usual:>8.1f}"
            f"{prepared / usual:>7.2f}{mean:>9.2f}{most:>6}{grown(data):>6} MB"
        )


def picture(format_: str, mode: str, width: int, height: int) -> bytes:
    import numpy as np
    import PIL.Image

    chance = np.random.default_rng(392)
    shapes = chance.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    soft = PIL.Image.fromarray(shapes).resize((width, height), PIL.Image.Resampling.BICUBIC)
    grain = chance.integers(-6, 7, (height, width, 3))
    image = PIL.Image.fromarray(np.clip(np.asarray(soft) + grain, 0, 255).astype(np.uint8)).convert(mode)
    into = io.BytesIO()
    image.save(into, format_, quality=90)
    return into.getvalue()


def plain(data: bytes) -> Image:
    import PIL.Image

    with PIL.Image.open(io.BytesIO(data)) as image:
        colours = image.convert("RGB")
    side = max(colours.size)
    square = PIL.Image.new("RGB", (side, side), GREY)
    square.paste(colours, ((side - colours.width) // 2, (side - colours.height) // 2))
    return square.resize(SIZE, PIL.Image.Resampling.BILINEAR)


def difference(data: bytes) -> tuple[float, int]:
    import numpy as np

    apart = np.abs(prepare_picture(data, SIZE, LIMITS).astype(np.int64) - np.asarray(plain(data)))
    return float(apart.mean()), int(apart.max())


def grown(data: bytes) -> int:
    """Megabytes that a fresh process grows by while it prepares a picture; this one keeps what it once had."""
    command = [sys.executable, "-c", "from benchmarks.pictures import grow; print(grow())"]
    return int(subprocess.run(command, input=data, capture_output=True, check=True).stdout)


def grow() -> int:
    data = sys.stdin.buffer.read()
    prepare_picture(picture("PNG", "RGBA", 80, 80), SIZE, LIMITS)
    before = resident_bytes(os.getpid())
    prepare_picture(data, SIZE, LIMITS)
    return max(0, resident_bytes(os.getpid(), peak=True) - before) >> 20


def milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[1:])
