from __future__ import annotations

import re
from pathlib import Path

import pytest

from rkllm_providers.runtime import VERSIONS
from rkllm_providers.runtime.abi import group_of
from rkllm_providers.runtime.layouts import describe
from tests.runtime.conftest import StubMaker

PAGE = (Path(__file__).parents[2] / "docs" / "runtime.md").read_text("utf-8")
STRUCTS = ("RKLLMParam", "RKLLMInput", "RKLLMInferParam", "RKLLMResult")


def test_example_runs(
    make_library: StubMaker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RKLLM_LIB_PATH", str(make_library("1.2.3")))
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    exec(compile(example[1], "docs/runtime.md", "exec"), {})
    assert capsys.readouterr().out == "Gr\u00fc\u00df"


def test_table_of_groups_is_true() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if "| 1." in line]
    documented = {version: row for row in rows for version in row[1].split(", ")}
    assert set(documented) == set(VERSIONS)
    for version, (group, _, _, sizes) in documented.items():
        structs = describe(version)["structs"]
        assert group == group_of(version)
        assert sizes == " / ".join(str(structs[name]["size"]) for name in STRUCTS)
