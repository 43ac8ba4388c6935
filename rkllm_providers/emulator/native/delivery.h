// The events of one run: holds back bytes that end inside a character, counts, and spoils what it handed out.
#pragma once

#include <string>
#include <vector>

#include "backend.h"
#include "types.h"

namespace rkllm {

class Delivery {
 public:
  explicit Delivery(Sink &sink) : sink_(sink) {}

  // False: the caller asked the run to end.
  bool token(int32_t id, const Token &token, bool silent);
  void rows(Rows kind, std::vector<float> values, size_t n_rows);
  void error();
  void finish();

  Perf perf;
  int64_t n_events = 0;
  bool failed = false;

 private:
  bool deliver(const Event &event) { return sink_.deliver(event); }

  Sink &sink_;
  std::string waiting_;
  std::string text_;         // what the caller is given: a copy, so that it can be spoiled
  std::vector<float> rows_;  // kept to the run's end, so that a pointer to it reads what spoiled it
};

}  // namespace rkllm
