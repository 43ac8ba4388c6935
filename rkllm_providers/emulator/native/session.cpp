#include "session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>

#include "log.h"
#include "platform.h"
#include "text.h"

namespace rkllm {
namespace {

using Clock = std::chrono::steady_clock;

float ms_since(Clock::time_point start) {
  return std::chrono::duration<float, std::milli>(Clock::now() - start).count();
}

std::string list_ids(const std::vector<int32_t> &ids) {
  std::string text;
  for (const int32_t id : ids) text += (text.empty() ? "" : ", ") + std::to_string(id);
  return "[" + text + "]";
}

size_t common_prefix(const std::vector<int32_t> &a, const std::vector<int32_t> &b) {
  const size_t n = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin()).first - a.begin());
}

void check_sampling(const Sampling &s) {
  for (const float value : {s.top_p, s.temperature, s.repeat_penalty, s.frequency_penalty, s.presence_penalty,
                            s.mirostat_tau, s.mirostat_eta}) {
    if (!std::isfinite(value)) throw Refused("a sampling parameter is not a finite number");
  }
  if (s.repeat_penalty <= 0)
    throw Refused("repeat_penalty must be above 0, but got " + std::to_string(s.repeat_penalty));
  if (s.mirostat < 0 || s.mirostat > 2)
    throw Refused("mirostat must be 0, 1 or 2, but got " + std::to_string(s.mirostat));
}

void print_timings(const Perf &perf) {
  const std::string rule(86, '-');
  char line[128];
  log_info(rule);
  log_info(" Stage         Total Time (ms)  Tokens    Time per Token (ms)      Tokens per Second");
  log_info(rule);
  const auto stage = [&line](const char *name, float ms, int32_t n) {
    const float each = n > 0 ? ms / static_cast<float>(n) : 0;
    const float rate = ms > 0 ? static_cast<float>(n) * 1000 / ms : 0;
    std::snprintf(line, sizeof line, " %-13s %-16.2f %-9d %-24.2f %.2f", name, ms, n, each, rate);
    log_info(line);
  };
  stage("Prefill", perf.prefill_ms, perf.prefill_tokens);
  stage("Generate", perf.generate_ms, perf.generate_tokens);
  log_info(rule);
  log_info(" Peak Memory Usage (GB)");
  std::snprintf(line, sizeof line, " %.2f", perf.memory_mb / 1024);
  log_info(line);
  log_info(rule);
}

}  // namespace

// The events of one run: holds back bytes that end inside a character, and counts.
class Session::Delivery {
 public:
  explicit Delivery(Sink &sink) : sink_(sink) {}

  // False: the caller asked the run to end.
  bool token(int32_t id, const Token &token, bool silent) {
    ++n_events;
    Event event;
    event.token = id;
    if (silent) {
      event.text = "";
    } else if (waiting_.empty() && token.whole) {
      event.text = token.bytes.c_str();
    } else {
      waiting_ += token.bytes;
      if (incomplete_utf8_tail(waiting_) > 0) {
        event.state = Event::State::waiting;
      } else {
        text_.swap(waiting_);
        waiting_.clear();
        event.text = text_.c_str();
      }
    }
    return sink_.deliver(event);
  }

  void logits(const std::vector<float> &rows, size_t n_vocab, size_t n_rows) {
    Event event;
    event.logits = rows.data();
    event.n_vocab = static_cast<int32_t>(n_vocab);
    event.n_rows = static_cast<int32_t>(n_rows);
    sink_.deliver(event);
  }

  void error() {
    Event event;
    event.state = Event::State::error;
    sink_.deliver(event);
  }

  void finish() {
    perf.generate_tokens = static_cast<int32_t>(std::clamp<int64_t>(n_events - 1, 0, INT32_MAX));
    perf.memory_mb = peak_memory_mb();
    Event event;
    event.state = Event::State::finish;
    event.perf = &perf;
    if (log_level() >= 1) print_timings(perf);
    sink_.deliver(event);
  }

  Perf perf;
  int64_t n_events = 0;
  bool failed = false;

 private:
  Sink &sink_;
  std::string waiting_;
  std::string text_;
};

Session::Session(Options options, std::unique_ptr<Backend> backend)
    : options_(std::move(options)), backend_(std::move(backend)), template_(backend_->facts().chat_template) {
  check_sampling(options_.sampling);
  seed_ = number_from_environment("RKLLM_EMULATOR_SEED", 0, UINT32_MAX);
  backend_->allocate(options_.max_context_len);
  cache_.reserve(static_cast<size_t>(options_.max_context_len));
  if (options_.applies_template && !template_.understood()) {
    log_warning(
        "the chat template of this model cannot be parsed; prompts are sent as they are. "
        "Use rkllm_set_chat_template to set one.");
  }
}

Session::Prepared Session::prepare(Request request) {
  Prepared prepared;
  prepared.sampling = request.sampling.value_or(options_.sampling);
  check_sampling(prepared.sampling);
  prepared.max_new_tokens = request.max_new_tokens > 0 ? request.max_new_tokens : options_.max_new_tokens;
  prepared.seed = seed_ ? static_cast<uint32_t>(*seed_) : std::random_device()();
  if (request.role != "user" && request.role != "tool") {
    throw Refused("the role must be 'user' or 'tool', but is '" + request.role + "'");
  }
  if (request.role == "tool" && request.is_prompt && !is_json(request.prompt)) {
    throw Refused("the prompt of role 'tool' must be valid JSON");
  }
  if (history(request) && (!cache_.empty() || last_)) {
    prepared.tokens = append_turn(request);
  } else if (!request.is_prompt) {
    prepared.tokens = request.tokens;
  } else if (!options_.applies_template) {
    prepared.tokens = backend_->encode(request.prompt, true);
  } else {
    prepared.tokens = backend_->encode(template_.first(request.role, request.prompt, request.thinking), true);
  }
  check_tokens(prepared.tokens);
  if (log_level() >= 2) {
    log_info("current cache size: " + std::to_string(cache_.size()) +
             ", keep_history: " + (request.keep_history ? "1" : "0"));
    if (request.is_prompt) log_info("prompt: " + request.prompt);
    log_info("tokens: " + list_ids(prepared.tokens) + ", count: " + std::to_string(prepared.tokens.size()));
  }
  prepared.request = std::move(request);
  return prepared;
}

// The last sampled token was never evaluated; it comes before the new turn. Where it was an end token it is
// what the template closes the answer with, so that is not repeated.
std::vector<int32_t> Session::append_turn(const Request &request) const {
  std::vector<int32_t> tokens;
  if (last_) tokens.push_back(*last_);
  std::vector<int32_t> turn = request.tokens;
  if (request.is_prompt) {
    std::string text = template_.next(request.role, request.prompt, request.thinking);
    if (last_) {
      const Token &last = backend_->vocabulary()[static_cast<size_t>(*last_)];
      if (last.end && text.compare(0, last.bytes.size(), last.bytes) == 0) text.erase(0, last.bytes.size());
    }
    turn = backend_->encode(text, false);
  }
  tokens.insert(tokens.end(), turn.begin(), turn.end());
  return tokens;
}

void Session::check_tokens(const std::vector<int32_t> &tokens) const {
  if (tokens.empty()) throw Refused("the prompt has no tokens");
  const auto n_vocab = static_cast<int32_t>(backend_->vocabulary().size());
  for (const int32_t token : tokens) {
    if (token < 0 || token >= n_vocab) {
      throw Refused("token id " + std::to_string(token) + " is not below the vocabulary size " +
                    std::to_string(n_vocab));
    }
  }
  if (tokens.size() >= static_cast<size_t>(options_.max_context_len)) {
    throw Refused("the prompt has " + std::to_string(tokens.size()) +
                  " tokens, which is not below max_context_len " + std::to_string(options_.max_context_len));
  }
}

bool Session::run(const Prepared &prepared, Sink &sink, const std::atomic<bool> &aborted) {
  Delivery delivery(sink);
  try {
    last_run_kept_history_ = history(prepared.request);
    shifted_ = false;
    if (prepared.request.mode == Request::Mode::logits) {
      deliver_logits(prepared, delivery);
    } else {
      generate(prepared, delivery, aborted);
    }
  } catch (const std::exception &error) {
    log_error(std::string("the run failed: ") + error.what());
    truncate(0);
    delivery.error();
    return false;
  }
  if (delivery.failed) return false;
  if (log_level() >= 2) {
    log_info(std::string(aborted ? "the run was aborted" : "the run ended") +
             ", cache size: " + std::to_string(cache_.size()));
  }
  delivery.finish();
  return true;
}

size_t Session::reuse(const std::vector<int32_t> &tokens) {
  const size_t known = std::min(common_prefix(cache_, tokens), exact_);
  if (log_level() >= 2) {
    log_info("kv cache matches " + std::to_string(known) + " / " + std::to_string(tokens.size()) +
             " tokens of prompt");
  }
  // Where all of it is known only the logits of its end are missing, if they are.
  const bool has_logits = known == tokens.size() && tokens == last_prompt_ && backend_->restore_logits();
  truncate(known == tokens.size() && !has_logits ? known - 1 : known);
  return tokens.size() - cache_.size();
}

// Returns how many tokens were computed.
size_t Session::prefill(const Prepared &prepared) {
  const std::vector<int32_t> &tokens = prepared.tokens;
  if (!history(prepared.request) || cache_.empty()) {
    if (!options_.keeps_cache) truncate(0);
    const size_t n_new = reuse(tokens);
    n_first_prompt_ = tokens.size();
    if (n_new == 0) return 0;
    last_prompt_.clear();
    backend_->prefill(tokens.data() + cache_.size(), n_new, cache_.size());
    cache_ = tokens;
    exact_ = tokens.size();
    last_prompt_ = tokens;
    return n_new;
  }
  while (cache_.size() + tokens.size() >= static_cast<size_t>(options_.max_context_len)) shift();
  last_prompt_.clear();
  backend_->prefill(tokens.data(), tokens.size(), cache_.size());
  if (exact_ == cache_.size()) exact_ += tokens.size();
  cache_.insert(cache_.end(), tokens.begin(), tokens.end());
  return tokens.size();
}

void Session::generate(const Prepared &prepared, Delivery &delivery, const std::atomic<bool> &aborted) {
  const auto prefill_start = Clock::now();
  const size_t n_new = prefill(prepared);
  last_.reset();
  delivery.perf.prefill_tokens = static_cast<int32_t>(n_new);
  delivery.perf.prefill_ms = n_new == 0 ? 0 : ms_since(prefill_start);
  const std::vector<int32_t> context = cache_;
  backend_->begin({context, n_new, prepared.sampling, prepared.seed, options_.ignore_eos_token, &aborted});

  const auto generate_start = Clock::now();
  const std::vector<Token> &vocabulary = backend_->vocabulary();
  while (!aborted.load(std::memory_order_relaxed)) {
    if (last_) {
      append(*last_);
      last_.reset();
    }
    const Step step = backend_->next();
    if (step.kind == Step::Kind::end) break;
    if (step.kind != Step::Kind::token) {
      delivery.failed = true;
      log_error("the script asked this run to fail");
      if (step.kind == Step::Kind::error) delivery.error();
      return;
    }
    last_ = step.token;
    const Token &token = vocabulary[static_cast<size_t>(step.token)];
    const bool go_on = delivery.token(step.token, token, token.special && options_.skip_special_token);
    if (!go_on || (token.end && !options_.ignore_eos_token)) break;
    if (prepared.max_new_tokens > 0 && delivery.n_events >= prepared.max_new_tokens) break;
  }
  delivery.perf.generate_ms = ms_since(generate_start);
}

void Session::deliver_logits(const Prepared &prepared, Delivery &delivery) {
  const auto start = Clock::now();
  truncate(0);
  std::vector<float> rows;
  backend_->prefill_logits(prepared.tokens, rows);
  cache_ = prepared.tokens;
  exact_ = n_first_prompt_ = cache_.size();
  delivery.perf.prefill_tokens = static_cast<int32_t>(cache_.size());
  delivery.perf.prefill_ms = ms_since(start);
  delivery.logits(rows, backend_->vocabulary().size(), prepared.tokens.size());
}

void Session::append(int32_t token) {
  if (cache_.size() + 1 >= static_cast<size_t>(options_.max_context_len)) shift();
  backend_->evaluate(token, cache_.size());
  if (exact_ == cache_.size()) ++exact_;
  cache_.push_back(token);
}

// The window is full: as llama.cpp does, keep the first n_keep tokens and drop half of the others.
void Session::shift() {
  const auto n = cache_.size();
  const size_t wanted = options_.n_keep < 0 ? n_first_prompt_ : static_cast<size_t>(options_.n_keep);
  const size_t most = static_cast<size_t>(std::max(0, options_.max_context_len - 4));
  const size_t keep = std::min({wanted, most, n - 1});
  const size_t dropped = std::max<size_t>(1, (n - keep) / 2);
  if (!shifted_ || log_level() >= 2) {
    log_warning("the window of " + std::to_string(options_.max_context_len) + " tokens is full, range [" +
                std::to_string(keep) + ", " + std::to_string(keep + dropped) + ") is discarded");
  }
  shifted_ = true;
  if (!backend_->discard(keep, keep + dropped, n))
    throw std::runtime_error("this model cannot shift its window");
  const auto begin = cache_.begin() + static_cast<std::ptrdiff_t>(keep);
  cache_.erase(begin, begin + static_cast<std::ptrdiff_t>(dropped));
  exact_ = std::min(exact_, keep);
}

void Session::truncate(size_t length) {
  if (length < cache_.size() || length == 0) {
    if (!backend_->truncate(length)) {
      log_warning("this model does not support the reuse of its kv cache; all of it is cleared");
      length = 0;
    }
    cache_.resize(length);
    exact_ = std::min(exact_, length);
  }
  last_.reset();
}

void Session::set_chat_template(const std::string &system, const std::string &prefix,
                                const std::string &postfix) {
  template_.replace(system, prefix, postfix);
  truncate(0);
  log_info("reset chat template:");
  log_info("system_prompt: " + system);
  log_info("prompt_prefix: " + prefix);
  log_info("prompt_postfix: " + postfix);
  log_warning(
      "Calling rkllm_set_chat_template will disable the internal automatic chat template parsing, "
      "including enable_thinking.");
}

void Session::clear_cache(bool keep_system_prompt) {
  size_t kept = 0;
  if (keep_system_prompt && !template_.system().empty()) {
    kept = common_prefix(cache_, backend_->encode(template_.system(), true));
  }
  truncate(kept);
}

void Session::clear_range(int32_t begin, int32_t end) {
  const auto n = static_cast<int32_t>(cache_.size());
  if (begin < 0 || begin >= end || end > n) {
    throw Refused("the range [" + std::to_string(begin) + ", " + std::to_string(end) +
                  ") does not lie in the " + std::to_string(n) + " positions of the kv cache");
  }
  if (last_run_kept_history_)
    throw Refused("a range of the kv cache can be cleared only after runs with keep_history 0");
  if (end == n) return truncate(static_cast<size_t>(begin));
  const auto from = static_cast<size_t>(begin);
  if (!backend_->discard(from, static_cast<size_t>(end), cache_.size())) {
    throw Refused("this model cannot clear a range inside its kv cache");
  }
  cache_.erase(cache_.begin() + begin, cache_.begin() + end);
  exact_ = std::min(exact_, from);
  last_.reset();
}

}  // namespace rkllm
