#include "delivery.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

#include "log.h"
#include "platform.h"
#include "text.h"

namespace rkllm {
namespace {

// No byte of any UTF-8 text: a caller that kept the pointer does not read the old text by luck.
constexpr char kSpoiled = '\xFD';

void print_timings(const Perf &perf) {
  const std::string rule(86, '-');
  char line[128];
  log_info(rule);
  log_info(" Stage         Total Time (ms)  Tokens    Time per Token (ms)      Tokens per Second");
  log_info(rule);
  const auto stage = [&line](const char *name, float ms, int32_t n) {
    const float each = n > 0 ? ms / static_cast<float>(n) : 0;
    const float rate = ms > 0 ? static_cast<float>(n) * 1000 / ms : 0;
    std::snprintf(line, sizeof line, " %-13s %-16.2f %-9d %-24.2f %.2f", name, ms, n, each, rate);
    log_info(line);
  };
  stage("Prefill", perf.prefill_ms, perf.prefill_tokens);
  stage("Generate", perf.generate_ms, perf.generate_tokens);
  log_info(rule);
  log_info(" Peak Memory Usage (GB)");
  std::snprintf(line, sizeof line, " %.2f", perf.memory_mb / 1024);
  log_info(line);
  log_info(rule);
}

}  // namespace

bool Delivery::token(int32_t id, const Token &token, bool silent) {
  ++n_events;
  Event event;
  event.token = id;
  text_.clear();
  if (silent) {
    event.text = "";
  } else if (waiting_.empty() && token.whole) {
    text_ = token.bytes;
    event.text = text_.c_str();
  } else {
    waiting_ += token.bytes;
    if (incomplete_utf8_tail(waiting_) > 0) {
      event.state = Event::State::waiting;
    } else {
      text_.swap(waiting_);
      waiting_.clear();
      event.text = text_.c_str();
    }
  }
  const bool go_on = deliver(event);
  std::fill(text_.begin(), text_.end(), kSpoiled);
  return go_on;
}

void Delivery::rows(Rows kind, std::vector<float> values, size_t n_rows) {
  rows_ = std::move(values);
  Event event;
  (kind == Rows::hidden ? event.hidden : event.logits) = rows_.data();
  event.width = static_cast<int32_t>(rows_.size() / n_rows);
  event.n_rows = static_cast<int32_t>(n_rows);
  deliver(event);
  std::fill(rows_.begin(), rows_.end(), std::numeric_limits<float>::quiet_NaN());
}

void Delivery::error() {
  Event event;
  event.state = Event::State::error;
  deliver(event);
}

void Delivery::finish() {
  perf.generate_tokens = static_cast<int32_t>(std::clamp<int64_t>(n_events - 1, 0, INT32_MAX));
  perf.memory_mb = peak_memory_mb();
  Event event;
  event.state = Event::State::finish;
  event.perf = &perf;
  if (log_level() >= 1) print_timings(perf);
  deliver(event);
}

}  // namespace rkllm
