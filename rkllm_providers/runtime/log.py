"""Lines of the library's log that are worth knowing, and what to do about them.

The library gives no reason but in what it prints. The exact texts are known only from reports, and may
change, so the patterns are loose, and a line that none fits means nothing. Matching never raises,
whatever the lines hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]

MAX_LINE = 2000
"""Characters of a line that are looked at; log dumps of level 2 can hold whole prompts in one line."""


class LogPattern(NamedTuple):
    """A kind of line: its expression, whose named groups are captured, and advice that may use them.

    ``cause`` is false for lines that only say that something failed, which others explain.
    """

    kind: str
    severity: Severity
    expression: re.Pattern[str]
    advice: str = ""
    cause: bool = True


@dataclass(frozen=True)
class LogNotice:
    """A line that was recognised.

    ``values`` holds what was captured: numbers under names such as ``n_prompt_tokens``, ``n_ctx`` and
    ``limit``, versions and platform as text.
    """

    kind: str
    severity: Severity
    line: str
    advice: str
    values: dict[str, int | str] = field(default_factory=dict)


def _pattern(kind: str, severity: Severity, expression: str, advice: str = "", *, cause: bool = True) -> LogPattern:
    return LogPattern(kind, severity, re.compile(expression, re.IGNORECASE | re.ASCII), advice, cause)


_SHORTEN = (
    "The prompt has {n_prompt_tokens} tokens, the context window holds {n_ctx}: shorten the prompt, or load "
    "the model with a larger max_context_len."
)

# "[^\d]{0,40}" between words and numbers bounds the search, so that no line takes long to match.
LOG_PATTERNS: tuple[LogPattern, ...] = (
    _pattern(
        "prompt_too_long",
        "error",
        r"prompt has (?P<n_prompt_tokens>\d+) tokens[^\d]{0,60}(?P<n_ctx>\d+)",
        _SHORTEN,
    ),
    _pattern(
        "prompt_too_long",
        "error",
        r"prompt\b.{0,80}?\b(?:gather|greater|longer|larger|exceed\w*|more|too long)\b.{0,80}?"
        r"\(?prompt:? ?(?P<n_prompt_tokens>\d+)[^\d]{0,40}(?P<n_ctx>\d+)",
        _SHORTEN,
    ),
    _pattern(
        "prompt_too_long",
        "error",
        r"(?:prompt|input|tokens?)\b[^\d]{0,60}(?P<n_prompt_tokens>\d+)[^\d]{0,60}"
        r"(?:gather|greater|longer|larger|exceed\w*|too long|over)[^\d]{0,20}"
        r"(?:context|n_ctx|max_context\w*)[^\d]{0,40}(?P<n_ctx>\d+)",
        _SHORTEN,
    ),
    _pattern(
        "context_above_limit",
        "error",
        r"max_context\w*\W{0,3}(?P<requested>\d+)\W{0,3}\s?must be less[^\d]{0,60}max_context_limit"
        r"\W{0,3}(?P<limit>\d+)",
        "max_context_len is {requested}, and the model was converted for at most {limit}: set "
        "max_context_len to {limit} or less, or convert the model with a larger max_context.",
    ),
    _pattern(
        "n_keep_too_large",
        "error",
        r"n_keep\b.{0,60}\bmax_context",
        "n_keep must be below max_context_len: lower it.",
    ),
    _pattern(
        "invalid_magic",
        "error",
        r"invalid rknn llm model magic",
        "The file is no .rkllm model, or was cut off: download or convert it again.",
    ),
    _pattern(
        "model_too_old",
        "error",
        r"model version is too old",
        "The model was made by too old a toolkit for this runtime: convert it again.",
    ),
    _pattern(
        "platform_mismatch",
        "error",
        r"target[ _]platform\b.{0,60}(?:not match|mismatch|differ)",
        "The model was converted for another chip: use one made for this board's.",
    ),
    _pattern(
        "platform_unknown",
        "error",
        r"query platform error|(?:unsupported|unknown|invalid)\b.{0,40}\bplatform|platform\b.{0,60}RV1126B",
        "The runtime does not know this chip; it knows RK3588, RK3576, RK3562 and RV1126B.",
    ),
    _pattern(
        "runtime_too_old",
        "warning",
        r"runtime version\b.{0,60}\b(?:older|lower|less)\b.{0,40}\btoolkit",
        "The runtime is older than the toolkit that made the model: update librkllmrt.so.",
    ),
    _pattern(
        "cpu_count",
        "error",
        r"number of enabled CPUs must be",
        "Enable at least as many CPUs (enabled_cpus_num) as the model uses NPU cores.",
    ),
    _pattern(
        "cpu_mask",
        "error",
        r"mismatch between enabled CPUs mask",
        "enabled_cpus_num must be the number of bits set in enabled_cpus_mask.",
    ),
    _pattern(
        "n_batch",
        "error",
        r"n_batch must be between\D{0,10}\d+\D{0,10}\d+\D{0,20}(?P<given>\d+)",
        "The library read n_batch {given}, which this package sets to 1: the struct layout is that of "
        "another version. Remove RKLLM_RUNTIME_VERSION if it is set, and report this.",
    ),
    _pattern(
        "out_of_memory",
        "error",
        r"failed to (?:malloc npu memory(?:\D{0,10}(?P<size>\d+))?|allocate handle)",
        "The NPU has no memory left for the model: unload another one, use a smaller one or a smaller "
        "max_context_len, another base_domain_id, or update the NPU driver.",
    ),
    _pattern(
        "matmul_failed",
        "error",
        r"matmul\((?P<dtype>\w+)\) run failed|matmul run failed",
        "The NPU could not compute: most often its driver is too old (0.9.8 is recommended), see "
        "/sys/kernel/debug/rknpu/version.",
    ),
    _pattern(
        "overflow",
        "warning",
        r"overflow detected at input",
        "Numbers overflowed in the model, its output may be wrong: convert it with another quantisation.",
    ),
    _pattern(
        "memory_32_bit",
        "error",
        r"32[- ]?bit\b.{0,80}\b2 ?GB?",
        "A 32-bit system takes models below 2 GB of weights only: use a 64-bit image or a smaller model.",
    ),
    _pattern(
        "chat_template_missing",
        "warning",
        r"rkllm_set_chat_template",
        "The runtime could not use the model's own chat template: give the prompt as tokens, or set one.",
    ),
    _pattern(
        "prompt_cache",
        "warning",
        r"prompt[ _]cache\b.{0,80}\b(?:not exist|missing|empty|fail|not match|mismatch|cannot|unsupport)",
        "The prompt cache was not used: make it again with this model.",
    ),
    _pattern(
        "kv_reuse_unsupported",
        "warning",
        r"kv[ _]?cache\b.{0,60}\breus\w+\b.{0,60}\bnot support|not support\w*\b.{0,60}\bkv[ _]?cache",
        "This kind of model cannot reuse what it computed: every run reads its whole prompt anew.",
    ),
    _pattern(
        "driver_too_old",
        "warning",
        r"rknpu driver version is too low(?:.{0,40}?upgrade to (?P<required>\d+(?:\.\d+)*))?",
        "The NPU driver is older than the runtime wants; 0.9.8 is recommended. It comes with the kernel: "
        "update the board's image.",
    ),
    _pattern(
        "cpu_affinity",
        "warning",
        r"set affinity failed",
        "The library could not choose its CPU cores, and runs slower: allow the process those cores.",
    ),
    _pattern("load_failed", "error", r"rkllm_init failed|load model file error|failed to load model", cause=False),
    _pattern(
        "runtime_version",
        "info",
        r"rkllm-runtime version: ?(?P<version>[0-9][\w.+\-]*)"
        r"(?:, ?rknpu driver version: ?(?P<driver>[\w.+\-]+))?(?:, ?platform: ?(?P<platform>\w+))?",
    ),
    _pattern(
        "model_info",
        "info",
        r"rkllm-toolkit version: ?(?P<toolkit>[\w.+\-]+)(?:, ?max_context_limit: ?(?P<limit>\d+))?"
        r"(?:, ?npu_core_num: ?(?P<npu_cores>\d+))?(?:, ?target_platform: ?(?P<platform>\w+))?"
        r"(?:, ?model_dtype: ?(?P<dtype>\w+))?",
    ),
    _pattern(
        "cache_matched",
        "info",
        r"kv cache matches\s{1,3}(?P<cached>\d+)\s?/\s?(?P<n_prompt_tokens>\d+)",
    ),
)
"""In order of precedence: of a line, the first pattern that fits counts; of several lines, ``explain``
takes the first kind. Sources: the vendor's log as quoted in public issue reports, and strings in the
library."""

_NUMBERS = frozenset({"n_prompt_tokens", "n_ctx", "requested", "limit", "given", "size", "npu_cores", "cached"})


def recognise(line: str) -> LogNotice | None:
    """What a log line means, or ``None`` if it is none of the known kinds."""
    looked_at = line[:MAX_LINE]
    for pattern in LOG_PATTERNS:
        match = pattern.expression.search(looked_at)
        if match is None:
            continue
        values: dict[str, int | str] = {
            name: _number(text) if name in _NUMBERS else text
            for name, text in match.groupdict().items()
            if text is not None
        }
        return LogNotice(pattern.kind, pattern.severity, line, pattern.advice.format_map(values), values)
    return None


def explain(lines: Iterable[str]) -> str | None:
    """One or two sentences on what went wrong and what to do, from the lines around a failure.

    ``None`` if no line names a cause. Errors come before warnings.
    """
    notices = [notice for line in lines if (notice := recognise(line)) is not None]
    for severity in ("error", "warning"):
        for pattern in LOG_PATTERNS:
            if pattern.severity != severity or not pattern.cause:
                continue
            for notice in reversed(notices):
                if notice.kind == pattern.kind:
                    return notice.advice
    return None


def _number(text: str) -> int:
    # Python refuses to convert absurdly long numbers; such a line is noise, whatever its number.
    return int(text[:18])
