#include "text.h"

#include <cstdint>
#include <cstring>
#include <utility>

namespace rkllm {
namespace {

// Length of the character a byte begins and the range its second byte must lie in (RFC 3629, table 3-7
// of the Unicode standard). Length 0: no character begins with this byte.
struct Lead {
  size_t length;
  uint8_t low;
  uint8_t high;
};

Lead lead_of(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many of the bytes form a valid beginning of one character.
size_t valid_part(std::string_view bytes, const Lead &lead) {
  size_t n = 1;
  for (; n < lead.length && n < bytes.size(); ++n) {
    const auto byte = static_cast<uint8_t>(bytes[n]);
    const uint8_t low = n == 1 ? lead.low : 0x80;
    const uint8_t high = n == 1 ? lead.high : 0xBF;
    if (byte < low || byte > high) break;
  }
  return n;
}

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  bool whole() {
    if (!value(0)) return false;
    blanks();
    return at_ == text_.size();
  }

  // Where whole() found an array, its items.
  std::vector<std::string_view> items;

 private:
  static constexpr int kMaxDepth = 200;

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool eat(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void blanks() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr && text_[at_] != '\0') ++at_;
  }
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  bool digits() {
    const size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > start;
  }

  bool value(int depth) {
    if (depth > kMaxDepth) return false;
    blanks();
    switch (peek()) {
      case '{': return sequence('}', depth, true);
      case '[': return sequence(']', depth, false);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }

  bool sequence(char close, int depth, bool keyed) {
    ++at_;
    blanks();
    if (eat(close)) return true;
    do {
      blanks();
      if (keyed) {
        if (!string()) return false;
        blanks();
        if (!eat(':')) return false;
      }
      blanks();
      const size_t start = at_;
      if (!value(depth + 1)) return false;
      if (depth == 0) items.push_back(text_.substr(start, at_ - start));
      blanks();
    } while (eat(','));
    return eat(close);
  }

  bool string() {
    if (!eat('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<uint8_t>(c) < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    const char c = peek();
    ++at_;
    if (c == 'u') {
      for (int i = 0; i < 4; ++i, ++at_) {
        const char h = peek();
        const bool hex = (h >= '0' && h <= '9') || (h >= 'a' && h <= 'f') || (h >= 'A' && h <= 'F');
        if (!hex) return false;
      }
      return true;
    }
    return c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr;
  }

  bool number() {
    eat('-');
    if (!eat('0') && !digits()) return false;
    if (eat('.') && !digits()) return false;
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      return digits();
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

size_t incomplete_utf8_tail(std::string_view bytes) {
  for (size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const std::string_view tail = bytes.substr(bytes.size() - back);
    const auto byte = static_cast<uint8_t>(tail[0]);
    if ((byte & 0xC0) == 0x80) continue;
    const Lead lead = lead_of(byte);
    return lead.length > back && valid_part(tail, lead) == back ? back : 0;
  }
  return 0;
}

size_t find_invalid_utf8(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const Lead lead = lead_of(static_cast<uint8_t>(bytes[at]));
    if (lead.length == 0 || valid_part(bytes.substr(at), lead) < lead.length) return at;
    at += lead.length;
  }
  return std::string_view::npos;
}

bool is_json(std::string_view text) { return JsonReader(text).whole(); }

std::optional<std::vector<std::string_view>> json_array_items(std::string_view text) {
  JsonReader reader(text);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '[' || !reader.whole()) return std::nullopt;
  return std::move(reader.items);
}

}  // namespace rkllm
