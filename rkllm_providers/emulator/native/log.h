// The library's own lines on standard output, each flushed so that a reader of a pipe sees it at once.
#pragma once

#include <string>

namespace rkllm {

// Reads RKLLM_LOG_LEVEL: 0 the default, 1 adds a timing table, 2 adds cache and token details.
void read_log_level();
int log_level();

void log_info(const std::string &line);
void log_warning(const std::string &line);
void log_error(const std::string &line);

}  // namespace rkllm
