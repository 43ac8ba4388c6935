// The C interface of librkllmrt.so, written out once for every ABI the emulator can be built as.
//
// RKLLM_ABI selects the layout (see the table of ABI groups in docs/runtime.md):
//   1 = A   runtimes 1.1.0 - 1.1.4
//   2 = B0  runtime  1.2.0
//   3 = B1  runtime  1.2.1b1 (B0 with a longer multimodal input)
//   4 = C   runtimes 1.2.1 - 1.2.3
//   5 = D   runtime  1.3.0
//   6 = D1  runtime  1.3.1 (D with an audio input; layout known only from third parties)
//
// This header is deliberately independent of rkllm_providers/runtime/layouts.py: a test compiles
// it and compares every size and offset with what the Python side believes.
#pragma once

#include <cstddef>
#include <cstdint>

#ifndef RKLLM_ABI
#error "RKLLM_ABI must be 1 (A), 2 (B0), 3 (B1), 4 (C), 5 (D) or 6 (D1)"
#endif

#define RKLLM_ABI_A 1
#define RKLLM_ABI_B0 2
#define RKLLM_ABI_B1 3
#define RKLLM_ABI_C 4
#define RKLLM_ABI_D 5
#define RKLLM_ABI_D1 6

typedef void *LLMHandle;

enum LLMCallState : unsigned int {
  RKLLM_RUN_NORMAL = 0,
  RKLLM_RUN_WAITING = 1,
  RKLLM_RUN_FINISH = 2,
  RKLLM_RUN_ERROR = 3,
#if RKLLM_ABI == RKLLM_ABI_A
  RKLLM_RUN_GET_LAST_HIDDEN_LAYER = 4,
#endif
};

enum RKLLMInputType : unsigned int {
  RKLLM_INPUT_PROMPT = 0,
  RKLLM_INPUT_TOKEN = 1,
  RKLLM_INPUT_EMBED = 2,
  RKLLM_INPUT_MULTIMODAL = 3,
};

enum RKLLMInferMode : unsigned int {
  RKLLM_INFER_GENERATE = 0,
  RKLLM_INFER_GET_LAST_HIDDEN_LAYER = 1,
#if RKLLM_ABI >= RKLLM_ABI_B0
  RKLLM_INFER_GET_LOGITS = 2,
#endif
};

struct RKLLMExtendParam {
  int32_t base_domain_id;
#if RKLLM_ABI == RKLLM_ABI_A
  uint8_t reserved[112];
#else
  int8_t embed_flash;
  int8_t enabled_cpus_num;
  uint32_t enabled_cpus_mask;
#if RKLLM_ABI >= RKLLM_ABI_C
  uint8_t n_batch;
  int8_t use_cross_attn;
  uint8_t reserved[104];
#else
  uint8_t reserved[106];
#endif
#endif
};

struct RKLLMParam {
  const char *model_path;
  int32_t max_context_len;
  int32_t max_new_tokens;
  int32_t top_k;
#if RKLLM_ABI >= RKLLM_ABI_B0
  int32_t n_keep;
#endif
  float top_p;
  float temperature;
  float repeat_penalty;
  float frequency_penalty;
  float presence_penalty;
  int32_t mirostat;
  float mirostat_tau;
  float mirostat_eta;
  bool skip_special_token;
#if RKLLM_ABI >= RKLLM_ABI_D
  bool ignore_eos_token;
#endif
  bool is_async;
#if RKLLM_ABI <= RKLLM_ABI_C
  const char *img_start;
  const char *img_end;
  const char *img_content;
#endif
  RKLLMExtendParam extend_param;
};

struct RKLLMLoraAdapter {
  const char *lora_adapter_path;
  const char *lora_adapter_name;
  float scale;
};

struct RKLLMEmbedInput {
  float *embed;
  size_t n_tokens;
};

struct RKLLMTokenInput {
  int32_t *input_ids;
  size_t n_tokens;
};

// The vendor spelled this RKLLMMultiModelInput before 1.2.3; the layout does not depend on the name.
struct RKLLMMultiModalInput {
  char *prompt;
#if RKLLM_ABI <= RKLLM_ABI_C
  float *image_embed;
  size_t n_image_tokens;
#if RKLLM_ABI >= RKLLM_ABI_B1
  size_t n_image;
  size_t image_width;
  size_t image_height;
#endif
#else
  struct {
    float *image_embed;
    size_t n_image_tokens;
    size_t n_image;
    const char *image_start;
    const char *image_end;
    const char *image_content;
    size_t image_width;
    size_t image_height;
  } image;
  struct {
    float *video_embed;
    size_t n_frame_tokens;
    size_t n_frame_per_video;
    size_t n_video;
    const char *video_start;
    const char *video_end;
    const char *video_content;
    size_t frame_width;
    size_t frame_height;
  } video;
#if RKLLM_ABI >= RKLLM_ABI_D1
  struct {
    float *audio_embed;
    size_t n_audio_tokens;
    size_t n_audio;
    const char *audio_start;
    const char *audio_end;
    const char *audio_content;
  } audio;
#endif
#endif
};

struct RKLLMInput {
#if RKLLM_ABI >= RKLLM_ABI_C
  const char *role;
  bool enable_thinking;
#endif
  RKLLMInputType input_type;
  union {
    const char *prompt_input;
    RKLLMEmbedInput embed_input;
    RKLLMTokenInput token_input;
    RKLLMMultiModalInput multimodal_input;
  };
};

struct RKLLMLoraParam {
  const char *lora_adapter_name;
};

struct RKLLMPromptCacheParam {
  int save_prompt_cache;
  const char *prompt_cache_path;
};

#if RKLLM_ABI >= RKLLM_ABI_C
struct RKLLMCrossAttnParam {
  float *encoder_k_cache;
  float *encoder_v_cache;
  float *encoder_mask;
  int32_t *encoder_pos;
  int num_tokens;
};
#endif

#if RKLLM_ABI >= RKLLM_ABI_D
struct RKLLMSamplingParam {
  int32_t top_k;
  float top_p;
  float temperature;
  float repeat_penalty;
  float frequency_penalty;
  float presence_penalty;
  int32_t mirostat;
  float mirostat_tau;
  float mirostat_eta;
};
#endif

struct RKLLMInferParam {
  RKLLMInferMode mode;
  RKLLMLoraParam *lora_params;
  RKLLMPromptCacheParam *prompt_cache_params;
#if RKLLM_ABI >= RKLLM_ABI_D
  RKLLMSamplingParam *sampling_params;
#endif
#if RKLLM_ABI >= RKLLM_ABI_B0
  int keep_history;
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  int32_t max_new_tokens;
#endif
};

struct RKLLMResultLastHiddenLayer {
  const float *hidden_states;
  int embd_size;
  int num_tokens;
};

#if RKLLM_ABI >= RKLLM_ABI_B0
struct RKLLMResultLogits {
  const float *logits;
  int vocab_size;
  int num_tokens;
};
#endif

#if RKLLM_ABI >= RKLLM_ABI_C
struct RKLLMPerfStat {
  float prefill_time_ms;
  int prefill_tokens;
  float generate_time_ms;
  int generate_tokens;
  float memory_usage_mb;
};
#endif

struct RKLLMResult {
  const char *text;
  int32_t token_id;
  RKLLMResultLastHiddenLayer last_hidden_layer;
#if RKLLM_ABI >= RKLLM_ABI_B0
  RKLLMResultLogits logits;
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
  RKLLMPerfStat perf;
#endif
};

#if RKLLM_ABI >= RKLLM_ABI_C
typedef int (*LLMResultCallback)(RKLLMResult *result, void *userdata, LLMCallState state);
#else
typedef void (*LLMResultCallback)(RKLLMResult *result, void *userdata, LLMCallState state);
#endif

#if RKLLM_ABI >= RKLLM_ABI_D
typedef int (*LLMTokenizerCallback)(void *userdata, const char *text, int32_t text_len,
                                    int32_t *tokens, int32_t n_tokens_max);
typedef int (*LLMGetEmbedCallback)(void *userdata, int32_t *tokens, uint64_t num_tokens,
                                   void *embed, uint64_t len);
struct RKLLMCallback {
  LLMResultCallback result_callback;
  void *result_userdata;
  LLMTokenizerCallback tokenizer_callback;
  void *tokenizer_userdata;
  LLMGetEmbedCallback embed_callback;
  void *embed_userdata;
};
#endif

#define RKLLM_API extern "C" __attribute__((visibility("default")))

RKLLM_API RKLLMParam rkllm_createDefaultParam();
#if RKLLM_ABI >= RKLLM_ABI_D
RKLLM_API int rkllm_init(LLMHandle *handle, RKLLMParam *param, RKLLMCallback *callback);
#else
RKLLM_API int rkllm_init(LLMHandle *handle, RKLLMParam *param, LLMResultCallback callback);
#endif
RKLLM_API int rkllm_load_lora(LLMHandle handle, RKLLMLoraAdapter *lora_adapter);
RKLLM_API int rkllm_load_prompt_cache(LLMHandle handle, const char *prompt_cache_path);
RKLLM_API int rkllm_release_prompt_cache(LLMHandle handle);
RKLLM_API int rkllm_destroy(LLMHandle handle);
RKLLM_API int rkllm_run(LLMHandle handle, RKLLMInput *input, RKLLMInferParam *infer_params, void *userdata);
RKLLM_API int rkllm_run_async(LLMHandle handle, RKLLMInput *input, RKLLMInferParam *infer_params, void *userdata);
RKLLM_API int rkllm_abort(LLMHandle handle);
RKLLM_API int rkllm_is_running(LLMHandle handle);
#if RKLLM_ABI >= RKLLM_ABI_B0
RKLLM_API int rkllm_set_chat_template(LLMHandle handle, const char *system_prompt,
                                      const char *prompt_prefix, const char *prompt_postfix);
#endif
#if RKLLM_ABI == RKLLM_ABI_B0 || RKLLM_ABI == RKLLM_ABI_B1
RKLLM_API int rkllm_clear_kv_cache(LLMHandle handle, int keep_system_prompt);
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
RKLLM_API int rkllm_clear_kv_cache(LLMHandle handle, int keep_system_prompt, int *start_pos, int *end_pos);
RKLLM_API int rkllm_get_kv_cache_size(LLMHandle handle, int *cache_sizes);
RKLLM_API int rkllm_set_function_tools(LLMHandle handle, const char *system_prompt,
                                       const char *tools, const char *tool_response_str);
RKLLM_API int rkllm_set_cross_attn_params(LLMHandle handle, RKLLMCrossAttnParam *cross_attn_params);
#endif
