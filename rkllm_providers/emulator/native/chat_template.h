// How one user turn becomes prompt text (semantics of rkllm_run with prompt input, 1.2.0 and later).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rkllm {

class ChatTemplate {
 public:
  // The model's own template, as far as llama.cpp's built-in list knows it.
  explicit ChatTemplate(std::string source);

  // False: there is none that is understood, and prompts are sent as they are.
  bool understood() const { return !raw_; }

  // Replaces the template for good; three empty texts mean prompts are sent as they are.
  void replace(const std::string &system, const std::string &prefix, const std::string &postfix);

  // Puts the functions a model may call, and a system text, into the first turn; refuses what cannot be used.
  void set_tools(const std::string &system, const std::string &tools, const std::string &tag);

  // What every first turn begins with because of replace() or set_tools(): what rkllm_clear_kv_cache keeps
  // when it is asked to keep the system prompt.
  std::string system() const;

  // The first turn of a conversation.
  std::string first(const std::string &role, const std::string &text, std::optional<bool> thinking) const;

  // A later turn: what follows the assistant's answer, beginning with what closes that answer.
  std::string next(const std::string &role, const std::string &text, std::optional<bool> thinking) const;

 private:
  using Messages = std::vector<std::pair<std::string, std::string>>;

  // Role and content of one turn: results of functions are a user's turn in which each stands in its tags.
  std::pair<std::string, std::string> turn(const std::string &role, const std::string &text) const;
  // Puts the system message in front, where there is one.
  Messages opening(Messages messages) const;
  std::string finish(std::string prompt, std::optional<bool> thinking) const;

  std::string source_;
  std::string tools_;  // the system message that set_tools() made; empty: there is none
  std::string tag_;
  std::string system_;
  std::string prefix_;
  std::string postfix_;
  bool raw_ = false;
  bool replaced_ = false;
  bool thinks_ = false;
};

}  // namespace rkllm
