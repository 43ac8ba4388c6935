"""What settings there are, as a table: for the terminal, and for ``docs/settings.md``, which is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from rag_service.config_file import default_places, variable_of
from rag_service.settings import ServiceSettings
from rkllm_providers.durations import FOREVER

# Settings with an option of `rkllm serve`; the others are set by the environment or the file.
FLAGS: Final[Mapping[str, str]] = {
    "host": "--host",
    "port": "--port",
    "models_dir": "--models-dir",
    "model": "--model",
    "lib_path": "--lib-path",
    "context_length": "--context-length",
    "api_keys_file": "--api-keys-file",
    "allow_no_key": "--no-key",
    "api_log_level": "--log-level",
    "log_format": "--log-format",
    "log_file": "--log-file",
}

_DEFAULTS_IN_WORDS: Final[Mapping[str, str]] = {
    "models_dir": "~/models",
    "lib_path": "found",
    "npu_lock": "found",
    "runtime_version": "told",
    "context_length": "the model's",
    "body_limit": "16 MiB and a picture in base64",
    "requests_per_minute": "off",
    "worker_memory_limit": "off",
    "prefill_chunk": "off",
    "tasks": "as openwebui.md says",
}
_GROUPS: Final[tuple[tuple[str, str], ...]] = (
    ("Where to listen, and who may call", "host"),
    ("Models", "models_dir"),
    ("Limits", "header_limit"),
    ("Memory and cache", "memory_budget"),
    ("Chats with sources, tasks and tools", "rag"),
    ("Embeddings", "lexical_embedding"),
    ("Logs", "api_log_level"),
)
_HEAD: Final = "| setting | environment | option | default | |\n| --- | --- | --- | --- | --- |\n"


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting in words."""

    name: str
    variable: str
    flag: str
    default: str
    description: str


def setting_rows() -> list[SettingRow]:
    """All settings, in the order in which they are documented."""
    return [
        SettingRow(
            name,
            variable_of(name),
            FLAGS.get(name, ""),
            _DEFAULTS_IN_WORDS.get(name) or shown_value(_default(field.default)),
            field.description or "",
        )
        for name, field in ServiceSettings.model_fields.items()
    ]


def shown_value(value: Any) -> str:
    """A value as one may write it; secrets are not shown."""
    if value is None or value == ():
        return "none"
    if isinstance(value, SecretStr):
        return "(secret)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return "forever" if value == FOREVER else f"{value:g}"
    return str(value)


def settings_document() -> str:
    """The text of ``docs/settings.md``."""
    home, system = (_portable(place) for place in default_places())
    parts = [_INTRODUCTION.format(home=home, system=system)]
    titles = {first: title for title, first in _GROUPS}
    for row in setting_rows():
        if row.name in titles:
            parts.append(f"\n## {titles[row.name]}\n\n{_HEAD}")
        flag = f"`{row.flag}`" if row.flag else ""
        parts.append(f"| `{row.name}` | `{row.variable}` | {flag} | {row.default} | {row.description} |\n")
    return "".join(parts)


def _portable(place: Path) -> str:
    """A place as it is written for everybody: this user's home folder is not part of it."""
    return f"~/.config/rkllm-providers/{place.name}" if not place.is_relative_to("/etc") else str(place)


def _default(default: Any) -> Any:
    return None if default is PydanticUndefined else default


_INTRODUCTION: Final = """# Settings of the service

This page is printed by `rkllm settings --markdown`. `rkllm settings` shows the values that count on this machine,
and where each is from.

A setting is an option of `rkllm serve`, a variable of the environment, or a line of a TOML file; they go in this
order, and the first that has it counts. The file is the one that `--config` or `RKLLM_CONFIG` names, else the first
that is there of `{home}` (`$XDG_CONFIG_HOME` instead of `~/.config` where it is set)
and `{system}`:

```toml
host = "0.0.0.0"
api_keys_file = "~/.config/rkllm-providers/api_keys"
model = "qwen3-4b"
memory_budget = "6G"
keep_alive = "30m"
```

A name that is no setting is an error that says which one is like it, in the file and in the environment: variables
that begin with `RKLLM_` are settings, or are read by the [emulator](emulator.md) or the vendor's library. Sizes are
bytes, or a number with K, M or G; durations are seconds, or as `30m`.
"""
