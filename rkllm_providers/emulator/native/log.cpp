#include "log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace rkllm {
namespace {

std::atomic<int> level{0};

void put(const char *prefix, const std::string &line) {
  const std::string whole = prefix + line + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

void read_log_level() {
  const char *value = std::getenv("RKLLM_LOG_LEVEL");
  level = value == nullptr ? 0 : std::atoi(value);
}

int log_level() { return level; }
void log_info(const std::string &line) { put("I rkllm: ", line); }
void log_warning(const std::string &line) { put("W rkllm: ", line); }
void log_error(const std::string &line) { put("E rkllm: ", line); }

}  // namespace rkllm
