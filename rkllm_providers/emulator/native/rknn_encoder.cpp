#include "rknn_encoder.h"

#include "crc32.h"

namespace rknn_emulator {
namespace {

// Tokens lie in a grid, row by row, with as many rows as the largest divisor of their number up to its root.
uint32_t grid_rows(uint32_t n_tokens) {
  uint32_t rows = 1;
  for (uint32_t n = 2; n * n <= n_tokens; ++n) {
    if (n_tokens % n == 0) rows = n;
  }
  return rows;
}

// Where part `index` of `n` parts of a length begins; no part is empty where the length is at least n.
uint32_t border(uint32_t length, uint32_t index, uint32_t n) {
  return static_cast<uint32_t>(static_cast<uint64_t>(length) * index / n);
}

// The mean of one colour over the pixels of a token; 0 where it has none.
float mean_colour(const EncoderFile &file, const std::vector<uint8_t> &pixels, uint32_t token, uint32_t colour) {
  const uint32_t n_rows = grid_rows(file.n_tokens);
  const uint32_t n_columns = file.n_tokens / n_rows;
  const uint32_t row = token / n_columns;
  const uint32_t column = token % n_columns;
  uint64_t sum = 0;
  uint64_t n = 0;
  for (uint32_t y = border(file.height, row, n_rows); y < border(file.height, row + 1, n_rows); ++y) {
    for (uint32_t x = border(file.width, column, n_columns); x < border(file.width, column + 1, n_columns); ++x) {
      sum += pixels[(static_cast<size_t>(y) * file.width + x) * 3 + colour];
      ++n;
    }
  }
  return n == 0 ? 0.0f : static_cast<float>(static_cast<double>(sum) / static_cast<double>(n));
}

}  // namespace

uint32_t checksum(const std::vector<uint8_t> &pixels) {
  return rkllm::crc32({reinterpret_cast<const char *>(pixels.data()), pixels.size()});
}

std::vector<float> encode(const EncoderFile &file, const std::vector<uint8_t> &pixels, uint32_t index) {
  const uint32_t width = file.n_embd / file.n_outputs;
  const uint32_t sum = checksum(pixels);
  std::vector<float> rows(static_cast<size_t>(file.n_tokens) * width, 0.0f);
  for (uint32_t token = 0; token < file.n_tokens; ++token) {
    float *row = rows.data() + static_cast<size_t>(token) * width;
    row[0] = static_cast<float>(4096 + index);
    row[1] = static_cast<float>(file.n_outputs);
    row[2] = static_cast<float>(token);
    row[3] = static_cast<float>(file.n_tokens);
    row[4] = static_cast<float>(file.width);
    row[5] = static_cast<float>(file.height);
    row[6] = static_cast<float>(sum >> 16);
    row[7] = static_cast<float>(sum & 0xffffu);
    for (uint32_t colour = 0; colour < 3; ++colour) row[8 + colour] = mean_colour(file, pixels, token, colour);
  }
  return rows;
}

}  // namespace rknn_emulator
