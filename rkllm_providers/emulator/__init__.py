"""A ``librkllmrt.so`` for machines without an NPU: same C interface, on llama.cpp or on scripts.

``build_library`` compiles it on first use. Loading it takes no more than passing the path to
whatever loads the vendor's library. Scripted models, small text files played by the same library,
are for tests: exact answers, delays and faults (``docs/emulator.md``).
"""

from rkllm_providers.emulator.build import (
    DEFAULT_VERSION,
    VERSIONS,
    build_library,
    default_version,
    library_path,
)
from rkllm_providers.emulator.script import Script, ScriptError, is_script, load_script

__all__ = [
    "DEFAULT_VERSION",
    "VERSIONS",
    "Script",
    "ScriptError",
    "build_library",
    "default_version",
    "is_script",
    "library_path",
    "load_script",
]
