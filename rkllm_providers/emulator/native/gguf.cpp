// A GGUF model, run by llama.cpp on the CPU.

#include <ggml-cpu.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <type_traits>

#include "backend.h"
#include "log.h"
#include "platform.h"
#include "text.h"

namespace rkllm {
namespace {

constexpr int32_t kBatch = 512;         // llama.cpp's default physical batch
constexpr int32_t kPenaltyWindow = 64;  // llama.cpp's default repeat_last_n
constexpr int kInterleavedMrope = 40;   // LLAMA_ROPE_TYPE_IMROPE, which older headers do not have
constexpr std::streamsize kIdentityBytes = 1 << 20;

void forward_log(ggml_log_level level, const char *text, void *) {
  std::string line(text);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  if (line.empty()) return;
  if (level == GGML_LOG_LEVEL_ERROR) {
    log_error("llama.cpp: " + line);
  } else if (log_level() >= 2 && level != GGML_LOG_LEVEL_CONT) {
    log_info("llama.cpp: " + line);
  }
}

void start_llama_once() {
  static std::once_flag once;
  std::call_once(once, [] { llama_backend_init(); });
  llama_log_set(forward_log, nullptr);
}

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T *object) const {
    Free(object);
  }
};
using ModelPtr = std::unique_ptr<llama_model, Deleter<llama_model_free>>;
using ContextPtr = std::unique_ptr<llama_context, Deleter<llama_free>>;
using SamplerPtr = std::unique_ptr<llama_sampler, Deleter<llama_sampler_free>>;
using ThreadpoolPtr = std::unique_ptr<ggml_threadpool, Deleter<ggml_threadpool_free>>;

struct Batch {
  llama_batch batch = llama_batch_init(kBatch, 0, 1);
  Batch() = default;
  Batch(const Batch &) = delete;
  Batch &operator=(const Batch &) = delete;
  ~Batch() { llama_batch_free(batch); }

  void place(size_t n, size_t position, bool all_logits, bool last_logits) {
    batch.n_tokens = static_cast<int32_t>(n);
    for (size_t i = 0; i < n; ++i) {
      batch.pos[i] = static_cast<llama_pos>(position + i);
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = all_logits || (last_logits && i + 1 == n) ? 1 : 0;
    }
  }
};

// llama.cpp put the vocabulary's size in front of this function's arguments in 2026; both are served.
template <class Init>
llama_sampler *penalties(Init init, int32_t n_vocab, const Sampling &s) {
  if constexpr (std::is_invocable_v<Init, int32_t, int32_t, float, float, float>) {
    return init(n_vocab, kPenaltyWindow, s.repeat_penalty, s.frequency_penalty, s.presence_penalty);
  } else {
    return init(kPenaltyWindow, s.repeat_penalty, s.frequency_penalty, s.presence_penalty);
  }
}

// Functions that came or changed after the oldest llama.cpp served; the call that compiles is made.
template <class Model>
auto input_width(const Model *model, int) -> decltype(llama_model_n_embd_inp(model)) {
  return llama_model_n_embd_inp(model);
}
template <class Model>
int32_t input_width(const Model *model, long) {
  return llama_model_n_embd(model);
}

template <class Context>
auto set_adapter(Context *context, llama_adapter_lora **adapter, float *scale, int)
    -> decltype(llama_set_adapters_lora(context, adapter, size_t{1}, scale)) {
  return llama_set_adapters_lora(context, adapter, *adapter == nullptr ? 0 : 1, scale);
}
template <class Context>
auto set_adapter(Context *context, llama_adapter_lora **adapter, float *scale, long)
    -> decltype(llama_set_adapter_lora(context, *adapter, *scale)) {
  llama_clear_adapter_lora(context);
  return *adapter == nullptr ? 0 : llama_set_adapter_lora(context, *adapter, *scale);
}

class Gguf final : public Backend {
 public:
  explicit Gguf(const std::string &path) {
    start_llama_once();
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = 0;
    model_.reset(llama_model_load_from_file(path.c_str(), params));
    if (!model_) throw Refused("llama.cpp could not load the model " + path);
    if (llama_model_has_encoder(model_.get())) {
      throw Refused("the emulator runs decoder-only models, and " + path + " has an encoder");
    }
    vocab_ = llama_model_get_vocab(model_.get());
    read_facts(path);
    read_vocabulary();
  }

  void allocate(int32_t n_positions) override {
    const int threads =
        static_cast<int>(number_from_environment("RKLLM_EMULATOR_THREADS", 1, GGML_MAX_N_THREADS)
                             .value_or(std::clamp(physical_cpus() / 2, 1, 4)));
    llama_context_params params = llama_context_default_params();
    params.n_ctx = static_cast<uint32_t>(n_positions);
    params.n_batch = kBatch;
    params.n_ubatch = kBatch;
    params.n_seq_max = 1;
    params.n_threads = threads;
    params.n_threads_batch = threads;
    params.pooling_type = LLAMA_POOLING_TYPE_NONE;
    context_.reset(llama_init_from_model(model_.get(), params));
    if (!context_)
      throw Refused("llama.cpp could not make a context of " + std::to_string(n_positions) + " tokens");
    // Threads that wait passively: a service at rest must not keep cores busy.
    ggml_threadpool_params pool = ggml_threadpool_params_default(threads);
    pool.poll = 0;
    threadpool_.reset(ggml_threadpool_new(&pool));
    if (!threadpool_) throw Refused("could not start " + std::to_string(threads) + " threads");
    llama_attach_threadpool(context_.get(), threadpool_.get(), threadpool_.get());
    candidates_.resize(vocabulary_.size());
  }

  std::vector<int32_t> encode(std::string_view text, bool at_start) const override {
    const auto length = static_cast<int32_t>(text.size());
    std::vector<int32_t> tokens(text.size() + 8);
    int32_t n = llama_tokenize(vocab_, text.data(), length, tokens.data(),
                               static_cast<int32_t>(tokens.size()), at_start, true);
    if (n < 0) {
      tokens.resize(static_cast<size_t>(-n));
      n = llama_tokenize(vocab_, text.data(), length, tokens.data(), -n, at_start, true);
    }
    if (n < 0) throw Refused("llama.cpp could not tokenise the prompt");
    tokens.resize(static_cast<size_t>(n));
    // A prompt that brings its own beginning-of-text token needs no second one.
    if (tokens.size() >= 2 && tokens[0] == llama_vocab_bos(vocab_) && tokens[1] == tokens[0])
      tokens.erase(tokens.begin());
    return tokens;
  }

  void prefill(const Prompt &prompt, size_t from, size_t position) override {
    compute(prompt, from, position, false, [](size_t, size_t) {});
    const float *logits = llama_get_logits_ith(context_.get(), -1);
    prefill_logits_.assign(logits, logits + vocabulary_.size());
    logits_ = prefill_logits_.data();
  }

  void prefill_rows(const Prompt &prompt, Rows kind, std::vector<float> &rows) override {
    const bool hidden = kind == Rows::hidden;
    const size_t width = hidden ? static_cast<size_t>(llama_model_n_embd(model_.get())) : vocabulary_.size();
    rows.resize(prompt.size() * width);
    prefill_logits_.clear();
    const struct Switch {
      llama_context *context;
      bool on;
      Switch(llama_context *c, bool o) : context(c), on(o) {
        if (on) llama_set_embeddings(context, true);
      }
      ~Switch() {
        if (on) llama_set_embeddings(context, false);
      }
    } embeddings(context_.get(), hidden);
    compute(prompt, 0, 0, true, [&](size_t first, size_t n) {
      for (size_t i = 0; i < n; ++i) {
        const auto at = static_cast<int32_t>(i);
        const float *row =
            hidden ? llama_get_embeddings_ith(context_.get(), at) : llama_get_logits_ith(context_.get(), at);
        if (row == nullptr) throw std::runtime_error("llama.cpp has no output for a position");
        std::copy(row, row + width, rows.begin() + static_cast<std::ptrdiff_t>((first + i) * width));
      }
    });
  }

  bool restore_logits() override {
    if (prefill_logits_.empty()) return false;
    logits_ = prefill_logits_.data();
    return true;
  }

  void begin(const Start &start) override {
    sampler_ = make_sampler(start);
    const size_t n = start.context.size();
    for (size_t i = n > kPenaltyWindow ? n - kPenaltyWindow : 0; i < n; ++i) {
      if (start.context[i] >= 0) llama_sampler_accept(sampler_.get(), static_cast<int32_t>(start.context[i]));
    }
  }

  Step next() override {
    for (size_t id = 0; id < candidates_.size(); ++id)
      candidates_[id] = {static_cast<int32_t>(id), logits_[id], 0.0f};
    llama_token_data_array array = {candidates_.data(), candidates_.size(), -1, false};
    llama_sampler_apply(sampler_.get(), &array);
    if (array.selected < 0) throw std::runtime_error("llama.cpp sampled no token");
    const int32_t token = array.data[array.selected].id;
    llama_sampler_accept(sampler_.get(), token);
    return {Step::Kind::token, token};
  }

  void evaluate(int32_t token, size_t position) override {
    batch_.place(1, position, false, true);
    batch_.batch.token[0] = token;
    decode(batch_.batch);
    logits_ = llama_get_logits_ith(context_.get(), -1);
  }

  bool truncate(size_t length) override {
    llama_memory_t memory = llama_get_memory(context_.get());
    if (length > 0 && llama_memory_seq_rm(memory, 0, static_cast<llama_pos>(length), -1)) return true;
    llama_memory_clear(memory, true);
    return length == 0;
  }

  bool discard(size_t from, size_t to, size_t) override {
    llama_memory_t memory = llama_get_memory(context_.get());
    if (!llama_memory_can_shift(memory)) return false;
    const auto begin = static_cast<llama_pos>(from);
    const auto end = static_cast<llama_pos>(to);
    if (!llama_memory_seq_rm(memory, 0, begin, end)) return false;
    llama_memory_seq_add(memory, 0, end, -1, begin - end);
    return true;
  }

  void load_adapter(const std::string &name, const std::string &path, float scale) override {
    // Freed with the model.
    llama_adapter_lora *adapter = llama_adapter_lora_init(model_.get(), path.c_str());
    if (adapter == nullptr) throw Refused("llama.cpp could not load the LoRA adapter " + path);
    adapters_[name] = {adapter, scale};
  }

  void select_adapter(const std::string &name) override {
    Adapter chosen = name.empty() ? Adapter{} : adapters_.at(name);
    if (set_adapter(context_.get(), &chosen.adapter, &chosen.scale, 0) != 0) {
      throw std::runtime_error("llama.cpp could not apply the LoRA adapter " + name);
    }
  }

  std::string identity() const override { return identity_; }

  std::vector<char> save_state() override {
    std::vector<char> state(llama_state_seq_get_size(context_.get(), 0));
    const size_t n =
        llama_state_seq_get_data(context_.get(), reinterpret_cast<uint8_t *>(state.data()), state.size(), 0);
    if (n == 0) throw std::runtime_error("llama.cpp could not save the state");
    state.resize(n);
    return state;
  }

  bool load_state(const std::vector<char> &state, const std::vector<int32_t> &) override {
    llama_memory_clear(llama_get_memory(context_.get()), true);
    prefill_logits_.clear();
    const auto *data = reinterpret_cast<const uint8_t *>(state.data());
    if (llama_state_seq_set_data(context_.get(), data, state.size(), 0) == state.size()) return true;
    llama_memory_clear(llama_get_memory(context_.get()), true);
    return false;
  }

 private:
  struct Adapter {
    llama_adapter_lora *adapter = nullptr;
    float scale = 0;
  };

  void read_facts(const std::string &path) {
    facts_.embedding_size = input_width(model_.get(), 0);
    facts_.context_limit = llama_model_n_ctx_train(model_.get());
    const char *chat_template = llama_model_chat_template(model_.get(), nullptr);
    facts_.chat_template = chat_template == nullptr ? "" : chat_template;
    char description[128] = "";
    llama_model_desc(model_.get(), description, sizeof description);
    const char *last = std::strrchr(description, ' ');  // "llama 135M Q4_1"
    facts_.dtype = last == nullptr ? "unknown" : last + 1;
    // The beginning of the file holds the model's name, its vocabulary and the sizes of its layers.
    std::string head(kIdentityBytes, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), kIdentityBytes);
    head.resize(static_cast<size_t>(file.gcount()));
    identity_ = std::string(description) + " " + std::to_string(llama_model_size(model_.get())) + " " +
                crc32_hex(head);
    // Models with several position numbers per token want all of them for rows.
    const llama_rope_type rope = llama_model_rope_type(model_.get());
    has_several_positions_ = rope == LLAMA_ROPE_TYPE_MROPE || rope == kInterleavedMrope;
  }

  void read_vocabulary() {
    const int32_t n = llama_vocab_n_tokens(vocab_);
    vocabulary_.resize(static_cast<size_t>(n));
    std::vector<char> piece(256);
    for (int32_t id = 0; id < n; ++id) {
      Token &token = vocabulary_[static_cast<size_t>(id)];
      int32_t length =
          llama_token_to_piece(vocab_, id, piece.data(), static_cast<int32_t>(piece.size()), 0, true);
      if (length < 0) {
        piece.resize(static_cast<size_t>(-length));
        length = llama_token_to_piece(vocab_, id, piece.data(), -length, 0, true);
      }
      token.bytes.assign(piece.data(), static_cast<size_t>(std::max(length, 0)));
      token.end = llama_vocab_is_eog(vocab_, id);
      token.special = token.end || llama_vocab_is_control(vocab_, id);
      token.whole = incomplete_utf8_tail(token.bytes) == 0;
    }
  }

  void decode(const llama_batch &batch) {
    if (const int32_t status = llama_decode(context_.get(), batch); status != 0) {
      throw std::runtime_error("llama_decode failed with status " + std::to_string(status));
    }
  }

  // One decoding per stretch of tokens or of rows; `done` gets the first position and the number of each.
  template <class Done>
  void compute(const Prompt &prompt, size_t from, size_t position, bool all_outputs, Done done) {
    const auto width = static_cast<size_t>(facts_.embedding_size);
    size_t row = prompt.rows_before(from);
    for (size_t at = from; at < prompt.size();) {
      const bool is_row = prompt.keys[at] < 0;
      size_t n = 1;
      while (n < kBatch && at + n < prompt.size() && (prompt.keys[at + n] < 0) == is_row) ++n;
      batch_.place(n, position + at - from, all_outputs, at + n == prompt.size());
      if (is_row) {
        decode_rows(prompt.rows.data() + row * width);
        row += n;
      } else {
        for (size_t i = 0; i < n; ++i) batch_.batch.token[i] = static_cast<int32_t>(prompt.keys[at + i]);
        decode(batch_.batch);
      }
      done(at, n);
      at += n;
    }
  }

  void decode_rows(const float *rows) {
    llama_batch batch = batch_.batch;
    batch.token = nullptr;
    batch.embd = const_cast<float *>(rows);  // llama.cpp only reads them
    std::vector<llama_pos> positions;
    if (has_several_positions_) {
      // As llama.cpp does for text: three times the same, then 0.
      const auto n = static_cast<size_t>(batch.n_tokens);
      for (int part = 0; part < 3; ++part) positions.insert(positions.end(), batch.pos, batch.pos + n);
      positions.resize(4 * n, 0);
      batch.pos = positions.data();
    }
    decode(batch);
  }

  // The order of llama.cpp's own command line; greedy where only one token can be chosen.
  SamplerPtr make_sampler(const Start &start) const {
    const Sampling &s = start.sampling;
    const auto n_vocab = static_cast<int32_t>(vocabulary_.size());
    SamplerPtr chain(llama_sampler_chain_init(llama_sampler_chain_default_params()));
    const auto add = [&chain](llama_sampler *sampler) {
      if (sampler == nullptr) throw Refused("llama.cpp refused the sampling parameters");
      llama_sampler_chain_add(chain.get(), sampler);
    };
    if (start.ignore_eos) {
      std::vector<llama_logit_bias> bias;
      for (int32_t id = 0; id < n_vocab; ++id) {
        if (vocabulary_[static_cast<size_t>(id)].end) bias.push_back({id, -INFINITY});
      }
      add(llama_sampler_init_logit_bias(n_vocab, static_cast<int32_t>(bias.size()), bias.data()));
    }
    const bool greedy = s.temperature <= 0 || s.top_k == 1;
    if (greedy || s.mirostat == 0) add(penalties(llama_sampler_init_penalties, n_vocab, s));
    if (greedy) {
      add(llama_sampler_init_greedy());
      return chain;
    }
    if (s.mirostat == 0) {
      add(llama_sampler_init_top_k(s.top_k));
      add(llama_sampler_init_top_p(s.top_p, 1));
    }
    add(llama_sampler_init_temp(s.temperature));
    if (s.mirostat == 0) {
      add(llama_sampler_init_dist(start.seed));
    } else if (s.mirostat == 1) {
      add(llama_sampler_init_mirostat(n_vocab, start.seed, s.mirostat_tau, s.mirostat_eta, 100));
    } else {
      add(llama_sampler_init_mirostat_v2(start.seed, s.mirostat_tau, s.mirostat_eta));
    }
    return chain;
  }

  // The order matters: the context goes before the threads it uses and the model it was made of.
  ModelPtr model_;
  ThreadpoolPtr threadpool_;
  ContextPtr context_;
  SamplerPtr sampler_;
  const llama_vocab *vocab_ = nullptr;
  Batch batch_;
  std::map<std::string, Adapter> adapters_;
  std::string identity_;
  bool has_several_positions_ = false;
  std::vector<float> prefill_logits_;
  const float *logits_ = nullptr;
  std::vector<llama_token_data> candidates_;
};

}  // namespace

std::unique_ptr<Backend> open_gguf(const std::string &path) { return std::make_unique<Gguf>(path); }

}  // namespace rkllm
