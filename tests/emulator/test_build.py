from __future__ import annotations

import importlib.machinery
import importlib.util
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import rkllm_providers.emulator as emulator
from rkllm_providers.emulator import build, build_library, default_version, library_path
from rkllm_providers.errors import LibraryNotFound, UnsupportedRuntime


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("RKLLM_EMULATOR_CACHE", str(folder))
    return folder


@pytest.fixture
def small_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-in sources that compile in a moment."""
    folder = tmp_path / "native"
    folder.mkdir()
    (folder / "api.cpp").write_text(
        'extern "C" __attribute__((visibility("default"))) int rkllm_x() { return RKLLM_ABI; }\n'
    )
    (folder / "other.cpp").write_text("int other() { return 1; }\n")
    shutil.copy(Path(build.__file__).parent / "native" / "exports.map", folder)
    monkeypatch.setattr(build, "_SOURCES", folder)
    return folder


def test_public_names() -> None:
    assert sorted(emulator.__all__) == [
        "DEFAULT_VERSION",
        "Script",
        "ScriptError",
        "VERSIONS",
        "build_library",
        "build_vision_library",
        "default_version",
        "is_script",
        "library_path",
        "load_script",
        "write_vision_encoder",
    ]


def test_import_is_light() -> None:
    code = "import sys, rkllm_providers.emulator; print([m for m in ('llama_cpp', 'numpy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


def test_default_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_version() == "1.3.0"
    monkeypatch.setenv("RKLLM_EMULATOR_VERSION", "1.2.3")
    assert default_version() == "1.2.3"
    monkeypatch.setenv("RKLLM_EMULATOR_VERSION", "")
    assert default_version() == "1.3.0"


def test_unknown_versions_are_refused() -> None:
    with pytest.raises(UnsupportedRuntime, match=r"no runtime version '1\.0\.1'.*1\.1\.0, "):
        build_library("1.0.1")


def test_builds_once_into_a_private_folder(toolchain: None, cache: Path, small_sources: Path) -> None:
    path = library_path("1.2.3")
    assert not path.exists()
    assert not cache.exists()
    assert build_library("1.2.3") == path
    assert path.is_relative_to(cache)
    assert path.name == "librkllmrt.so"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    stamp = path.stat().st_mtime_ns
    assert build_library("1.2.3") == path
    assert path.stat().st_mtime_ns == stamp
    assert build_library("1.2.2") != path


def test_changed_sources_are_built_anew(toolchain: None, cache: Path, small_sources: Path) -> None:
    before = build_library("1.3.0")
    (small_sources / "other.cpp").write_text("int other() { return 2; }\n")
    assert build_library("1.3.0") != before


def test_no_half_built_file_stays(toolchain: None, cache: Path, small_sources: Path) -> None:
    (small_sources / "other.cpp").write_text("this is not C++\n")
    with pytest.raises(LibraryNotFound, match=r"(?s)could not be compiled.*error"):
        build_library("1.3.0")
    assert not library_path("1.3.0").exists()
    assert [path.name for path in cache.rglob("*") if path.is_file()] == ["build.lock"]


def test_several_processes_may_build_at_once(toolchain: None, cache: Path, small_sources: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rkllm_providers.emulator import build\n"
        "build._SOURCES = Path(sys.argv[1]); print(build.build_library('1.3.0'))"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(small_sources)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    printed = {worker.communicate()[0].strip() for worker in workers}
    assert {worker.returncode for worker in workers} == {0}
    assert printed == {str(library_path("1.3.0"))}


def test_a_missing_compiler_is_named(
    toolchain: None, cache: Path, small_sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(LibraryNotFound, match=r"'no-such-compiler' was not found.*apt install g\+\+"):
        build_library("1.3.0")


def test_missing_llama_cpp_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LibraryNotFound, match=r"pip install 'rkllm-providers\[cpu\]'"):
        build_library("1.3.0")


def test_incomplete_llama_cpp_is_named(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.machinery.ModuleSpec("llama_cpp", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "llama_cpp")]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(LibraryNotFound, match=r"libllama\.so or llama\.h is not there"):
        build_library("1.3.0")


def test_a_cache_that_others_can_write_is_refused(toolchain: None, cache: Path, small_sources: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(LibraryNotFound, match="RKLLM_EMULATOR_CACHE"):
        build_library("1.3.0")


def test_the_cache_follows_the_xdg_rules(toolchain: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RKLLM_EMULATOR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert library_path("1.3.0").is_relative_to(tmp_path / "rkllm-providers" / "emulator")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert library_path("1.3.0").is_relative_to(tmp_path / ".cache" / "rkllm-providers" / "emulator")


def test_compiles_without_warnings(toolchain: None, tmp_path: Path) -> None:
    llama = build._find_llama()
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fsyntax-only"]
    defines = ["-DRKLLM_ABI=4", '-DRKLLM_VERSION="x"', '-DRKLLM_BUILD="x"', "-isystem", str(llama.include)]
    # All in one, which parses the headers once.
    together = "".join(f'#include "{source}"\n' for source in sorted(build._SOURCES.glob("*.cpp")))
    command = ["g++", *build._COMPILE, *strict, *defines, "-I", str(build._SOURCES), "-x", "c++", "-"]
    subprocess.run(command, input=together, text=True, check=True)
