"""The command ``rkllm``."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from rag_service.model_commands import ModelsDir, models_app
from rkllm_providers import __version__
from rkllm_providers.errors import RKLLMError
from rkllm_providers.models import BUILT_IN_MODEL, Catalog

if TYPE_CHECKING:
    from rag_service.settings import ServiceSettings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Language models on Rockchip NPUs.")
app.add_typer(models_app, name="models")
emulator_app = typer.Typer(no_args_is_help=True, help="The stand-in for librkllmrt.so on machines without an NPU.")
app.add_typer(emulator_app, name="emulator")

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
    models_dir: ModelsDir = None,
    model: Annotated[
        str | None, typer.Option(help="Model to load at start, and for requests that name none.")
    ] = None,
) -> None:
    """Serve the models over the OpenAI API."""
    try:
        from rag_service.server import run_server
        from rag_service.settings import ServiceSettings
    except ImportError as error:
        raise typer.BadParameter(f"{_SERVICE_HINT} ({error})") from error
    given = {"host": host, "port": port, "models_dir": models_dir, "model": model}
    settings = _settings(ServiceSettings, {name: value for name, value in given.items() if value is not None})
    if not settings.models_dir.is_dir():
        Console(stderr=True).print(f"Warning: there is no folder {settings.models_dir}.", markup=False)
    if settings.model is not None:
        Catalog(settings.models_dir).get(settings.model)
    run_server(settings)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    once: Annotated[bool, typer.Option("--once", help="Exit after the answer.")] = False,
    model: Annotated[str, typer.Option(help="Model to ask.")] = BUILT_IN_MODEL,
    models_dir: ModelsDir = None,
) -> None:
    """Start the service with a small model, ask it one question, and go on serving."""
    try:
        from rag_service.demo import run_demo
        from rag_service.settings import ServiceSettings
    except ImportError as error:
        raise typer.BadParameter(f"{_SERVICE_HINT} ({error})") from error
    settings = _settings(ServiceSettings, {"port": port, "model": model})
    if models_dir is not None:
        settings = settings.model_copy(update={"models_dir": models_dir})
    Catalog(settings.models_dir).get(model)
    raise typer.Exit(run_demo(settings, once=once))


def _settings(kind: type[ServiceSettings], given: dict[str, Any]) -> ServiceSettings:
    """The settings, or one line about each that is wrong, wherever it came from."""
    try:
        return kind(**given)
    except ValueError as error:
        details = error.errors() if hasattr(error, "errors") else [{"loc": ("settings",), "msg": str(error)}]
        lines = [
            f"{'.'.join(map(str, detail['loc']))}: {str(detail['msg']).removeprefix('Value error, ')}"
            for detail in details
        ]
        raise typer.BadParameter("; ".join(lines)) from error


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
