r"""How byte-level BPE vocabularies cut text before merging, by the name a GGUF file gives.

``tokenizer.ggml.pre`` names a rule. Each rule is one or more regular expressions, applied one after
another to what the one before left whole, every match and everything between matches becoming a piece
of its own. Sources: the ``pre_tokenizer`` of the families' own ``tokenizer.json`` and llama.cpp's
``llama-vocab.cpp``, which gave the rules their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tokenizers import Regex, pre_tokenizers

_CONTRACTIONS: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_TAIL: Final = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_DIGIT: Final = r"\p{N}"
_THREE_DIGITS: Final = r"\p{N}{1,3}"
_GPT2: Final = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def _gpt4_like(number: str, *, letters: str = r"\p{L}", joined: str = "") -> str:
    """The pattern that Llama 3, Qwen and their relatives share, but for how digits and marks are taken."""
    return (
        rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?{letters}+|{number}"
        rf"| ?[^\s\p{{L}}{joined}\p{{N}}]+[\r\n]*|{_TAIL}"
    )


_QWEN2: Final = _gpt4_like(_DIGIT)
_LLAMA3: Final = _gpt4_like(_THREE_DIGITS)
_QWEN35: Final = _gpt4_like(_DIGIT, letters=r"[\p{L}\p{M}]", joined=r"\p{M}")
_TEKKEN_UPPER: Final = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_TEKKEN_LOWER: Final = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_TEKKEN: Final = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_TEKKEN_UPPER}*{_TEKKEN_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_TEKKEN_UPPER}+{_TEKKEN_LOWER}*"
    rf"|{_DIGIT}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_TAIL}"
)
_GPT4O: Final = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_TEKKEN_UPPER}*{_TEKKEN_LOWER}+{_CONTRACTIONS}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_TEKKEN_UPPER}+{_TEKKEN_LOWER}*{_CONTRACTIONS}?"
    rf"|{_THREE_DIGITS}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_TAIL}"
)

# The cased letters DeepSeek's first tokenizer knows, as code points: a class of an older Unicode
# version, without Armenian and Georgian lower case. Written as numbers because several of these
# characters (such as U+2126) turn into others when text is normalised.
_DEEPSEEK_LETTERS: Final = (
    "41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386 388-38A 38C "
    "38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B "
    "1D6B-1D77 1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 "
    "1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 "
    "2115 2119-211D 2124 2126 2128 212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183 2184 2C00-2C7B "
    "2C7E-2CE4 2CEB-2CEE 2CF2 2CF3 A640-A66D A680-A69B A722-A76F A771-A787 A78B-A78E AB70-ABBF FB00-FB06 "
    "FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF "
    "1E900-1E943"
)
_DEEPSEEK_PUNCTUATION: Final = "21-2F 3A-7E FF01-FF0F FF1A-FF5E 2018-201F 3000-3002"
_DEEPSEEK_UNSPACED: Final = "4E00-9FA5 800-4E00 AC00-D7FF"


def _code_points(ranges: str) -> str:
    r"""A character class from hexadecimal ranges, with every end point escaped as ``\x{…}``."""
    return "[" + "".join("-".join(rf"\x{{{end}}}" for end in span.split("-")) for span in ranges.split()) + "]"


_DEEPSEEK_LLM: Final = (
    r"[\r\n]",
    rf"\s?{_code_points(_DEEPSEEK_LETTERS)}+",
    rf"\s?{_code_points(_DEEPSEEK_PUNCTUATION)}+",
    r"\s+$",
    rf"{_code_points(_DEEPSEEK_UNSPACED)}+",
    r"\p{N}+",
)
_DEEPSEEK_CODER: Final = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", rf"{_code_points(_DEEPSEEK_UNSPACED)}+", _DIGIT)
_DEEPSEEK3: Final = (
    _THREE_DIGITS,
    rf"{_code_points('4E00-9FA5 3040-309F 30A0-30FF')}+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
    rf"|{_TAIL}",
)

RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "gpt-2": (_GPT2,),
    "phi-2": (_GPT2,),
    "olmo": (_GPT2,),
    "mpt": (_GPT2,),
    "smollm": (_DIGIT, _GPT2),
    "starcoder": (_DIGIT, _GPT2),
    "refact": (_DIGIT, _GPT2),
    "command-r": (_DIGIT, _GPT2),
    "codeshell": (_DIGIT, _GPT2),
    "exaone": (_DIGIT, _GPT2),
    "qwen2": (_QWEN2,),
    "deepseek-r1-qwen": (_QWEN2,),
    "stablelm2": (_QWEN2,),
    "hunyuan": (_QWEN2,),
    "megrez": (_QWEN2,),
    "qwen35": (_QWEN35,),
    "llama-bpe": (_LLAMA3,),
    "llama3": (_LLAMA3,),
    "llama-v3": (_LLAMA3,),
    "falcon3": (_LLAMA3,),
    "pixtral": (_LLAMA3,),
    "dbrx": (_LLAMA3,),
    "smaug-bpe": (_LLAMA3,),
    "glm4": (_LLAMA3,),
    "chatglm-bpe": (_LLAMA3,),
    "minicpm5": (_THREE_DIGITS, _gpt4_like(r"\p{N}+")),
    "tekken": (_TEKKEN,),
    "gpt-4o": (_GPT4O,),
    "llama4": (_GPT4O,),
    "deepseek-llm": _DEEPSEEK_LLM,
    "deepseek-coder": _DEEPSEEK_CODER,
    "deepseek-v3": _DEEPSEEK3,
}
"""Rule name to patterns."""

WHOLE_WORD_RULES: Final = frozenset({"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "tekken", "llama4"})
"""Rules under which a piece that is a token as a whole is taken as it is, without merging."""


def pre_tokenizer(rule: str) -> pre_tokenizers.PreTokenizer | None:
    """The pre-tokenizer of a rule; ``None`` for a name that is not known."""
    patterns = RULES.get(rule)
    if patterns is None:
        return None
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    return pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
