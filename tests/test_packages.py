"""What holds for the frameworks' packages as such: names, documentation, the version."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rkllm_providers

ROOT = Path(__file__).parents[1]
FRAMEWORKS = ("langchain", "llama_index")


@pytest.mark.parametrize("name", ["langchain", "llama_index", "remote", "engine", "chat", "vision"])
def test_what_a_package_names_is_there(name: str) -> None:
    package = importlib.import_module(f"rkllm_providers.{name}")
    assert package.__all__
    assert sorted(set(package.__all__)) == sorted(package.__all__)
    assert all(getattr(package, public) is not None for public in package.__all__)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_public_field_is_described(name: str) -> None:
    missing, described = [], 0
    package = ROOT / "rkllm_providers"
    for path in [package / "provider_settings.py", *sorted((package / name).glob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                plain, texts = fields_of(node)
                described += len(texts)
                missing += [f"{path.name}: {node.name}.{field}" for field in plain]
    assert missing == []
    assert described > 20


def fields_of(node: ast.ClassDef) -> tuple[list[str], list[str]]:
    """The public fields of a pydantic class without a text behind them, and those with one."""
    is_dataclass = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    plain: list[str] = []
    described: list[str] = []
    for field, follower in zip(node.body, [*node.body[1:], None], strict=True):
        if is_dataclass or not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if field.target.id.startswith("_"):
            continue
        has_text = isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant)
        (described if has_text else plain).append(field.target.id)
    return plain, described


@pytest.mark.parametrize(("name", "other"), [FRAMEWORKS, FRAMEWORKS[::-1]])
def test_one_framework_does_without_the_other(name: str, other: str) -> None:
    blocked = {"langchain": ("langchain", "langchain_core"), "llama_index": ("llama_index",)}[other]
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); from rkllm_providers.{name} import *"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_version_has_one_source() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "rkllm_providers/__init__.py"
    written = [
        path
        for folder in ("rkllm_providers", "rag_service")
        for path in (ROOT / folder).rglob("*.py")
        if f'"{rkllm_providers.__version__}"' in path.read_text()
    ]
    assert written == [ROOT / "rkllm_providers" / "__init__.py"]


def test_types_are_published() -> None:
    assert (ROOT / "rkllm_providers" / "py.typed").is_file()
