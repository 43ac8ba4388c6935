// A librkllmrt.so that only records what it is given and plays fixed events, one build per ABI group.
// What is played depends on the prompt's text; what it received is read back as JSON by stub_record().
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "rkllm.h"

static char record[8192];
static size_t used;
static std::atomic<int> aborts{0}, inits{0}, destroys{0}, running{0};
static std::atomic<bool> abort_flag{false};
static int the_model;

#define PUT(...) (used += snprintf(record + used, sizeof record - used, __VA_ARGS__))

static void put_text(const char *name, const char *text) {
  if (text == nullptr) {
    PUT("\"%s\": null, ", name);
    return;
  }
  PUT("\"%s\": \"", name);
  for (; *text; ++text) PUT("%02x", (unsigned char)*text);  // hex: UTF-8 and quotes survive
  PUT("\", ");
}

static void begin_record() { used = 0; PUT("{"); }
static void end_record() { PUT("\"end\": 0}"); }

RKLLM_API const char *stub_record() { return record; }
RKLLM_API int stub_aborts() { return aborts; }
RKLLM_API int stub_destroys() { return destroys; }

#if RKLLM_ABI >= RKLLM_ABI_D
static RKLLMCallback *callbacks;
#define EMIT(result, userdata, state) callbacks->result_callback(result, userdata, state)
#else
static LLMResultCallback callback;
#define EMIT(result, userdata, state) callback(result, userdata, state)
#endif

RKLLM_API RKLLMParam rkllm_createDefaultParam() {
  RKLLMParam p;
  memset((void *)&p, 0xcd, sizeof p);  // what a real library leaves unwritten is noise
  p.max_context_len = 512;
  p.max_new_tokens = -1;
  p.top_k = 40;
  p.top_p = 0.9f;
  p.temperature = 0.8f;
  p.repeat_penalty = 1.1f;
  p.frequency_penalty = 0.0f;
  p.presence_penalty = 0.0f;
  p.mirostat = 0;
  p.mirostat_tau = 5.0f;
  p.mirostat_eta = 0.1f;
  p.skip_special_token = true;
  p.is_async = false;
  p.extend_param.base_domain_id = 0;
#if RKLLM_ABI >= RKLLM_ABI_B0
  p.n_keep = -1;
  p.extend_param.embed_flash = 1;
  p.extend_param.enabled_cpus_num = 4;
  p.extend_param.enabled_cpus_mask = 0xF0;
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
  p.extend_param.n_batch = 1;
  p.extend_param.use_cross_attn = 0;
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  p.ignore_eos_token = false;
#else
  p.img_start = p.img_end = p.img_content = "";
#endif
  return p;
}

#if RKLLM_ABI >= RKLLM_ABI_D
RKLLM_API int rkllm_init(LLMHandle *handle, RKLLMParam *p, RKLLMCallback *given) {
  callbacks = given;
  const bool others = given->tokenizer_callback || given->embed_callback || given->result_userdata;
#else
RKLLM_API int rkllm_init(LLMHandle *handle, RKLLMParam *p, LLMResultCallback given) {
  callback = given;
  const bool others = false;
#endif
  begin_record();
  put_text("model_path", p->model_path);
  PUT("\"max_context_len\": %d, \"max_new_tokens\": %d, \"top_k\": %d, ", p->max_context_len, p->max_new_tokens,
      p->top_k);
  PUT("\"top_p\": %g, \"temperature\": %g, \"repeat_penalty\": %g, \"frequency_penalty\": %g, "
      "\"presence_penalty\": %g, \"mirostat\": %d, \"mirostat_tau\": %g, \"mirostat_eta\": %g, ",
      p->top_p, p->temperature, p->repeat_penalty, p->frequency_penalty, p->presence_penalty, p->mirostat,
      p->mirostat_tau, p->mirostat_eta);
  PUT("\"skip_special_token\": %d, \"is_async\": %d, \"base_domain_id\": %d, \"reserved\": %d, \"others\": %d, ",
      p->skip_special_token, p->is_async, p->extend_param.base_domain_id, p->extend_param.reserved[0], others);
#if RKLLM_ABI >= RKLLM_ABI_B0
  PUT("\"n_keep\": %d, \"embed_flash\": %d, \"enabled_cpus_num\": %d, \"enabled_cpus_mask\": %u, ", p->n_keep,
      p->extend_param.embed_flash, p->extend_param.enabled_cpus_num, p->extend_param.enabled_cpus_mask);
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
  PUT("\"n_batch\": %d, ", p->extend_param.n_batch);
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  PUT("\"ignore_eos_token\": %d, ", p->ignore_eos_token);
#else
  put_text("img_start", p->img_start);
#endif
  end_record();
  inits++;
  if (inits > 1 && strstr(p->model_path, "fragile")) abort();
  if (strstr(p->model_path, "refused")) return -1;
  *handle = strstr(p->model_path, "no-handle") ? nullptr : &the_model;
  return 0;
}

RKLLM_API int rkllm_load_lora(LLMHandle, RKLLMLoraAdapter *) { return 0; }
RKLLM_API int rkllm_load_prompt_cache(LLMHandle, const char *) { return 0; }
RKLLM_API int rkllm_release_prompt_cache(LLMHandle) { return 0; }
RKLLM_API int rkllm_destroy(LLMHandle handle) { destroys++; return handle == &the_model ? 0 : -1; }
RKLLM_API int rkllm_run_async(LLMHandle, RKLLMInput *, RKLLMInferParam *, void *) { return -1; }
RKLLM_API int rkllm_abort(LLMHandle) { aborts++; abort_flag = true; return 0; }
RKLLM_API int rkllm_is_running(LLMHandle) { return running; }

static int emit(const char *text, int32_t id, unsigned state) {
  RKLLMResult *result = (RKLLMResult *)malloc(sizeof(RKLLMResult));  // a fresh address now and then
  memset((void *)result, 0xcd, sizeof *result);
  result->text = state == RKLLM_RUN_WAITING ? (const char *)16 : text;  // must not be read then
  result->token_id = id;
#if RKLLM_ABI >= RKLLM_ABI_C
  if (state == RKLLM_RUN_FINISH) result->perf = RKLLMPerfStat{12.5f, 7, 250.0f, 3, 1024.25f};
#endif
  EMIT(result, nullptr, (LLMCallState)state);
  memset((void *)result, 0, sizeof *result);
  free(result);
  return 0;
}

static void put_input(RKLLMInput *input) {
#if RKLLM_ABI >= RKLLM_ABI_C
  put_text("role", input->role);
  PUT("\"enable_thinking\": %d, ", input->enable_thinking);
#endif
  PUT("\"input_type\": %d, ", (int)input->input_type);
  if (input->input_type == RKLLM_INPUT_TOKEN) {
    PUT("\"ids\": [");
    for (size_t i = 0; i < input->token_input.n_tokens; ++i)
      PUT("%s%d", i ? ", " : "", input->token_input.input_ids[i]);
    PUT("], ");
  } else {
    put_text("prompt", input->prompt_input);
  }
  int beyond = 0;  // the bytes behind the struct must be zero, for a newer library would read them
  for (size_t i = sizeof(RKLLMInput); i < 512; ++i) beyond |= ((unsigned char *)input)[i];
  PUT("\"beyond\": %d, ", beyond);
}

RKLLM_API int rkllm_run(LLMHandle handle, RKLLMInput *input, RKLLMInferParam *infer, void *userdata) {
  begin_record();
  put_input(input);
  PUT("\"mode\": %d, \"userdata\": %d, \"lora\": %d, ", (int)infer->mode, userdata != nullptr,
      infer->lora_params || infer->prompt_cache_params);
#if RKLLM_ABI >= RKLLM_ABI_B0
  PUT("\"keep_history\": %d, ", infer->keep_history);
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  PUT("\"max_new_tokens\": %d, ", infer->max_new_tokens);
  if (const RKLLMSamplingParam *s = infer->sampling_params)
    PUT("\"sampling\": [%d, %g, %g, %g, %g, %g, %d, %g, %g], ", s->top_k, s->top_p, s->temperature,
        s->repeat_penalty, s->frequency_penalty, s->presence_penalty, s->mirostat, s->mirostat_tau,
        s->mirostat_eta);
#endif
  end_record();
  if (handle != &the_model) return -1;
  char prompt[64] = "";
  if (input->input_type == RKLLM_INPUT_PROMPT) strncpy(prompt, input->prompt_input, sizeof prompt - 1);
  if (!strcmp(prompt, "refused")) return -1;
  running = 1;
  if (!strcmp(prompt, "slow start")) usleep(100000);
  abort_flag = false;
  int code = 0;
  if (!strcmp(prompt, "error") || !strcmp(prompt, "error 0")) {
    emit("a", 1, RKLLM_RUN_NORMAL);
    emit(nullptr, 0, RKLLM_RUN_ERROR);
    code = strcmp(prompt, "error 0") ? -1 : 0;
  } else if (!strcmp(prompt, "no result")) {
    EMIT(nullptr, nullptr, RKLLM_RUN_NORMAL);
  } else if (!strncmp(prompt, "state ", 6)) {
    emit("h", 1, (unsigned)atoi(prompt + 6));
    emit(nullptr, 0, RKLLM_RUN_FINISH);
  } else if (!strcmp(prompt, "long") || !strcmp(prompt, "long -1") || !strcmp(prompt, "slow start")) {
    for (int i = 0; i < 5000 && !abort_flag; ++i) {
      emit("x", i, RKLLM_RUN_NORMAL);
      usleep(1000);
    }
    emit(nullptr, 0, RKLLM_RUN_FINISH);
    code = strcmp(prompt, "long -1") ? 0 : -1;
  } else {
    emit("Gr", 11, RKLLM_RUN_NORMAL);
    emit(nullptr, 12, RKLLM_RUN_WAITING);
    emit("\xc3\xbc\xc3\x9f", 13, RKLLM_RUN_NORMAL);
    emit("", 14, RKLLM_RUN_NORMAL);
    emit(nullptr, 2, RKLLM_RUN_NORMAL);
    emit(nullptr, 0, RKLLM_RUN_FINISH);
  }
  running = 0;
  return code;
}

// Many tokens from one place, as the real library gives them: for measuring.
RKLLM_API int stub_drive(int n) {
  RKLLMResult result;
  memset((void *)&result, 0, sizeof result);
  result.text = " token";
  for (int i = 0; i < n; ++i) {
    result.token_id = i;
    EMIT(&result, nullptr, RKLLM_RUN_NORMAL);
  }
  return 0;
}

#if RKLLM_ABI >= RKLLM_ABI_B0
RKLLM_API int rkllm_set_chat_template(LLMHandle, const char *system, const char *prefix, const char *postfix) {
  begin_record();
  put_text("system", system);
  put_text("prefix", prefix);
  put_text("postfix", postfix);
  end_record();
  return strcmp(system, "refused") ? 0 : -1;
}
#endif
#if RKLLM_ABI == RKLLM_ABI_B0 || RKLLM_ABI == RKLLM_ABI_B1
RKLLM_API int rkllm_clear_kv_cache(LLMHandle, int keep_system_prompt) {
  begin_record();
  PUT("\"keep_system_prompt\": %d, \"range\": 0, ", keep_system_prompt);
  end_record();
  return 0;
}
#elif RKLLM_ABI >= RKLLM_ABI_C
RKLLM_API int rkllm_clear_kv_cache(LLMHandle, int keep_system_prompt, int *start_pos, int *end_pos) {
  begin_record();
  PUT("\"keep_system_prompt\": %d, \"range\": %d, ", keep_system_prompt, start_pos || end_pos);
  end_record();
  return 0;
}
RKLLM_API int rkllm_get_kv_cache_size(LLMHandle, int *cache_sizes) { cache_sizes[0] = 321; return 0; }
RKLLM_API int rkllm_set_function_tools(LLMHandle, const char *, const char *, const char *) { return 0; }
RKLLM_API int rkllm_set_cross_attn_params(LLMHandle, RKLLMCrossAttnParam *) { return 0; }
#endif
