// The exported functions: the ABI's structs on one side, the session's own types on the other.

#include "rkllm.h"

#include <cstring>

#include "api_input.h"
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

__attribute__((used)) const char kBanner[] =
    "RKLLM SDK (version: " RKLLM_VERSION " | target: Linux | build: " RKLLM_BUILD ")";

constexpr int32_t kLargestDefaultContext = 4096;

struct Loaded {
  Handle handle;
  LLMResultCallback callback;
  void *userdata;
  rkllm::abi::Tags tags;
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

// For what can be done only while no run is active.
template <class Body>
int with_session(const char *name, LLMHandle handle, Body body) noexcept {
  return with_handle(name, handle, [&body](Loaded &loaded) {
    loaded.handle.while_idle(body);
    return 0;
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
    if (event.hidden != nullptr) result.last_hidden_layer = {event.hidden, event.width, event.n_rows};
#if RKLLM_ABI >= RKLLM_ABI_B0
    if (event.logits != nullptr) result.logits = {event.logits, event.width, event.n_rows};
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
#if RKLLM_ABI == RKLLM_ABI_A
    if (event.hidden != nullptr) return RKLLM_RUN_GET_LAST_HIDDEN_LAYER;
#endif
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

[[maybe_unused]] uint32_t default_cpu_mask() { return rkllm::online_cpus() >= 8 ? 0xF0u : 0x0Fu; }

void check_context(rkllm::Options &options, int32_t limit) {
  if (options.max_context_len <= 0) options.max_context_len = std::min(limit, kLargestDefaultContext);
  if (options.max_context_len > limit) {
    throw Refused("max_context[" + std::to_string(options.max_context_len) +
                  "] must be less than the model's max_context_limit[" + std::to_string(limit) + "]");
  }
  if (options.n_keep >= options.max_context_len) {
    throw Refused("n_keep " + std::to_string(options.n_keep) + " is not below max_context_len " +
                  std::to_string(options.max_context_len));
  }
}

std::unique_ptr<rkllm::Session> load(const RKLLMParam &param, rkllm::Options options) {
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
  rkllm::abi::check_extended(param.extend_param, facts.npu_cores);
#if RKLLM_ABI >= RKLLM_ABI_B0
  rkllm::log_info("Enabled cpus: " + rkllm::list_cpus(param.extend_param.enabled_cpus_mask));
  rkllm::log_info("Enabled cpus num: " + std::to_string(param.extend_param.enabled_cpus_num));
#endif
  check_context(options, facts.context_limit);
  return std::make_unique<rkllm::Session>(std::move(options), std::move(backend));
}

using Callbacks = rkllm::abi::Callbacks;

int init(LLMHandle *handle, const RKLLMParam *param, const Callbacks &callbacks) {
  return guarded("rkllm_init", [&] {
    rkllm::read_log_level();
    rkllm::log_info("rkllm-runtime version: " RKLLM_VERSION ", rknpu driver version: 0.9.8, platform: CPU");
    if (handle == nullptr || param == nullptr) throw Refused("the handle or the parameters are NULL");
    if (callbacks.result == nullptr) throw Refused("the result callback is NULL");
    rkllm::Options options = rkllm::abi::read_options(*param, callbacks);
    *handle = new Loaded{Handle(load(*param, std::move(options))), callbacks.result, callbacks.userdata,
                         rkllm::abi::read_tags(*param)};
    return 0;
  });
}

rkllm::Request read(const Loaded &loaded, const RKLLMInput *input, const RKLLMInferParam *infer) {
  if (input == nullptr) throw Refused("the input is NULL");
  const auto width = static_cast<size_t>(loaded.handle.embedding_size());
  const auto limit = static_cast<size_t>(loaded.handle.max_context_len());
  return rkllm::abi::read_request(*input, infer, {loaded.tags, width, limit});
}

void *userdata_for_run(const Loaded &loaded, void *userdata) {
  return userdata != nullptr ? userdata : loaded.userdata;
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
  return init(handle, param, rkllm::abi::read_callbacks(callback));
}
#else
int rkllm_init(LLMHandle *handle, RKLLMParam *param, LLMResultCallback callback) {
  return init(handle, param, {callback, nullptr});
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
    CallbackSink sink(loaded.callback, userdata_for_run(loaded, userdata));
    return loaded.handle.run(read(loaded, input, infer_params), sink) ? 0 : -1;
  });
}

int rkllm_run_async(LLMHandle handle, RKLLMInput *input, RKLLMInferParam *infer_params, void *userdata) {
  return with_handle("rkllm_run_async", handle, [&](Loaded &loaded) {
    auto sink = std::make_unique<CallbackSink>(loaded.callback, userdata_for_run(loaded, userdata));
    loaded.handle.run_async(read(loaded, input, infer_params), std::move(sink));
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

int rkllm_load_lora(LLMHandle handle, RKLLMLoraAdapter *adapter) {
  return with_session("rkllm_load_lora", handle, [&](rkllm::Session &session) {
    if (adapter == nullptr || adapter->lora_adapter_path == nullptr || adapter->lora_adapter_name == nullptr)
      throw Refused("the LoRA adapter, its path or its name is NULL");
    session.load_adapter(adapter->lora_adapter_name, adapter->lora_adapter_path, adapter->scale);
  });
}

int rkllm_load_prompt_cache(LLMHandle handle, const char *path) {
  return with_session("rkllm_load_prompt_cache", handle, [&](rkllm::Session &session) {
    if (path == nullptr) throw Refused("the path of the prompt cache is NULL");
    session.load_prompt_cache(path);
  });
}

int rkllm_release_prompt_cache(LLMHandle handle) {
  return with_session("rkllm_release_prompt_cache", handle,
                      [](rkllm::Session &session) { session.release_prompt_cache(); });
}

#if RKLLM_ABI >= RKLLM_ABI_B0
int rkllm_set_chat_template(LLMHandle handle, const char *system_prompt, const char *prompt_prefix,
                            const char *prompt_postfix) {
  return with_session("rkllm_set_chat_template", handle, [&](rkllm::Session &session) {
    session.set_chat_template(text_or_empty(system_prompt), text_or_empty(prompt_prefix),
                              text_or_empty(prompt_postfix));
  });
}
#endif

#if RKLLM_ABI == RKLLM_ABI_B0 || RKLLM_ABI == RKLLM_ABI_B1
int rkllm_clear_kv_cache(LLMHandle handle, int keep_system_prompt) {
  return with_session("rkllm_clear_kv_cache", handle,
                      [&](rkllm::Session &session) { session.clear_cache(keep_system_prompt != 0); });
}
#endif

#if RKLLM_ABI >= RKLLM_ABI_C
int rkllm_clear_kv_cache(LLMHandle handle, int keep_system_prompt, int *start_pos, int *end_pos) {
  return with_session("rkllm_clear_kv_cache", handle, [&](rkllm::Session &session) {
    if ((start_pos == nullptr) != (end_pos == nullptr))
      throw Refused("a range needs both start_pos and end_pos");
    if (start_pos != nullptr) session.clear_range(*start_pos, *end_pos);
    else session.clear_cache(keep_system_prompt != 0);
  });
}

int rkllm_get_kv_cache_size(LLMHandle handle, int *cache_sizes) {
  return with_session("rkllm_get_kv_cache_size", handle, [&](rkllm::Session &session) {
    if (cache_sizes == nullptr) throw Refused("cache_sizes is NULL");
    *cache_sizes = session.cache_size();
  });
}

int rkllm_set_function_tools(LLMHandle handle, const char *system_prompt, const char *tools,
                             const char *tool_response_str) {
  return with_session("rkllm_set_function_tools", handle, [&](rkllm::Session &session) {
    session.set_function_tools(text_or_empty(system_prompt), text_or_empty(tools),
                               text_or_empty(tool_response_str));
  });
}

int rkllm_set_cross_attn_params(LLMHandle handle, RKLLMCrossAttnParam *) {
  return with_handle("rkllm_set_cross_attn_params", handle,
                     [](Loaded &) -> int { throw Refused("the emulator has no cross attention"); });
}
#endif
