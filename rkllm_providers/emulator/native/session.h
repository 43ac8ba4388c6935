// One loaded model and its cache: what runs do to it, one at a time.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend.h"
#include "chat_template.h"
#include "types.h"

namespace rkllm {

class Session {
 public:
  Session(Options options, std::unique_ptr<Backend> backend);

  // Checks a request and turns it into tokens. Refuses what run() must not begin.
  struct Prepared {
    Request request;
    std::vector<int32_t> tokens;  // the whole prompt or, with history, what is appended
    Sampling sampling;
    int32_t max_new_tokens;
    uint32_t seed;
  };
  Prepared prepare(Request request);

  // False: the run failed, and `sink` has had its ERROR event unless the failure is one without.
  bool run(const Prepared &prepared, Sink &sink, const std::atomic<bool> &aborted);

  void set_chat_template(const std::string &system, const std::string &prefix, const std::string &postfix);
  void clear_cache(bool keep_system_prompt);
  void clear_range(int32_t begin, int32_t end);
  int32_t cache_size() const { return static_cast<int32_t>(cache_.size()); }

 private:
  class Delivery;

  bool history(const Request &request) const {
    return request.keep_history && options_.keeps_cache && request.mode == Request::Mode::generate;
  }
  std::vector<int32_t> append_turn(const Request &request) const;
  void check_tokens(const std::vector<int32_t> &tokens) const;
  // Leaves in the cache what the tokens begin with; returns how many of them are still to be computed.
  size_t reuse(const std::vector<int32_t> &tokens);
  size_t prefill(const Prepared &prepared);
  void generate(const Prepared &prepared, Delivery &delivery, const std::atomic<bool> &aborted);
  void deliver_logits(const Prepared &prepared, Delivery &delivery);
  void append(int32_t token);
  void shift();
  void truncate(size_t length);

  Options options_;
  std::unique_ptr<Backend> backend_;
  ChatTemplate template_;
  std::optional<int64_t> seed_;

  std::vector<int32_t> cache_;        // the token of each position
  size_t exact_ = 0;                  // leading positions that a cold run would compute the same way
  std::optional<int32_t> last_;       // sampled but not evaluated, as in llama.cpp
  std::vector<int32_t> last_prompt_;  // the prompt whose final logits the backend keeps
  size_t n_first_prompt_ = 0;         // length of the prompt the cached conversation began with
  bool last_run_kept_history_ = false;
  bool shifted_ = false;  // in this run
};

}  // namespace rkllm
