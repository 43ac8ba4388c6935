"""The forms in which families of models write tool calls, as data.

Sources: the families' chat templates (in their repositories at Hugging Face) and tokenizer files.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from enum import Enum
from typing import Final


class CallSyntax(Enum):
    """What stands behind the marker that begins a call."""

    JSON = "json"
    """``{"name": …, "arguments": {…}}``, one or several, or an array of them; or the XML of newer Qwen."""
    MISTRAL = "mistral"
    """As JSON, or ``name[ARGS]{…}``."""
    DEEPSEEK = "deepseek"
    """``function<sep>name`` and a fenced JSON object, or ``name<sep>{…}``."""
    GEMMA4 = "gemma4"
    """``call:name{key:value,…}`` with strings in quote tokens."""


@dataclass(frozen=True, slots=True)
class XMLTags:
    """How a family writes a call in tags: each text stands before or behind a name or a value."""

    function: str
    name_end: str
    parameter: str
    key_end: str
    parameter_end: str
    function_end: str


@dataclass(frozen=True, slots=True)
class ToolFormat:
    """One form of tool calls.

    ``begins`` open calls, and any of ``ends`` closes one that cannot be read. ``fences`` open something
    that is a call only if it reads as one, and stays text otherwise; ``bare`` says that an answer that begins
    with ``{`` may be one. ``silent`` markers frame calls and are no text; ``inner`` ones stand within.
    """

    name: str
    syntax: CallSyntax
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    fences: tuple[str, ...] = ()
    bare: bool = False
    xml: XMLTags | None = None

    @property
    def markers(self) -> tuple[str, ...]:
        """All texts that may be one token. A code fence is text, whatever its tokens are."""
        tags = astuple(self.xml) if self.xml is not None else ()
        words = (tag for tag in tags if tag.startswith("<"))
        texts = (*self.begins, *self.ends, *self.silent, *self.inner, *words)
        return tuple(text for text in dict.fromkeys(texts) if not text.startswith("`"))


_QWEN_XML: Final = XMLTags("<function=", ">", "<parameter=", ">", "</parameter>", "</function>")
_MINICPM_XML: Final = XMLTags('<function name="', '">', '<param name="', '">', "</param>", "</function>")

TOOL_FORMATS: Final[dict[str, ToolFormat]] = {
    tool_format.name: tool_format
    for tool_format in (
        # NousResearch Hermes 2 Pro, Qwen2.5, Qwen3, SmolLM3
        ToolFormat("hermes", CallSyntax.JSON, ("<tool_call>",), ("</tool_call>",), ("</tool_call>",), xml=_QWEN_XML),
        # Qwen3-Coder, Qwen3.5; the outer tag is sometimes left out
        ToolFormat(
            "xml",
            CallSyntax.JSON,
            ("<tool_call>", "<function="),
            ("</tool_call>", "</function>"),
            ("</tool_call>",),
            xml=_QWEN_XML,
        ),
        # MiniCPM5
        ToolFormat("minicpm", CallSyntax.JSON, ('<function name="',), ("</function>",), xml=_MINICPM_XML),
        # Llama 3.1, 3.2
        ToolFormat("llama3", CallSyntax.JSON, ("<|python_tag|>",), bare=True),
        # Mistral 7B v0.3, Nemo (array); Mistral Small 3.1, Ministral, Devstral (name and arguments)
        ToolFormat("mistral", CallSyntax.MISTRAL, ("[TOOL_CALLS]",), inner=("[ARGS]", "[CALL_ID]")),
        # DeepSeek V3, V3.1, R1 and its distills
        ToolFormat(
            "deepseek",
            CallSyntax.DEEPSEEK,
            ("<｜tool▁call▁begin｜>",),
            ("<｜tool▁call▁end｜>",),
            ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁end｜>"),
            ("<｜tool▁sep｜>",),
        ),
        # Phi-4-mini
        ToolFormat("phi", CallSyntax.JSON, ("<|tool_call|>",), ("<|/tool_call|>",), ("<|/tool_call|>",)),
        # Gemma 2 and 3 have no form of their own; asked for JSON, they answer with it bare or fenced.
        ToolFormat(
            "gemma",
            CallSyntax.JSON,
            ("```tool_code", "```tool_call"),
            ("```",),
            fences=("```json",),
            bare=True,
        ),
        ToolFormat(
            "gemma4",
            CallSyntax.GEMMA4,
            ("<|tool_call>",),
            ("<tool_call|>",),
            ("<tool_call|>",),
            ('<|"|>',),
        ),
    )
}

# The first whose texts are all in a chat template is its format.
_SIGNS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("xml", ("<function=", "<parameter=")),
    ("minicpm", ('<function name="', '<param name="')),
    ("gemma4", ("<|tool_call>", "call:")),
    ("deepseek", ("<｜tool▁call▁begin｜>",)),
    ("mistral", ("[TOOL_CALLS]",)),
    ("phi", ("<|tool_call|>",)),
    ("hermes", ("<tool_call>",)),
    ("llama3", ("<|python_tag|>",)),
    ("llama3", ('"parameters": ', "tools")),
)


def tool_format_of(template_source: str) -> ToolFormat | None:
    """The format of the calls that a chat template writes; ``None`` where it knows no tools."""
    for name, texts in _SIGNS:
        if all(text in template_source for text in texts):
            return TOOL_FORMATS[name]
    return None
