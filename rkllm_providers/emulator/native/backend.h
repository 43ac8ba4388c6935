// The seam between the run loop and what stands for the NPU: a GGUF model or a script.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "prompt.h"
#include "types.h"

namespace rkllm {

struct Token {
  std::string bytes;
  bool special = false;  // left out of the text where skip_special_token is on
  bool end = false;      // ends a run
  bool whole = true;     // may be delivered at once: does not end inside a UTF-8 character
};

struct ModelFacts {
  std::string dtype;
  std::string chat_template;
  int32_t context_limit = 0;
  int32_t npu_cores = 1;
  int32_t embedding_size = 0;
  bool has_tokenizer = true;
  bool has_embedding = true;
};

// What a generation begins with, beyond the cache.
struct Start {
  const std::vector<int64_t> &context;  // keys of all positions the answer follows, cached ones included
  size_t n_computed = 0;                // how many of them were computed for this run
  Sampling sampling;
  uint32_t seed = 0;
  bool ignore_eos = false;
  const std::atomic<bool> *aborted = nullptr;
};

struct Step {
  enum class Kind {
    token,
    end,    // the answer ends without an end token
    error,  // the run fails with an ERROR event
    fail,   // the run fails without one
  };
  Kind kind = Kind::token;
  int32_t token = 0;
};

// What is delivered for every position of a prompt.
enum class Rows { hidden, logits };

// Positions are indices into the cache. What is in it, the session knows.
class Backend {
 public:
  virtual ~Backend() = default;

  const ModelFacts &facts() const { return facts_; }
  const std::vector<Token> &vocabulary() const { return vocabulary_; }

  // Makes room for this many positions; called once, before anything below.
  virtual void allocate(int32_t n_positions) = 0;

  // `at_start` puts the token in front that the model wants at the start of a text, if it has one.
  virtual std::vector<int32_t> encode(std::string_view text, bool at_start) const = 0;

  // Computes the prompt's positions from `from` on, which come to lie at `position` and after; the logits of
  // the last one stay for the next step.
  virtual void prefill(const Prompt &prompt, size_t from, size_t position) = 0;
  // Computes a whole prompt at position 0, and writes one row for each of its positions.
  virtual void prefill_rows(const Prompt &prompt, Rows kind, std::vector<float> &rows) = 0;
  // Makes the logits of the last prefill() current again, after other tokens were evaluated. False
  // where they were not kept.
  virtual bool restore_logits() = 0;

  virtual void begin(const Start &start) = 0;
  virtual Step next() = 0;
  // Evaluates a sampled token at a position, so that next() can follow it.
  virtual void evaluate(int32_t token, size_t position) = 0;

  // Drops positions from `length` on. False: the model cannot, and holds nothing now.
  virtual bool truncate(size_t length) = 0;
  // Drops [from, to) and moves what follows down. False: the model cannot, and nothing changed.
  virtual bool discard(size_t from, size_t to, size_t length) = 0;

  // Refuses a file that is no adapter for this model.
  virtual void load_adapter(const std::string &name, const std::string &path, float scale) = 0;
  // What is computed from now on is computed with this adapter, which is loaded; empty: with none.
  virtual void select_adapter(const std::string &name) = 0;

  // Differs between models that cannot use each other's state.
  virtual std::string identity() const = 0;
  virtual std::vector<char> save_state() = 0;
  // False: it is no state of this model, which holds nothing now.
  virtual bool load_state(const std::vector<char> &state, const std::vector<int32_t> &tokens) = 0;

 protected:
  ModelFacts facts_;
  std::vector<Token> vocabulary_;
};

std::unique_ptr<Backend> open_script(const std::string &path);
std::unique_ptr<Backend> open_gguf(const std::string &path);

// Tells by its first bytes what a file is, and opens it.
std::unique_ptr<Backend> open_model(const std::string &path);

}  // namespace rkllm
