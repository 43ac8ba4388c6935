// The structs a caller passes, read into the session's own types. Part of api.cpp: it depends on the ABI.
#pragma once

#include <bitset>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "rkllm.h"
#include "types.h"

namespace rkllm::abi {

// The texts around pictures, which before 1.3.0 are given to rkllm_init.
struct Tags {
  std::string start;
  std::string end;
};

struct Callbacks {
  LLMResultCallback result = nullptr;
  void *userdata = nullptr;
#if RKLLM_ABI >= RKLLM_ABI_D
  LLMTokenizerCallback tokenizer = nullptr;
  void *tokenizer_userdata = nullptr;
  LLMGetEmbedCallback embed = nullptr;
  void *embed_userdata = nullptr;
#endif
};

// What is known of the model when an input is read.
struct Reading {
  const Tags &tags;
  size_t width;  // of an embedding row
  size_t limit;  // max_context_len: nothing longer is read
};

#if RKLLM_ABI >= RKLLM_ABI_D
inline Callbacks read_callbacks(const RKLLMCallback *given) {
  if (given == nullptr) return {};
  return {given->result_callback,    given->result_userdata, given->tokenizer_callback,
          given->tokenizer_userdata, given->embed_callback,  given->embed_userdata};
}

inline Tokenizer read_tokenizer(const Callbacks &callbacks) {
  if (callbacks.tokenizer == nullptr) return {};
  return [call = callbacks.tokenizer, userdata = callbacks.tokenizer_userdata](std::string_view text,
                                                                               int32_t limit) {
    std::vector<int32_t> tokens(static_cast<size_t>(limit));
    const std::string copy(text);  // ends with NUL
    const int n = call(userdata, copy.c_str(), static_cast<int32_t>(copy.size()), tokens.data(), limit);
    if (n < 0 || n > limit) throw Refused("the tokenizer callback failed with " + std::to_string(n));
    tokens.resize(static_cast<size_t>(n));
    return tokens;
  };
}

inline Embedder read_embedder(const Callbacks &callbacks) {
  if (callbacks.embed == nullptr) return {};
  return [call = callbacks.embed, userdata = callbacks.embed_userdata](std::vector<int32_t> &tokens,
                                                                       float *rows, size_t width) {
    const uint64_t bytes = tokens.size() * width * sizeof(float);
    if (const int code = call(userdata, tokens.data(), tokens.size(), rows, bytes); code != 0)
      throw Refused("the embed callback failed with " + std::to_string(code));
  };
}
#endif

inline Tags read_tags([[maybe_unused]] const RKLLMParam &param) {
#if RKLLM_ABI <= RKLLM_ABI_C
  return {param.img_start == nullptr ? "" : param.img_start, param.img_end == nullptr ? "" : param.img_end};
#else
  return {};
#endif
}

inline Options read_options(const RKLLMParam &param, [[maybe_unused]] const Callbacks &callbacks) {
  Options options;
  if (param.model_path == nullptr) throw Refused("model_path is NULL");
  options.model_path = param.model_path;
  options.max_context_len = param.max_context_len;
  options.max_new_tokens = param.max_new_tokens;
  options.sampling = {param.top_k,
                      param.top_p,
                      param.temperature,
                      param.repeat_penalty,
                      param.frequency_penalty,
                      param.presence_penalty,
                      param.mirostat,
                      param.mirostat_tau,
                      param.mirostat_eta};
  options.skip_special_token = param.skip_special_token;
  options.reuses_rows = std::string_view(RKLLM_VERSION) >= "1.2.3";
#if RKLLM_ABI >= RKLLM_ABI_B0
  options.n_keep = param.n_keep;
#else
  options.keeps_cache = false;
  options.applies_template = false;
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  options.ignore_eos_token = param.ignore_eos_token;
  options.tokenizer = read_tokenizer(callbacks);
  options.embedder = read_embedder(callbacks);
#endif
  return options;
}

inline void check_extended([[maybe_unused]] const RKLLMExtendParam &extend,
                           [[maybe_unused]] int32_t npu_cores) {
#if RKLLM_ABI >= RKLLM_ABI_B0
  const int cpus = extend.enabled_cpus_num;
  if (cpus < 1 || cpus > 8)
    throw Refused("enabled_cpus_num must be between 1 and 8, but got " + std::to_string(cpus));
  if (cpus < npu_cores) {
    throw Refused("The number of enabled CPUs must be greater than or equal to the number of NPU cores.");
  }
  if (std::bitset<32>(extend.enabled_cpus_mask).count() != static_cast<size_t>(cpus)) {
    throw Refused("Mismatch between enabled CPUs mask and expected count. Please check the configuration.");
  }
#endif
#if RKLLM_ABI >= RKLLM_ABI_C
  const int n_batch = extend.n_batch;
  if (n_batch < 1 || n_batch > 100)
    throw Refused("n_batch must be between 1 and 100, but got " + std::to_string(n_batch));
  if (n_batch > 1)
    throw Refused("the emulator runs one input at a time: n_batch must be 1, but got " +
                  std::to_string(n_batch));
  if (extend.use_cross_attn != 0)
    throw Refused("the emulator has no cross attention: use_cross_attn must be 0");
#endif
}

inline void copy_rows(const float *values, size_t n_items, size_t n_rows, const Reading &reading,
                      std::vector<float> &into) {
  if (n_items > reading.limit || n_rows > reading.limit || n_items * n_rows >= reading.limit) {
    throw Refused("the input has " + std::to_string(n_items) + " x " + std::to_string(n_rows) +
                  " embedding rows, which is not below max_context_len " + std::to_string(reading.limit));
  }
  if (values == nullptr || n_items * n_rows == 0) throw Refused("the embedding is NULL or has no rows");
  into.assign(values, values + n_items * n_rows * reading.width);
}

inline std::string text_of(const char *text) { return text == nullptr ? "" : text; }

// A kind of which the input has none stays in the list: then the prompt must have none of its tags.
inline void add_media(Request &request, const Reading &reading, const char *kind, const float *values,
                      size_t n_items, size_t n_rows, Tags tags, const std::string &facts) {
  Media media{kind, n_items, n_rows, {}, std::move(tags.start), std::move(tags.end), facts};
  if (n_items > 0) copy_rows(values, n_items, n_rows, reading, media.rows);
  request.media.push_back(std::move(media));
}

inline std::string picture_facts(size_t n_tokens, size_t width, size_t height) {
  return " tokens=" + std::to_string(n_tokens) + " size=" + std::to_string(width) + "x" +
         std::to_string(height);
}

inline void read_media(const RKLLMMultiModalInput &given, const Reading &reading, Request &request) {
  if (given.prompt == nullptr) throw Refused("the prompt is NULL");
  request.prompt = given.prompt;
#if RKLLM_ABI <= RKLLM_ABI_C
  size_t n_image = 1;
  size_t width = 0;
  size_t height = 0;
#if RKLLM_ABI >= RKLLM_ABI_B1
  n_image = given.n_image;
  width = given.image_width;
  height = given.image_height;
#endif
  add_media(request, reading, "image", given.image_embed, n_image, given.n_image_tokens, reading.tags,
            picture_facts(given.n_image_tokens, width, height));
#else
  const auto &image = given.image;
  add_media(request, reading, "image", image.image_embed, image.n_image, image.n_image_tokens,
            {text_of(image.image_start), text_of(image.image_end)},
            picture_facts(image.n_image_tokens, image.image_width, image.image_height));
  const auto &video = given.video;
  const size_t n_frames = video.n_frame_per_video;
  if (n_frames > reading.limit || video.n_frame_tokens > reading.limit) {
    throw Refused("the video has " + std::to_string(n_frames) + " frames of " +
                  std::to_string(video.n_frame_tokens) + " rows, which do not fit max_context_len " +
                  std::to_string(reading.limit));
  }
  add_media(request, reading, "video", video.video_embed, video.n_video, n_frames * video.n_frame_tokens,
            {text_of(video.video_start), text_of(video.video_end)},
            " frames=" + std::to_string(n_frames) +
                picture_facts(video.n_frame_tokens, video.frame_width, video.frame_height));
#endif
#if RKLLM_ABI >= RKLLM_ABI_D1
  const auto &audio = given.audio;
  add_media(request, reading, "audio", audio.audio_embed, audio.n_audio, audio.n_audio_tokens,
            {text_of(audio.audio_start), text_of(audio.audio_end)},
            " tokens=" + std::to_string(audio.n_audio_tokens));
#endif
  size_t n_items = 0;
  for (const Media &media : request.media) n_items += media.n_items;
  if (n_items == 0) throw Refused("the multimodal input has no picture");
}

inline void read_input(const RKLLMInput &input, const Reading &reading, Request &request) {
  if (input.input_type == RKLLM_INPUT_PROMPT) {
    if (input.prompt_input == nullptr) throw Refused("the prompt is NULL");
    request.prompt = input.prompt_input;
  } else if (input.input_type == RKLLM_INPUT_TOKEN) {
    request.input = Request::Input::tokens;
    const RKLLMTokenInput &tokens = input.token_input;
    if (tokens.input_ids == nullptr && tokens.n_tokens > 0) throw Refused("the token ids are NULL");
    request.tokens.assign(tokens.input_ids, tokens.input_ids + tokens.n_tokens);
  } else if (input.input_type == RKLLM_INPUT_EMBED) {
    request.input = Request::Input::rows;
    copy_rows(input.embed_input.embed, 1, input.embed_input.n_tokens, reading, request.rows);
  } else if (input.input_type == RKLLM_INPUT_MULTIMODAL) {
    request.input = Request::Input::multimodal;
    read_media(input.multimodal_input, reading, request);
  } else {
    throw Refused("unknown input_type " + std::to_string(static_cast<unsigned>(input.input_type)));
  }
}

inline Request::Mode read_mode(RKLLMInferMode mode) {
  switch (static_cast<unsigned>(mode)) {
    case RKLLM_INFER_GENERATE: return Request::Mode::generate;
    case RKLLM_INFER_GET_LAST_HIDDEN_LAYER: return Request::Mode::hidden;
#if RKLLM_ABI >= RKLLM_ABI_B0
    case RKLLM_INFER_GET_LOGITS: return Request::Mode::logits;
#endif
    default: throw Refused("unknown mode " + std::to_string(static_cast<unsigned>(mode)));
  }
}

inline Request read_request(const RKLLMInput &input, const RKLLMInferParam *infer, const Reading &reading) {
  Request request;
#if RKLLM_ABI >= RKLLM_ABI_C
  if (input.role != nullptr) request.role = input.role;
  request.thinking = input.enable_thinking;
#endif
  read_input(input, reading, request);
  if (infer == nullptr) return request;

  request.mode = read_mode(infer->mode);
  if (infer->lora_params != nullptr && infer->lora_params->lora_adapter_name != nullptr) {
    request.adapter = infer->lora_params->lora_adapter_name;
    if (request.adapter.empty()) throw Refused("the name of the LoRA adapter is empty");
  }
  if (infer->prompt_cache_params != nullptr && infer->prompt_cache_params->save_prompt_cache != 0) {
    const char *path = infer->prompt_cache_params->prompt_cache_path;
    request.save_cache_to = path == nullptr || *path == '\0' ? "./prompt_cache.bin" : path;
  }
#if RKLLM_ABI >= RKLLM_ABI_B0
  request.keep_history = infer->keep_history != 0;
#endif
#if RKLLM_ABI >= RKLLM_ABI_D
  if (infer->sampling_params != nullptr) {
    const RKLLMSamplingParam &s = *infer->sampling_params;
    request.sampling = Sampling{
        s.top_k,    s.top_p,        s.temperature, s.repeat_penalty, s.frequency_penalty, s.presence_penalty,
        s.mirostat, s.mirostat_tau, s.mirostat_eta};
  }
  request.max_new_tokens = infer->max_new_tokens;
#endif
  return request;
}

}  // namespace rkllm::abi
