// The C interface of librknnrt.so, as far as the emulator has it. The same in both headers that RKLLM 1.1.4 to
// 1.3.0 were shipped with.
//
// This header is deliberately independent of rkllm_providers/vision/abi_tables.py: a test compiles it and compares
// every size and offset with what the Python side believes.
#pragma once

#include <cstdint>

#ifdef __arm__
typedef uint32_t rknn_context;
#else
typedef uint64_t rknn_context;
#endif

enum rknn_query_cmd : unsigned int {
  RKNN_QUERY_IN_OUT_NUM = 0,
  RKNN_QUERY_INPUT_ATTR = 1,
  RKNN_QUERY_OUTPUT_ATTR = 2,
  RKNN_QUERY_SDK_VERSION = 5,
};

enum rknn_tensor_type : unsigned int {
  RKNN_TENSOR_FLOAT32 = 0,
  RKNN_TENSOR_FLOAT16 = 1,
  RKNN_TENSOR_INT8 = 2,
  RKNN_TENSOR_UINT8 = 3,
};

enum rknn_tensor_qnt_type : unsigned int {
  RKNN_TENSOR_QNT_NONE = 0,
  RKNN_TENSOR_QNT_DFP = 1,
  RKNN_TENSOR_QNT_AFFINE_ASYMMETRIC = 2,
};

enum rknn_tensor_format : unsigned int {
  RKNN_TENSOR_NCHW = 0,
  RKNN_TENSOR_NHWC = 1,
  RKNN_TENSOR_NC1HWC2 = 2,
  RKNN_TENSOR_UNDEFINED = 3,
};

enum rknn_core_mask : unsigned int {
  RKNN_NPU_CORE_AUTO = 0,
  RKNN_NPU_CORE_0 = 1,
  RKNN_NPU_CORE_1 = 2,
  RKNN_NPU_CORE_0_1 = 3,
  RKNN_NPU_CORE_2 = 4,
  RKNN_NPU_CORE_0_1_2 = 7,
  RKNN_NPU_CORE_ALL = 0xffff,
};

enum : int {
  RKNN_SUCC = 0,
  RKNN_ERR_FAIL = -1,
  RKNN_ERR_MALLOC_FAIL = -4,
  RKNN_ERR_PARAM_INVALID = -5,
  RKNN_ERR_MODEL_INVALID = -6,
  RKNN_ERR_CTX_INVALID = -7,
  RKNN_ERR_INPUT_INVALID = -8,
  RKNN_ERR_OUTPUT_INVALID = -9,
  RKNN_ERR_TARGET_PLATFORM_UNMATCH = -13,  // the last of them
};

struct rknn_input_output_num {
  uint32_t n_input;
  uint32_t n_output;
};

struct rknn_tensor_attr {
  uint32_t index;
  uint32_t n_dims;
  uint32_t dims[16];
  char name[256];
  uint32_t n_elems;
  uint32_t size;
  rknn_tensor_format fmt;
  rknn_tensor_type type;
  rknn_tensor_qnt_type qnt_type;
  int8_t fl;
  int32_t zp;
  float scale;
  uint32_t w_stride;
  uint32_t size_with_stride;
  uint8_t pass_through;
  uint32_t h_stride;
};

struct rknn_sdk_version {
  char api_version[256];
  char drv_version[256];
};

struct rknn_input {
  uint32_t index;
  void *buf;
  uint32_t size;
  uint8_t pass_through;
  rknn_tensor_type type;
  rknn_tensor_format fmt;
};

struct rknn_output {
  uint8_t want_float;
  uint8_t is_prealloc;
  uint32_t index;
  void *buf;
  uint32_t size;
};

// Nothing of these three is read.
struct rknn_init_extend;
struct rknn_run_extend;
struct rknn_output_extend;

#define RKNN_EXPORT extern "C" __attribute__((visibility("default")))

RKNN_EXPORT int rknn_init(rknn_context *context, void *model, uint32_t size, uint32_t flag,
                          rknn_init_extend *extend);
RKNN_EXPORT int rknn_destroy(rknn_context context);
RKNN_EXPORT int rknn_query(rknn_context context, rknn_query_cmd cmd, void *info, uint32_t size);
RKNN_EXPORT int rknn_set_core_mask(rknn_context context, rknn_core_mask core_mask);
RKNN_EXPORT int rknn_inputs_set(rknn_context context, uint32_t n_inputs, rknn_input inputs[]);
RKNN_EXPORT int rknn_run(rknn_context context, rknn_run_extend *extend);
RKNN_EXPORT int rknn_outputs_get(rknn_context context, uint32_t n_outputs, rknn_output outputs[],
                                 rknn_output_extend *extend);
RKNN_EXPORT int rknn_outputs_release(rknn_context context, uint32_t n_outputs, rknn_output outputs[]);

// For tests, and not in the vendor's library: contexts that were not destroyed, output buffers that were not
// released, and the core mask of a context (-1 where there is no such context).
RKNN_EXPORT int rknn_emulator_live_contexts(void);
RKNN_EXPORT int rknn_emulator_unreleased_outputs(void);
RKNN_EXPORT int rknn_emulator_core_mask(rknn_context context);
