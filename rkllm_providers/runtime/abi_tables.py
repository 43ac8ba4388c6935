"""The C interface of ``librkllmrt.so`` as tables: every struct, enum and function, and since when.

Each row carries the first version that has it (``since``) and, where it went away again, the first
version without it (``until``). Types are named as in C; a name that is neither a scalar nor an array
is that of another struct in ``STRUCTS``. The tables were transcribed from the vendor's headers
(``rkllm.h`` of the tags release-v1.1.0 to release-v1.3.0); 1.3.1 adds what third parties list for it
and is unofficial. Tests compare every size, offset and value with the parsed headers.
"""

from __future__ import annotations

from typing import NamedTuple

VERSIONS: tuple[str, ...] = (
    "1.1.0",
    "1.1.1",
    "1.1.2",
    "1.1.3",
    "1.1.4",
    "1.2.0",
    "1.2.1b1",
    "1.2.1",
    "1.2.2",
    "1.2.3",
    "1.3.0",
    "1.3.1",
)
"""Every version with a known layout, oldest first; the order is what ``since`` and ``until`` compare."""

UNOFFICIAL_VERSIONS: frozenset[str] = frozenset({"1.3.1"})
"""Versions whose layout is known from third parties only; used on explicit demand, never by detection."""

GROUPS: tuple[tuple[str, str], ...] = (
    ("A", "1.1.0"),
    ("B0", "1.2.0"),
    ("B1", "1.2.1b1"),
    ("C", "1.2.1"),
    ("D", "1.3.0"),
    ("D1", "1.3.1"),
)
"""ABI groups and their first versions; all versions of a group have the same layouts."""


class Field(NamedTuple):
    """A member of a struct; an empty ``name`` marks the anonymous union."""

    name: str
    type: str
    since: str = VERSIONS[0]
    until: str | None = None


class Struct(NamedTuple):
    """A struct or union; ``A.b`` is the unnamed struct that is the type of the member ``b`` of ``A``."""

    name: str
    fields: tuple[Field, ...]
    since: str = VERSIONS[0]
    until: str | None = None
    is_union: bool = False


class Member(NamedTuple):
    """A value of an enum."""

    name: str
    value: int
    since: str = VERSIONS[0]
    until: str | None = None


class Function(NamedTuple):
    """An exported function, its arguments as (name, type); all but the first return an ``int``.

    ``rkllm_clear_kv_cache`` is declared with its four arguments of 1.2.1 throughout: a library that
    takes two ignores the further registers, one that takes four would read them uninitialised.
    """

    name: str
    arguments: tuple[tuple[str, str], ...]
    since: str = VERSIONS[0]
    returns: str = "int"


_EXTEND_PARAM = (
    Field("base_domain_id", "int32_t"),
    Field("embed_flash", "int8_t", since="1.2.0"),
    Field("enabled_cpus_num", "int8_t", since="1.2.0"),
    Field("enabled_cpus_mask", "uint32_t", since="1.2.0"),
    Field("n_batch", "uint8_t", since="1.2.1"),
    Field("use_cross_attn", "int8_t", since="1.2.1"),
    Field("reserved", "uint8_t[112]", until="1.2.0"),
    Field("reserved", "uint8_t[106]", since="1.2.0", until="1.2.1"),
    Field("reserved", "uint8_t[104]", since="1.2.1"),
)

_PARAM = (
    Field("model_path", "const char *"),
    Field("max_context_len", "int32_t"),
    Field("max_new_tokens", "int32_t"),
    Field("top_k", "int32_t"),
    Field("n_keep", "int32_t", since="1.2.0"),
    Field("top_p", "float"),
    Field("temperature", "float"),
    Field("repeat_penalty", "float"),
    Field("frequency_penalty", "float"),
    Field("presence_penalty", "float"),
    Field("mirostat", "int32_t"),
    Field("mirostat_tau", "float"),
    Field("mirostat_eta", "float"),
    Field("skip_special_token", "bool"),
    Field("ignore_eos_token", "bool", since="1.3.0"),
    Field("is_async", "bool"),
    Field("img_start", "const char *", until="1.3.0"),
    Field("img_end", "const char *", until="1.3.0"),
    Field("img_content", "const char *", until="1.3.0"),
    Field("extend_param", "RKLLMExtendParam"),
)

# The vendor wrote "MultiModel" before 1.2.3 and "MultiModal" from then on.
_MULTIMODAL_BEFORE_1_3 = (
    Field("prompt", "const char *"),
    Field("image_embed", "float *"),
    Field("n_image_tokens", "size_t"),
    Field("n_image", "size_t", since="1.2.1b1"),
    Field("image_width", "size_t", since="1.2.1b1"),
    Field("image_height", "size_t", since="1.2.1b1"),
)
_MULTIMODAL = (
    Field("prompt", "const char *"),
    Field("image", "RKLLMMultiModalInput.image"),
    Field("video", "RKLLMMultiModalInput.video"),
    Field("audio", "RKLLMMultiModalInput.audio", since="1.3.1"),
)
_MULTIMODAL_IMAGE = (
    Field("image_embed", "float *"),
    Field("n_image_tokens", "size_t"),
    Field("n_image", "size_t"),
    Field("image_start", "const char *"),
    Field("image_end", "const char *"),
    Field("image_content", "const char *"),
    Field("image_width", "size_t"),
    Field("image_height", "size_t"),
)
_MULTIMODAL_VIDEO = (
    Field("video_embed", "float *"),
    Field("n_frame_tokens", "size_t"),
    Field("n_frame_per_video", "size_t"),
    Field("n_video", "size_t"),
    Field("video_start", "const char *"),
    Field("video_end", "const char *"),
    Field("video_content", "const char *"),
    Field("frame_width", "size_t"),
    Field("frame_height", "size_t"),
)
_MULTIMODAL_AUDIO = (
    Field("audio_embed", "float *"),
    Field("n_audio_tokens", "size_t"),
    Field("n_audio", "size_t"),
    Field("audio_start", "const char *"),
    Field("audio_end", "const char *"),
    Field("audio_content", "const char *"),
)

_INPUT_UNION = (
    Field("prompt_input", "const char *"),
    Field("embed_input", "RKLLMEmbedInput"),
    Field("token_input", "RKLLMTokenInput"),
    Field("multimodal_input", "RKLLMMultiModelInput", until="1.2.3"),
    Field("multimodal_input", "RKLLMMultiModalInput", since="1.2.3"),
)
_INPUT = (
    Field("role", "const char *", since="1.2.1"),
    Field("enable_thinking", "bool", since="1.2.1"),
    Field("input_type", "RKLLMInputType"),
    Field("", "RKLLMInput.union"),
)

_INFER_PARAM = (
    Field("mode", "RKLLMInferMode"),
    Field("lora_params", "RKLLMLoraParam *"),
    Field("prompt_cache_params", "RKLLMPromptCacheParam *"),
    Field("sampling_params", "RKLLMSamplingParam *", since="1.3.0"),
    Field("keep_history", "int", since="1.2.0"),
    Field("max_new_tokens", "int32_t", since="1.3.0"),
)

_SAMPLING_PARAM = (
    Field("top_k", "int32_t"),
    Field("top_p", "float"),
    Field("temperature", "float"),
    Field("repeat_penalty", "float"),
    Field("frequency_penalty", "float"),
    Field("presence_penalty", "float"),
    Field("mirostat", "int32_t"),
    Field("mirostat_tau", "float"),
    Field("mirostat_eta", "float"),
)

_PERF_STAT = (
    Field("prefill_time_ms", "float"),
    Field("prefill_tokens", "int"),
    Field("generate_time_ms", "float"),
    Field("generate_tokens", "int"),
    Field("memory_usage_mb", "float"),
)

_RESULT = (
    Field("text", "const char *"),
    Field("token_id", "int32_t"),
    Field("last_hidden_layer", "RKLLMResultLastHiddenLayer"),
    Field("logits", "RKLLMResultLogits", since="1.2.0"),
    Field("perf", "RKLLMPerfStat", since="1.2.1"),
)

_CALLBACK = (
    Field("result_callback", "LLMResultCallback"),
    Field("result_userdata", "void *"),
    Field("tokenizer_callback", "LLMTokenizerCallback"),
    Field("tokenizer_userdata", "void *"),
    Field("embed_callback", "LLMGetEmbedCallback"),
    Field("embed_userdata", "void *"),
)


def _fields(**types: str) -> tuple[Field, ...]:
    return tuple(Field(name, type_) for name, type_ in types.items())


STRUCTS: tuple[Struct, ...] = (
    Struct("RKLLMExtendParam", _EXTEND_PARAM),
    Struct("RKLLMParam", _PARAM),
    Struct(
        "RKLLMLoraAdapter",
        _fields(lora_adapter_path="const char *", lora_adapter_name="const char *", scale="float"),
    ),
    Struct("RKLLMEmbedInput", _fields(embed="float *", n_tokens="size_t")),
    Struct("RKLLMTokenInput", _fields(input_ids="int32_t *", n_tokens="size_t")),
    Struct("RKLLMMultiModelInput", _MULTIMODAL_BEFORE_1_3, until="1.2.3"),
    Struct("RKLLMMultiModalInput", _MULTIMODAL_BEFORE_1_3, since="1.2.3", until="1.3.0"),
    Struct("RKLLMMultiModalInput.image", _MULTIMODAL_IMAGE, since="1.3.0"),
    Struct("RKLLMMultiModalInput.video", _MULTIMODAL_VIDEO, since="1.3.0"),
    Struct("RKLLMMultiModalInput.audio", _MULTIMODAL_AUDIO, since="1.3.1"),
    Struct("RKLLMMultiModalInput", _MULTIMODAL, since="1.3.0"),
    Struct("RKLLMInput.union", _INPUT_UNION, is_union=True),
    Struct("RKLLMInput", _INPUT),
    Struct("RKLLMLoraParam", _fields(lora_adapter_name="const char *")),
    Struct("RKLLMPromptCacheParam", _fields(save_prompt_cache="int", prompt_cache_path="const char *")),
    Struct(
        "RKLLMCrossAttnParam",
        _fields(
            encoder_k_cache="float *",
            encoder_v_cache="float *",
            encoder_mask="float *",
            encoder_pos="int32_t *",
            num_tokens="int",
        ),
        since="1.2.1",
    ),
    Struct("RKLLMSamplingParam", _SAMPLING_PARAM, since="1.3.0"),
    Struct("RKLLMInferParam", _INFER_PARAM),
    Struct(
        "RKLLMResultLastHiddenLayer",
        _fields(hidden_states="const float *", embd_size="int", num_tokens="int"),
    ),
    Struct(
        "RKLLMResultLogits",
        _fields(logits="const float *", vocab_size="int", num_tokens="int"),
        since="1.2.0",
    ),
    Struct("RKLLMPerfStat", _PERF_STAT, since="1.2.1"),
    Struct("RKLLMResult", _RESULT),
    Struct("RKLLMCallback", _CALLBACK, since="1.3.0"),
)
"""Structs in an order in which each is defined before it is used; one name may have several spans."""

ENUMS: dict[str, tuple[Member, ...]] = {
    "LLMCallState": (
        Member("RKLLM_RUN_NORMAL", 0),
        Member("RKLLM_RUN_WAITING", 1),
        Member("RKLLM_RUN_FINISH", 2),
        Member("RKLLM_RUN_ERROR", 3),
        Member("RKLLM_RUN_GET_LAST_HIDDEN_LAYER", 4, until="1.2.0"),
    ),
    "RKLLMInputType": (
        Member("RKLLM_INPUT_PROMPT", 0),
        Member("RKLLM_INPUT_TOKEN", 1),
        Member("RKLLM_INPUT_EMBED", 2),
        Member("RKLLM_INPUT_MULTIMODAL", 3),
    ),
    "RKLLMInferMode": (
        Member("RKLLM_INFER_GENERATE", 0),
        Member("RKLLM_INFER_GET_LAST_HIDDEN_LAYER", 1),
        Member("RKLLM_INFER_GET_LOGITS", 2, since="1.2.0"),
    ),
}
"""All enums are unsigned and four bytes wide."""

CALLBACKS: dict[str, tuple[tuple[str, ...], str]] = {
    "LLMResultCallback": (("RKLLMResult *", "void *", "LLMCallState"), VERSIONS[0]),
    "LLMTokenizerCallback": (("void *", "const char *", "int32_t", "int32_t *", "int32_t"), "1.3.0"),
    "LLMGetEmbedCallback": (("void *", "int32_t *", "uint64_t", "void *", "uint64_t"), "1.3.0"),
}
"""Callback types: arguments and first version. All return ``int``, which is also right for libraries
before 1.2.1, whose header says ``void``: they ignore the value."""

_HANDLE = ("handle", "LLMHandle")
_RUN = (
    _HANDLE,
    ("rkllm_input", "RKLLMInput *"),
    ("rkllm_infer_params", "RKLLMInferParam *"),
    ("userdata", "void *"),
)

FUNCTIONS: tuple[Function, ...] = (
    Function("rkllm_createDefaultParam", (), returns="RKLLMParam"),
    # The third argument of init is a function pointer before 1.3.0, a pointer to RKLLMCallback from then on.
    Function(
        "rkllm_init",
        (("handle", "LLMHandle *"), ("param", "RKLLMParam *"), ("callback", "void *")),
    ),
    Function("rkllm_load_lora", (_HANDLE, ("lora_adapter", "RKLLMLoraAdapter *"))),
    Function("rkllm_load_prompt_cache", (_HANDLE, ("prompt_cache_path", "const char *"))),
    Function("rkllm_release_prompt_cache", (_HANDLE,)),
    Function("rkllm_destroy", (_HANDLE,)),
    Function("rkllm_run", _RUN),
    Function("rkllm_run_async", _RUN),
    Function("rkllm_abort", (_HANDLE,)),
    Function("rkllm_is_running", (_HANDLE,)),
    Function(
        "rkllm_set_chat_template",
        (
            _HANDLE,
            ("system_prompt", "const char *"),
            ("prompt_prefix", "const char *"),
            ("prompt_postfix", "const char *"),
        ),
        since="1.2.0",
    ),
    Function(
        "rkllm_clear_kv_cache",
        (_HANDLE, ("keep_system_prompt", "int"), ("start_pos", "int *"), ("end_pos", "int *")),
        since="1.2.0",
    ),
    Function("rkllm_get_kv_cache_size", (_HANDLE, ("cache_sizes", "int *")), since="1.2.1"),
    Function(
        "rkllm_set_function_tools",
        (
            _HANDLE,
            ("system_prompt", "const char *"),
            ("tools", "const char *"),
            ("tool_response_str", "const char *"),
        ),
        since="1.2.1",
    ),
    Function(
        "rkllm_set_cross_attn_params",
        (_HANDLE, ("cross_attn_params", "RKLLMCrossAttnParam *")),
        since="1.2.1",
    ),
)
