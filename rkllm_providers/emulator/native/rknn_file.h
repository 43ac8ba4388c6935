// A scripted vision encoder: a few lines of text in place of a .rknn model (docs/vision.md).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rknn_emulator {

// A file or a variable of the environment does not follow the format.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One function is to fail: in every call on a context, or in its call number `call` alone, counted from 1.
struct Fault {
  std::string function;
  int code = 0;
  uint32_t call = 0;
};

struct EncoderFile {
  uint32_t width = 0;
  uint32_t height = 0;
  uint32_t n_tokens = 0;
  uint32_t n_embd = 0;  // of all outputs together
  uint32_t n_outputs = 1;
  bool is_nchw = false;
  uint32_t run_ms = 0;
  std::vector<Fault> faults;
};

// Columns that a row needs in each output: those that say what was encoded.
constexpr uint32_t kLeastColumns = 11;

// Reads the text of a file; throws Malformed, with the line.
EncoderFile parse_file(std::string_view text);

// Adds what RKNN_EMULATOR_FAULT and RKNN_EMULATOR_RUN_MS say.
void add_environment(EncoderFile &file);

}  // namespace rknn_emulator
