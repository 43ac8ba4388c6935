// One loaded model and its cache: what runs do to it, one at a time.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend.h"
#include "chat_template.h"
#include "delivery.h"
#include "types.h"

namespace rkllm {

class Session {
 public:
  Session(Options options, std::unique_ptr<Backend> backend);

  // Checks a request and turns it into a prompt. Refuses what run() must not begin.
  struct Prepared {
    Request request;
    Prompt prompt;  // the whole of it or, with history, what is appended
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
  void set_function_tools(const std::string &system, const std::string &tools, const std::string &tag);
  void load_adapter(const std::string &name, const std::string &path, float scale);
  void load_prompt_cache(const std::string &path);
  void release_prompt_cache();
  int32_t embedding_size() const { return backend_->facts().embedding_size; }
  int32_t max_context_len() const { return options_.max_context_len; }
  int32_t cache_size() const { return static_cast<int32_t>(cache_.size()); }

 private:
  bool history(const Request &request) const {
    return request.keep_history && options_.keeps_cache && request.mode == Request::Mode::generate;
  }
  void check_request(const Request &request) const;
  Prompt first_prompt(const Request &request) const;
  Prompt next_prompt(const Request &request) const;
  void add_text(Prompt &prompt, const Request &request, const std::string &text, bool at_start) const;
  void check_prompt(const Prompt &prompt, bool generates) const;
  std::vector<int32_t> encode(const std::string &text, bool at_start) const;
  // The prompt with rows of the embedding callback for its tokens, from a position on.
  Prompt embedded(const Prompt &prompt, size_t from) const;
  // Computes a prompt from a position on, at the end of the cache.
  void compute(const Prompt &prompt, size_t from);
  void use_adapter(const std::string &name);
  // Leaves in the cache what the prompt begins with; returns how much of it is still to be computed.
  size_t reuse(const Prompt &prompt);
  size_t prefill(const Prepared &prepared);
  void generate(const Prepared &prepared, Delivery &delivery, const std::atomic<bool> &aborted);
  void deliver_rows(const Prepared &prepared, Delivery &delivery, Rows kind);
  void save_prompt_cache(const std::string &path);
  void append(int32_t token);
  void shift();
  void truncate(size_t length);

  Options options_;
  std::unique_ptr<Backend> backend_;
  ChatTemplate template_;
  std::optional<int64_t> seed_;

  std::vector<int64_t> cache_;  // the key of each position, as in Prompt
  size_t exact_ = 0;            // leading positions that a cold run would compute the same way
  size_t n_loaded_ = 0;         // leading positions that came from a prompt cache file
  bool has_loaded_ = false;     // whether one was loaded and not released
  std::map<std::string, std::string> adapters_;  // what tells an adapter from others, by name
  std::string adapter_;                          // the one the cache was computed with
  std::optional<int32_t> last_;                  // sampled but not evaluated, as in llama.cpp
  std::vector<int64_t> last_prompt_;             // the prompt whose final logits the backend keeps
  size_t n_first_prompt_ = 0;                    // length of the prompt the cached conversation began with
  bool last_run_kept_history_ = false;
  bool shifted_ = false;  // in this run
};

}  // namespace rkllm
