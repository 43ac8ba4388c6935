// The text format of scripted models. docs/emulator.md is its reference; script.py reads the same
// format, and a test compares the two.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rkllm {

constexpr std::string_view kScriptMagic = "#!rkllm-script";

enum class TokenKind { ordinary, marker, control };

// All tokens of a script, and the greedy longest match over them.
class ScriptVocabulary {
 public:
  ScriptVocabulary();

  // The id of these bytes, a new one where they are no token yet.
  int32_t add(const std::string &bytes, TokenKind kind);
  // -1 where these bytes are no token.
  int32_t find(std::string_view bytes) const;
  void encode(std::string_view text, std::vector<int32_t> &ids) const;

  size_t size() const { return tokens_.size(); }
  const std::string &bytes(int32_t id) const { return tokens_[static_cast<size_t>(id)].bytes; }
  TokenKind kind(int32_t id) const { return tokens_[static_cast<size_t>(id)].kind; }

 private:
  struct Entry {
    std::string bytes;
    TokenKind kind;
  };
  std::vector<Entry> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<size_t> lengths_[256];  // of the tokens that begin with a byte, longest first
};

struct Capture {
  std::string name;
  std::string next;  // the literal that ends it; empty at the end of a pattern
};

struct Pattern {
  std::string head;
  std::vector<Capture> captures;
};

struct Action {
  enum class Kind { text, piece, repeat, forever, sleep, error, fail, hang, crash };
  Kind kind;
  std::string text;
  uint32_t number = 0;  // repetitions, milliseconds, or the id of a piece
};

struct Rule {
  bool matches_all = false;
  Pattern pattern;
  std::vector<Action> actions;
  bool ends_with_eos = true;
};

struct ScriptFile {
  std::string name;
  std::string chat_template;
  int32_t context = 0;
  int32_t npu_cores = 0;
  int32_t embedding_size = 0;
  bool has_tokenizer = true;
  bool has_embedding = true;
  bool raw_utf8 = false;
  double prefill_base_ms = 0;
  double prefill_ms = 0;
  double decode_ms = 0;
  // What a prompt-cache file takes per token: bytes, and milliseconds to write and to load.
  int32_t state_bytes = 0;
  double save_ms = 0;
  double load_ms = 0;
  bool saves_state = true;
  ScriptVocabulary vocabulary;
  int32_t bos = -1;
  std::vector<int32_t> eos;
  std::vector<Rule> rules;
};

// The position and length of the first "{name}" at or after `from`, or npos.
struct Placeholder {
  size_t begin = std::string_view::npos;
  size_t end = 0;
  std::string_view name;
};
Placeholder find_placeholder(std::string_view text, size_t from);

// Refuses, naming `path` and the line, what does not follow the format.
ScriptFile parse_script(const std::string &path, std::string_view content);

}  // namespace rkllm
