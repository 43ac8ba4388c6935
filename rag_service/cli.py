"""The command ``rkllm``."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from rag_service.model_commands import models_app
from rkllm_providers import __version__
from rkllm_providers.errors import RKLLMError
from rkllm_providers.models import BUILT_IN_MODEL, Catalog

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Language models on Rockchip NPUs.")
app.add_typer(models_app, name="models")
emulator_app = typer.Typer(no_args_is_help=True, help="The stand-in for librkllmrt.so on machines without an NPU.")
app.add_typer(emulator_app, name="emulator")

# The environment is read with the other settings, and not here: it goes behind the command line, before the file.
ServedDir = Annotated[Path | None, typer.Option(help="Folder with .rkllm and .gguf files. (default: ~/models)")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file with settings. [env var: RKLLM_CONFIG]")]
_SERVICE_HINT = "The service needs more packages: pip install 'rkllm-providers[service]'"


@app.callback(invoke_without_command=True)
def options(show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Language models on Rockchip NPUs."""
    if show_version:
        version()
        raise typer.Exit


@app.command()
def version() -> None:
    """Print the version."""
    Console().print(__version__)


@emulator_app.command("build")
def build_emulator(
    abi: Annotated[str | None, typer.Option(help="Runtime version to emulate. (default: 1.3.0)")] = None,
    output: Annotated[Path, typer.Option(help="Folder to put librkllmrt.so into.", file_okay=False)] = Path(),
) -> None:
    """Compile the emulator, put it into a folder, and print its path."""
    from rkllm_providers.emulator import build_library

    built = build_library(abi)
    output.mkdir(parents=True, exist_ok=True)
    target = output / built.name
    # A process may have the old file loaded: it is replaced, not written over.
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copy(built, scratch)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    typer.echo(target.absolute())


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. (default: 127.0.0.1)")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. (default: 8000)")] = None,
    models_dir: ServedDir = None,
    model: Annotated[
        str | None, typer.Option(help="Model to load at start, and for requests that name none.")
    ] = None,
    lib_path: Annotated[Path | None, typer.Option(help="Path of librkllmrt.so, or of its folder.")] = None,
    context_length: Annotated[int | None, typer.Option(help="Upper bound on context windows, in tokens.")] = None,
    api_keys_file: Annotated[Path | None, typer.Option(help="File with keys that clients must send.")] = None,
    no_key: Annotated[
        bool, typer.Option("--no-key", help="Serve without keys, to everybody who can reach the address.")
    ] = False,
    lan: Annotated[
        bool, typer.Option("--lan", help="Serve the whole network, with a key that is made at the first start.")
    ] = False,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error. (default: info)")] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json. (default: text)")] = None,
    log_file: Annotated[Path | None, typer.Option(help="File that the log goes to as well.")] = None,
    config: ConfigFile = None,
) -> None:
    """Serve the models over the OpenAI API. `rkllm settings` has all settings."""
    try:
        from rag_service import serving
    except ImportError as error:
        raise typer.BadParameter(f"{_SERVICE_HINT} ({error})") from error
    given = {
        "host": host,
        "port": port,
        "models_dir": models_dir,
        "model": model,
        "lib_path": None if lib_path is None else str(lib_path),
        "context_length": context_length,
        "api_keys_file": api_keys_file,
        "allow_no_key": no_key or None,
        "api_log_level": log_level,
        "log_format": log_format,
        "log_file": log_file,
    }
    with _settings_problems():
        serving.serve({name: value for name, value in given.items() if value is not None}, config, lan=lan)


@app.command()
def settings(
    config: ConfigFile = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the page that documents them all.")] = False,
) -> None:
    """Show all settings of the service, their values here, and where each is from."""
    try:
        from rag_service import serving, setting_table
    except ImportError as error:
        raise typer.BadParameter(f"{_SERVICE_HINT} ({error})") from error
    if as_markdown:
        typer.echo(setting_table.settings_document(), nl=False)
        return
    with _settings_problems():
        serving.print_settings(config)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    once: Annotated[bool, typer.Option("--once", help="Exit after the answer.")] = False,
    model: Annotated[str, typer.Option(help="Model to ask.")] = BUILT_IN_MODEL,
    models_dir: ServedDir = None,
) -> None:
    """Start the service with a small model, ask it one question, and go on serving."""
    try:
        from rag_service.config_file import load_settings
        from rag_service.demo import run_demo
    except ImportError as error:
        raise typer.BadParameter(f"{_SERVICE_HINT} ({error})") from error
    # On this machine only, and without keys, whatever the settings of the real service say.
    given = {"host": "127.0.0.1", "port": port, "model": model, "api_key": None, "api_keys_file": None}
    with _settings_problems():
        chosen = load_settings(given if models_dir is None else {**given, "models_dir": models_dir})
    Catalog(chosen.models_dir).get(model)
    raise typer.Exit(run_demo(chosen, once=once))


@contextlib.contextmanager
def _settings_problems() -> Iterator[None]:
    """One line about each setting that is wrong, wherever it came from."""
    from rag_service.config_file import SettingsError

    try:
        yield
    except SettingsError as error:
        raise typer.BadParameter("; ".join(error.problems)) from error


def main() -> None:
    """Run the command; errors of ours end it with their message and status 1."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except RKLLMError as error:
        Console(stderr=True).print(f"[bold red]Error:[/] {escape(str(error))}", highlight=False)
        sys.exit(1)
    except OSError as error:
        _end_without_output(error)


def _end_without_output(error: OSError) -> NoReturn:
    """End with what the system said. What is left of the output must not fail once more at the interpreter's end."""
    where = f"{error.filename}: " if error.filename else ""
    Console(stderr=True, soft_wrap=True).print(
        f"[bold red]Error:[/] {escape(f'{where}{error.strerror or error}.')}", highlight=False
    )
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


if __name__ == "__main__":
    main()
