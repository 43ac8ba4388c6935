// What a scripted vision encoder makes of a picture: rows that say what was encoded (docs/vision.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rknn_file.h"

namespace rknn_emulator {

// What tells pictures apart: the CRC-32 of their pixels.
uint32_t checksum(const std::vector<uint8_t> &pixels);

// The rows of output `index` for the pixels of a picture (RGB, row by row), n_tokens x n_embd / n_outputs numbers.
std::vector<float> encode(const EncoderFile &file, const std::vector<uint8_t> &pixels, uint32_t index);

}  // namespace rknn_emulator
