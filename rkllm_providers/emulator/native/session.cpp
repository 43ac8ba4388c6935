#include "session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>

#include "log.h"
#include "platform.h"

namespace rkllm {
namespace {

using Clock = std::chrono::steady_clock;

float ms_since(Clock::time_point start) {
  return std::chrono::duration<float, std::milli>(Clock::now() - start).count();
}

std::string list_ids(const std::vector<int64_t> &ids) {
  std::string text;
  for (const int64_t id : ids) text += (text.empty() ? "" : ", ") + (id < 0 ? "row" : std::to_string(id));
  return "[" + text + "]";
}

template <class A, class B>
size_t common_prefix(const std::vector<A> &a, const std::vector<B> &b) {
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

}  // namespace

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
  check_request(request);
  Prepared prepared;
  prepared.sampling = request.sampling.value_or(options_.sampling);
  check_sampling(prepared.sampling);
  prepared.max_new_tokens = request.max_new_tokens > 0 ? request.max_new_tokens : options_.max_new_tokens;
  prepared.seed = seed_ ? static_cast<uint32_t>(*seed_) : std::random_device()();
  // A conversation that another adapter computed is none to go on with.
  if (history(request) && (request.adapter.empty() ? "" : adapters_.at(request.adapter)) == adapter_ &&
      (!cache_.empty() || last_)) {
    prepared.prompt = next_prompt(request);
  } else {
    prepared.prompt = first_prompt(request);
  }
  check_prompt(prepared.prompt, request.mode == Request::Mode::generate);
  if (log_level() >= 2) {
    log_info("current cache size: " + std::to_string(cache_.size()) +
             ", keep_history: " + (request.keep_history ? "1" : "0"));
    if (request.has_text()) log_info("prompt: " + request.prompt);
    log_info("tokens: " + list_ids(prepared.prompt.keys) +
             ", count: " + std::to_string(prepared.prompt.size()));
  }
  prepared.request = std::move(request);
  return prepared;
}

bool Session::run(const Prepared &prepared, Sink &sink, const std::atomic<bool> &aborted) {
  Delivery delivery(sink);
  try {
    last_run_kept_history_ = history(prepared.request);
    shifted_ = false;
    use_adapter(prepared.request.adapter);
    switch (prepared.request.mode) {
      case Request::Mode::generate: generate(prepared, delivery, aborted); break;
      case Request::Mode::hidden: deliver_rows(prepared, delivery, Rows::hidden); break;
      case Request::Mode::logits: deliver_rows(prepared, delivery, Rows::logits); break;
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
  if (!prepared.request.save_cache_to.empty()) save_prompt_cache(prepared.request.save_cache_to);
  delivery.finish();
  return true;
}

size_t Session::reuse(const Prompt &prompt) {
  const std::vector<int64_t> &tokens = prompt.keys;
  const bool cold = prompt.has_rows() && !options_.reuses_rows;
  const size_t known = cold ? 0 : std::min(common_prefix(cache_, tokens), exact_);
  if (log_level() >= 2) {
    log_info("kv cache matches " + std::to_string(known) + " / " + std::to_string(tokens.size()) +
             " tokens of prompt");
  }
  // Where all of it is known only the logits of its end are missing, if they are.
  const bool has_logits = known == tokens.size() && tokens == last_prompt_ && backend_->restore_logits();
  truncate(known == tokens.size() && known > 0 && !has_logits ? known - 1 : known);
  return tokens.size() - cache_.size();
}

// Returns how many tokens were computed.
size_t Session::prefill(const Prepared &prepared) {
  const Prompt &prompt = prepared.prompt;
  if (!history(prepared.request) || cache_.empty()) {
    if (!options_.keeps_cache) truncate(n_loaded_);
    const size_t n_new = reuse(prompt);
    n_first_prompt_ = prompt.size();
    if (n_new == 0) return 0;
    last_prompt_.clear();
    compute(prompt, cache_.size());
    cache_ = prompt.keys;
    exact_ = prompt.size();
    last_prompt_ = prompt.keys;
    return n_new;
  }
  while (cache_.size() + prompt.size() >= static_cast<size_t>(options_.max_context_len)) shift();
  last_prompt_.clear();
  compute(prompt, 0);
  if (exact_ == cache_.size()) exact_ += prompt.size();
  cache_.insert(cache_.end(), prompt.keys.begin(), prompt.keys.end());
  return prompt.size();
}

void Session::generate(const Prepared &prepared, Delivery &delivery, const std::atomic<bool> &aborted) {
  const auto prefill_start = Clock::now();
  const size_t n_new = prefill(prepared);
  last_.reset();
  delivery.perf.prefill_tokens = static_cast<int32_t>(n_new);
  delivery.perf.prefill_ms = n_new == 0 ? 0 : ms_since(prefill_start);
  const std::vector<int64_t> context = cache_;
  backend_->begin({context, n_new, prepared.sampling, prepared.seed, options_.ignore_eos_token, &aborted});

  const auto generate_start = Clock::now();
  const std::vector<Token> &vocabulary = backend_->vocabulary();
  const bool has_tokenizer = backend_->facts().has_tokenizer;  // there is no text without one
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
    const bool silent = !has_tokenizer || (token.special && options_.skip_special_token);
    const bool go_on = delivery.token(step.token, token, silent);
    if (!go_on || (token.end && !options_.ignore_eos_token)) break;
    if (prepared.max_new_tokens > 0 && delivery.n_events >= prepared.max_new_tokens) break;
  }
  delivery.perf.generate_ms = ms_since(generate_start);
}

void Session::deliver_rows(const Prepared &prepared, Delivery &delivery, Rows kind) {
  const auto start = Clock::now();
  truncate(0);
  last_prompt_.clear();
  const Prompt &prompt = prepared.prompt;
  std::vector<float> rows;
  const bool has_embedding = backend_->facts().has_embedding;
  backend_->prefill_rows(has_embedding ? prompt : embedded(prompt, 0), kind, rows);
  cache_ = prompt.keys;
  exact_ = n_first_prompt_ = cache_.size();
  delivery.perf.prefill_tokens = static_cast<int32_t>(cache_.size());
  delivery.perf.prefill_ms = ms_since(start);
  delivery.rows(kind, std::move(rows), prompt.size());
}

void Session::append(int32_t token) {
  if (cache_.size() + 1 >= static_cast<size_t>(options_.max_context_len)) shift();
  if (backend_->facts().has_embedding) {
    backend_->evaluate(token, cache_.size());
  } else {
    Prompt prompt;
    prompt.add_tokens({token});
    compute(prompt, 0);
  }
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
  n_loaded_ = std::min(n_loaded_, keep);
}

void Session::truncate(size_t length) {
  if (length < cache_.size() || length == 0) {
    if (!backend_->truncate(length)) {
      log_warning("this model does not support the reuse of its kv cache; all of it is cleared");
      length = 0;
    }
    cache_.resize(length);
    exact_ = std::min(exact_, length);
    n_loaded_ = std::min(n_loaded_, length);
  }
  last_.reset();
}

}  // namespace rkllm
