// What crosses from api.cpp, which knows the ABI, to everything behind it, which does not.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
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

// What stands in for the tokenizer and the embedding table of a model that was exported without them.
using Tokenizer = std::function<std::vector<int32_t>(std::string_view text, int32_t limit)>;
using Embedder = std::function<void(std::vector<int32_t> &tokens, float *rows, size_t width)>;

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
  bool reuses_rows = true;       // false before 1.2.3, where embedding input starts cold
  Tokenizer tokenizer;
  Embedder embedder;
};

// The pictures, videos or sounds of a multimodal input: each of their tags becomes `start`, the rows of one
// item, and `end`.
struct Media {
  std::string kind;  // the tag is "<kind>"
  size_t n_items = 0;
  size_t n_rows = 0;  // of one item
  std::vector<float> rows;
  std::string start;
  std::string end;
  std::string facts;  // what a script is told beside the number of rows and their checksum
};

struct Request {
  enum class Mode { generate, hidden, logits };
  enum class Input { prompt, tokens, rows, multimodal };
  Mode mode = Mode::generate;
  Input input = Input::prompt;
  std::string prompt;
  std::vector<int32_t> tokens;
  std::vector<float> rows;
  std::vector<Media> media;
  std::string role = "user";
  std::optional<bool> thinking;  // empty where the ABI has no such field
  bool keep_history = false;
  std::optional<Sampling> sampling;
  int32_t max_new_tokens = 0;  // 0 or less: what init said
  std::string adapter;         // empty: the base model alone
  std::string save_cache_to;   // empty: no prompt cache file is written

  bool has_text() const { return input == Input::prompt || input == Input::multimodal; }
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
  const float *hidden = nullptr;
  const float *logits = nullptr;
  int32_t width = 0;  // of a row of hidden states or logits
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
