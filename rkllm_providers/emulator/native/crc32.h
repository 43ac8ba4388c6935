// The CRC-32 of zlib and PNG.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rkllm {

inline uint32_t crc32(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
      uint32_t value = byte;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0);
      made[byte] = value;
    }
    return made;
  }();
  uint32_t value = 0xFFFFFFFFu;
  for (const char byte : bytes) value = (value >> 8) ^ table[(value ^ static_cast<uint8_t>(byte)) & 0xFF];
  return value ^ 0xFFFFFFFFu;
}

}  // namespace rkllm
