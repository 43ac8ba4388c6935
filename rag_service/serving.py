"""What the commands ``rkllm serve`` and ``rkllm settings`` do with settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rag_service import server
from rag_service.addresses import base_url, lan_address
from rag_service.api_keys import default_keys_file, ensure_key
from rag_service.config_file import find_config, load_settings, read_config, variable_of
from rag_service.logs import configure_logging
from rag_service.setting_table import setting_rows, shown_value
from rag_service.settings import ServiceSettings
from rkllm_providers.models import Catalog

_ALL_ADDRESSES: Final = "0.0.0.0"
_PIPED_WIDTH: Final = 4000
# Settings that floors below read from the environment, in this process and in its workers.
_READ_BELOW: Final = ("npu_lock", "rknn_lib_path")


def serve(given: Mapping[str, Any], config: Path | None, *, lan: bool) -> None:
    """Serve until interrupted.

    Raises:
        SettingsError: The settings cannot be used.
        ModelNotFound: There is no model of the name that is to be loaded.
        AddressInUse: The address cannot be had.
    """
    settings = load_settings({"host": _ALL_ADDRESSES, **given} if lan else given, config)
    console = Console(stderr=True, soft_wrap=True)
    made: str | None = None
    if lan and settings.api_key is None and not settings.allow_no_key:
        path = settings.api_keys_file or default_keys_file()
        made = ensure_key(path)
        settings = settings.model_copy(update={"api_keys_file": path})
    configure_logging(settings)
    for name in _READ_BELOW:
        value = getattr(settings, name)
        if value is not None:
            os.environ[variable_of(name)] = value
    if not settings.models_dir.expanduser().is_dir():
        console.print(f"Warning: there is no folder {settings.models_dir}.", markup=False)
    if settings.model is not None:
        Catalog(settings.models_dir).get(settings.model)
    if lan:
        _print_lan(console, settings, made)
    server.run_server(settings)


def print_settings(config: Path | None) -> None:
    """All settings with their values, and where each is from.

    Raises:
        SettingsError: They cannot be used.
    """
    settings = load_settings(None, config)
    path = find_config(config)
    in_file = {} if path is None else read_config(path)
    variables = {name.upper() for name in os.environ}
    table = Table(box=None)
    for title in ("setting", "value", "from", "environment", ""):
        table.add_column(title, overflow="fold")
    for row in setting_rows():
        value = shown_value(getattr(settings, row.name))
        source = "environment" if row.variable in variables else str(path) if row.name in in_file else ""
        table.add_row(
            row.name, escape(value if source else row.default), source, row.variable, escape(row.description)
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPED_WIDTH)
    with console.capture() as capture:
        console.print(table)
    console.file.write("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")
    console.print(f"\nSettings file: {path or 'none'}", markup=False, highlight=False, soft_wrap=True)


def _print_lan(console: Console, settings: ServiceSettings, made: str | None) -> None:
    """What other machines need, once. It is for the terminal, and no line of the log."""
    url = base_url(lan_address() if settings.host == _ALL_ADDRESSES else settings.host, settings.port)
    console.print(f"Base URL for other machines: {url}", markup=False, highlight=False)
    if made is not None:
        console.print(f"API key: {made}", markup=False, highlight=False)
        console.print(
            f"It is kept in {settings.api_keys_file}, and is not shown again.", markup=False, highlight=False
        )
    elif settings.api_keys_file is not None:
        console.print(f"API keys: those in {settings.api_keys_file}", markup=False, highlight=False)
