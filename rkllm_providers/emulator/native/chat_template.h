// How one user turn becomes prompt text (semantics of rkllm_run with prompt input, 1.2.0 and later).
#pragma once

#include <optional>
#include <string>

namespace rkllm {

class ChatTemplate {
 public:
  // The model's own template, as far as llama.cpp's built-in list knows it.
  explicit ChatTemplate(std::string source);

  // False: there is none that is understood, and prompts are sent as they are.
  bool understood() const { return !raw_; }

  // Replaces the template for good; three empty texts mean prompts are sent as they are.
  void replace(const std::string &system, const std::string &prefix, const std::string &postfix);

  // What rkllm_clear_kv_cache keeps when it is asked to keep the system prompt.
  const std::string &system() const { return system_; }

  // The first turn of a conversation.
  std::string first(const std::string &role, const std::string &text, std::optional<bool> thinking) const;

  // A later turn: what follows the assistant's answer, beginning with what closes that answer.
  std::string next(const std::string &role, const std::string &text, std::optional<bool> thinking) const;

 private:
  std::string finish(std::string prompt, std::optional<bool> thinking) const;

  std::string source_;
  std::string system_;
  std::string prefix_;
  std::string postfix_;
  bool raw_ = false;
  bool replaced_ = false;
  bool thinks_ = false;
};

}  // namespace rkllm
