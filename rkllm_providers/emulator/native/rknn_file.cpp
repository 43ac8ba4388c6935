#include "rknn_file.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "rknn.h"

namespace rknn_emulator {
namespace {

constexpr std::string_view kFirstLine = "#!rknn-script 1";
constexpr uint32_t kMostPixels = 16384;
constexpr uint32_t kMostNumbers = 1u << 20;
constexpr uint32_t kMostMilliseconds = 600000;
constexpr std::array<const char *, 8> kFunctions = {
    "rknn_init", "rknn_destroy",     "rknn_query",           "rknn_set_core_mask", "rknn_inputs_set",
    "rknn_run",  "rknn_outputs_get", "rknn_outputs_release",
};

std::vector<std::string> words_of(const std::string &line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

int64_t whole_number(const std::string &word, int64_t low, int64_t high) {
  int64_t number = 0;
  const char *end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, number);
  if (error != std::errc() || stop != end || number < low || number > high) {
    throw Malformed("a whole number from " + std::to_string(low) + " to " + std::to_string(high) +
                    " is needed, not '" + word + "'");
  }
  return number;
}

uint32_t count(const std::string &word, uint32_t low, uint32_t high) {
  return static_cast<uint32_t>(whole_number(word, low, high));
}

// FUNCTION CODE [CALL]
Fault parse_fault(const std::vector<std::string> &words, size_t first) {
  if (words.size() < first + 2 || words.size() > first + 3) {
    throw Malformed("a fault is a function, a code, and which call of it where it is not every call");
  }
  Fault fault{words[first], 0, 0};
  bool known = false;
  for (const char *function : kFunctions) known = known || fault.function == function;
  if (!known) throw Malformed("there is no function '" + fault.function + "'");
  fault.code = static_cast<int>(whole_number(words[first + 1], RKNN_ERR_TARGET_PLATFORM_UNMATCH, RKNN_ERR_FAIL));
  if (words.size() == first + 3) fault.call = count(words[first + 2], 1, kMostNumbers);
  return fault;
}

void parse_line(const std::vector<std::string> &words, EncoderFile &file) {
  if (words[0] == "fault") {
    file.faults.push_back(parse_fault(words, 1));
    return;
  }
  if (words.size() != 2) throw Malformed("'" + words[0] + "' takes one value");
  if (words[0] == "width") file.width = count(words[1], 1, kMostPixels);
  else if (words[0] == "height") file.height = count(words[1], 1, kMostPixels);
  else if (words[0] == "n_tokens") file.n_tokens = count(words[1], 2, kMostNumbers);
  else if (words[0] == "n_embd") file.n_embd = count(words[1], kLeastColumns, kMostNumbers);
  else if (words[0] == "n_outputs") file.n_outputs = count(words[1], 1, 16);
  else if (words[0] == "run_ms") file.run_ms = count(words[1], 0, kMostMilliseconds);
  else if (words[0] == "layout" && (words[1] == "nhwc" || words[1] == "nchw")) file.is_nchw = words[1] == "nchw";
  else throw Malformed("'" + words[0] + " " + words[1] + "' is not known");
}

void check(const EncoderFile &file) {
  const std::pair<const char *, uint32_t> needed[] = {
      {"width", file.width}, {"height", file.height}, {"n_tokens", file.n_tokens}, {"n_embd", file.n_embd}};
  for (const auto &[name, value] : needed) {
    if (value == 0) throw Malformed(std::string("'") + name + "' is missing");
  }
  if (file.n_embd % file.n_outputs != 0 || file.n_embd / file.n_outputs < kLeastColumns) {
    throw Malformed("n_embd must be n_outputs times at least " + std::to_string(kLeastColumns));
  }
}

}  // namespace

EncoderFile parse_file(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);
  if (line != kFirstLine) throw Malformed("the first line must be '" + std::string(kFirstLine) + "'");
  EncoderFile file;
  for (int number = 2; std::getline(lines, line); ++number) {
    const auto words = words_of(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    try {
      parse_line(words, file);
    } catch (const Malformed &problem) {
      throw Malformed("line " + std::to_string(number) + ": " + problem.what());
    }
  }
  check(file);
  return file;
}

void add_environment(EncoderFile &file) {
  if (const char *fault = std::getenv("RKNN_EMULATOR_FAULT"); fault != nullptr && *fault != '\0') {
    file.faults.push_back(parse_fault(words_of(fault), 0));
  }
  if (const char *wait = std::getenv("RKNN_EMULATOR_RUN_MS"); wait != nullptr && *wait != '\0') {
    file.run_ms = count(wait, 0, kMostMilliseconds);
  }
}

}  // namespace rknn_emulator
