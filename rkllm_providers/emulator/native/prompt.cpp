#include "prompt.h"

#include <algorithm>
#include <cstdio>

#include "crc32.h"

namespace rkllm {
namespace {

// FNV-1a: 63 bits of it tell rows apart.
uint64_t hash(std::string_view bytes, uint64_t seed) {
  uint64_t value = 0xCBF29CE484222325u ^ seed;
  for (const char byte : bytes) value = (value ^ static_cast<uint8_t>(byte)) * 0x100000001B3u;
  return value;
}

}  // namespace

size_t Prompt::rows_before(size_t position) const {
  return static_cast<size_t>(std::count_if(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(position),
                                           [](int64_t key) { return key < 0; }));
}

void Prompt::add_tokens(const std::vector<int32_t> &tokens) {
  keys.insert(keys.end(), tokens.begin(), tokens.end());
}

void Prompt::add_rows(const float *values, size_t n, size_t width) {
  for (size_t i = 0; i < n; ++i) keys.push_back(row_key(values + i * width, width));
  rows.insert(rows.end(), values, values + n * width);
}

void Prompt::add_picture(const float *values, size_t n, size_t width, const std::string &note) {
  const uint64_t seed = hash(bytes_of(values, n * width), hash(note, 0));
  for (size_t i = 0; i < n; ++i) {
    notes[keys.size()] = i == 0 ? note : "";
    keys.push_back(row_key(values + i * width, width, seed + i));
  }
  rows.insert(rows.end(), values, values + n * width);
}

int64_t row_key(const float *values, size_t width, uint64_t seed) {
  return static_cast<int64_t>(hash(bytes_of(values, width), seed) | (uint64_t{1} << 63));
}

std::string crc32_hex(std::string_view bytes) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", crc32(bytes));
  return text;
}

std::string_view bytes_of(const float *values, size_t n) {
  return {reinterpret_cast<const char *>(values), n * sizeof(float)};
}

}  // namespace rkllm
