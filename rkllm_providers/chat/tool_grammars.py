"""How the calls of each syntax are read: one generator each, see ``tool_source``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import astuple
from typing import Final

from rkllm_providers.chat.json_scanner import is_json
from rkllm_providers.chat.markers import Spelling
from rkllm_providers.chat.tool_formats import CallSyntax, ToolFormat, XMLTags
from rkllm_providers.chat.tool_source import CallWriter, EmptyCall, MalformedCall, Reading, Source, typed_json

_ARGUMENT_KEYS: Final = ("arguments", "parameters")
# What objects that are calls may hold besides; an object with other keys is an answer in JSON.
_OTHER_CALL_KEYS: Final = ("type", "id")
_BARE_WORD: Final = re.compile(r"[^\s,:{}\[\]<\ud800-\udfff]+")
_MAX_DEPTH: Final = 32


class Grammar:
    """Reads the calls of an answer by sections: each from a marker to the end of what belongs to it."""

    def __init__(self, tool_format: ToolFormat, spelling: Spelling, calls: CallWriter) -> None:
        self._syntax = tool_format.syntax
        self._spelling = spelling
        self._source = Source("")
        self._calls = calls
        self._ends = tuple(map(spelling.of, tool_format.ends))
        self._xml = None if tool_format.xml is None else XMLTags(*map(spelling.of, astuple(tool_format.xml)))

    def section(self, source: Source, opener: str, tentative: bool) -> Reading[None]:
        """Read what ``opener`` begins, as it stands in the text; empty for what may be no call."""
        self._source = source
        self._calls.begin(tentative)
        if self._xml is not None and opener == self._xml.function:
            return self._xml_call(self._xml)
        readers: Mapping[CallSyntax, Callable[[], Reading[None]]] = {
            CallSyntax.JSON: lambda: self._json_calls(tentative),
            CallSyntax.MISTRAL: self._mistral_calls,
            CallSyntax.DEEPSEEK: self._deepseek_call,
            CallSyntax.GEMMA4: self._gemma4_call,
        }
        return readers[self._syntax]()

    def _json_calls(self, tentative: bool) -> Reading[None]:
        source, xml = self._source, self._xml
        first = yield from source.peek()
        if self._ends and (yield from source.literal(*self._ends)):
            raise EmptyCall
        if first == "[":
            yield from self._json_array(tentative)
        elif xml is not None and first == xml.function[0]:
            yield from self._xml_calls(xml)
            return
        else:
            yield from self._json_objects(tentative)
        if self._ends:
            yield from source.peek()
            yield from source.literal(*self._ends)

    def _json_objects(self, tentative: bool) -> Reading[None]:
        """Calls one behind another, as some families part them by ``;`` and some models by nothing."""
        source = self._source
        yield from self._json_call(tentative)
        while True:
            follower = yield from source.peek()
            if follower in ("}", ";"):
                # Small models close one brace more than they opened.
                source.at += 1
            elif follower != "{":
                return
            else:
                source.mark()
                yield from self._json_call(tentative)

    def _json_array(self, tentative: bool) -> Reading[None]:
        source = self._source
        source.at += 1
        follower = yield from source.peek()
        if follower == "]":
            source.at += 1
            raise EmptyCall
        if follower == "":
            yield from source.need()
        while follower == "{":
            yield from self._json_call(tentative)
            follower = yield from source.peek()
            if follower == ",":
                source.at += 1
                source.mark()
                follower = yield from source.peek()
        if follower == "":
            # All that was begun is complete: only the bracket is missing.
            return
        if follower != "]":
            raise MalformedCall(f"{self._shown(follower)} stands where a call or the end of their list is due.")
        source.at += 1

    def _json_call(self, tentative: bool) -> Reading[None]:
        """``{"name": …, "arguments": {…}}`` with its keys in any order."""
        source, calls = self._source, self._calls
        calls.begin(tentative)
        if (first := (yield from source.peek())) != "{":
            if not first:
                yield from source.need()
            raise MalformedCall(f"{self._shown(first)} stands where a call's JSON object is due.")
        source.at += 1
        follower = yield from source.peek()
        while follower != "}":
            key = yield from source.string()
            if (yield from source.peek()) != ":":
                yield from self._missing("a colon")
            source.at += 1
            yield from source.peek()
            if key == "name":
                calls.name((yield from source.string()))
            elif key in _ARGUMENT_KEYS:
                calls.begin_arguments()
                yield from self._json_arguments()
            elif calls.may_be_text and key not in _OTHER_CALL_KEYS:
                raise MalformedCall(f"{key!r} is no part of a call.")
            else:
                yield from source.value(lambda _: None)
            follower = yield from source.peek()
            if follower == ",":
                source.at += 1
                follower = yield from source.peek()
                if follower != '"':
                    yield from self._missing("another key")
            elif follower != "}":
                yield from self._missing("a comma or a closing brace")
        source.at += 1
        calls.complete()
        source.mark()

    def _json_arguments(self) -> Reading[None]:
        """A JSON object, or a JSON string that holds one."""
        source, calls = self._source, self._calls
        first = yield from source.peek()
        if first == "{":
            yield from source.value(calls.arguments)
        elif first == '"':
            text = (yield from source.string()).strip() or "{}"
            if not is_json(text, "{"):
                raise MalformedCall("Its arguments are a string that holds no JSON object.")
            calls.arguments(text)
        elif first == "n":
            pieces: list[str] = []
            yield from source.value(pieces.append)
            calls.arguments("{}")
        else:
            yield from self._missing("the object of its arguments")

    def _missing(self, due: str) -> Reading[None]:
        follower = yield from self._source.peek()
        if not follower:
            yield from self._source.need()
        raise MalformedCall(f"{self._shown(follower)} stands where {due} is due.")

    def _shown(self, text: str) -> str:
        return repr(self._spelling.plain(text))

    def _xml_calls(self, xml: XMLTags) -> Reading[None]:
        """Calls in tags, within an outer tag that may be left open."""
        source = self._source
        first = True
        while True:
            yield from source.peek()
            opener = yield from source.literal(xml.function, *self._ends)
            if opener == xml.function:
                if not first:
                    self._calls.begin(tentative=False)
                yield from self._xml_call(xml)
                first = False
                yield from source.peek()
                if (yield from source.literal(*self._ends)):
                    return
                source.mark()
            elif first:
                yield from self._missing(f"{xml.function}…{xml.name_end}")
            else:
                return

    def _xml_call(self, xml: XMLTags) -> Reading[None]:
        source, calls = self._source, self._calls
        name, _ = yield from source.name(xml.name_end)
        calls.name(name.strip())
        calls.begin_arguments()
        properties = calls.tool.parameters.get("properties") if calls.tool is not None else None
        known: Mapping[str, object] = properties if isinstance(properties, Mapping) else {}
        seen: set[str] = set()
        while True:
            yield from source.peek()
            tag = yield from source.literal(xml.parameter, xml.function_end)
            if tag == xml.function_end:
                calls.arguments("}" if seen else "{}")
                calls.complete()
                return
            if not tag:
                yield from self._missing(f"{xml.parameter}…{xml.key_end} or {xml.function_end}")
            key, _ = yield from source.name(xml.key_end)
            key = key.strip()
            if key in seen:
                raise MalformedCall(f"It has the parameter {key!r} more than once.")
            seen.add(key)
            value, _ = yield from source.until(xml.parameter_end)
            typed = typed_json(self._unwrapped(value), known.get(key))
            before = "{" if len(seen) == 1 else ", "
            calls.arguments(f"{before}{json.dumps(key, ensure_ascii=False)}: {typed}")

    @staticmethod
    def _unwrapped(value: str) -> str:
        """A tag's value: one line break at each end belongs to the tags, as does a CDATA section."""
        value = value.removeprefix("\n").removesuffix("\n")
        if value.startswith("<![CDATA[") and value.endswith("]]>"):
            value = value[len("<![CDATA[") : -len("]]>")]
        return value

    def _mistral_calls(self) -> Reading[None]:
        source, calls = self._source, self._calls
        first = yield from source.peek()
        if first == "[":
            yield from self._json_array(tentative=False)
            return
        if first == "{":
            yield from self._json_objects(tentative=False)
            return
        begin_arguments, begin_id = self._spelling.of("[ARGS]"), self._spelling.of("[CALL_ID]")
        name, end = yield from source.name(begin_arguments, begin_id, "{")
        calls.name(name.strip())
        if end == begin_id:
            _, end = yield from source.name(begin_arguments, "{")
        if end == "{":
            source.at -= 1
        calls.begin_arguments()
        yield from self._json_arguments()
        calls.complete()

    def _deepseek_call(self) -> Reading[None]:
        source, calls = self._source, self._calls
        before, _ = yield from source.name(self._spelling.of("<｜tool▁sep｜>"))
        first = yield from source.peek()
        fenced = first not in ("{", "")
        if fenced:
            name, _ = yield from source.name("\n")
            yield from source.peek()
            yield from source.literal("```json", "```")
        else:
            name = before
        calls.name(name.strip())
        yield from source.peek()
        calls.begin_arguments()
        yield from self._json_arguments()
        calls.complete()
        if fenced:
            yield from source.peek()
            yield from source.literal("```")

    def _gemma4_call(self) -> Reading[None]:
        source, calls = self._source, self._calls
        yield from source.peek()
        if not (yield from source.literal("call:")):
            yield from self._missing("call:")
        name, _ = yield from source.name("{")
        source.at -= 1
        calls.name(name.strip())
        calls.begin_arguments()
        yield from self._gemma4_value(0)
        calls.complete()

    def _gemma4_value(self, depth: int) -> Reading[None]:
        """A value whose strings stand between quote tokens, passed on as JSON."""
        source, calls = self._source, self._calls
        if depth > _MAX_DEPTH:
            raise MalformedCall(f"Its arguments are nested more than {_MAX_DEPTH} deep.")
        first = yield from source.peek()
        if first not in ("{", "["):
            calls.arguments((yield from self._gemma4_scalar(is_key=False)))
            return
        end = "}" if first == "{" else "]"
        source.at += 1
        calls.arguments(first)
        follower = yield from source.peek()
        while follower != end:
            if first == "{":
                key = yield from self._gemma4_scalar(is_key=True)
                if (yield from source.peek()) != ":":
                    yield from self._missing("a colon")
                source.at += 1
                calls.arguments(f"{key}: ")
            yield from self._gemma4_value(depth + 1)
            follower = yield from source.peek()
            if follower == ",":
                source.at += 1
                calls.arguments(", ")
                if (yield from source.peek()) in ("}", "]"):
                    yield from self._missing("another value")
            elif follower != end:
                yield from self._missing("a comma or a closing bracket")
        source.at += 1
        calls.arguments(end)

    def _gemma4_scalar(self, is_key: bool) -> Reading[str]:
        source = self._source
        quote = self._spelling.of('<|"|>')
        if (yield from source.literal(quote)):
            text, _ = yield from source.until(quote)
            return json.dumps(text, ensure_ascii=False)
        if (yield from source.peek()) == '"':
            # Some answers have plain quotes.
            pieces: list[str] = []
            yield from source.value(pieces.append)
            return "".join(pieces)
        word = ""
        while True:
            match = _BARE_WORD.match(source.text, source.at)
            word += match[0] if match else ""
            source.at = match.end() if match else source.at
            if source.at < len(source.text):
                break
            yield from source.need()
        if not word:
            yield from self._missing("a key or a value")
        return word if not is_key and is_json(word) else json.dumps(word, ensure_ascii=False)
