// What a run computes: tokens and embedding rows, position by position.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rkllm {

struct Prompt {
  // What positions are compared by: the id of a token, or a negative number made from the bytes of a row.
  std::vector<int64_t> keys;
  std::vector<float> rows;  // those of the negative keys, one after the other
  // By position, where a row does not stand for itself: what a script reads there.
  std::unordered_map<size_t, std::string> notes;

  size_t size() const { return keys.size(); }
  bool has_rows() const { return !rows.empty(); }
  // How many rows come before a position.
  size_t rows_before(size_t position) const;

  void add_tokens(const std::vector<int32_t> &tokens);
  void add_rows(const float *values, size_t n, size_t width);
  // Rows that belong together: they are the same only where all of them, and the note, are the same.
  void add_picture(const float *values, size_t n, size_t width, const std::string &note);
};

// The negative key of one row.
int64_t row_key(const float *values, size_t width, uint64_t seed = 0);

// CRC-32 as zlib has it, in eight hexadecimal digits.
std::string crc32_hex(std::string_view bytes);

// The bytes of some numbers.
std::string_view bytes_of(const float *values, size_t n);

}  // namespace rkllm
