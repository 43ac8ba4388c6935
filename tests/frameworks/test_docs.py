"""Every example of docs/retrievers.md runs as it stands, and prints what it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import rag_service.frameworks.langchain as for_langchain
import rag_service.frameworks.llama_index as for_llama_index

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "retrievers.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
MARK = "— end of an example —"
RUN_SECONDS = 280
SAID = ("Bread rises", "1874", "'start_index'", "1874", "packed")


@pytest.mark.real
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("real_model")
def test_the_examples_run() -> None:
    # A process of its own: the frameworks leave an event loop behind in the one they are used in.
    program = f"\nprint({MARK!r})\n".join(EXAMPLES)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=RUN_SECONDS, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    for printed, said in zip(done.stdout.split(MARK), SAID, strict=True):
        assert said in printed
        assert "rights reserved" not in printed


def test_every_class_is_named() -> None:
    for name in (*for_langchain.__all__, *for_llama_index.__all__):
        assert f"`{name}`" in TEXT
