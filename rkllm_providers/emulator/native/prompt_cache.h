// Prompt cache files: the tokens of a cache, what was computed of them, and for which model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rkllm {

struct PromptCache {
  std::string model;    // Backend::identity()
  std::string adapter;  // the LoRA adapter it was computed with; empty: none
  std::vector<int32_t> tokens;
  uint64_t n_exact = 0;  // leading tokens that a cold run would compute the same way
  std::vector<char> state;
};

// Replaces the file in one step; only the owner may read it. Refuses where it cannot be written.
void write_prompt_cache(const std::string &path, const PromptCache &cache);

// Refuses, saying why, a file that is missing, empty, damaged, or made for another model.
PromptCache read_prompt_cache(const std::string &path, const std::string &model, size_t most_tokens);

}  // namespace rkllm
