"""Scripted models as Python sees them: vocabulary, limits and chat template of a script file.

The library itself reads the same file and plays its rules; here they are only checked. Both sides
follow one grammar (the reference is ``docs/emulator.md``), begin with the same defaults file and
tokenise by the same greedy longest match, so a prompt rendered and encoded here is what the library
would have made of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import NoReturn

from rkllm_providers.errors import RKLLMError

_MAGIC = b"#!rkllm-script"
_FIRST_LINE = _MAGIC + b" 1"
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b'"': b'"', b"\\": b"\\"}
_HEX_BYTE = re.compile(rb"[0-9A-Fa-f]{2}")
_BARE = re.compile(rb'[^ \t"]+')
_PLACEHOLDER = re.compile(rb"\{([a-z_][a-z0-9_]*)\}")
_INTEGER = re.compile(rb"[0-9]{1,9}")
_MILLISECONDS = re.compile(rb"[0-9]{1,6}(\.[0-9]{1,6})?")
_ORDINARY, _MARKER, _CONTROL = "ordinary", "marker", "control"


class ScriptError(RKLLMError, ValueError):
    """A script file does not follow the format; ``path`` and ``line`` say where."""

    def __init__(self, path: str, line: int, problem: str) -> None:
        self.path = path
        self.line = line
        self.problem = problem
        super().__init__(path, line, problem)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


@dataclass(frozen=True)
class Script:
    """A scripted model.

    ``tokens`` holds the bytes of every token by id. ``controls`` are the special tokens, whose text
    is left out where special tokens are skipped; ``markers`` (thinking and tools) are always
    delivered as text. A copy with other ``tokens`` (``dataclasses.replace``) encodes by those.
    """

    name: str
    context_length: int
    chat_template: str
    tokens: tuple[bytes, ...] = field(repr=False)
    controls: Mapping[str, int]
    markers: Mapping[str, int]
    eos_ids: tuple[int, ...]
    bos_id: int | None = None
    embedding_size: int = 64
    has_tokenizer: bool = True
    has_embedding: bool = True

    @cached_property
    def _longest_match(self) -> tuple[dict[bytes, int], dict[int, tuple[int, ...]]]:
        """Ids by bytes, and by first byte the lengths of tokens that begin with it, longest first."""
        ids: dict[bytes, int] = {}
        lengths: dict[int, set[int]] = {}
        for token_id, token in enumerate(self.tokens):
            if ids.setdefault(token, token_id) == token_id:
                lengths.setdefault(token[0], set()).add(len(token))
        return ids, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}

    def encode(self, text: str | bytes) -> list[int]:
        """Tokenise as the library does; names of control tokens and markers become those tokens."""
        data = text.encode() if isinstance(text, str) else text
        ids, lengths = self._longest_match
        encoded = []
        at = 0
        while at < len(data):
            for length in lengths[data[at]]:
                token_id = ids.get(data[at : at + length])
                # A slice at the end of the text is shorter than asked for: then it is another token's.
                if token_id is not None and at + length <= len(data):
                    encoded.append(token_id)
                    at += length
                    break
        return encoded

    def decode(self, ids: Iterable[int]) -> bytes:
        """The bytes of these tokens, control tokens as their names."""
        return b"".join(self.tokens[token_id] for token_id in ids)

    def embedding(self, token_id: int) -> list[float]:
        """The row of a token: what an embedding input holds to mean that token."""
        return [_embedding_value(token_id, column) for column in range(self.embedding_size)]


def _embedding_value(token_id: int, column: int) -> float:
    """A number from -1 to 1, exact in 32 bits; twin of the one in ``native/script.cpp``."""
    mask = 0xFFFFFFFF
    h = ((token_id + 1) * 0x9E3779B1 ^ (column + 1) * 0x85EBCA77) & mask
    h = (h ^ (h >> 15)) * 0x2C1B3C6D & mask
    h = (h ^ (h >> 12)) * 0x297A2D39 & mask
    h ^= h >> 15
    return (h >> 8) / 8388608 - 1


def is_script(head: bytes) -> bool:
    """Whether a file that begins with these bytes (16 are enough) is a scripted model."""
    return head.startswith(_MAGIC)


def load_script(path: str | Path) -> Script:
    """Read and check a script file, rules included; raises ``ScriptError`` where it is malformed."""
    defaults = resources.files("rkllm_providers.emulator").joinpath("native/defaults.inc").read_bytes()
    raw_string = defaults.removeprefix(b'R"script(').removesuffix(b')script"\n')
    parser = _Parser()
    parser.parse("the emulator's defaults", raw_string)
    parser.parse(str(path), Path(path).read_bytes())
    return parser.script()


@dataclass(frozen=True)
class _Item:
    text: bytes
    quoted: bool


class _Parser:
    """One pass over the lines of a file; twin of the parser in ``native/script_file.cpp``."""

    def __init__(self) -> None:
        self._tokens: dict[bytes, str] = {bytes([byte]): _ORDINARY for byte in range(256)}
        self._name = ""
        self._context = 0
        self._embedding_size = 0
        self._left_out: set[bytes] = set()
        self._template = ""
        self._eos: list[bytes] = []
        self._bos: list[bytes] = []

    def parse(self, path: str, content: bytes) -> None:
        self._path = path
        self._line = 0
        self._given: set[bytes] = set()
        self._pieces: list[bytes] = []
        self._has_rules = self._matches_all = self._in_rule = self._endless = False
        self._eos_line = self._bos_line = -1
        self._lines = self._split(content)
        if self._lines[0] != _FIRST_LINE:
            self._fail(f"the first line must be '{_FIRST_LINE.decode()}'")
        self._line = 1
        while self._line < len(self._lines):
            items = self._lex(self._lines[self._line])
            if items:
                self._statement(items)
            self._line += 1
        self._line -= 1
        if self._in_rule:
            self._fail("the last rule has no 'end'")
        self._resolve()

    def script(self) -> Script:
        ids = {token: token_id for token_id, token in enumerate(self._tokens)}

        def named(kind: str) -> dict[str, int]:
            return {token.decode(): ids[token] for token, its_kind in self._tokens.items() if its_kind == kind}

        return Script(
            name=self._name,
            context_length=self._context,
            chat_template=self._template,
            tokens=tuple(self._tokens),
            controls=named(_CONTROL),
            markers=named(_MARKER),
            eos_ids=tuple(ids[name] for name in self._eos),
            bos_id=ids[self._bos[0]] if self._bos else None,
            embedding_size=self._embedding_size,
            has_tokenizer=b"no_tokenizer" not in self._left_out,
            has_embedding=b"no_embedding" not in self._left_out,
        )

    def _fail(self, problem: str) -> NoReturn:
        raise ScriptError(self._path, self._line + 1, problem)

    def _split(self, content: bytes) -> list[bytes]:
        invalid = content.find(b"\0")
        try:
            content.decode()
        except UnicodeDecodeError as error:
            invalid = error.start if invalid < 0 else min(invalid, error.start)
        if invalid >= 0:
            self._line = content.count(b"\n", 0, invalid)
            self._fail("this is not UTF-8 text")
        return [line.removesuffix(b"\r") for line in content.split(b"\n")]

    def _lex(self, line: bytes) -> list[_Item]:
        items = []
        at = 0
        while at < len(line):
            if line[at] in b" \t":
                at += 1
            elif line[at] in b"#":
                break
            elif line[at] in b'"':
                text, at = self._quoted(line, at + 1)
                items.append(_Item(text, quoted=True))
                if line[at : at + 1] not in (b"", b" ", b"\t"):
                    self._fail("a blank is missing after a closing quote")
            else:
                bare = _BARE.match(line, at)
                assert bare is not None  # the byte at hand is neither a blank nor a quote
                at = bare.end()
                if line[at : at + 1] == b'"':
                    self._fail("a blank is missing before an opening quote")
                items.append(_Item(bare[0], quoted=False))
        return items

    def _quoted(self, line: bytes, at: int) -> tuple[bytes, int]:
        text = bytearray()
        while at < len(line) and line[at] not in b'"':
            char = line[at : at + 1]
            escaped = line[at + 1 : at + 2]
            if char != b"\\":
                text += char
                at += 1
            elif escaped in _ESCAPES:
                text += _ESCAPES[escaped]
                at += 2
            elif escaped == b"x":
                digits = _HEX_BYTE.match(line, at + 2)
                if digits is None:
                    self._fail("\\x needs two hexadecimal digits")
                if digits[0] == b"00":
                    self._fail("\\x00 cannot be delivered: texts end at a NUL byte")
                text += bytes.fromhex(digits[0].decode())
                at += 4
            else:
                self._fail('unknown escape; known are \\n \\t \\r \\" \\\\ and \\xHH')
        if at >= len(line):
            self._fail("a closing quote is missing")
        return bytes(text), at + 1

    def _statement(self, items: list[_Item]) -> None:
        if items[0].quoted:
            self._fail("a line must begin with a keyword")
        key = items[0].text
        if self._in_rule:
            self._action(key, items)
        elif key == b"rule":
            self._rule(items)
        elif self._has_rules:
            self._fail(f"'{key.decode()}' must come before the first rule")
        else:
            self._header(key, items)

    def _only(self, items: list[_Item]) -> bytes:
        if len(items) != 2:
            self._fail(f"'{items[0].text.decode()}' takes one value")
        return items[1].text

    def _only_quoted(self, items: list[_Item]) -> bytes:
        if len(items) != 2 or not items[1].quoted:
            self._fail(f"'{items[0].text.decode()}' takes one text in double quotes")
        return items[1].text

    def _names(self, items: list[_Item]) -> list[bytes]:
        if len(items) < 2 or not all(item.quoted for item in items[1:]):
            self._fail(f"'{items[0].text.decode()}' takes names in double quotes")
        return [item.text for item in items[1:]]

    def _integer(self, text: bytes, low: int, high: int) -> int:
        if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
            self._fail(f"a whole number from {low} to {high} is needed")
        return int(text)

    def _check_utf8(self, name: bytes) -> str:
        try:
            return name.decode()
        except UnicodeDecodeError:
            self._fail("a name must be UTF-8 text")

    def _header(self, key: bytes, items: list[_Item]) -> None:
        if key not in (b"words", b"word", b"control", b"marker"):
            if key in self._given:
                self._fail(f"'{key.decode()}' is given twice")
            self._given.add(key)
        match key:
            case b"name":
                self._name = self._check_utf8(self._only(items))
            case b"context":
                self._context = self._integer(self._only(items), 16, 1048576)
            case b"npu_cores":
                self._integer(self._only(items), 1, 8)
            case b"embedding_size":
                self._embedding_size = self._integer(self._only(items), 8, 16384)
            case b"export":
                self._left_out = {item.text for item in items[1:]}
                if not self._left_out or self._left_out - {b"no_tokenizer", b"no_embedding"}:
                    self._fail("'export' takes no_tokenizer, no_embedding, or both")
            case b"state_bytes":
                self._integer(self._only(items), 0, 1048576)
            case b"prefill_base_ms" | b"prefill_ms" | b"decode_ms" | b"save_ms" | b"load_ms":
                if not _MILLISECONDS.fullmatch(self._only(items)):
                    self._fail("a number of milliseconds such as 20 or 0.5 is needed")
            case b"raw_utf8" | b"saves_state":
                if self._only(items) not in (b"yes", b"no"):
                    self._fail("'yes' or 'no' is needed")
            case b"words":
                self._words(items)
            case b"word":
                self._add_token(self._only(items), _ORDINARY)
            case b"control" | b"marker":
                for name in self._names(items):
                    self._add_token(name, key.decode())
            case b"eos":
                self._eos, self._eos_line = self._names(items), self._line
            case b"bos":
                self._bos, self._bos_line = [self._only_quoted(items)], self._line
            case b"template":
                self._chat_template(items)
            case _:
                self._fail(f"unknown keyword '{key.decode()}'")

    def _add_token(self, token: bytes, kind: str) -> None:
        if not token:
            self._fail("a token cannot be empty")
        if kind != _ORDINARY:
            self._check_utf8(token)
        if self._tokens.setdefault(token, kind) != kind:
            self._fail(f"'{token.decode(errors='replace')}' is a token of another kind already")

    def _words(self, items: list[_Item]) -> None:
        if len(items) < 2:
            self._fail("'words' takes at least one word")
        for item in items[1:]:
            if item.quoted:
                self._fail("'words' takes bare words; use 'word' for a token in quotes")
            self._add_token(item.text, _ORDINARY)
            self._add_token(b" " + item.text, _ORDINARY)

    def _chat_template(self, items: list[_Item]) -> None:
        tag = self._only(items)
        if items[1].quoted or not tag.startswith(b"<<") or len(tag) < 3:
            self._fail("'template' takes '<<END', END being any word")
        first = self._line + 1
        try:
            end = self._lines.index(tag[2:], first)
        except ValueError:
            self._fail(f"the template has no line '{tag[2:].decode()}' at its end")
        self._template = b"\n".join(self._lines[first:end]).decode()
        self._line = end

    def _rule(self, items: list[_Item]) -> None:
        if self._matches_all:
            self._fail("no rule after 'rule *' can match")
        if len(items) == 2 and items[1] == _Item(b"*", quoted=False):
            self._matches_all = True
        else:
            self._check_pattern(self._only_quoted(items))
        self._has_rules = self._in_rule = True
        self._endless = False

    def _check_pattern(self, pattern: bytes) -> None:
        names = {b"n_prompt", b"n_prefill", b"n_pictures", b"pictures"}
        at = 0
        for found in _PLACEHOLDER.finditer(pattern):
            if found.start() == at:
                self._fail("a pattern needs text before each {name}")
            if found[1] in names:
                self._fail(f"{found[0].decode()} cannot be captured here")
            names.add(found[1])
            at = found.end()
        if not pattern:
            self._fail("a pattern cannot be empty")

    def _action(self, key: bytes, items: list[_Item]) -> None:
        if key in (b"end", b"no_eos"):
            if len(items) != 1:
                self._fail(f"'{key.decode()}' takes no value")
            self._in_rule = self._in_rule and key != b"end"
            return
        if self._endless:
            self._fail("nothing after 'forever' is reached")
        match key:
            case b"text":
                self._only_quoted(items)
            case b"sleep":
                self._integer(self._only(items), 0, 999999999)
            case b"piece" | b"forever":
                if not self._only_quoted(items):
                    self._fail(f"'{key.decode()}' needs at least one byte")
                self._endless = key == b"forever"
                if not self._endless:
                    self._pieces.append(items[1].text)
            case b"repeat":
                if len(items) != 3 or not items[2].quoted:
                    self._fail("'repeat' takes a number and a text in double quotes")
                self._integer(items[1].text, 1, 999999999)
            case b"error" | b"fail" | b"hang" | b"crash":
                if len(items) != 1:
                    self._fail(f"'{key.decode()}' takes no value")
            case _:
                self._fail(f"unknown action '{key.decode()}'")

    def _resolve(self) -> None:
        """Look up names when all lines are read: they may be used before the line that adds them."""
        for names, line in ((self._eos, self._eos_line), (self._bos, self._bos_line)):
            for name in names:
                if self._tokens.get(name) != _CONTROL:
                    self._line = line
                    self._fail(f"'{name.decode(errors='replace')}' is no control token; add it with 'control'")
        for piece in self._pieces:
            self._tokens.setdefault(piece, _ORDINARY)
