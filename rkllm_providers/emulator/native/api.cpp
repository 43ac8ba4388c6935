// The exported functions: the ABI's structs on one side, the session's own types on the other.

#include "rkllm.h"

#include <bitset>
#include <cstring>

#include "backend.h"
#include "handle.h"
#include "log.h"
#include "platform.h"

#if !defined(RKLLM_VERSION) || !defined(RKLLM_BUILD)
#error "define RKLLM_VERSION and RKLLM_BUILD as string literals"
#endif

namespace {

using rkllm::Event;
using rkllm::Handle;
using rkllm::Refused;
using rkllm::Request;

__attribute__((used)) const char kBanner[] =
    "RKLLM SDK (version: " RKLLM_VERSION " | target: Linux | build: " RKLLM_BUILD ")";

constexpr int32_t kLargestDefaultContext = 4096;

struct Loaded {
  Handle handle;
  LLMResultCallback callback;
  void *userdata;
};

// Turns what a call throws into its return value: no exception may cross a C frame.
template <class Body>
int guarded(const char *name, Body body) noexcept {
  try {
    return body();
  } catch (const std::exception &error) {
    rkllm::log_error(error.what());
  } catch (...) {
    rkllm::log_error("unknown failure");
  }
  rkllm::log_error(std::string(name) + " failed");
  return -1;
}

template <class Body>
int with_handle(const char *name, LLMHandle handle, Body body) noexcept {
  return guarded(name, [&] {
    if (handle == nullptr) throw Refused("the handle is NULL");
    return body(*static_cast<Loaded *>(handle));
  });
}

std::string text_or_empty(const char *text) { return text == nullptr ? "" : text; }

class CallbackSink final : public rkllm::Sink {
 public:
  CallbackSink(LLMResultCallback callback, void *userdata) : callback_(callback), userdata_(userdata) {}

  bool deliver(const Event &event) override {
    RKLLMResult result;
    std::memset(&result, 0, sizeof result);
    result.text = event.text;
    result.token_id = event.token;
#if RKLLM_ABI >= RKLLM_ABI_B0
    result.logits = {event.logits, event.n_vocab, event.n_rows};
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
    if (event.perf != nullptr) {
      const rkllm::Perf &perf = *event.perf;
      result.perf = {perf.prefill_ms, perf.prefill_tokens, perf.generate_ms, perf.generate_tokens,
                     perf.memory_mb};
    }
    return callback_(&result, userdata_, state_of(event)) != 1;
#else
    callback_(&result, userdata_, state_of(event));
    return true;
#endif
  }

 private:
  static LLMCallState state_of(const Event &event) {
    switch (event.state) {
      case Event::State::normal: return RKLLM_RUN_NORMAL;
      case Event::State::waiting: return RKLLM_RUN_WAITING;
      case Event::State::finish: return RKLLM_RUN_FINISH;
      case Event::State::error: break;
    }
    return RKLLM_RUN_ERROR;
  }

  LLMResultCallback callback_;
  void *userdata_;
};

uint32_t default_cpu_mask() { return rkllm::online_cpus() >= 8 ? 0xF0u : 0x0Fu; }

rkllm::Options read_options(const RKLLMParam &param) {
  rkllm::Options options;
  if (param.model_path == nullptr) throw Refused("model_path is NULL");
  options.model_path = param.model_path;
  options.max_context_len = param.max_context_len;
  options.max_new_tokens = param.max_new_tokens;
  options.sampling = {param.top_k,
                      param.top_p,
                      param.temperature,
                      param.repeat_penalty,
                      param.frequency_penalty,
                      param.presence_penalty,
                      param.mirostat,
                      param.mirostat_tau,
                      param.mirostat_eta};
  options.skip_special_token = param.skip_special_token;
#if RKLLM_ABI >= RKLLM_ABI_B0
  options.n_keep = param.n_keep;
#else
  options.keeps_cache = false;
  options.applies_template = false;
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  options.ignore_eos_token = param.ignore_eos_token;
#endif
  return options;
}

void check_extended([[maybe_unused]] const RKLLMExtendParam &extend, [[maybe_unused]] int32_t npu_cores) {
#if RKLLM_ABI >= RKLLM_ABI_B0
  const int cpus = extend.enabled_cpus_num;
  if (cpus < 1 || cpus > 8)
    throw Refused("enabled_cpus_num must be between 1 and 8, but got " + std::to_string(cpus));
  if (cpus < npu_cores) {
    throw Refused("The number of enabled CPUs must be greater than or equal to the number of NPU cores.");
  }
  if (std::bitset<32>(extend.enabled_cpus_mask).count() != static_cast<size_t>(cpus)) {
    throw Refused("Mismatch between enabled CPUs mask and expected count. Please check the configuration.");
  }
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
  const int n_batch = extend.n_batch;
  if (n_batch < 1 || n_batch > 100)
    throw Refused("n_batch must be between 1 and 100, but got " + std::to_string(n_batch));
  if (n_batch > 1)
    throw Refused("the emulator runs one input at a time: n_batch must be 1, but got " +
                  std::to_string(n_batch));
  if (extend.use_cross_attn != 0)
    throw Refused("the emulator does not have cross attention yet: use_cross_attn must be 0");
#endif
}

void check_context(rkllm::Options &options, int32_t limit) {
  if (options.max_context_len <= 0) options.max_context_len = std::min(limit, kLargestDefaultContext);
  if (options.max_context_len > limit) {
    throw Refused("max_context_len " + std::to_string(options.max_context_len) +
                  " is above the model's max_context_limit " + std::to_string(limit));
  }
  if (options.n_keep >= options.max_context_len) {
    throw Refused("n_keep " + std::to_string(options.n_keep) + " is not below max_context_len " +
                  std::to_string(options.max_context_len));
  }
}

std::unique_ptr<rkllm::Session> load(const RKLLMParam &param) {
  rkllm::Options options = read_options(param);
#if RKLLM_ABI >= RKLLM_ABI_B0
  rkllm::log_info("loading rkllm model from " + options.model_path);
#endif
  std::unique_ptr<rkllm::Backend> backend = rkllm::open_model(options.model_path);
  const rkllm::ModelFacts &facts = backend->facts();
#if RKLLM_ABI >= RKLLM_ABI_B0
  rkllm::log_info("rkllm-toolkit version: " RKLLM_VERSION ", max_context_limit: " +
                  std::to_string(facts.context_limit) + ", npu_core_num: " + std::to_string(facts.npu_cores) +
                  ", target_platform: CPU, model_dtype: " + facts.dtype);
#endif
  check_extended(param.extend_param, facts.npu_cores);
#if RKLLM_ABI >= RKLLM_ABI_B0
  rkllm::log_info("Enabled cpus: " + rkllm::list_cpus(param.extend_param.enabled_cpus_mask));
  rkllm::log_info("Enabled cpus num: " + std::to_string(param.extend_param.enabled_cpus_num));
#endif
  check_context(options, facts.context_limit);
  return std::make_unique<rkllm::Session>(std::move(options), std::move(backend));
}

int init(LLMHandle *handle, const RKLLMParam *param, LLMResultCallback callback, void *userdata) {
  return guarded("rkllm_init", [&] {
    rkllm::read_log_level();
    rkllm::log_info("rkllm-runtime version: " RKLLM_VERSION ", rknpu driver version: 0.9.8, platform: CPU");
    if (handle == nullptr || param == nullptr) throw Refused("the handle or the parameters are NULL");
    if (callback == nullptr) throw Refused("the result callback is NULL");
    *handle = new Loaded{Handle(load(*param)), callback, userdata};
    return 0;
  });
}

Request read_request(const RKLLMInput &input, const RKLLMInferParam *infer) {
  Request request;
#if RKLLM_ABI >= RKLLM_ABI_C
  if (input.role != nullptr) request.role = input.role;
  request.thinking = input.enable_thinking;
#endif
  request.is_prompt = input.input_type == RKLLM_INPUT_PROMPT;
  if (input.input_type == RKLLM_INPUT_PROMPT) {
    if (input.prompt_input == nullptr) throw Refused("the prompt is NULL");
    request.prompt = input.prompt_input;
  } else if (input.input_type == RKLLM_INPUT_TOKEN) {
    const RKLLMTokenInput &tokens = input.token_input;
    if (tokens.input_ids == nullptr && tokens.n_tokens > 0) throw Refused("the token ids are NULL");
    request.tokens.assign(tokens.input_ids, tokens.input_ids + tokens.n_tokens);
  } else if (input.input_type == RKLLM_INPUT_EMBED || input.input_type == RKLLM_INPUT_MULTIMODAL) {
    throw Refused("the emulator does not have embedding and multimodal input yet");
  } else {
    throw Refused("unknown input_type " + std::to_string(static_cast<unsigned>(input.input_type)));
  }
  if (infer == nullptr) return request;

  if (infer->lora_params != nullptr) throw Refused("the emulator does not have LoRA adapters yet");
  if (infer->prompt_cache_params != nullptr && infer->prompt_cache_params->save_prompt_cache != 0) {
    throw Refused("the emulator does not have prompt cache files yet");
  }
  if (infer->mode == RKLLM_INFER_GET_LAST_HIDDEN_LAYER)
    throw Refused("the emulator does not have hidden layer output yet");
#if RKLLM_ABI >= RKLLM_ABI_B0
  if (infer->mode == RKLLM_INFER_GET_LOGITS) request.mode = Request::Mode::logits;
  else if (infer->mode != RKLLM_INFER_GENERATE)
    throw Refused("unknown mode " + std::to_string(static_cast<unsigned>(infer->mode)));
  request.keep_history = infer->keep_history != 0;
#else
  if (infer->mode != RKLLM_INFER_GENERATE)
    throw Refused("unknown mode " + std::to_string(static_cast<unsigned>(infer->mode)));
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  if (infer->sampling_params != nullptr) {
    const RKLLMSamplingParam &s = *infer->sampling_params;
    request.sampling = rkllm::Sampling{
        s.top_k,    s.top_p,        s.temperature, s.repeat_penalty, s.frequency_penalty, s.presence_penalty,
        s.mirostat, s.mirostat_tau, s.mirostat_eta};
  }
  request.max_new_tokens = infer->max_new_tokens;
#endif
  return request;
}

void *userdata_for_run(const Loaded &loaded, void *userdata) {
  return userdata != nullptr ? userdata : loaded.userdata;
}

int not_yet(const char *name, LLMHandle handle, const char *what) {
  return with_handle(name, handle, [what](Loaded &) -> int {
    throw Refused(std::string("the emulator does not have ") + what + " yet");
  });
}

}  // namespace

RKLLMParam rkllm_createDefaultParam() {
  RKLLMParam param;
  std::memset(&param, 0, sizeof param);
  const rkllm::Sampling sampling;
  param.max_context_len = 512;
  param.max_new_tokens = -1;
  param.top_k = sampling.top_k;
  param.top_p = sampling.top_p;
  param.temperature = sampling.temperature;
  param.repeat_penalty = sampling.repeat_penalty;
  param.frequency_penalty = sampling.frequency_penalty;
  param.presence_penalty = sampling.presence_penalty;
  param.mirostat = sampling.mirostat;
  param.mirostat_tau = sampling.mirostat_tau;
  param.mirostat_eta = sampling.mirostat_eta;
  param.skip_special_token = true;
#if RKLLM_ABI <= RKLLM_ABI_C
  param.img_start = param.img_end = param.img_content = "";
#endif
#if RKLLM_ABI >= RKLLM_ABI_B0
  param.n_keep = -1;
  param.extend_param.embed_flash = 1;
  param.extend_param.enabled_cpus_num = 4;
  param.extend_param.enabled_cpus_mask = default_cpu_mask();
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
  param.extend_param.n_batch = 1;
#endif
  return param;
}

#if RKLLM_ABI >= RKLLM_ABI_D
int rkllm_init(LLMHandle *handle, RKLLMParam *param, RKLLMCallback *callback) {
  if (callback == nullptr) return init(handle, param, nullptr, nullptr);
  return init(handle, param, callback->result_callback, callback->result_userdata);
}
#else
int rkllm_init(LLMHandle *handle, RKLLMParam *param, LLMResultCallback callback) {
  return init(handle, param, callback, nullptr);
}
#endif

int rkllm_destroy(LLMHandle handle) {
  return with_handle("rkllm_destroy", handle, [](Loaded &loaded) {
    if (loaded.handle.is_runner()) throw Refused("a handle cannot be destroyed from inside its own callback");
    delete &loaded;
    return 0;
  });
}

int rkllm_run(LLMHandle handle, RKLLMInput *input, RKLLMInferParam *infer_params, void *userdata) {
  return with_handle("rkllm_run", handle, [&](Loaded &loaded) {
    if (input == nullptr) throw Refused("the input is NULL");
    CallbackSink sink(loaded.callback, userdata_for_run(loaded, userdata));
    return loaded.handle.run(read_request(*input, infer_params), sink) ? 0 : -1;
  });
}

int rkllm_run_async(LLMHandle handle, RKLLMInput *input, RKLLMInferParam *infer_params, void *userdata) {
  return with_handle("rkllm_run_async", handle, [&](Loaded &loaded) {
    if (input == nullptr) throw Refused("the input is NULL");
    auto sink = std::make_unique<CallbackSink>(loaded.callback, userdata_for_run(loaded, userdata));
    loaded.handle.run_async(read_request(*input, infer_params), std::move(sink));
    return 0;
  });
}

int rkllm_abort(LLMHandle handle) {
  return with_handle("rkllm_abort", handle, [](Loaded &loaded) {
    loaded.handle.abort();
    return 0;
  });
}

int rkllm_is_running(LLMHandle handle) {
  return with_handle("rkllm_is_running", handle,
                     [](Loaded &loaded) { return loaded.handle.is_running() ? 1 : 0; });
}

int rkllm_load_lora(LLMHandle handle, RKLLMLoraAdapter *) {
  return not_yet("rkllm_load_lora", handle, "LoRA adapters");
}

int rkllm_load_prompt_cache(LLMHandle handle, const char *) {
  return not_yet("rkllm_load_prompt_cache", handle, "prompt cache files");
}

int rkllm_release_prompt_cache(LLMHandle handle) {
  return not_yet("rkllm_release_prompt_cache", handle, "prompt cache files");
}

#if RKLLM_ABI >= RKLLM_ABI_B0
int rkllm_set_chat_template(LLMHandle handle, const char *system_prompt, const char *prompt_prefix,
                            const char *prompt_postfix) {
  return with_handle("rkllm_set_chat_template", handle, [&](Loaded &loaded) {
    loaded.handle.while_idle([&](rkllm::Session &session) {
      session.set_chat_template(text_or_empty(system_prompt), text_or_empty(prompt_prefix),
                                text_or_empty(prompt_postfix));
    });
    return 0;
  });
}
#endif

#if RKLLM_ABI == RKLLM_ABI_B0 || RKLLM_ABI == RKLLM_ABI_B1
int rkllm_clear_kv_cache(LLMHandle handle, int keep_system_prompt) {
  return with_handle("rkllm_clear_kv_cache", handle, [&](Loaded &loaded) {
    loaded.handle.while_idle([&](rkllm::Session &session) { session.clear_cache(keep_system_prompt != 0); });
    return 0;
  });
}
#endif

#if RKLLM_ABI >= RKLLM_ABI_C
int rkllm_clear_kv_cache(LLMHandle handle, int keep_system_prompt, int *start_pos, int *end_pos) {
  return with_handle("rkllm_clear_kv_cache", handle, [&](Loaded &loaded) {
    if ((start_pos == nullptr) != (end_pos == nullptr))
      throw Refused("a range needs both start_pos and end_pos");
    loaded.handle.while_idle([&](rkllm::Session &session) {
      if (start_pos != nullptr) session.clear_range(*start_pos, *end_pos);
      else session.clear_cache(keep_system_prompt != 0);
    });
    return 0;
  });
}

int rkllm_get_kv_cache_size(LLMHandle handle, int *cache_sizes) {
  return with_handle("rkllm_get_kv_cache_size", handle, [&](Loaded &loaded) {
    if (cache_sizes == nullptr) throw Refused("cache_sizes is NULL");
    loaded.handle.while_idle([&](rkllm::Session &session) { *cache_sizes = session.cache_size(); });
    return 0;
  });
}

int rkllm_set_function_tools(LLMHandle handle, const char *, const char *, const char *) {
  return not_yet("rkllm_set_function_tools", handle, "function tools");
}

int rkllm_set_cross_attn_params(LLMHandle handle, RKLLMCrossAttnParam *) {
  return not_yet("rkllm_set_cross_attn_params", handle, "cross attention");
}
#endif
