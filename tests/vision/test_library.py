from __future__ import annotations

import ctypes.util
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from rkllm_providers.errors import GenerationError, LibraryNotFound, RknnError, UnsupportedRuntime
from rkllm_providers.runtime import discovery
from rkllm_providers.vision import RknnLibrary
from rkllm_providers.vision.library import rknn_error


def test_found_by_path_folder_or_variable(
    library_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert RknnLibrary.open(library_path).path == library_path
    assert RknnLibrary.open(library_path.parent).path == library_path
    monkeypatch.setenv("RKNN_LIB_PATH", str(library_path.parent))
    assert RknnLibrary.open().path == library_path
    monkeypatch.setenv("RKNN_LIB_PATH", str(tmp_path))
    with pytest.raises(LibraryNotFound, match=r"librknnrt\.so does not exist.*variable RKNN_LIB_PATH led there"):
        RknnLibrary.open()


def test_found_where_the_linker_looks(library_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "USUAL_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(discovery, "LINKER_CONFIGURATION", str(tmp_path / "ld.so.conf"))
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    with pytest.raises(LibraryNotFound, match=r"librknnrt\.so was not found\. Tried: .*RKNN runtime.*RKNN_LIB_PATH"):
        RknnLibrary.open()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(library_path.parent))
    assert RknnLibrary.open().path == library_path


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "librknnrt.so"
    text.write_text("not a library")
    with pytest.raises(LibraryNotFound, match=r"cannot be loaded.*not a shared library"):
        RknnLibrary.open(text)
    name = ctypes.util.find_library("c")
    assert name is not None
    with pytest.raises(UnsupportedRuntime, match=r"not an RKNN runtime: it lacks rknn_init, .*rknn_outputs_release"):
        RknnLibrary("libc", ctypes.CDLL(name))  # type: ignore[arg-type]


def test_errors_have_their_names(library: RknnLibrary) -> None:
    with pytest.raises(RknnError, match=r"rknn_run returned -7 \(RKNN_ERR_CTX_INVALID\)\.$") as raised:
        library.call("rknn_run", 1, None)
    assert (raised.value.code, raised.value.name) == (-7, "RKNN_ERR_CTX_INVALID")
    assert raised.value.function == "rknn_run"
    assert isinstance(raised.value, GenerationError)
    again = pickle.loads(pickle.dumps(raised.value))
    assert (str(again), again.code, again.function) == (str(raised.value), -7, "rknn_run")
    assert "converted for another chip" in str(rknn_error("rknn_init", -13))
    assert str(rknn_error("rknn_init", -77)) == "rknn_init returned -77 (an unknown error)."


def test_import_is_light_and_looks_only_down() -> None:
    code = (
        "import sys, rkllm_providers.vision\n"
        "heavy = {'numpy', 'PIL', 'llama_cpp', 'ctypes.util'}\n"
        "above = {f'rkllm_providers.{name}' for name in ('engine', 'chat', 'langchain', 'llama_index', 'remote')}\n"
        "print(sorted((heavy | above) & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"
