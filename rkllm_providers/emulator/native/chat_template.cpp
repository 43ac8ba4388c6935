#include "chat_template.h"

#include <llama.h>

#include <utility>
#include <vector>

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
  raw_ = system.empty() && prefix.empty() && postfix.empty();
}

std::string ChatTemplate::finish(std::string prompt, std::optional<bool> thinking) const {
  if (thinks_ && thinking == false) prompt += kEmptyThinking;
  return prompt;
}

std::string ChatTemplate::first(const std::string &role, const std::string &text,
                                std::optional<bool> thinking) const {
  if (raw_) return text;
  if (replaced_) return system_ + prefix_ + text + postfix_;
  return finish(must_render(source_, {{role, text}}), thinking);
}

std::string ChatTemplate::next(const std::string &role, const std::string &text,
                               std::optional<bool> thinking) const {
  if (raw_) return text;
  if (replaced_) return prefix_ + text + postfix_;
  // What the template puts between an answer and the next answer does not depend on the words said before,
  // so it is read off a made-up conversation.
  const std::string before = must_render(source_, {{"user", "?"}}) + "!";
  const std::string whole = must_render(source_, {{"user", "?"}, {"assistant", "!"}, {role, text}});
  const bool follows = whole.compare(0, before.size(), before) == 0;
  return finish(follows ? whole.substr(before.size()) : must_render(source_, {{role, text}}), thinking);
}

}  // namespace rkllm
