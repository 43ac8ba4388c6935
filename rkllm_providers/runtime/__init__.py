"""``librkllmrt.so`` in its own terms: finding it, telling its version, one model handle, its events.

Importing this package loads no library; ``RuntimeLibrary.open`` does. See ``docs/runtime.md``.
"""

from rkllm_providers.runtime.abi import VERSION_VARIABLE, Layout, layout
from rkllm_providers.runtime.abi_tables import UNOFFICIAL_VERSIONS, VERSIONS
from rkllm_providers.runtime.discovery import LIBRARY_NAME, PATH_VARIABLE, find_library
from rkllm_providers.runtime.events import (
    Action,
    ErrorEvent,
    FinishEvent,
    PerfStat,
    RunMode,
    RuntimeEvent,
    TokenEvent,
)
from rkllm_providers.runtime.features import FEATURES, Feature
from rkllm_providers.runtime.handle import ModelHandle
from rkllm_providers.runtime.identity import RuntimeIdentity, identify
from rkllm_providers.runtime.inputs import (
    EmbedInput,
    Images,
    MultimodalInput,
    PromptInput,
    RunInput,
    TokenInput,
    Videos,
)
from rkllm_providers.runtime.library import RuntimeLibrary
from rkllm_providers.runtime.log import LogNotice, explain, recognise
from rkllm_providers.runtime.parameters import InitParams, Markers, RunResult, SamplingParams
from rkllm_providers.runtime.rows import DEFAULT_MAX_BYTES
from rkllm_providers.runtime.stdio import flush, line_buffer_stdout

__all__ = [
    "DEFAULT_MAX_BYTES",
    "FEATURES",
    "LIBRARY_NAME",
    "PATH_VARIABLE",
    "UNOFFICIAL_VERSIONS",
    "VERSIONS",
    "VERSION_VARIABLE",
    "Action",
    "EmbedInput",
    "ErrorEvent",
    "Feature",
    "FinishEvent",
    "Images",
    "InitParams",
    "Layout",
    "LogNotice",
    "Markers",
    "ModelHandle",
    "MultimodalInput",
    "PerfStat",
    "PromptInput",
    "RunInput",
    "RunMode",
    "RunResult",
    "RuntimeEvent",
    "RuntimeIdentity",
    "RuntimeLibrary",
    "SamplingParams",
    "TokenEvent",
    "TokenInput",
    "Videos",
    "explain",
    "find_library",
    "flush",
    "identify",
    "layout",
    "line_buffer_stdout",
    "recognise",
]
