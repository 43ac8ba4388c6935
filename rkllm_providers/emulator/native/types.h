// What crosses from api.cpp, which knows the ABI, to everything behind it, which does not.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace rkllm {

// Something the caller asked for cannot be done; the message becomes an `E rkllm:` line and the
// call returns -1. Never leaves the library.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Sampling {
  int32_t top_k = 40;
  float top_p = 0.9f;
  float temperature = 0.8f;
  float repeat_penalty = 1.1f;
  float frequency_penalty = 0.0f;
  float presence_penalty = 0.0f;
  int32_t mirostat = 0;
  float mirostat_tau = 5.0f;
  float mirostat_eta = 0.1f;
};

struct Options {
  std::string model_path;
  int32_t max_context_len = 0;
  int32_t max_new_tokens = -1;
  int32_t n_keep = -1;
  Sampling sampling;
  bool skip_special_token = true;
  bool ignore_eos_token = false;
  bool keeps_cache = true;       // false for 1.1.x, where every run starts cold
  bool applies_template = true;  // false for 1.1.x, where a prompt is sent as it is
};

struct Request {
  enum class Mode { generate, logits };
  Mode mode = Mode::generate;
  bool is_prompt = true;
  std::string prompt;
  std::vector<int32_t> tokens;
  std::string role = "user";
  std::optional<bool> thinking;  // empty where the ABI has no such field
  bool keep_history = false;
  std::optional<Sampling> sampling;
  int32_t max_new_tokens = 0;  // 0 or less: what init said
};

struct Perf {
  float prefill_ms = 0;
  int32_t prefill_tokens = 0;
  float generate_ms = 0;
  int32_t generate_tokens = 0;
  float memory_mb = 0;
};

struct Event {
  enum class State { normal, waiting, finish, error };
  State state = State::normal;
  const char *text = nullptr;
  int32_t token = 0;
  const float *logits = nullptr;
  int32_t n_vocab = 0;
  int32_t n_rows = 0;
  const Perf *perf = nullptr;
};

// Hands events to the caller's callback. False asks the run to end with its cache kept.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual bool deliver(const Event &event) = 0;
};

}  // namespace rkllm
