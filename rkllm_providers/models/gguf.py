"""Reads the head of a model file: its typed key-value pairs, never its tensors.

A GGUF file, as the ggml project documents it, begins with the magic ``GGUF``, a version (2 and 3 are
alike for the head), the number of tensors and of pairs, then the pairs. Everything is little-endian.
A ``.rkllm`` file is known to hold the same typed pairs behind a magic that is not published; where the
rest of its head is as in GGUF it is read so, and where it is not, the names of known keys are looked
for and the value behind each is read. All lengths are checked against the file's size before anything
is allocated, and all of a file's strings and array elements are counted against a bound, so that a broken
or hostile file costs an error and nothing else.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from pathlib import Path
from typing import Any, Final

MAGIC: Final = b"GGUF"
_SUPPORTED_VERSIONS: Final = (2, 3)
_MAX_PAIRS: Final = 4096
# The largest vocabularies have 300,000 tokens and twice as many merges.
_MAX_ARRAY: Final = 2_000_000
_MAX_ELEMENTS: Final = 3_000_000
_MAX_STRING: Final = 64 * 1024 * 1024

_SCALARS: Final[dict[int, struct.Struct]] = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING: Final = 8
_ARRAY: Final = 9
_U64: Final = struct.Struct("<Q")
_U32: Final = struct.Struct("<I")


# Keys that a .rkllm file is known to hold, from the names in the library that reads it.
_KNOWN_KEYS: Final = tuple(
    key.encode()
    for key in (
        *("general.architecture", "general.name", "general.file_type", "general.size_label", "general.basename"),
        *("tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"),
        *("tokenizer.ggml.scores", "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id"),
        *("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.unknown_token_id"),
        *("tokenizer.ggml.eom_token_id", "tokenizer.ggml.eos_token_ids"),
        *("tokenizer.ggml.padding_token_id", "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token"),
        *("tokenizer.ggml.add_space_prefix", "tokenizer.huggingface.json", "tokenizer.chat_template"),
        *("rkllm.chat_template.pre", "rkllm.chat_template.system", "rkllm.chat_template.post", "rkllm.version"),
        *("rkllm.max_context", "rkllm.core_num", "rkllm.vision.spatial_merge_size"),
        "rkllm.vision.spatial_patch_size",
        # What the library prints of a model at load; the names of these keys are not known for certain.
        *("rkllm.target_platform", "rkllm.model_dtype"),
    )
)
_KNOWN_PREFIXES: Final = ("general.", "tokenizer.", "rkllm.")
_MAX_SCANNED_BYTES: Final = 96 * 1024 * 1024
_MAX_CANDIDATES: Final = 100_000
_MAX_TENSORS: Final = 100_000
_MAX_DIMENSIONS: Final = 4
_DEFAULT_ALIGNMENT: Final = 32
# By tensor type, how many numbers are in a block and how many bytes it takes. Source: ggml's table of types.
_BLOCKS: Final[dict[int, tuple[int, int]]] = {
    kind: (per_block, block_bytes)
    for per_block, sizes in (
        (1, {0: 4, 1: 2, 24: 1, 25: 2, 26: 4, 27: 8, 28: 8, 30: 2}),
        (32, {2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 9: 36, 20: 18, 39: 17}),
        (256, {10: 84, 11: 110, 12: 144, 13: 176, 14: 210, 15: 292, 16: 66, 17: 74, 18: 98, 19: 50, 21: 110}),
        (256, {22: 82, 23: 136, 29: 56, 34: 54, 35: 66}),
    )
    for kind, block_bytes in sizes.items()
}


class GGUFError(ValueError):
    """The file is not a GGUF file that can be read; the message says at which byte and why."""


def read_head(path: Path) -> dict[str, Any]:
    """Return the key-value pairs of a GGUF file.

    Strings come as ``str`` (undecodable bytes replaced), arrays as lists.

    Raises:
        GGUFError: The file is not GGUF, is cut short, or states sizes that do not add up.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise GGUFError(f"{path} does not begin with the GGUF magic.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data, path).pairs()


def read_rkllm_head(path: Path) -> dict[str, Any]:
    """Return the key-value pairs of a ``.rkllm`` file, as far as they can be found; maybe none.

    Never fails on what is in the file: whoever uses a pair has to see whether it adds up. Looks at the
    first 96 MB at the most.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file cannot be mapped
            return {}
        with data:
            try:
                found = _Reader(data, path).pairs()
            except GGUFError:
                found = {}
            if any(key.startswith(_KNOWN_PREFIXES) for key in found):
                return found
            return _scan(data, path)


def head_problem(path: Path) -> str | None:
    """Why a GGUF file cannot be a model to talk to, as far as its head tells; ``None`` where it can.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        reader = _Reader(data, path)
        try:
            few = reader.pairs(keep_arrays=False)
        except GGUFError as error:
            return str(error)
        if few.get("general.architecture") == "clip":
            return f"{path} is the picture encoder of another model."
        try:
            needed = reader.end_of_tensors(few.get("general.alignment", _DEFAULT_ALIGNMENT))
        except GGUFError:
            # What is said of tensors may be of a kind that is not known here: the library judges that.
            return None
        if needed > len(data):
            return f"{path} is cut short: its tensors need {needed} bytes, and it has {len(data)}."
    return None


def _scan(data: mmap.mmap, path: Path) -> dict[str, Any]:
    """The values behind the names of known keys, each with its length in front of it."""
    found: dict[str, Any] = {}
    names = re.compile(b"|".join(re.escape(key) for key in sorted(_KNOWN_KEYS, key=len, reverse=True)))
    end = min(len(data), _MAX_SCANNED_BYTES)
    reader = _Reader(data, path)
    inside = 0  # up to here everything belongs to values that were read
    for at in _places(data, end):
        match = names.match(data, at, end)
        if match is None or at < inside:
            continue
        key = match[0].decode()
        if key in found or data[at - _U64.size : at] != _U64.pack(len(match[0])):
            continue
        reader.move(match.end())
        try:
            found[key] = reader.typed_value()
        except GGUFError:
            continue
        inside = reader.at
    return found


def _places(data: mmap.mmap, end: int) -> list[int]:
    """Where names of keys may begin. A plain search for each beginning is ten times as fast as one pattern."""
    places: list[int] = []
    for prefix in _KNOWN_PREFIXES:
        at = data.find(prefix.encode(), _U64.size, end)
        while at >= 0 and len(places) < _MAX_CANDIDATES:
            places.append(at)
            at = data.find(prefix.encode(), at + len(prefix), end)
    return sorted(places)


class _Reader:
    """A cursor over the mapped file that refuses to step beyond its end."""

    def __init__(self, data: mmap.mmap, path: Path, at: int = 4) -> None:
        self._data = data
        self._path = path
        self._size = len(data)
        self._at = at
        self._elements = 0
        self._tensors = 0

    @property
    def at(self) -> int:
        """Where it stands, in bytes from the file's beginning."""
        return self._at

    def move(self, at: int) -> None:
        """Stand elsewhere."""
        self._at = at

    def typed_value(self) -> Any:
        """The value at the cursor, its type in front of it."""
        return self._value(self._scalar(_U32))

    def pairs(self, *, keep_arrays: bool = True) -> dict[str, Any]:
        """All pairs; without ``keep_arrays`` arrays are only passed over, which takes a fraction of the time."""
        version = self._scalar(_U32)
        if version not in _SUPPORTED_VERSIONS:
            raise self._error(f"GGUF version {version} is not supported (2 and 3 are)")
        self._tensors = self._scalar(_U64)
        count = self._scalar(_U64)
        if count > _MAX_PAIRS:
            raise self._error(f"the head claims {count} keys, more than {_MAX_PAIRS}")
        found: dict[str, Any] = {}
        for _ in range(count):
            key = self._string()
            kind = self._scalar(_U32)
            if kind == _ARRAY and not keep_arrays:
                self._pass_array()
            else:
                found[key] = self._value(kind)
        return found

    def end_of_tensors(self, alignment: Any) -> int:
        """How many bytes the file needs for the tensors that are described behind the pairs."""
        if self._tensors > _MAX_TENSORS:
            raise self._error(f"the head claims {self._tensors} tensors, more than {_MAX_TENSORS}")
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            raise self._error(f"the alignment of its tensors is {alignment!r}")
        end = 0
        for _ in range(self._tensors):
            self._string()
            dimensions = self._scalar(_U32)
            if dimensions > _MAX_DIMENSIONS:
                raise self._error(f"a tensor has {dimensions} dimensions, more than {_MAX_DIMENSIONS}")
            numbers = math.prod(self._scalar(_U64) for _ in range(dimensions))
            kind, offset = self._scalar(_U32), self._scalar(_U64)
            per_block, block_bytes = _BLOCKS.get(kind, (1, 0))
            end = max(end, offset + -(-numbers // per_block) * block_bytes)
        data_at = -(-self._at // alignment) * alignment
        return data_at + end if self._tensors else 0

    def _value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self._scalar(_SCALARS[kind])
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        raise self._error(f"value type {kind} does not exist")

    def _array(self) -> list[Any]:
        kind, length = self._array_head()
        if kind == _STRING:
            return [self._string() for _ in range(length)]
        scalar = _SCALARS[kind]
        start = self._advance(scalar.size * length)
        return [value for (value,) in scalar.iter_unpack(self._data[start : self._at])]

    def _pass_array(self) -> None:
        kind, length = self._array_head()
        if kind != _STRING:
            self._advance(_SCALARS[kind].size * length)
            return
        for _ in range(length):
            self._pass_string()

    def _array_head(self) -> tuple[int, int]:
        kind = self._scalar(_U32)
        length = self._scalar(_U64)
        if length > _MAX_ARRAY:
            raise self._error(f"an array claims {length} elements, more than {_MAX_ARRAY}")
        self._elements += length
        if self._elements > _MAX_ELEMENTS:
            raise self._error(f"its arrays have more than {_MAX_ELEMENTS} elements")
        if kind != _STRING and kind not in _SCALARS:
            raise self._error(f"array element type {kind} is not supported")
        return kind, length

    def _string(self) -> str:
        start = self._pass_string()
        return self._data[start : self._at].decode("utf-8", errors="replace")

    def _pass_string(self) -> int:
        length = self._scalar(_U64)
        if length > _MAX_STRING:
            raise self._error(f"a text claims {length} bytes, more than {_MAX_STRING}")
        return self._advance(length)

    def _scalar(self, kind: struct.Struct) -> Any:
        start = self._advance(kind.size)
        return kind.unpack_from(self._data, start)[0]

    def _advance(self, size: int) -> int:
        start = self._at
        if size > self._size - start:
            raise self._error(f"{size} bytes are announced and {self._size - start} are left")
        self._at = start + size
        return start

    def _error(self, problem: str) -> GGUFError:
        return GGUFError(f"{self._path} is not a readable GGUF file: at byte {self._at}, {problem}.")
