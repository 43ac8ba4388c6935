"""What a runtime version can do: one table, and since which version each thing is there."""

from __future__ import annotations

from enum import StrEnum

from rkllm_providers.errors import UnsupportedFeature
from rkllm_providers.runtime.abi import rank


class Feature(StrEnum):
    """Something not every supported runtime can do."""

    CHAT_TEMPLATE = "chat_template"
    KEEP_HISTORY = "keep_history"
    CLEAR_KV_CACHE = "clear_kv_cache"
    PREFIX_REUSE = "prefix_reuse"
    LOGITS = "logits"
    N_KEEP = "n_keep"
    EMBED_FLASH = "embed_flash"
    CPU_SELECTION = "cpu_selection"
    SEVERAL_IMAGES = "several_images"
    PERF = "perf"
    ROLE = "role"
    THINKING = "enable_thinking"
    FUNCTION_TOOLS = "function_tools"
    KV_CACHE_SIZE = "kv_cache_size"
    CROSS_ATTENTION = "cross_attention"
    PAUSE = "pause"
    SEVERAL_INSTANCES = "several_instances"
    EMBED_PREFIX_REUSE = "embed_prefix_reuse"
    PICTURE_PREFIX_REUSE = "picture_prefix_reuse"
    SAMPLING_PER_RUN = "sampling_per_run"
    MAX_NEW_TOKENS_PER_RUN = "max_new_tokens_per_run"
    IGNORE_EOS_TOKEN = "ignore_eos_token"
    VIDEO = "video"
    AUDIO = "audio"
    KV_CACHE_RANGE = "kv_cache_range"
    MARKERS_PER_INPUT = "markers_per_input"
    RELEASE = "release"


FEATURES: dict[Feature, tuple[str, str]] = {
    Feature.CHAT_TEMPLATE: ("1.2.0", "chat templates, automatic or set"),
    Feature.KEEP_HISTORY: ("1.2.0", "keeping the conversation between runs"),
    Feature.CLEAR_KV_CACHE: ("1.2.0", "clearing the KV cache"),
    Feature.PREFIX_REUSE: ("1.2.0", "automatic reuse of the common prefix of text and token inputs"),
    Feature.LOGITS: ("1.2.0", "returning logits"),
    Feature.N_KEEP: ("1.2.0", "the number of positions kept when the window shifts"),
    Feature.EMBED_FLASH: ("1.2.0", "leaving the embedding table on flash"),
    Feature.CPU_SELECTION: ("1.2.0", "choosing CPU cores"),
    Feature.SEVERAL_IMAGES: ("1.2.1b1", "several images, and their size, in one input"),
    Feature.PERF: ("1.2.1", "the library's own figures of a run"),
    Feature.ROLE: ("1.2.1", "the role of a prompt"),
    Feature.THINKING: ("1.2.1", "switching thinking by the template"),
    Feature.FUNCTION_TOOLS: ("1.2.1", "function tools in the template"),
    Feature.KV_CACHE_SIZE: ("1.2.1", "reading how full the KV cache is"),
    Feature.CROSS_ATTENTION: ("1.2.1", "cross-attention inputs"),
    Feature.PAUSE: ("1.2.1", "pausing a run from its callback"),
    Feature.SEVERAL_INSTANCES: ("1.2.2", "several models in one process"),
    Feature.EMBED_PREFIX_REUSE: ("1.2.3", "automatic reuse of the common prefix of embedding inputs"),
    Feature.PICTURE_PREFIX_REUSE: ("1.3.0", "reliable reuse of the common prefix of inputs with pictures"),
    Feature.SAMPLING_PER_RUN: ("1.3.0", "sampling parameters per run"),
    Feature.MAX_NEW_TOKENS_PER_RUN: ("1.3.0", "max_new_tokens per run"),
    Feature.IGNORE_EOS_TOKEN: ("1.3.0", "generating past the end token"),
    Feature.VIDEO: ("1.3.0", "video input"),
    Feature.KV_CACHE_RANGE: ("1.2.1", "clearing a range of the KV cache"),
    Feature.MARKERS_PER_INPUT: ("1.3.0", "picture markers per input"),
    Feature.RELEASE: ("1.3.0", "releasing an output buffer from the callback"),
    Feature.AUDIO: ("1.3.1", "audio input"),
}
"""Feature to first version and what it is, from the vendor's headers and release notes."""


def supports(version: str, feature: Feature) -> bool:
    """Whether a runtime version has a feature."""
    return rank(version) >= rank(FEATURES[feature][0])


def require(version: str, feature: Feature) -> None:
    """Raise ``UnsupportedFeature``, which names the version to have, unless ``version`` has the feature."""
    if not supports(version, feature):
        since, what = FEATURES[feature]
        raise UnsupportedFeature(
            f"RKLLM runtime {version} lacks {what} ({feature.value}); it came with {since}. "
            f"Install runtime {since} or later, or do without."
        )
