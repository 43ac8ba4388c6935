// What is done to a session between its runs.

#include <algorithm>
#include <fstream>

#include "log.h"
#include "prompt_cache.h"
#include "session.h"

namespace rkllm {

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

void Session::set_function_tools(const std::string &system, const std::string &tools,
                                 const std::string &tag) {
  if (!options_.applies_template) throw Refused("this runtime version has no chat templates");
  template_.set_tools(system, tools, tag);
  truncate(0);
}

void Session::load_adapter(const std::string &name, const std::string &path, float scale) {
  if (name.empty()) throw Refused("the LoRA adapter has no name");
  if (adapters_.count(name) != 0) throw Refused("a LoRA adapter named '" + name + "' is loaded already");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw Refused("could not open the LoRA adapter " + path);
  backend_->load_adapter(name, path, scale);
  adapters_[name] = name + " " + std::to_string(scale) + " " + std::to_string(file.tellg());
  log_info("loaded the LoRA adapter '" + name + "' from " + path);
}

// What one adapter computed is of no use to another.
void Session::use_adapter(const std::string &name) {
  const std::string wanted = name.empty() ? "" : adapters_.at(name);
  if (wanted != adapter_) truncate(0);
  backend_->select_adapter(name);
  adapter_ = wanted;
}

void Session::save_prompt_cache(const std::string &path) {
  PromptCache cache{backend_->identity(), adapter_, {}, exact_, {}};
  for (const int64_t key : cache_) {
    if (key < 0) {
      log_warning("the kv cache holds embeddings, so no prompt cache is written to " + path);
      return;
    }
    cache.tokens.push_back(static_cast<int32_t>(key));
  }
  try {
    cache.state = backend_->save_state();
    write_prompt_cache(path, cache);
  } catch (const std::exception &error) {
    log_error(error.what());
    return;
  }
  log_info("saved the prompt cache to " + path + ", " + std::to_string(cache.tokens.size()) + " tokens");
}

void Session::load_prompt_cache(const std::string &path) {
  const auto most = static_cast<size_t>(options_.max_context_len - 1);
  const PromptCache cache = read_prompt_cache(path, backend_->identity(), most);
  const auto n_vocab = static_cast<int32_t>(backend_->vocabulary().size());
  for (const int32_t token : cache.tokens) {
    if (token < 0 || token >= n_vocab)
      throw Refused("failed to load the prompt cache " + path + ": it is damaged");
  }
  truncate(0);
  last_prompt_.clear();
  if (!backend_->load_state(cache.state, cache.tokens))
    throw Refused("failed to load the prompt cache " + path + ": the model does not take its state");
  cache_.assign(cache.tokens.begin(), cache.tokens.end());
  exact_ = cache.n_exact;
  n_loaded_ = n_first_prompt_ = cache_.size();
  adapter_ = cache.adapter;
  has_loaded_ = true;
  last_run_kept_history_ = false;
  log_info("loaded the prompt cache " + path + ", " + std::to_string(cache_.size()) + " tokens");
}

void Session::release_prompt_cache() {
  if (has_loaded_) truncate(0);
  has_loaded_ = false;
}

void Session::clear_cache(bool keep_system_prompt) {
  size_t kept = 0;
  if (keep_system_prompt && !template_.system().empty()) {
    const std::vector<int32_t> system = encode(template_.system(), true);
    while (kept < std::min(system.size(), cache_.size()) && cache_[kept] == system[kept]) ++kept;
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
  n_loaded_ = std::min(n_loaded_, from);
  last_.reset();
}

}  // namespace rkllm
