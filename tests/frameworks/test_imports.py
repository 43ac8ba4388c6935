"""Each framework's parts are imported without the other framework, and say what is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rag_service.frameworks.langchain as for_langchain
import rag_service.frameworks.llama_index as for_llama_index

FRAMEWORKS = {"langchain": ("langchain_core", "llama_index"), "llama_index": ("llama_index", "langchain_core")}


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_names(framework: str) -> None:
    package = {"langchain": for_langchain, "llama_index": for_llama_index}[framework]
    assert sorted(package._HOMES) == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_other_framework_is_not_imported_and_no_server(framework: str) -> None:
    _, other = FRAMEWORKS[framework]
    code = f"""
import sys
import rag_service.frameworks.{framework} as parts
print(any(name.split(".")[0] in {(other, "langchain_core", "llama_index")} for name in sys.modules))
for name in parts.__all__:
    getattr(parts, name)
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"{other}", "fastapi"}}))
"""
    assert run(code) == "False\n[]"


@pytest.mark.parametrize(
    ("framework", "missing", "extras"),
    [
        ("langchain", "langchain_core", "langchain,retrieval"),
        ("llama_index", "llama_index", "llama-index,retrieval"),
        ("langchain", "rank_bm25", "langchain,retrieval"),
        ("llama_index", "Stemmer", "llama-index,retrieval"),
    ],
)
def test_a_missing_library_is_named_with_the_extras(framework: str, missing: str, extras: str) -> None:
    code = f"""
import sys
sys.modules["{missing}"] = None
import rag_service.frameworks.{framework} as parts
try:
    parts.BM25PassageRetriever
except ModuleNotFoundError as error:
    print(error)
"""
    told = run(code)
    assert f"rag_service.frameworks.{framework} needs {missing}" in told
    assert f"pip install 'rkllm-providers[{extras}]'" in told
