"""The commands ``rkllm models``: what is in the models folder, and what is known of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rkllm_providers.errors import ModelLoadError
from rkllm_providers.models import Catalog, ModelCard, ModelEntry, ModelFormat, read_card
from rkllm_providers.models.gguf import read_rkllm_head
from rkllm_providers.models.observations import observed

models_app = typer.Typer(no_args_is_help=True, help="What is in the models folder.")

ModelsDir = Annotated[
    Path | None,
    typer.Option(help="Folder with .rkllm and .gguf files.", envvar="RKLLM_MODELS_DIR", show_envvar=True),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
_SHOWN_CHARACTERS = 80
# No line of a pipe is broken; a terminal narrower than the table gets a paragraph for each model.
_PIPED_WIDTH = 4000
_TABLE_WIDTH = 120
_CAPABILITIES = ("thinking", "tools", "vision", "embedding", "reranking")


@models_app.command("list")
def list_models(models_dir: ModelsDir = None, as_json: AsJSON = False) -> None:
    """List the models that can be asked for, and what is wrong with the others."""
    catalog = Catalog(models_dir)
    rows = [_row(entry) for entry in catalog.entries()]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not rows:
        typer.echo(f"No models in {catalog.models_dir}. Put .rkllm or .gguf files there.")
        return
    console = _console()
    if console.width < _TABLE_WIDTH:
        for row in rows:
            _print_paragraph(console, row)
    else:
        _print_table(console, _table(rows))


@models_app.command("show")
def show_model(
    model: Annotated[str, typer.Argument(help="Id or alias of a model.")],
    models_dir: ModelsDir = None,
    as_json: AsJSON = False,
) -> None:
    """Show what is known of a model, where it is from, what is missing and how to add it."""
    entry = Catalog(models_dir).get(model)
    card = read_card(entry)
    head = _head(entry)
    if as_json:
        typer.echo(json.dumps(_description(card, head), ensure_ascii=False, indent=2))
        return
    table = Table(box=None)
    for title in ("", "", "from"):
        table.add_column(title, overflow="fold")
    for name, value in _file_facts(entry).items():
        table.add_row(name, escape(value), "")
    for name, fact in card.facts.items():
        table.add_row(name, escape(fact.value), escape(fact.source))
    for key, shown in head.items():
        table.add_row(f"in its head: {escape(key)}", escape(shown), "")
    console = _console()
    _print_table(console, table)
    if seen := observed(entry.path):
        console.print("\nSeen at work:")
        for sentence in seen:
            console.print(f"- {sentence}", markup=False, highlight=False)
    if card.missing:
        console.print("\nMissing, or not as it should be:")
        for sentence in card.missing:
            console.print(f"- {sentence}", markup=False, highlight=False)


def _print_table(console: Console, table: Table) -> None:
    """Print a table; in a pipe, where nobody sees columns end, without the blanks that fill up its lines."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        typer.echo(line.rstrip())


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    table.add_column("model", no_wrap=True)
    for name in ("aliases", "format", "runs on", "context", "capabilities", "problem or file"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            escape(row["id"]),
            escape(", ".join(row["aliases"])),
            row["format"],
            row["runs_on"],
            _context(row),
            ", ".join(row["capabilities"]),
            f"[red]{escape(row['problem'])}[/]" if row["problem"] else escape(row["file"]),
        )
    return table


def _print_paragraph(console: Console, row: dict[str, Any]) -> None:
    about = [
        row["format"],
        row["runs_on"],
        *([f"context {_context(row)}"] if _context(row) else []),
        *row["capabilities"],
    ]
    console.print(f"[bold]{escape(row['id'])}[/]  {escape(', '.join(about))}", highlight=False)
    if row["aliases"]:
        console.print(f"    also: {', '.join(row['aliases'])}", markup=False, highlight=False)
    style = "red" if row["problem"] else None
    console.print(f"    {row['problem'] or row['file']}", style=style, markup=False, highlight=False, soft_wrap=True)


def _context(row: dict[str, Any]) -> str:
    """The context window, with a question mark where the model does not tell it."""
    if row["context_length"] is None:
        return ""
    return f"{row['context_length']}" if row["knows_context"] else f"{row['context_length']}?"


def _console() -> Console:
    """The terminal; or, where the output goes into a pipe, lines that are not broken at 80 characters."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPED_WIDTH)


def _runs_on(entry: ModelEntry) -> str:
    return "CPU (emulator)" if entry.format.runs_on_emulator else "NPU"


def _file_facts(entry: ModelEntry) -> dict[str, str]:
    return {
        "model": entry.id,
        "aliases": ", ".join(entry.aliases) or "none",
        "file": str(entry.path),
        "format": entry.format.value,
        "runs on": _runs_on(entry),
    }


def _row(entry: ModelEntry) -> dict[str, Any]:
    """One model of the list; the keys are the JSON's."""
    card, problem = None, entry.problem
    if problem is None:
        try:
            card = read_card(entry)
        except ModelLoadError as error:
            problem = str(error)
    return {
        "id": entry.id,
        "aliases": list(entry.aliases),
        "format": entry.format.value,
        "runs_on": _runs_on(entry),
        "file": str(entry.path),
        "context_length": card.context_length if card else None,
        "knows_context": card.knows_context if card else False,
        "capabilities": [name for name in _CAPABILITIES if card and getattr(card.capabilities, name)],
        "problem": problem,
    }


def _description(card: ModelCard, head: dict[str, str]) -> dict[str, Any]:
    """Everything known of a model; the keys are the JSON's."""
    entry = card.entry
    return {
        "id": entry.id,
        "aliases": list(entry.aliases),
        "format": entry.format.value,
        "runs_on": _runs_on(entry),
        "file": str(entry.path),
        "context_length": card.context_length,
        "knows_context": card.knows_context,
        "prompt_form": card.prompt_form.value,
        "family": card.family.name if card.family else None,
        "capabilities": {name: getattr(card.capabilities, name) for name in _CAPABILITIES},
        "sampling": dict(card.sampling),
        "end_tokens": sorted(card.end_tokens),
        "end_texts": list(card.end_texts),
        "facts": {name: {"value": fact.value, "source": fact.source} for name, fact in card.facts.items()},
        "head": head,
        "missing": list(card.missing),
        "seen_at_work": observed(card.entry.path),
    }


def _head(entry: ModelEntry) -> dict[str, str]:
    """What the head of an NPU model holds, believed or not."""
    if entry.format is not ModelFormat.RKLLM:
        return {}
    return {key: _shortened(value) for key, value in sorted(read_rkllm_head(entry.path).items())}


def _shortened(value: object) -> str:
    text = f"{len(value)} entries" if isinstance(value, list) else str(value)
    shown = "".join(character if character.isprintable() else "·" for character in text[:_SHOWN_CHARACTERS])
    return shown if len(text) <= _SHOWN_CHARACTERS else f"{shown}… ({len(text)} characters)"
