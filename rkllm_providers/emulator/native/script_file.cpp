#include "script_file.h"

#include <algorithm>
#include <set>

#include "text.h"
#include "types.h"

namespace rkllm {
namespace {

constexpr std::string_view kDefaults =
#include "defaults.inc"
    ;

struct Item {
  std::string text;
  bool quoted;
};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// One pass over the lines of a file, filling a ScriptFile.
class Parser {
 public:
  Parser(ScriptFile &script, std::string path) : script_(script), path_(std::move(path)) {}

  void parse(std::string_view content) {
    split(content);
    if (lines_[0] != "#!rkllm-script 1") fail("the first line must be '#!rkllm-script 1'");
    for (number_ = 1; number_ < lines_.size(); ++number_) {
      const std::vector<Item> items = lex(lines_[number_]);
      if (!items.empty()) statement(items);
    }
    --number_;
    if (rule_ != nullptr) fail("the last rule has no 'end'");
    resolve();
  }

 private:
  [[noreturn]] void fail(const std::string &what) const {
    throw Refused(path_ + ":" + std::to_string(number_ + 1) + ": " + what);
  }

  void split(std::string_view content) {
    const size_t invalid = std::min(find_invalid_utf8(content), content.find('\0'));
    if (invalid != std::string_view::npos) {
      number_ = static_cast<size_t>(
          std::count(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(invalid), '\n'));
      fail("this is not UTF-8 text");
    }
    for (size_t at = 0;;) {
      const size_t end = content.find('\n', at);
      std::string_view line = content.substr(at, end == std::string_view::npos ? end : end - at);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      lines_.push_back(line);
      if (end == std::string_view::npos) break;
      at = end + 1;
    }
  }

  std::vector<Item> lex(std::string_view line) const {
    std::vector<Item> items;
    for (size_t at = 0; at < line.size();) {
      if (is_blank(line[at])) {
        ++at;
      } else if (line[at] == '#') {
        break;
      } else if (line[at] == '"') {
        items.push_back({quoted(line, ++at), true});
        if (at < line.size() && !is_blank(line[at])) fail("a blank is missing after a closing quote");
      } else {
        const size_t start = at;
        while (at < line.size() && !is_blank(line[at]) && line[at] != '"') ++at;
        if (at < line.size() && line[at] == '"') fail("a blank is missing before an opening quote");
        items.push_back({std::string(line.substr(start, at - start)), false});
      }
    }
    return items;
  }

  std::string quoted(std::string_view line, size_t &at) const {
    std::string text;
    while (at < line.size() && line[at] != '"') {
      if (line[at] != '\\') {
        text += line[at++];
        continue;
      }
      const char c = at + 1 < line.size() ? line[at + 1] : '\0';
      at += 2;
      if (c == 'n') text += '\n';
      else if (c == 't') text += '\t';
      else if (c == 'r') text += '\r';
      else if (c == '"' || c == '\\') text += c;
      else if (c == 'x') text += hex_byte(line, at);
      else fail("unknown escape; known are \\n \\t \\r \\\" \\\\ and \\xHH");
    }
    if (at >= line.size()) fail("a closing quote is missing");
    ++at;
    return text;
  }

  char hex_byte(std::string_view line, size_t &at) const {
    const int high = at < line.size() ? hex_value(line[at]) : -1;
    const int low = at + 1 < line.size() ? hex_value(line[at + 1]) : -1;
    if (high < 0 || low < 0) fail("\\x needs two hexadecimal digits");
    if (high == 0 && low == 0) fail("\\x00 cannot be delivered: texts end at a NUL byte");
    at += 2;
    return static_cast<char>(high * 16 + low);
  }

  void statement(const std::vector<Item> &items) {
    const Item &key = items[0];
    if (key.quoted) fail("a line must begin with a keyword");
    if (rule_ != nullptr) return action(key.text, items);
    if (key.text == "rule") return rule(items);
    if (!script_.rules.empty()) fail("'" + key.text + "' must come before the first rule");
    header(key.text, items);
  }

  const std::string &only(const std::vector<Item> &items) const {
    if (items.size() != 2) fail("'" + items[0].text + "' takes one value");
    return items[1].text;
  }

  const std::string &only_quoted(const std::vector<Item> &items) const {
    if (items.size() != 2 || !items[1].quoted)
      fail("'" + items[0].text + "' takes one text in double quotes");
    return items[1].text;
  }

  uint32_t integer(const std::string &text, uint32_t low, uint32_t high) const {
    const bool digits = !text.empty() && text.size() <= 9 && std::all_of(text.begin(), text.end(), is_digit);
    const uint32_t value = digits ? static_cast<uint32_t>(std::stoul(text)) : 0;
    if (!digits || value < low || value > high) {
      fail("a whole number from " + std::to_string(low) + " to " + std::to_string(high) + " is needed");
    }
    return value;
  }

  double milliseconds(const std::string &text) const {
    const size_t dot = std::min(text.find('.'), text.size());
    const std::string whole = text.substr(0, dot);
    const std::string part = dot < text.size() ? text.substr(dot + 1) : "0";
    const auto digits = [](const std::string &s) {
      return !s.empty() && s.size() <= 6 && std::all_of(s.begin(), s.end(), is_digit);
    };
    if (!digits(whole) || !digits(part)) fail("a number of milliseconds such as 20 or 0.5 is needed");
    double value = std::stoul(part);
    for (size_t i = 0; i < part.size(); ++i) value /= 10;
    return value + static_cast<double>(std::stoul(whole));
  }

  void header(const std::string &key, const std::vector<Item> &items) {
    const bool repeats = key == "words" || key == "word" || key == "control" || key == "marker";
    if (!repeats && !given_.insert(key).second) fail("'" + key + "' is given twice");
    if (key == "name") script_.name = check_utf8(only(items));
    else if (key == "context") script_.context = static_cast<int32_t>(integer(only(items), 16, 1048576));
    else if (key == "npu_cores") script_.npu_cores = static_cast<int32_t>(integer(only(items), 1, 8));
    else if (key == "embedding_size")
      script_.embedding_size = static_cast<int32_t>(integer(only(items), 8, 16384));
    else if (key == "export") exported(items);
    else if (key == "prefill_base_ms") script_.prefill_base_ms = milliseconds(only(items));
    else if (key == "prefill_ms") script_.prefill_ms = milliseconds(only(items));
    else if (key == "decode_ms") script_.decode_ms = milliseconds(only(items));
    else if (key == "state_bytes")
      script_.state_bytes = static_cast<int32_t>(integer(only(items), 0, 1048576));
    else if (key == "save_ms") script_.save_ms = milliseconds(only(items));
    else if (key == "load_ms") script_.load_ms = milliseconds(only(items));
    else if (key == "saves_state") script_.saves_state = yes_or_no(only(items));
    else if (key == "raw_utf8") script_.raw_utf8 = yes_or_no(only(items));
    else if (key == "words") words(items);
    else if (key == "word") add_token(only(items), TokenKind::ordinary);
    else if (key == "control") names(items, TokenKind::control);
    else if (key == "marker") names(items, TokenKind::marker);
    else if (key == "eos") remember(items, eos_);
    else if (key == "bos") only_quoted(items), remember(items, bos_);
    else if (key == "template") chat_template(items);
    else fail("unknown keyword '" + key + "'");
  }

  void exported(const std::vector<Item> &items) {
    if (items.size() < 2) fail("'export' takes no_tokenizer, no_embedding, or both");
    for (size_t i = 1; i < items.size(); ++i) {
      if (items[i].text == "no_tokenizer") script_.has_tokenizer = false;
      else if (items[i].text == "no_embedding") script_.has_embedding = false;
      else fail("'export' takes no_tokenizer, no_embedding, or both");
    }
  }

  bool yes_or_no(const std::string &text) const {
    if (text != "yes" && text != "no") fail("'yes' or 'no' is needed");
    return text == "yes";
  }

  void add_token(const std::string &bytes, TokenKind kind) {
    if (bytes.empty()) fail("a token cannot be empty");
    if (kind != TokenKind::ordinary) check_utf8(bytes);
    const int32_t known = script_.vocabulary.find(bytes);
    if (known >= 0 && script_.vocabulary.kind(known) != kind) {
      fail("'" + bytes + "' is a token of another kind already");
    }
    script_.vocabulary.add(bytes, kind);
  }

  const std::string &check_utf8(const std::string &name) const {
    if (find_invalid_utf8(name) != std::string_view::npos) fail("a name must be UTF-8 text");
    return name;
  }

  void words(const std::vector<Item> &items) {
    if (items.size() < 2) fail("'words' takes at least one word");
    for (size_t i = 1; i < items.size(); ++i) {
      if (items[i].quoted) fail("'words' takes bare words; use 'word' for a token in quotes");
      add_token(items[i].text, TokenKind::ordinary);
      add_token(" " + items[i].text, TokenKind::ordinary);
    }
  }

  void need_names(const std::vector<Item> &items) const {
    const bool all =
        std::all_of(items.begin() + 1, items.end(), [](const Item &item) { return item.quoted; });
    if (items.size() < 2 || !all) fail("'" + items[0].text + "' takes names in double quotes");
  }

  void names(const std::vector<Item> &items, TokenKind kind) {
    need_names(items);
    for (size_t i = 1; i < items.size(); ++i) add_token(items[i].text, kind);
  }

  struct Names {
    std::vector<std::string> names;
    size_t line = 0;
  };

  void remember(const std::vector<Item> &items, Names &into) {
    need_names(items);
    into.line = number_;
    for (size_t i = 1; i < items.size(); ++i) into.names.push_back(items[i].text);
  }

  void chat_template(const std::vector<Item> &items) {
    const std::string &tag = only(items);
    if (items[1].quoted || tag.size() < 3 || tag.compare(0, 2, "<<") != 0)
      fail("'template' takes '<<END', END being any word");
    const std::string_view end = std::string_view(tag).substr(2);
    script_.chat_template.clear();
    const size_t first = number_ + 1;
    for (size_t i = first; i < lines_.size(); ++i) {
      if (lines_[i] == end) {
        number_ = i;
        return;
      }
      if (i > first) script_.chat_template += '\n';
      script_.chat_template += lines_[i];
    }
    fail("the template has no line '" + std::string(end) + "' at its end");
  }

  void rule(const std::vector<Item> &items) {
    if (!script_.rules.empty() && script_.rules.back().matches_all) fail("no rule after 'rule *' can match");
    Rule rule;
    if (items.size() == 2 && !items[1].quoted && items[1].text == "*") rule.matches_all = true;
    else rule.pattern = pattern(only_quoted(items));
    script_.rules.push_back(std::move(rule));
    rule_ = &script_.rules.back();
    endless_ = false;
  }

  Pattern pattern(const std::string &text) const {
    Pattern pattern;
    std::string *literal = &pattern.head;
    std::set<std::string> names = {"n_prompt", "n_prefill", "n_pictures", "pictures"};
    size_t at = 0;
    for (Placeholder found = find_placeholder(text, 0); found.begin != std::string_view::npos;
         found = find_placeholder(text, at)) {
      literal->assign(text, at, found.begin - at);
      if (literal->empty()) fail("a pattern needs text before each {name}");
      if (!names.insert(std::string(found.name)).second)
        fail("{" + std::string(found.name) + "} cannot be captured here");
      pattern.captures.push_back({std::string(found.name), ""});
      literal = &pattern.captures.back().next;
      at = found.end;
    }
    literal->assign(text, at, std::string::npos);
    if (pattern.head.empty()) fail("a pattern cannot be empty");
    return pattern;
  }

  void action(const std::string &key, const std::vector<Item> &items) {
    if (key == "end" || key == "no_eos") {
      if (items.size() != 1) fail("'" + key + "' takes no value");
      if (key == "end") rule_ = nullptr;
      else rule_->ends_with_eos = false;
      return;
    }
    if (endless_) fail("nothing after 'forever' is reached");
    rule_->actions.push_back(read_action(key, items));
  }

  Action read_action(const std::string &key, const std::vector<Item> &items) {
    using Kind = Action::Kind;
    if (key == "text") return {Kind::text, only_quoted(items)};
    if (key == "sleep") return {Kind::sleep, "", integer(only(items), 0, 999999999)};
    if (key == "piece" || key == "forever") {
      if (only_quoted(items).empty()) fail("'" + key + "' needs at least one byte");
      endless_ = key == "forever";
      if (endless_) return {Kind::forever, items[1].text};
      pieces_.push_back(items[1].text);
      return {Kind::piece, items[1].text};
    }
    if (key == "repeat") {
      if (items.size() != 3 || !items[2].quoted) fail("'repeat' takes a number and a text in double quotes");
      return {Kind::repeat, items[2].text, integer(items[1].text, 1, 999999999)};
    }
    if (items.size() != 1) fail("unknown action '" + key + "', or one that takes no value");
    if (key == "error") return {Kind::error, ""};
    if (key == "fail") return {Kind::fail, ""};
    if (key == "hang") return {Kind::hang, ""};
    if (key == "crash") return {Kind::crash, ""};
    fail("unknown action '" + key + "'");
  }

  // Names may be used before the line that adds them, so they are looked up when all lines are read.
  void resolve() {
    if (!eos_.names.empty()) script_.eos = control_ids(eos_);
    if (!bos_.names.empty()) script_.bos = control_ids(bos_)[0];
    for (const std::string &piece : pieces_) script_.vocabulary.add(piece, TokenKind::ordinary);
    for (Rule &rule : script_.rules) {
      for (Action &action : rule.actions) {
        if (action.kind == Action::Kind::piece) {
          action.number = static_cast<uint32_t>(script_.vocabulary.find(action.text));
        }
      }
    }
  }

  std::vector<int32_t> control_ids(const Names &names) {
    std::vector<int32_t> ids;
    for (const std::string &name : names.names) {
      const int32_t id = script_.vocabulary.find(name);
      if (id < 0 || script_.vocabulary.kind(id) != TokenKind::control) {
        number_ = names.line;
        fail("'" + name + "' is no control token; add it with 'control'");
      }
      ids.push_back(id);
    }
    return ids;
  }

  ScriptFile &script_;
  std::string path_;
  std::vector<std::string_view> lines_;
  size_t number_ = 0;
  std::set<std::string> given_;
  Names eos_;
  Names bos_;
  std::vector<std::string> pieces_;
  Rule *rule_ = nullptr;
  bool endless_ = false;
};

}  // namespace

Placeholder find_placeholder(std::string_view text, size_t from) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  for (size_t at = text.find('{', from); at != std::string_view::npos; at = text.find('{', at + 1)) {
    size_t end = at + 1;
    while (end < text.size() && (is_letter(text[end]) || (end > at + 1 && is_digit(text[end])))) ++end;
    if (end > at + 1 && end < text.size() && text[end] == '}')
      return {at, end + 1, text.substr(at + 1, end - at - 1)};
  }
  return {};
}

ScriptFile parse_script(const std::string &path, std::string_view content) {
  ScriptFile script;
  Parser(script, "the emulator's defaults").parse(kDefaults);
  Parser(script, path).parse(content);
  return script;
}

}  // namespace rkllm
