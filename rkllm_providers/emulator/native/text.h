// Small facts about text: UTF-8 and JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace rkllm {

// How many bytes at the end are the beginning of a UTF-8 character that is not complete yet: 0 to 3.
size_t incomplete_utf8_tail(std::string_view bytes);

// The position of the first byte that is not strict UTF-8 (no surrogates, no overlong forms), or npos.
size_t find_invalid_utf8(std::string_view bytes);

// Whether the text is exactly one JSON value.
bool is_json(std::string_view text);

// The texts of the items of a JSON array; empty where the text is anything else.
std::optional<std::vector<std::string_view>> json_array_items(std::string_view text);

}  // namespace rkllm
