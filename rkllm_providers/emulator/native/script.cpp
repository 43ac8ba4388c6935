// A scripted model: answers, delays and faults out of a text file, fast and the same every time.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "backend.h"
#include "script_file.h"
#include "text.h"

namespace rkllm {
namespace {

using Captures = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kNoRule = "I am a scripted model, and none of my rules matches this prompt.";
constexpr float kLogit = 10.0f;
constexpr float kMemory = 0.25f;  // how much of a hidden state goes into the next

void wait_ms(double milliseconds) {
  if (milliseconds > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds));
}

bool is_name_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
         c == '-';
}

bool match_at(const Pattern &pattern, std::string_view prompt, size_t at, Captures &captures) {
  at += pattern.head.size();
  for (const Capture &capture : pattern.captures) {
    size_t end = at;
    if (capture.next.empty()) {
      while (end < prompt.size() && is_name_char(prompt[end])) ++end;
      if (end == at) return false;
    } else {
      end = prompt.find(capture.next, at);
      if (end == std::string_view::npos) return false;
    }
    captures[capture.name] = std::string(prompt.substr(at, end - at));
    at = end + capture.next.size();
  }
  return true;
}

// The last place of the prompt where the pattern matches counts: the newest turn of a conversation.
bool match(const Pattern &pattern, std::string_view prompt, Captures &captures) {
  for (size_t at = prompt.rfind(pattern.head); at != std::string_view::npos;
       at = prompt.rfind(pattern.head, at - 1)) {
    if (match_at(pattern, prompt, at, captures)) return true;
    if (at == 0) break;
  }
  return false;
}

// A number from -1 to 1 that depends on a token and a column, the same in script.py.
float embedding_value(int32_t token, size_t column) {
  uint32_t h =
      (static_cast<uint32_t>(token) + 1) * 0x9E3779B1u ^ (static_cast<uint32_t>(column) + 1) * 0x85EBCA77u;
  h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
  h = (h ^ (h >> 12)) * 0x297A2D39u;
  h ^= h >> 15;
  return static_cast<float>(h >> 8) / 8388608.0f - 1.0f;
}

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Refused("could not open " + path);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) throw Refused("could not read " + path);
  return content;
}

std::string fill(std::string_view text, const Captures &captures) {
  std::string filled;
  size_t at = 0;
  for (Placeholder found = find_placeholder(text, 0); found.begin != std::string_view::npos;
       found = find_placeholder(text, found.end)) {
    const auto value = captures.find(found.name);
    if (value == captures.end()) continue;
    filled.append(text, at, found.begin - at).append(value->second);
    at = found.end;
  }
  return filled.append(text, at, std::string_view::npos);
}

// A piece of the answer to come, tokenised before the first event.
struct Segment {
  Action::Kind kind;
  std::vector<int32_t> ids;
  uint32_t number = 0;
};

class ScriptModel final : public Backend {
 public:
  ScriptModel(const std::string &path, std::string_view content) : script_(parse_script(path, content)) {
    facts_.dtype = "SCRIPT";
    facts_.chat_template = script_.chat_template;
    facts_.context_limit = script_.context;
    facts_.npu_cores = script_.npu_cores;
    facts_.embedding_size = script_.embedding_size;
    facts_.has_tokenizer = script_.has_tokenizer;
    facts_.has_embedding = script_.has_embedding;
    identity_ = "script " + script_.name + " " + crc32_hex(content);
    const auto n = static_cast<int32_t>(script_.vocabulary.size());
    vocabulary_.resize(static_cast<size_t>(n));
    for (int32_t id = 0; id < n; ++id) {
      Token &token = vocabulary_[static_cast<size_t>(id)];
      token.bytes = script_.vocabulary.bytes(id);
      token.special = script_.vocabulary.kind(id) == TokenKind::control;
      token.end = std::find(script_.eos.begin(), script_.eos.end(), id) != script_.eos.end();
      token.whole = script_.raw_utf8 || incomplete_utf8_tail(token.bytes) == 0;
    }
  }

  void allocate(int32_t) override {}

  std::vector<int32_t> encode(std::string_view text, bool at_start) const override {
    std::vector<int32_t> ids;
    if (at_start && script_.bos >= 0) ids.push_back(script_.bos);
    const size_t first = ids.size();
    script_.vocabulary.encode(text, ids);
    if (first == 1 && ids.size() > 1 && ids[1] == script_.bos) ids.erase(ids.begin());
    return ids;
  }

  void prefill(const Prompt &prompt, size_t from, size_t position) override {
    texts_.resize(position);
    for (size_t at = from; at < prompt.size(); ++at) texts_.push_back(text_at(prompt, at));
    wait_ms(script_.prefill_base_ms + script_.prefill_ms * static_cast<double>(prompt.size() - from));
    has_logits_ = true;
  }

  void prefill_rows(const Prompt &prompt, Rows kind, std::vector<float> &rows) override {
    prefill(prompt, 0, 0);
    has_logits_ = false;
    if (kind == Rows::hidden) hidden_rows(prompt, rows);
    else logits_rows(prompt, rows);
  }

  bool restore_logits() override { return has_logits_; }

  void begin(const Start &start) override {
    plan(start.context.size(), start.n_computed);
    ignore_eos_ = start.ignore_eos;
    aborted_ = start.aborted;
    has_tokens_ = std::any_of(plan_.begin(), plan_.end(), [](const Segment &s) { return !s.ids.empty(); });
    enter(0);
  }

  Step next() override {
    for (;;) {
      if (left_ > 0) {
        const Segment &segment = plan_[segment_];
        const int32_t id = segment.ids[token_];
        if (++token_ == segment.ids.size()) {
          token_ = 0;
          if (segment.kind != Action::Kind::forever) --left_;
        }
        return {Step::Kind::token, id};
      }
      if (segment_ + 1 < plan_.size()) {
        enter(segment_ + 1);
      } else if (!ends_with_eos_) {
        return {Step::Kind::end};
      } else if (ignore_eos_ && has_tokens_) {
        enter(0);
      } else {
        return {Step::Kind::token, script_.eos[0]};
      }
      if (const Step::Kind fault = act(); fault != Step::Kind::token) return {fault};
    }
  }

  void evaluate(int32_t token, size_t position) override {
    texts_.resize(position);
    texts_.push_back(script_.vocabulary.bytes(token));
    wait_ms(script_.decode_ms);
  }

  bool truncate(size_t length) override {
    texts_.resize(length);
    return true;
  }

  bool discard(size_t from, size_t to, size_t) override {
    const auto begin = texts_.begin();
    texts_.erase(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to));
    return true;
  }

  void load_adapter(const std::string &name, const std::string &path, float) override {
    const std::string content = read_file(path);
    if (content.compare(0, kScriptMagic.size(), kScriptMagic) != 0) {
      throw Refused("the LoRA adapter " + path + " is no script, as one for a scripted model must be");
    }
    std::vector<Rule> rules = parse_script(path, content).rules;
    for (Rule &rule : rules) {
      for (Action &action : rule.actions) {
        if (action.kind != Action::Kind::piece) continue;
        const int32_t id = script_.vocabulary.find(action.text);
        if (id < 0) throw Refused("the LoRA adapter " + path + " uses a piece that is no token of the model");
        action.number = static_cast<uint32_t>(id);
      }
    }
    adapters_[name] = std::move(rules);
  }

  void select_adapter(const std::string &name) override {
    adapter_ = name.empty() ? nullptr : &adapters_.at(name);
  }

  std::string identity() const override { return identity_; }
  std::vector<char> save_state() override {
    if (!script_.saves_state) throw Refused("this model cannot save prompt caches");
    const size_t n = texts_.size();
    wait_ms(script_.save_ms * static_cast<double>(n));
    return std::vector<char>(static_cast<size_t>(script_.state_bytes) * n);
  }

  bool load_state(const std::vector<char> &state, const std::vector<int32_t> &tokens) override {
    texts_.clear();
    has_logits_ = false;
    if (state.size() != static_cast<size_t>(script_.state_bytes) * tokens.size()) return false;
    wait_ms(script_.load_ms * static_cast<double>(tokens.size()));
    for (const int32_t token : tokens) texts_.push_back(script_.vocabulary.bytes(token));
    return true;
  }

 private:
  size_t width() const { return static_cast<size_t>(script_.embedding_size); }

  // The token whose row this is, or -1.
  int32_t token_of_row(int64_t key) {
    if (tokens_by_row_.empty()) {
      std::vector<float> row(width());
      for (int32_t id = 0; id < static_cast<int32_t>(vocabulary_.size()); ++id) {
        for (size_t column = 0; column < row.size(); ++column) row[column] = embedding_value(id, column);
        tokens_by_row_[row_key(row.data(), row.size())] = id;
      }
    }
    const auto found = tokens_by_row_.find(key);
    return found == tokens_by_row_.end() ? -1 : found->second;
  }

  int32_t token_at(const Prompt &prompt, size_t at) {
    const int64_t key = prompt.keys[at];
    return key >= 0 ? static_cast<int32_t>(key) : prompt.notes.count(at) != 0 ? -1 : token_of_row(key);
  }

  std::string text_at(const Prompt &prompt, size_t at) {
    if (const auto note = prompt.notes.find(at); note != prompt.notes.end()) return note->second;
    if (const int32_t token = token_at(prompt, at); token >= 0) return script_.vocabulary.bytes(token);
    const float *row = prompt.rows.data() + prompt.rows_before(at) * width();
    return "<row " + crc32_hex(bytes_of(row, width())) + ">";
  }

  // Each state is the position's own row and a quarter of the state before it.
  void hidden_rows(const Prompt &prompt, std::vector<float> &rows) {
    rows.resize(prompt.size() * width());
    const float *given = prompt.rows.data();
    for (size_t at = 0; at < prompt.size(); ++at) {
      float *row = rows.data() + at * width();
      const int64_t key = prompt.keys[at];
      for (size_t column = 0; column < width(); ++column) {
        row[column] = key < 0 ? given[column] : embedding_value(static_cast<int32_t>(key), column);
        if (at > 0) row[column] += kMemory * (row - width())[column];
      }
      if (key < 0) given += width();
    }
  }

  void logits_rows(const Prompt &prompt, std::vector<float> &rows) {
    rows.assign(prompt.size() * vocabulary_.size(), 0.0f);
    plan(prompt.size(), prompt.size());
    int32_t first = script_.eos[0];
    for (const Segment &segment : plan_) {
      if (segment.ids.empty()) continue;
      first = segment.ids[0];
      break;
    }
    for (size_t at = 0; at < prompt.size(); ++at) {
      const int32_t next = at + 1 < prompt.size() ? token_at(prompt, at + 1) : first;
      if (next >= 0) rows[at * vocabulary_.size() + static_cast<size_t>(next)] = kLogit;
    }
  }

  std::vector<const Rule *> rules() const {
    std::vector<const Rule *> all;
    if (adapter_ != nullptr) {
      for (const Rule &rule : *adapter_) all.push_back(&rule);
    }
    for (const Rule &rule : script_.rules) all.push_back(&rule);
    return all;
  }

  void plan(size_t n_context, size_t n_computed) {
    std::string prompt;
    for (const std::string &text : texts_) prompt += text;
    // The first segment holds nothing, so that every segment with something in it is entered by next().
    plan_.assign(1, {Action::Kind::text, {}, 0});
    ends_with_eos_ = true;
    for (const Rule *candidate : rules()) {
      const Rule &rule = *candidate;
      Captures captures;
      if (!rule.matches_all && !match(rule.pattern, prompt, captures)) continue;
      captures["n_prompt"] = std::to_string(n_context);
      captures["n_prefill"] = std::to_string(n_computed);
      tell_pictures(captures);
      ends_with_eos_ = rule.ends_with_eos;
      for (const Action &action : rule.actions) add(action, captures);
      return;
    }
    add({Action::Kind::text, std::string(kNoRule)}, {});
  }

  // The notes of all pictures in the prompt, and their number.
  void tell_pictures(Captures &captures) const {
    constexpr std::string_view kBegin = "<image ";
    size_t n = 0;
    std::string told;
    for (const std::string &text : texts_) {
      if (text.compare(0, kBegin.size(), kBegin) != 0 || text.back() != '>') continue;
      told += (n++ == 0 ? "" : "; ") + text.substr(kBegin.size(), text.size() - kBegin.size() - 1);
    }
    captures["n_pictures"] = std::to_string(n);
    captures["pictures"] = told;
  }

  void add(const Action &action, const Captures &captures) {
    Segment segment{action.kind, {}, action.number};
    if (action.kind == Action::Kind::piece) {
      segment.ids = {static_cast<int32_t>(action.number)};
    } else if (!action.text.empty()) {
      script_.vocabulary.encode(fill(action.text, captures), segment.ids);
    }
    plan_.push_back(std::move(segment));
  }

  void enter(size_t segment) {
    segment_ = segment;
    token_ = 0;
    const Segment &entered = plan_[segment];
    left_ = entered.ids.empty() ? 0 : entered.kind == Action::Kind::repeat ? entered.number : 1;
  }

  // Does what a segment without tokens stands for.
  Step::Kind act() {
    switch (plan_[segment_].kind) {
      case Action::Kind::sleep: return sleep(plan_[segment_].number) ? Step::Kind::token : Step::Kind::end;
      case Action::Kind::error: return Step::Kind::error;
      case Action::Kind::fail: return Step::Kind::fail;
      case Action::Kind::hang:
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
      case Action::Kind::crash: std::abort();
      default: return Step::Kind::token;
    }
  }

  // False where an abort cut it short.
  bool sleep(uint32_t milliseconds) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (!aborted_->load(std::memory_order_relaxed)) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= std::chrono::steady_clock::duration::zero()) return true;
      std::this_thread::sleep_for(
          std::min<std::chrono::steady_clock::duration>(left, std::chrono::milliseconds(5)));
    }
    return false;
  }

  ScriptFile script_;
  std::string identity_;
  std::vector<std::string> texts_;  // of each position in the cache
  std::unordered_map<int64_t, int32_t> tokens_by_row_;
  std::map<std::string, std::vector<Rule>> adapters_;
  const std::vector<Rule> *adapter_ = nullptr;
  std::vector<Segment> plan_;
  size_t segment_ = 0;
  size_t token_ = 0;
  uint32_t left_ = 0;
  bool has_logits_ = false;
  bool has_tokens_ = false;
  bool ends_with_eos_ = true;
  bool ignore_eos_ = false;
  const std::atomic<bool> *aborted_ = nullptr;
};

}  // namespace

std::unique_ptr<Backend> open_script(const std::string &path) {
  return std::make_unique<ScriptModel>(path, read_file(path));
}

std::unique_ptr<Backend> open_model(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Refused("could not open the model file " + path);
  char head[16] = "";
  file.read(head, kScriptMagic.size());
  const std::string_view magic(head, static_cast<size_t>(file.gcount()));
  if (magic.substr(0, 4) == "GGUF") return open_gguf(path);
  if (magic == kScriptMagic) return open_script(path);
  throw Refused("invalid rknn llm model magic");
}

}  // namespace rkllm
