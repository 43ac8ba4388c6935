from __future__ import annotations

import hashlib
import json
import platform
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rkllm_providers.runtime.discovery as discovery
import rkllm_providers.runtime.identity as identity_module
from rkllm_providers.errors import LibraryNotFound, UnsupportedFeature, UnsupportedRuntime
from rkllm_providers.runtime import (
    FEATURES,
    PATH_VARIABLE,
    UNOFFICIAL_VERSIONS,
    VERSION_VARIABLE,
    VERSIONS,
    Feature,
    RuntimeLibrary,
    find_library,
    identify,
)
from rkllm_providers.runtime.identity import KNOWN_FILES, KnownFile, RuntimeIdentity, read_banners
from rkllm_providers.runtime.library import LOAD_HINTS, _check_defaults
from tests.runtime.conftest import BANNER, Stub, StubMaker, compile_cpp

FACTS = Path(__file__).parents[1] / "data" / "abi"


def write(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"\x7fELF" + b"\0".join(parts) + b"\0")
    return path


# --- finding


def test_path_names_the_file_or_its_folder(tmp_path: Path) -> None:
    file = write(tmp_path / "librkllmrt.so")
    assert find_library(str(file)) == file
    assert find_library(tmp_path) == file


def test_path_counts_more_than_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = write(tmp_path / "other.so")
    write(tmp_path / "librkllmrt.so")
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path))
    assert find_library() == tmp_path / "librkllmrt.so"
    assert find_library(other) == other


def test_a_wrong_path_is_not_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    write(folder / "librkllmrt.so")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(folder))
    with pytest.raises(LibraryNotFound, match="the path given"):
        find_library(tmp_path / "missing.so")
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(LibraryNotFound, match=PATH_VARIABLE):
        find_library()


def test_the_linkers_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    included = tmp_path / "conf.d"
    included.mkdir()
    (included / "a.conf").write_text(f"# comment\n{tmp_path}/second # here\n")
    configuration = tmp_path / "ld.so.conf"
    configuration.write_text(f"include conf.d/*.conf\ninclude {configuration}\n\n{tmp_path}/third\n")
    monkeypatch.setattr(discovery, "LINKER_CONFIGURATION", str(configuration))
    monkeypatch.setattr(discovery, "USUAL_FOLDERS", (str(tmp_path / "usual"),))
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}/nowhere:{tmp_path}/first")
    with pytest.raises(LibraryNotFound, match=r"nowhere.*first.*second.*third.*usual.*RKLLM_LIB_PATH"):
        find_library()
    for name in ("third", "second", "first"):
        write(tmp_path / name / "librkllmrt.so")
        assert find_library() == tmp_path / name / "librkllmrt.so"
    monkeypatch.setattr(discovery, "LINKER_CONFIGURATION", str(tmp_path / "none"))
    monkeypatch.delenv("LD_LIBRARY_PATH")
    with pytest.raises(LibraryNotFound, match="usual"):
        find_library()


# --- identifying


@pytest.mark.parametrize("version", [v for v in VERSIONS if v not in UNOFFICIAL_VERSIONS])
def test_banner_tells_the_version(version: str, tmp_path: Path) -> None:
    banner = BANNER.format(version)
    inner = b"rknn llm lib version: 2.3.3b0 (2025-04-01)"
    path = write(tmp_path / "lib.so", b"x" * 5000, inner, banner.encode(), b"0.9.7")
    found = identify(path)
    assert (found.version, found.evidence, found.banner) == (version, "banner", banner)
    assert not found.is_emulator


def test_emulator_says_so_in_its_banner(tmp_path: Path) -> None:
    banner = b"RKLLM SDK (version: 1.2.3 | target: Linux | build: emulator 0.1.0)"
    assert identify(write(tmp_path / "lib.so", banner)).is_emulator


@pytest.mark.parametrize("version", ["1.4.0", "1.0.1", "1.3.1", "1.2.1b2", "2.0.0"])
def test_versions_without_an_official_layout_are_refused(version: str, tmp_path: Path) -> None:
    path = write(tmp_path / "lib.so", BANNER.format(version).encode())
    with pytest.raises(UnsupportedRuntime) as caught:
        identify(path)
    for text in (version, "1.1.0", "1.3.0", VERSION_VARIABLE, str(path)):
        assert text in str(caught.value)


def test_override_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "lib.so", BANNER.format("1.3.1").encode())
    assert identify(path, "1.3.1").group == "D1"
    monkeypatch.setenv(VERSION_VARIABLE, "1.3.1")
    found = identify(path)
    assert (found.version, found.evidence, found.banner) == ("1.3.1", "override", BANNER.format("1.3.1"))
    assert identify(path, "1.3.0").version == "1.3.0"
    monkeypatch.setenv(VERSION_VARIABLE, "1.4.0")
    with pytest.raises(UnsupportedRuntime, match=r"1\.4\.0"):
        identify(path)
    monkeypatch.setenv(VERSION_VARIABLE, "")
    with pytest.raises(UnsupportedRuntime, match=r"1\.3\.1"):
        identify(path)


def test_several_banners_must_agree(tmp_path: Path) -> None:
    old, new = BANNER.format("1.2.0").encode(), BANNER.format("1.3.0").encode()
    assert identify(write(tmp_path / "same.so", old, old)).version == "1.2.0"
    path = write(tmp_path / "both.so", old, new)
    with pytest.raises(UnsupportedRuntime, match=r"1\.2\.0, 1\.3\.0.*RKLLM_RUNTIME_VERSION"):
        identify(path)
    assert identify(path, "1.3.0").version == "1.3.0"


@pytest.mark.parametrize(
    "text",
    [
        b"rknn llm lib version: 1.2.3",
        b"librknnrt version: 1.2.3",
        b"rkllm-runtime version: %s, rknpu driver version: %s",
        b"RKLLM SDK (version: %s | target",
        b"RKLLM SDK (version: 1.2.3",
        b"",
    ],
)
def test_other_strings_are_no_banner(text: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "lib.so", text)
    assert read_banners(path) == {}
    with pytest.raises(UnsupportedRuntime, match="does not say which"):
        identify(path)


def test_empty_and_unreadable_files(tmp_path: Path) -> None:
    empty = tmp_path / "empty.so"
    empty.touch()
    with pytest.raises(UnsupportedRuntime):
        identify(empty)
    with pytest.raises(LibraryNotFound, match="cannot be read"):
        identify(tmp_path / "missing.so")
    with pytest.raises(LibraryNotFound, match="cannot be read"):
        identify(tmp_path)


def test_hash_tells_a_file_without_banner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "lib.so", b"some release")
    data = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    for known, evidence in (
        (KnownFile("1.2.2", "Linux aarch64", git_blob_sha1=blob), "git blob"),
        (KnownFile("1.2.2", "Linux aarch64", sha256=hashlib.sha256(data).hexdigest()), "sha256"),
    ):
        monkeypatch.setattr(identity_module, "KNOWN_FILES", (*KNOWN_FILES, known))
        assert (identify(path).version, identify(path).evidence) == ("1.2.2", evidence)
    monkeypatch.setattr(identity_module, "KNOWN_FILES", (KnownFile("1.0.1", "Linux aarch64", blob),))
    with pytest.raises(UnsupportedRuntime, match=r"1\.0\.1"):
        identify(path)


def test_known_files_are_those_of_the_facts() -> None:
    facts = json.loads((FACTS / "runtime_identities.json").read_text())
    expected = {
        (
            version,
            platform.replace("_", " ").replace("linux", "Linux"),
            f.get("git_blob_sha1"),
            f.get("sha256"),
        )
        for platform in ("linux_aarch64", "linux_armhf")
        for version, f in facts[platform].items()
    }
    assert set(KNOWN_FILES) == expected


# --- loading


def test_opens_every_group(stub: Stub) -> None:
    assert stub.library.layout.group == stub.library.identity.group
    param = stub.library.default_parameters()
    assert (param.max_context_len, param.top_k, param.is_async) == (512, 40, False)
    assert param.top_p == pytest.approx(0.9)
    assert param.model_path is None
    assert not any(param.extend_param.reserved)  # unwritten by the library, and noise in what it returns


@pytest.mark.parametrize(
    ("version", "told"),
    [("1.1.4", "1.1.0"), ("1.2.1b1", "1.2.0"), ("1.2.3", "1.2.1"), ("1.3.0", "1.3.0")],
)
def test_default_parameters_tell_the_group_where_nothing_else_does(
    version: str, told: str, make_library: StubMaker
) -> None:
    library = RuntimeLibrary.open(make_library(version, "no banner"))
    assert (library.version, library.identity.evidence) == (told, "default parameters")


@pytest.mark.parametrize(
    ("built", "claimed", "named"),
    [
        ("1.1.4", "1.2.0", "lacks rkllm_set_chat_template, rkllm_clear_kv_cache"),
        ("1.2.0", "1.1.4", "exports rkllm_set_chat_template, rkllm_clear_kv_cache, which came later"),
        ("1.2.0", "1.2.3", "lacks rkllm_get_kv_cache_size"),
        ("1.2.3", "1.2.1b1", "exports rkllm_get_kv_cache_size"),
        ("1.2.3", "1.3.0", r"default parameters lie as those of 1\.2\.1"),
        ("1.3.0", "1.2.3", r"default parameters lie as those of 1\.3\.0"),
        ("1.1.4", "1.3.0", "lacks"),
        ("1.3.0", "1.1.4", "which came later"),
    ],
)
def test_a_contradicted_version_is_refused(built: str, claimed: str, named: str, make_library: StubMaker) -> None:
    with pytest.raises(UnsupportedRuntime, match=f"{claimed} by its banner.*{named}.*{VERSION_VARIABLE}"):
        RuntimeLibrary.open(make_library(built, BANNER.format(claimed)))
    with pytest.raises(UnsupportedRuntime, match=f"{claimed} by its override.*{named}"):
        RuntimeLibrary.open(make_library(built), claimed)


@pytest.mark.parametrize(("version", "wrong"), [("1.1.0", 24), ("1.2.0", 20), ("1.3.0", 20)])
def test_top_p_at_anothers_place_is_refused(version: str, wrong: int) -> None:
    identity = RuntimeIdentity(Path("lib.so"), version, "", "banner")
    raw = bytearray(1024)
    _check_defaults(identity, (version,), bytes(raw))  # at neither place: no evidence
    struct.pack_into("=f", raw, wrong, 0.9)
    with pytest.raises(UnsupportedRuntime, match=f"top_p is at offset {wrong}"):
        _check_defaults(identity, (version,), bytes(raw))


def test_defaults_that_fit_nothing_are_not_guessed_from(
    make_library: StubMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rkllm_providers.runtime.library.TOP_P_DEFAULT", 0.5)
    with pytest.raises(UnsupportedRuntime, match=r"fit no version \(1\.2\.1, 1\.3\.0\).*RKLLM_RUNTIME_VERSION"):
        RuntimeLibrary.open(make_library("1.2.3", "no banner"))


def test_another_library_is_refused(tmp_path: Path) -> None:
    source, path = tmp_path / "other.cpp", tmp_path / "librkllmrt.so"
    source.write_text('extern "C" int rkllm_init() { return 0; }\n')
    compile_cpp(["-shared", "-fPIC", str(source), "-o", str(path)])
    with path.open("ab") as file:
        file.write(BANNER.format("1.2.3").encode() + b"\0")
    with pytest.raises(UnsupportedRuntime, match=r"not an RKLLM runtime.*lacks rkllm_createDefaultParam"):
        RuntimeLibrary.open(path)


def test_what_the_loader_refuses(tmp_path: Path) -> None:
    path = tmp_path / "librkllmrt.so"
    path.write_bytes(BANNER.format("1.3.0").encode() + b"\0" * 64)
    with pytest.raises(LibraryNotFound, match=r"cannot be loaded.*not a shared library"):
        RuntimeLibrary.open(path)
    header = (
        b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HHI", 3, 62 if platform.machine() == "aarch64" else 183, 1)
    )
    path.write_bytes(header + b"\0" * 200 + BANNER.format("1.3.0").encode() + b"\0")
    with pytest.raises(LibraryNotFound, match=r"The file is for (aarch64|x86_64), this Python is for"):
        RuntimeLibrary.open(path)


def test_a_missing_openmp_is_named() -> None:
    message = "libgomp.so.1: cannot open shared object file: No such file or directory"
    hints = [hint for pattern, hint in LOAD_HINTS if re.search(pattern, message)]
    assert hints == ["It needs the OpenMP runtime: install libgomp1 (Debian, Ubuntu) or libgomp."]


def test_importing_and_identifying_load_nothing(make_library: StubMaker) -> None:
    path = make_library("1.2.3")
    code = (
        "import sys; from rkllm_providers.runtime import find_library, identify\n"
        f"identify(find_library({str(path)!r}))\n"
        "print('librkllmrt' in open('/proc/self/maps').read())"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "False"


# --- features


def test_every_feature_has_a_version() -> None:
    assert set(FEATURES) == set(Feature)
    assert all(since in VERSIONS and what for since, what in FEATURES.values())


def test_features_follow_the_version(open_stub: Callable[[str], Stub]) -> None:
    library = open_stub("1.2.3").library
    assert library.supports(Feature.PERF)
    library.require(Feature.KV_CACHE_SIZE)
    assert not library.supports(Feature.SAMPLING_PER_RUN)
    with pytest.raises(UnsupportedFeature, match=r"1\.2\.3 lacks sampling.*came with 1\.3\.0"):
        library.require(Feature.SAMPLING_PER_RUN)
