// The functions of librknnrt.so over scripted vision encoders. What the vendor does not document is chosen here:
// docs/vision.md has the list.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include "rknn.h"
#include "rknn_encoder.h"

namespace rknn_emulator {
namespace {

constexpr uint32_t kChannels = 3;

struct Context {
  explicit Context(EncoderFile given) : file(std::move(given)) {}

  EncoderFile file;
  std::mutex mutex;
  int core_mask = RKNN_NPU_CORE_AUTO;
  std::vector<uint8_t> pixels;
  bool has_run = false;
  std::map<std::string, uint32_t> calls;

  uint32_t columns() const { return file.n_embd / file.n_outputs; }
  uint32_t n_elems() const { return file.n_tokens * columns(); }

  // The code that a call of a function is to fail with; RKNN_SUCC where it is not.
  int fault(const char *function) {
    const uint32_t call = ++calls[function];
    for (const Fault &fault : file.faults) {
      if (fault.function == function && (fault.call == 0 || fault.call == call)) return fault.code;
    }
    return RKNN_SUCC;
  }
};

std::mutex all_mutex;
std::map<rknn_context, std::shared_ptr<Context>> all_contexts;
rknn_context last_context = 0x5eed;
std::map<void *, size_t> outputs_given;  // output buffers that are not released, and their sizes

int complain(const char *function, int code, const std::string &problem) {
  std::printf("E RKNN: [emulator] %s: %s\n", function, problem.c_str());
  std::fflush(stdout);
  return code;
}

std::shared_ptr<Context> find(rknn_context id) {
  const std::lock_guard lock(all_mutex);
  const auto found = all_contexts.find(id);
  return found == all_contexts.end() ? nullptr : found->second;
}

// Finds the context, and calls `work` with it unless the function is to fail.
template <class Work>
int with_context(rknn_context id, const char *function, Work work) {
  const std::shared_ptr<Context> context = find(id);
  if (context == nullptr) return complain(function, RKNN_ERR_CTX_INVALID, "there is no such context");
  const std::lock_guard lock(context->mutex);
  if (const int code = context->fault(function); code != RKNN_SUCC) {
    return complain(function, code, "fails, as the script says");
  }
  return work(*context);
}

std::string read_model(const void *model, uint32_t size) {
  if (size > 0) return std::string(static_cast<const char *>(model), size);
  std::ifstream stream(static_cast<const char *>(model), std::ios::binary);
  if (!stream) throw Malformed(std::string("cannot read ") + static_cast<const char *>(model));
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

void set_text(char (&into)[256], const char *text) { std::snprintf(into, sizeof into, "%s", text); }

void describe(rknn_tensor_attr &attr, const char *name, std::initializer_list<uint32_t> dims,
              rknn_tensor_format format) {
  const uint32_t index = attr.index;
  attr = {};
  attr.index = index;
  set_text(attr.name, name);
  attr.n_elems = 1;
  for (const uint32_t dim : dims) {
    attr.dims[attr.n_dims++] = dim;
    attr.n_elems *= dim;
  }
  attr.size = attr.n_elems * 2;
  attr.size_with_stride = attr.size;
  attr.fmt = format;
  attr.type = RKNN_TENSOR_FLOAT16;
  attr.scale = 1.0f;
}

int query(const Context &context, rknn_query_cmd command, void *info, uint32_t size) {
  const EncoderFile &file = context.file;
  const auto has_room = [&](size_t needed) { return info != nullptr && size >= needed; };
  const char *const function = "rknn_query";
  if (command == RKNN_QUERY_IN_OUT_NUM && has_room(sizeof(rknn_input_output_num))) {
    *static_cast<rknn_input_output_num *>(info) = {1, file.n_outputs};
    return RKNN_SUCC;
  }
  if (command == RKNN_QUERY_SDK_VERSION && has_room(sizeof(rknn_sdk_version))) {
    auto &version = *static_cast<rknn_sdk_version *>(info);
    set_text(version.api_version, "0.0.0 (emulator)");
    set_text(version.drv_version, "0.0.0 (emulator)");
    return RKNN_SUCC;
  }
  const bool about_input = command == RKNN_QUERY_INPUT_ATTR;
  if ((!about_input && command != RKNN_QUERY_OUTPUT_ATTR) || !has_room(sizeof(rknn_tensor_attr))) {
    return complain(function, RKNN_ERR_PARAM_INVALID, "the command is unknown, or its struct is too small");
  }
  auto &attr = *static_cast<rknn_tensor_attr *>(info);
  if (attr.index >= (about_input ? 1 : file.n_outputs)) {
    return complain(function, RKNN_ERR_PARAM_INVALID, "there is no tensor of this index");
  }
  if (!about_input) {
    describe(attr, "rows", {1, file.n_tokens, context.columns()}, RKNN_TENSOR_UNDEFINED);
  } else if (file.is_nchw) {
    describe(attr, "pixels", {1, kChannels, file.height, file.width}, RKNN_TENSOR_NCHW);
  } else {
    describe(attr, "pixels", {1, file.height, file.width, kChannels}, RKNN_TENSOR_NHWC);
  }
  return RKNN_SUCC;
}

int set_input(Context &context, uint32_t n_inputs, const rknn_input *inputs) {
  const size_t size = static_cast<size_t>(context.file.width) * context.file.height * kChannels;
  if (n_inputs != 1 || inputs == nullptr || inputs[0].index != 0 || inputs[0].buf == nullptr ||
      inputs[0].size != size || inputs[0].pass_through != 0 || inputs[0].type != RKNN_TENSOR_UINT8 ||
      inputs[0].fmt != RKNN_TENSOR_NHWC) {
    return complain("rknn_inputs_set", RKNN_ERR_INPUT_INVALID,
                    "one input of " + std::to_string(size) + " bytes in the layout NHWC is needed");
  }
  const auto *bytes = static_cast<const uint8_t *>(inputs[0].buf);
  context.pixels.assign(bytes, bytes + size);
  context.has_run = false;
  return RKNN_SUCC;
}

// One line for each run, so that a test in another process can count them.
void note_run(const Context &context) {
  const char *path = std::getenv("RKNN_EMULATOR_RUN_LOG");
  if (path == nullptr || *path == '\0') return;
  std::FILE *file = std::fopen(path, "a");
  if (file == nullptr) {
    complain("rknn_run", RKNN_SUCC, std::string("cannot write ") + path);
    return;
  }
  std::fprintf(file, "%ux%u %08x\n", context.file.width, context.file.height, checksum(context.pixels));
  std::fclose(file);
}

int run(Context &context) {
  if (context.pixels.empty()) return complain("rknn_run", RKNN_ERR_FAIL, "no input was set");
  if (context.file.run_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(context.file.run_ms));
  context.has_run = true;
  note_run(context);
  return RKNN_SUCC;
}

int get_outputs(Context &context, uint32_t n_outputs, rknn_output *outputs) {
  const char *const function = "rknn_outputs_get";
  const uint32_t size = context.n_elems() * static_cast<uint32_t>(sizeof(float));
  if (!context.has_run) return complain(function, RKNN_ERR_FAIL, "nothing was run");
  if (n_outputs != context.file.n_outputs || outputs == nullptr) {
    return complain(function, RKNN_ERR_OUTPUT_INVALID, "all outputs must be asked for");
  }
  const int code = context.fault(function);
  for (uint32_t at = 0; at < n_outputs; ++at) {
    rknn_output &output = outputs[at];
    if (output.index >= n_outputs || output.want_float == 0 ||
        (output.is_prealloc != 0 && (output.buf == nullptr || output.size < size))) {
      return complain(function, RKNN_ERR_OUTPUT_INVALID, "an output has a wrong index, type or buffer");
    }
    // A failure comes when all but the last output were made: what was made must be released all the same.
    if (code != RKNN_SUCC && at + 1 == n_outputs) return complain(function, code, "fails, as the script says");
    const std::vector<float> rows = encode(context.file, context.pixels, output.index);
    if (output.is_prealloc == 0) {
      output.buf = std::malloc(size);
      if (output.buf == nullptr) return complain(function, RKNN_ERR_MALLOC_FAIL, "there is no memory");
      const std::lock_guard lock(all_mutex);
      outputs_given[output.buf] = size;
    }
    output.size = size;
    std::memcpy(output.buf, rows.data(), size);
  }
  return RKNN_SUCC;
}

int release_outputs(uint32_t n_outputs, rknn_output *outputs) {
  if (outputs == nullptr) return complain("rknn_outputs_release", RKNN_ERR_PARAM_INVALID, "there are no outputs");
  const std::lock_guard lock(all_mutex);
  for (uint32_t at = 0; at < n_outputs; ++at) {
    const auto found = outputs_given.find(outputs[at].buf);
    if (outputs[at].is_prealloc != 0 || found == outputs_given.end()) continue;
    // Who reads a released output reads numbers that are none.
    std::memset(found->first, 0xff, found->second);
    std::free(found->first);
    outputs_given.erase(found);
    outputs[at].buf = nullptr;
  }
  return RKNN_SUCC;
}

}  // namespace
}  // namespace rknn_emulator

namespace emulated = rknn_emulator;

int rknn_init(rknn_context *context, void *model, uint32_t size, uint32_t, rknn_init_extend *) {
  const char *const function = "rknn_init";
  if (context == nullptr || model == nullptr) {
    return emulated::complain(function, RKNN_ERR_PARAM_INVALID, "a pointer is NULL");
  }
  try {
    emulated::EncoderFile file = emulated::parse_file(emulated::read_model(model, size));
    emulated::add_environment(file);
    auto made = std::make_shared<emulated::Context>(std::move(file));
    if (const int code = made->fault(function); code != RKNN_SUCC) {
      return emulated::complain(function, code, "fails, as the script says");
    }
    const std::lock_guard lock(emulated::all_mutex);
    *context = ++emulated::last_context;
    emulated::all_contexts[*context] = std::move(made);
    return RKNN_SUCC;
  } catch (const emulated::Malformed &problem) {
    return emulated::complain(function, RKNN_ERR_MODEL_INVALID, problem.what());
  }
}

int rknn_destroy(rknn_context context) {
  return emulated::with_context(context, "rknn_destroy", [context](emulated::Context &) {
    const std::lock_guard lock(emulated::all_mutex);
    emulated::all_contexts.erase(context);
    return RKNN_SUCC;
  });
}

int rknn_query(rknn_context context, rknn_query_cmd cmd, void *info, uint32_t size) {
  return emulated::with_context(context, "rknn_query", [&](emulated::Context &found) {
    return emulated::query(found, cmd, info, size);
  });
}

int rknn_set_core_mask(rknn_context context, rknn_core_mask core_mask) {
  return emulated::with_context(context, "rknn_set_core_mask", [core_mask](emulated::Context &found) {
    const unsigned mask = core_mask;
    if (mask > RKNN_NPU_CORE_0_1_2 && mask != RKNN_NPU_CORE_ALL) return static_cast<int>(RKNN_ERR_PARAM_INVALID);
    found.core_mask = static_cast<int>(mask);
    return static_cast<int>(RKNN_SUCC);
  });
}

int rknn_inputs_set(rknn_context context, uint32_t n_inputs, rknn_input inputs[]) {
  return emulated::with_context(context, "rknn_inputs_set", [&](emulated::Context &found) {
    return emulated::set_input(found, n_inputs, inputs);
  });
}

int rknn_run(rknn_context context, rknn_run_extend *) {
  return emulated::with_context(context, "rknn_run", [](emulated::Context &found) { return emulated::run(found); });
}

int rknn_outputs_get(rknn_context context, uint32_t n_outputs, rknn_output outputs[], rknn_output_extend *) {
  // Fails in the midst of its work, so not here.
  const std::shared_ptr<emulated::Context> found = emulated::find(context);
  if (found == nullptr) {
    return emulated::complain("rknn_outputs_get", RKNN_ERR_CTX_INVALID, "there is no such context");
  }
  const std::lock_guard lock(found->mutex);
  return emulated::get_outputs(*found, n_outputs, outputs);
}

int rknn_outputs_release(rknn_context context, uint32_t n_outputs, rknn_output outputs[]) {
  const char *const function = "rknn_outputs_release";
  const std::shared_ptr<emulated::Context> found = emulated::find(context);
  if (found == nullptr) return emulated::complain(function, RKNN_ERR_CTX_INVALID, "there is no such context");
  const std::lock_guard lock(found->mutex);
  // A call that is to fail releases all the same, so that nothing outlives the test that asked for it.
  const int code = found->fault(function);
  const int released = emulated::release_outputs(n_outputs, outputs);
  return code == RKNN_SUCC ? released : emulated::complain(function, code, "fails, as the script says");
}

int rknn_emulator_live_contexts(void) {
  const std::lock_guard lock(emulated::all_mutex);
  return static_cast<int>(emulated::all_contexts.size());
}

int rknn_emulator_unreleased_outputs(void) {
  const std::lock_guard lock(emulated::all_mutex);
  return static_cast<int>(emulated::outputs_given.size());
}

int rknn_emulator_core_mask(rknn_context context) {
  const std::shared_ptr<emulated::Context> found = emulated::find(context);
  return found == nullptr ? -1 : found->core_mask;
}
