// How a request becomes a prompt.

#include <algorithm>
#include <cstdio>

#include "session.h"
#include "text.h"

namespace rkllm {
namespace {

std::string tag_of(const Media &media) { return "<" + media.kind + ">"; }

size_t count(const std::string &text, const std::string &part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

void check_tags(const std::string &text, const std::vector<Media> &all) {
  for (const Media &media : all) {
    const std::string tag = tag_of(media);
    if (const size_t n = count(text, tag); n != media.n_items) {
      throw Refused("the prompt has " + std::to_string(n) + " tags " + tag + ", but the input has " +
                    std::to_string(media.n_items) + " of them");
    }
  }
}

constexpr float kScriptedRow = 4096;  // what rows of scripted encoders begin with (vision_script.py)
constexpr size_t kScriptedColumns = 11;

// What a scripted encoder wrote into its rows of the picture they are of; nothing for rows of others.
std::string seen(const float *rows, size_t n_rows, size_t width) {
  if (width < kScriptedColumns || rows[0] != kScriptedRow) return "";
  double colours[3] = {0, 0, 0};
  bool whole = rows[3] == static_cast<float>(n_rows);
  for (size_t at = 0; at < n_rows; ++at) {
    const float *row = rows + at * width;
    // A row of another place or of another picture.
    whole = whole && row[0] == kScriptedRow && row[2] == static_cast<float>(at) && row[6] == rows[6] &&
            row[7] == rows[7];
    for (size_t i = 0; i < 3; ++i) colours[i] += row[8 + i] / static_cast<double>(n_rows);
  }
  if (!whole) return " pixels=mixed";
  char text[64];
  std::snprintf(text, sizeof text, " pixels=%04x%04x colour=%.0f,%.0f,%.0f", static_cast<unsigned>(rows[6]),
                static_cast<unsigned>(rows[7]), colours[0], colours[1], colours[2]);
  return text;
}

// What a script reads in place of a picture's rows.
std::string note(const Media &media, const float *rows, size_t width) {
  return "<" + media.kind + media.facts + " rows=" + crc32_hex(bytes_of(rows, media.n_rows * width)) +
         seen(rows, media.n_rows, width) + ">";
}

}  // namespace

void Session::check_request(const Request &request) const {
  if (request.role != "user" && request.role != "tool") {
    throw Refused("the role must be 'user' or 'tool', but is '" + request.role + "'");
  }
  if (request.role == "tool" && request.has_text() && !is_json(request.prompt)) {
    throw Refused("the prompt of role 'tool' must be valid JSON");
  }
  if (!request.adapter.empty() && adapters_.count(request.adapter) == 0) {
    throw Refused("no LoRA adapter named '" + request.adapter + "' is loaded");
  }
  const auto n_vocab = static_cast<int32_t>(backend_->vocabulary().size());
  for (const int32_t token : request.tokens) {
    if (token < 0 || token >= n_vocab) {
      throw Refused("token id " + std::to_string(token) + " is not below the vocabulary size " +
                    std::to_string(n_vocab));
    }
  }
  check_tags(request.prompt, request.media);
}

Prompt Session::first_prompt(const Request &request) const {
  Prompt prompt;
  if (!request.has_text()) {
    prompt.add_tokens(request.tokens);
    const auto width = static_cast<size_t>(embedding_size());
    prompt.add_rows(request.rows.data(), request.rows.size() / width, width);
  } else if (!options_.applies_template) {
    add_text(prompt, request, request.prompt, true);
  } else {
    add_text(prompt, request, template_.first(request.role, request.prompt, request.thinking), true);
  }
  return prompt;
}

// The last sampled token was never evaluated; it comes before the new turn. Where it was an end token it is
// what the template closes the answer with, so that is not repeated.
Prompt Session::next_prompt(const Request &request) const {
  Prompt prompt;
  if (last_) prompt.add_tokens({*last_});
  if (!request.has_text()) {
    prompt.add_tokens(request.tokens);
    const auto width = static_cast<size_t>(embedding_size());
    prompt.add_rows(request.rows.data(), request.rows.size() / width, width);
    return prompt;
  }
  std::string text = template_.next(request.role, request.prompt, request.thinking);
  if (last_) {
    const Token &last = backend_->vocabulary()[static_cast<size_t>(*last_)];
    if (last.end && text.compare(0, last.bytes.size(), last.bytes) == 0) text.erase(0, last.bytes.size());
  }
  add_text(prompt, request, text, false);
  return prompt;
}

// Text as tokens, and each tag of a picture as what comes before its rows, the rows, and what comes after.
void Session::add_text(Prompt &prompt, const Request &request, const std::string &text, bool at_start) const {
  check_tags(text, request.media);
  const auto width = static_cast<size_t>(embedding_size());
  std::vector<size_t> used(request.media.size(), 0);
  std::string pending;
  for (size_t at = 0;;) {
    size_t tag = std::string::npos;
    size_t which = 0;
    for (size_t i = 0; i < request.media.size(); ++i) {
      const size_t found = text.find(tag_of(request.media[i]), at);
      if (found < tag) tag = found, which = i;
    }
    if (tag == std::string::npos) {
      pending.append(text, at, std::string::npos);
      prompt.add_tokens(encode(pending, at_start));
      return;
    }
    const Media &media = request.media[which];
    pending.append(text, at, tag - at).append(media.start);
    prompt.add_tokens(encode(pending, at_start));
    at_start = false;
    const float *rows = media.rows.data() + used[which]++ * media.n_rows * width;
    prompt.add_picture(rows, media.n_rows, width, note(media, rows, width));
    pending = media.end;
    at = tag + tag_of(media).size();
  }
}

void Session::check_prompt(const Prompt &prompt, bool generates) const {
  if (prompt.keys.empty()) throw Refused("the prompt has no tokens");
  if (prompt.size() >= static_cast<size_t>(options_.max_context_len)) {
    throw Refused("the prompt has " + std::to_string(prompt.size()) +
                  " tokens, which is not below max_context_len " + std::to_string(options_.max_context_len));
  }
  const bool needs_rows =
      generates || std::any_of(prompt.keys.begin(), prompt.keys.end(), [](int64_t key) { return key >= 0; });
  if (needs_rows && !backend_->facts().has_embedding && !options_.embedder) {
    throw Refused("the model was exported without its embedding: it needs an embed callback");
  }
}

std::vector<int32_t> Session::encode(const std::string &text, bool at_start) const {
  if (backend_->facts().has_tokenizer) return backend_->encode(text, at_start);
  if (!options_.tokenizer) {
    throw Refused(
        "the model was exported without its tokenizer: it needs a tokenizer callback, or token input");
  }
  if (text.empty()) return {};
  const std::vector<int32_t> tokens = options_.tokenizer(text, options_.max_context_len);
  const auto n_vocab = static_cast<int32_t>(backend_->vocabulary().size());
  for (const int32_t token : tokens) {
    if (token < 0 || token >= n_vocab)
      throw Refused("the tokenizer callback gave the token id " + std::to_string(token) +
                    ", which the model does not have");
  }
  return tokens;
}

Prompt Session::embedded(const Prompt &prompt, size_t from) const {
  const auto width = static_cast<size_t>(embedding_size());
  std::vector<int32_t> tokens;
  for (size_t at = from; at < prompt.size(); ++at) {
    if (prompt.keys[at] >= 0) tokens.push_back(static_cast<int32_t>(prompt.keys[at]));
  }
  std::vector<float> looked_up(tokens.size() * width);
  if (!tokens.empty()) options_.embedder(tokens, looked_up.data(), width);
  Prompt all;
  const float *of_tokens = looked_up.data();
  const float *own = prompt.rows.data() + prompt.rows_before(from) * width;
  for (size_t at = from; at < prompt.size(); ++at) {
    const auto note = prompt.notes.find(at);
    if (note != prompt.notes.end()) all.notes[all.size()] = note->second;
    const float *&row = prompt.keys[at] >= 0 ? of_tokens : own;
    all.add_rows(row, 1, width);
    row += width;
  }
  return all;
}

void Session::compute(const Prompt &prompt, size_t from) {
  if (backend_->facts().has_embedding) backend_->prefill(prompt, from, cache_.size());
  else backend_->prefill(embedded(prompt, from), 0, cache_.size());
}

}  // namespace rkllm
