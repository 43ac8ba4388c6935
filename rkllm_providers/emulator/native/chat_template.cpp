#include "chat_template.h"

#include <llama.h>

#include <algorithm>

#include "text.h"
#include "types.h"

namespace rkllm {
namespace {

constexpr const char *kEmptyThinking = "<think>\n\n</think>\n\n";

using Messages = std::vector<std::pair<std::string, std::string>>;

// Empty where llama.cpp does not know the template.
std::optional<std::string> render(const std::string &source, const Messages &messages) {
  std::vector<llama_chat_message> chat;
  size_t size = 256;
  for (const auto &[role, content] : messages) {
    chat.push_back({role.c_str(), content.c_str()});
    size += role.size() + content.size() * 2;
  }
  std::string text(size, '\0');
  int32_t n = llama_chat_apply_template(source.c_str(), chat.data(), chat.size(), true, text.data(),
                                        static_cast<int32_t>(text.size()));
  if (n > static_cast<int32_t>(text.size())) {
    text.resize(static_cast<size_t>(n));
    n = llama_chat_apply_template(source.c_str(), chat.data(), chat.size(), true, text.data(), n);
  }
  if (n < 0) return std::nullopt;
  text.resize(static_cast<size_t>(n));
  return text;
}

std::string must_render(const std::string &source, const Messages &messages) {
  std::optional<std::string> text = render(source, messages);
  if (!text) throw Refused("the chat template cannot be applied to these messages");
  return *std::move(text);
}

}  // namespace

ChatTemplate::ChatTemplate(std::string source) : source_(std::move(source)) {
  raw_ = source_.empty() || !render(source_, {{"user", "?"}});
  thinks_ =
      source_.find("enable_thinking") != std::string::npos || source_.find("<think>") != std::string::npos;
}

void ChatTemplate::replace(const std::string &system, const std::string &prefix, const std::string &postfix) {
  system_ = system;
  prefix_ = prefix;
  postfix_ = postfix;
  replaced_ = true;
  tools_.clear();
  tag_.clear();
  raw_ = system.empty() && prefix.empty() && postfix.empty();
}

// The words are those of the Qwen family's templates, which models of other families follow as well.
void ChatTemplate::set_tools(const std::string &system, const std::string &tools, const std::string &tag) {
  if (replaced_)
    throw Refused("rkllm_set_chat_template replaced the template, which leaves no place for tools");
  if (raw_) throw Refused("function tools need a chat template, and none of this model is understood");
  const auto items = json_array_items(tools);
  if (!items || items->empty()) throw Refused("the tools must be a JSON array of at least one function");
  if (tag.empty()) throw Refused("the tag around the results of functions is empty");
  std::string message = system.empty() ? "" : system + "\n\n";
  message +=
      "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
      "You are provided with function signatures within <tools></tools> XML tags:\n<tools>";
  for (const std::string_view item : *items) message.append("\n").append(item);
  message +=
      "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
      "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
      "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>";
  if (!render(source_, {{"system", message}, {"user", "?"}}))
    throw Refused("the chat template cannot be applied to a system message");
  tools_ = std::move(message);
  tag_ = tag;
}

std::string ChatTemplate::system() const {
  if (tools_.empty()) return system_;
  const std::string one = must_render(source_, opening({{"user", "1"}}));
  const std::string two = must_render(source_, opening({{"user", "2"}}));
  return one.substr(
      0,
      static_cast<size_t>(std::mismatch(one.begin(), one.end(), two.begin(), two.end()).first - one.begin()));
}

std::pair<std::string, std::string> ChatTemplate::turn(const std::string &role,
                                                       const std::string &text) const {
  if (role != "tool" || tools_.empty()) return {role, text};
  std::vector<std::string_view> results =
      json_array_items(text).value_or(std::vector<std::string_view>{text});
  std::string wrapped;
  for (const std::string_view result : results) {
    wrapped.append(wrapped.empty() ? "<" : "\n<").append(tag_).append(">\n").append(result);
    wrapped.append("\n</").append(tag_).append(">");
  }
  return {"user", wrapped};
}

ChatTemplate::Messages ChatTemplate::opening(Messages messages) const {
  if (!tools_.empty()) messages.insert(messages.begin(), {"system", tools_});
  return messages;
}

std::string ChatTemplate::finish(std::string prompt, std::optional<bool> thinking) const {
  if (thinks_ && thinking == false) prompt += kEmptyThinking;
  return prompt;
}

std::string ChatTemplate::first(const std::string &role, const std::string &text,
                                std::optional<bool> thinking) const {
  if (raw_) return text;
  if (replaced_) return system_ + prefix_ + text + postfix_;
  return finish(must_render(source_, opening({turn(role, text)})), thinking);
}

std::string ChatTemplate::next(const std::string &role, const std::string &text,
                               std::optional<bool> thinking) const {
  if (raw_) return text;
  if (replaced_) return prefix_ + text + postfix_;
  // What the template puts between an answer and the next answer does not depend on the words said before,
  // so it is read off a made-up conversation.
  const std::string before = must_render(source_, {{"user", "?"}}) + "!";
  const std::string whole = must_render(source_, {{"user", "?"}, {"assistant", "!"}, turn(role, text)});
  const bool follows = whole.compare(0, before.size(), before) == 0;
  return finish(follows ? whole.substr(before.size()) : must_render(source_, {turn(role, text)}), thinking);
}

}  // namespace rkllm
