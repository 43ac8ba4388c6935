"""A ``librkllmrt.so`` for machines without an NPU: same C interface, on llama.cpp or on scripts.

``build_library`` compiles it on first use. Loading it takes no more than passing the path to
whatever loads the vendor's library. Scripted models, small text files played by the same library,
are for tests: exact answers, delays and faults (``docs/emulator.md``). ``build_vision_library`` does the same for
``librknnrt.so``, with scripted vision encoders (``docs/vision.md``).
"""

from rkllm_providers.emulator.build import (
    DEFAULT_VERSION,
    VERSIONS,
    build_library,
    build_vision_library,
    default_version,
    library_path,
)
from rkllm_providers.emulator.script import Script, ScriptError, is_script, load_script
from rkllm_providers.emulator.vision_script import write_vision_encoder

__all__ = [
    "DEFAULT_VERSION",
    "VERSIONS",
    "Script",
    "ScriptError",
    "build_library",
    "build_vision_library",
    "default_version",
    "is_script",
    "library_path",
    "load_script",
    "write_vision_encoder",
]
