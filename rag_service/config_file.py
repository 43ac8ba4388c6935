"""Settings from a TOML file, and all settings together: command line over environment over file."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from rag_service.settings import ServiceSettings
from rkllm_providers.errors import RKLLMError

CONFIG_VARIABLE: Final = "RKLLM_CONFIG"
"""Environment variable that names the settings file."""

PREFIX: Final = "RKLLM_"
_MOST_BYTES: Final = 1 << 20
_NAME: Final = "config.toml"

# Variables with our prefix that are no settings of the service, and who reads them.
OTHER_VARIABLES: Final[Mapping[str, str]] = {
    CONFIG_VARIABLE: "this module",
    "RKLLM_LOG_LEVEL": "the vendor's library",
    "RKLLM_EMULATOR_VERSION": "the emulator",
    "RKLLM_EMULATOR_CACHE": "the emulator",
    "RKLLM_EMULATOR_SEED": "the emulator",
    "RKLLM_EMULATOR_THREADS": "the emulator",
}


class SettingsError(RKLLMError, ValueError):
    """Settings that cannot be used; ``problems`` has a sentence on each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.problems,))


def config_home() -> Path:
    """The folder of this user for settings and keys."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "rkllm-providers"


def default_places() -> tuple[Path, ...]:
    """Where a settings file is looked for when none is named; the first that is there counts."""
    return (config_home() / _NAME, Path("/etc/rkllm-providers") / _NAME)


def find_config(named: Path | None = None) -> Path | None:
    """The settings file: ``named``, else what ``RKLLM_CONFIG`` names, else one of the default places; or none."""
    if named is None and os.environ.get(CONFIG_VARIABLE):
        named = Path(os.environ[CONFIG_VARIABLE])
    if named is not None:
        return named.expanduser()
    return next((place for place in default_places() if place.is_file()), None)


def read_config(path: Path) -> dict[str, Any]:
    """The settings in a file, by name; their values are not checked yet.

    Raises:
        SettingsError: The file cannot be read, is no TOML, or holds what is no setting.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SettingsError([f"{path} is larger than {_MOST_BYTES} bytes: it is no settings file."])
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError([f"The settings file {path} cannot be read: {error.strerror}."]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path} is no TOML: {error}"]) from error
    known = ServiceSettings.model_fields
    unknown = [f"{path}: there is no setting {name!r}{nearest(name, known)}." for name in values if name not in known]
    if unknown:
        raise SettingsError(unknown)
    return values


def load_settings(given: Mapping[str, Any] | None = None, config: Path | None = None) -> ServiceSettings:
    """All settings. ``given`` is from the command line and goes first, then the environment, then the file.

    Raises:
        SettingsError: One of them is no setting, or has a value that cannot be.
    """
    given = dict(given or {})
    unknown = [*_unknown_arguments(given), *_unknown_variables(os.environ)]
    path = find_config(config)
    from_file = {} if path is None else read_config(path)
    if unknown:
        raise SettingsError(unknown)
    set_variables = {name.upper() for name in os.environ}
    used = {
        name: value
        for name, value in from_file.items()
        if name not in given and variable_of(name) not in set_variables
    }
    try:
        return ServiceSettings(**used, **given)
    except ValidationError as error:
        raise SettingsError(_problems(error, used, given, path)) from error


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    alias = ServiceSettings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean …`` where something has a name like it, else nothing."""
    found = difflib.get_close_matches(name, list(known), 1, cutoff=0.5)
    return f"; did you mean {found[0]!r}" if found else ""


def _unknown_arguments(given: Mapping[str, Any]) -> list[str]:
    known = ServiceSettings.model_fields
    return [f"There is no setting {name!r}{nearest(name, known)}." for name in given if name not in known]


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {*map(variable_of, ServiceSettings.model_fields), *OTHER_VARIABLES}
    return [
        f"There is no setting of the environment {name}{nearest(name.upper(), known)}."
        for name in sorted(environment)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]


def _problems(
    error: ValidationError, from_file: Mapping[str, Any], given: Mapping[str, Any], path: Path | None
) -> list[str]:
    problems: list[str] = []
    names = {variable_of(name): name for name in ServiceSettings.model_fields}
    for detail in error.errors(include_url=False, include_input=False):
        if detail["type"] == "default_factory_not_called":
            continue  # a default that is made of other settings, one of which is wrong
        first = str(detail["loc"][0]) if detail["loc"] else ""
        name = names.get(first, first)
        where = name
        if name in from_file:
            where = f"{path}: {name}"
        elif name not in given and name in ServiceSettings.model_fields:
            where = f"{name} ({variable_of(name)})"
        problems.append(f"{where}: {str(detail['msg']).removeprefix('Value error, ')}")
    return problems
