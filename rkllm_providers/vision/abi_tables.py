"""The C interface of ``librknnrt.so`` as tables, as far as it is used: structs, enums, functions, error codes.

Types are named as in C. The tables were transcribed from the vendor's header (``rknn_api.h``, in the two forms
that were shipped with RKLLM 1.1.4 to 1.3.0, which have the same structs, functions and values but for what the
newer one adds). Tests compare every size, offset and value with the parsed header. Which runtime of RKLLM came
with which header says nothing of the ``librknnrt.so`` on a board, so no row here has a version.
"""

from __future__ import annotations

from typing import Final

from rkllm_providers.runtime.abi_tables import Field, Function, Struct

STRUCTS: Final[tuple[Struct, ...]] = (
    Struct("rknn_input_output_num", (Field("n_input", "uint32_t"), Field("n_output", "uint32_t"))),
    Struct(
        "rknn_tensor_attr",
        (
            Field("index", "uint32_t"),
            Field("n_dims", "uint32_t"),
            Field("dims", "uint32_t[16]"),
            Field("name", "char[256]"),
            Field("n_elems", "uint32_t"),
            Field("size", "uint32_t"),
            Field("fmt", "rknn_tensor_format"),
            Field("type", "rknn_tensor_type"),
            Field("qnt_type", "rknn_tensor_qnt_type"),
            Field("fl", "int8_t"),
            Field("zp", "int32_t"),
            Field("scale", "float"),
            Field("w_stride", "uint32_t"),
            Field("size_with_stride", "uint32_t"),
            Field("pass_through", "uint8_t"),
            Field("h_stride", "uint32_t"),
        ),
    ),
    Struct("rknn_sdk_version", (Field("api_version", "char[256]"), Field("drv_version", "char[256]"))),
    Struct(
        "rknn_input",
        (
            Field("index", "uint32_t"),
            Field("buf", "void *"),
            Field("size", "uint32_t"),
            Field("pass_through", "uint8_t"),
            Field("type", "rknn_tensor_type"),
            Field("fmt", "rknn_tensor_format"),
        ),
    ),
    Struct(
        "rknn_output",
        (
            Field("want_float", "uint8_t"),
            Field("is_prealloc", "uint8_t"),
            Field("index", "uint32_t"),
            Field("buf", "void *"),
            Field("size", "uint32_t"),
        ),
    ),
)

ENUMS: Final[dict[str, dict[str, int]]] = {
    "rknn_query_cmd": {
        "RKNN_QUERY_IN_OUT_NUM": 0,
        "RKNN_QUERY_INPUT_ATTR": 1,
        "RKNN_QUERY_OUTPUT_ATTR": 2,
        "RKNN_QUERY_SDK_VERSION": 5,
    },
    "rknn_tensor_type": {
        "RKNN_TENSOR_FLOAT32": 0,
        "RKNN_TENSOR_FLOAT16": 1,
        "RKNN_TENSOR_INT8": 2,
        "RKNN_TENSOR_UINT8": 3,
    },
    "rknn_tensor_qnt_type": {
        "RKNN_TENSOR_QNT_NONE": 0,
        "RKNN_TENSOR_QNT_DFP": 1,
        "RKNN_TENSOR_QNT_AFFINE_ASYMMETRIC": 2,
    },
    "rknn_tensor_format": {
        "RKNN_TENSOR_NCHW": 0,
        "RKNN_TENSOR_NHWC": 1,
        "RKNN_TENSOR_NC1HWC2": 2,
        "RKNN_TENSOR_UNDEFINED": 3,
    },
    "rknn_core_mask": {
        "RKNN_NPU_CORE_AUTO": 0,
        "RKNN_NPU_CORE_0_1": 3,
        "RKNN_NPU_CORE_0_1_2": 7,
    },
}
"""All enums are unsigned and four bytes wide. Values that nothing here uses are left out."""

_CONTEXT: Final = ("context", "rknn_context")

FUNCTIONS: Final[tuple[Function, ...]] = (
    Function(
        "rknn_init",
        (
            ("context", "rknn_context *"),
            ("model", "void *"),
            ("size", "uint32_t"),
            ("flag", "uint32_t"),
            ("extend", "rknn_init_extend *"),
        ),
    ),
    Function("rknn_destroy", (_CONTEXT,)),
    Function("rknn_query", (_CONTEXT, ("cmd", "rknn_query_cmd"), ("info", "void *"), ("size", "uint32_t"))),
    Function("rknn_set_core_mask", (_CONTEXT, ("core_mask", "rknn_core_mask"))),
    Function("rknn_inputs_set", (_CONTEXT, ("n_inputs", "uint32_t"), ("inputs", "rknn_input[]"))),
    Function("rknn_run", (_CONTEXT, ("extend", "rknn_run_extend *"))),
    Function(
        "rknn_outputs_get",
        (
            _CONTEXT,
            ("n_outputs", "uint32_t"),
            ("outputs", "rknn_output[]"),
            ("extend", "rknn_output_extend *"),
        ),
    ),
    Function("rknn_outputs_release", (_CONTEXT, ("n_ouputs", "uint32_t"), ("outputs", "rknn_output[]"))),
)
"""Arguments as (name, type); all return an ``int`` that is one of ``ERROR_CODES``."""

ERROR_CODES: Final[dict[str, int]] = {
    "RKNN_SUCC": 0,
    "RKNN_ERR_FAIL": -1,
    "RKNN_ERR_TIMEOUT": -2,
    "RKNN_ERR_DEVICE_UNAVAILABLE": -3,
    "RKNN_ERR_MALLOC_FAIL": -4,
    "RKNN_ERR_PARAM_INVALID": -5,
    "RKNN_ERR_MODEL_INVALID": -6,
    "RKNN_ERR_CTX_INVALID": -7,
    "RKNN_ERR_INPUT_INVALID": -8,
    "RKNN_ERR_OUTPUT_INVALID": -9,
    "RKNN_ERR_DEVICE_UNMATCH": -10,
    "RKNN_ERR_INCOMPATILE_PRE_COMPILE_MODEL": -11,
    "RKNN_ERR_INCOMPATILE_OPTIMIZATION_LEVEL_VERSION": -12,
    "RKNN_ERR_TARGET_PLATFORM_UNMATCH": -13,
}
"""What functions return, by the header's names."""

ERROR_ADVICE: Final[dict[str, str]] = {
    "RKNN_ERR_TIMEOUT": "The NPU did not answer in time: another model may keep it busy. Try again.",
    "RKNN_ERR_DEVICE_UNAVAILABLE": "No NPU is there for it: check that the rknpu driver is loaded.",
    "RKNN_ERR_MALLOC_FAIL": "There is not enough memory: unload other models, or give them other memory domains.",
    "RKNN_ERR_MODEL_INVALID": "The file is no .rknn model, or is broken: download or convert it again.",
    "RKNN_ERR_DEVICE_UNMATCH": "The file needs another driver or library: update librknnrt.so and the rknpu driver.",
    "RKNN_ERR_INCOMPATILE_PRE_COMPILE_MODEL": "Convert it again with the toolkit of this librknnrt.so.",
    "RKNN_ERR_INCOMPATILE_OPTIMIZATION_LEVEL_VERSION": "Convert it again with the toolkit of this librknnrt.so.",
    "RKNN_ERR_TARGET_PLATFORM_UNMATCH": "The file was converted for another chip: use the one for this board.",
}
"""What may help against an error, by its name; the header's names say what each is."""
