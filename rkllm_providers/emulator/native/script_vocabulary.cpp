#include <algorithm>
#include <functional>

#include "script_file.h"

namespace rkllm {

ScriptVocabulary::ScriptVocabulary() {
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)), TokenKind::ordinary);
}

int32_t ScriptVocabulary::add(const std::string &bytes, TokenKind kind) {
  const auto [found, is_new] = ids_.try_emplace(bytes, static_cast<int32_t>(tokens_.size()));
  if (is_new) {
    tokens_.push_back({bytes, kind});
    std::vector<size_t> &lengths = lengths_[static_cast<uint8_t>(bytes[0])];
    const auto place = std::lower_bound(lengths.begin(), lengths.end(), bytes.size(), std::greater<>());
    if (place == lengths.end() || *place != bytes.size()) lengths.insert(place, bytes.size());
  }
  return found->second;
}

int32_t ScriptVocabulary::find(std::string_view bytes) const {
  const auto found = ids_.find(std::string(bytes));
  return found == ids_.end() ? -1 : found->second;
}

void ScriptVocabulary::encode(std::string_view text, std::vector<int32_t> &ids) const {
  for (size_t at = 0; at < text.size();) {
    for (const size_t length : lengths_[static_cast<uint8_t>(text[at])]) {
      const int32_t id = length <= text.size() - at ? find(text.substr(at, length)) : -1;
      if (id < 0) continue;
      ids.push_back(id);
      at += length;
      break;
    }
  }
}

}  // namespace rkllm
