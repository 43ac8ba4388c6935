#include "prompt_cache.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "types.h"

namespace rkllm {
namespace {

constexpr char kMagic[8] = {'R', 'K', 'L', 'M', 'P', 'C', '1', '\n'};
constexpr uint64_t kLongestName = 4096;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;

struct Writer {
  std::FILE *file;
  bool good = true;

  void bytes(const void *data, size_t n) { good = good && (n == 0 || std::fwrite(data, 1, n, file) == n); }
  void number(uint64_t value) { bytes(&value, sizeof value); }
  void block(const void *data, size_t n) {
    number(n);
    bytes(data, n);
  }
};

// Every length is compared with what is left of the file before anything of that size is made.
class Reader {
 public:
  Reader(std::FILE *file, uint64_t size) : file_(file), left_(size) {}

  bool bytes(void *data, uint64_t n) {
    if (n > left_ || (n > 0 && std::fread(data, 1, n, file_) != n)) return false;
    left_ -= n;
    return true;
  }
  bool number(uint64_t &value) { return bytes(&value, sizeof value); }
  template <class Block>
  bool block(Block &block, uint64_t most) {
    constexpr uint64_t each = sizeof(typename Block::value_type);
    uint64_t n = 0;
    if (!number(n) || n > left_ || n % each != 0 || n / each > most) return false;
    block.resize(n / each);
    return bytes(block.data(), n);
  }
  bool at_end() const { return left_ == 0; }

 private:
  std::FILE *file_;
  uint64_t left_;
};

[[noreturn]] void cannot_write(const std::string &path) {
  throw Refused("failed to save the prompt cache " + path + ": " + std::strerror(errno));
}

}  // namespace

void write_prompt_cache(const std::string &path, const PromptCache &cache) {
  std::string scratch = path + ".XXXXXX";
  const int descriptor = mkstemp(scratch.data());  // mode 0600
  if (descriptor < 0) cannot_write(path);
  File file(fdopen(descriptor, "wb"), std::fclose);
  if (!file) {
    close(descriptor);
    unlink(scratch.c_str());
    cannot_write(path);
  }
  Writer writer{file.get()};
  writer.bytes(kMagic, sizeof kMagic);
  writer.block(cache.model.data(), cache.model.size());
  writer.block(cache.adapter.data(), cache.adapter.size());
  writer.block(cache.tokens.data(), cache.tokens.size() * sizeof(int32_t));
  writer.number(cache.n_exact);
  writer.block(cache.state.data(), cache.state.size());
  const bool closed = std::fclose(file.release()) == 0;
  if (writer.good && closed && std::rename(scratch.c_str(), path.c_str()) == 0) return;
  const int reason = errno;
  unlink(scratch.c_str());
  errno = reason;
  cannot_write(path);
}

PromptCache read_prompt_cache(const std::string &path, const std::string &model, size_t most_tokens) {
  const File file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) throw Refused("the prompt cache " + path + " is missing: " + std::strerror(errno));
  long size = -1;
  if (std::fseek(file.get(), 0, SEEK_END) == 0) size = std::ftell(file.get());
  if (size < 0 || std::fseek(file.get(), 0, SEEK_SET) != 0)
    throw Refused("failed to load the prompt cache " + path + ": " + std::strerror(errno));
  if (size == 0) throw Refused("the prompt cache " + path + " is empty");

  Reader reader(file.get(), static_cast<uint64_t>(size));
  PromptCache cache;
  char magic[sizeof kMagic];
  const auto damaged = [&path] {
    return Refused("failed to load the prompt cache " + path + ": it is damaged");
  };
  if (!reader.bytes(magic, sizeof magic) || !std::equal(kMagic, kMagic + sizeof kMagic, magic))
    throw damaged();
  if (!reader.block(cache.model, kLongestName)) throw damaged();
  if (cache.model != model) {
    throw Refused("the prompt cache " + path + " does not match the model: it was made by '" + cache.model +
                  "', this is '" + model + "'");
  }
  if (!reader.block(cache.adapter, kLongestName) || !reader.block(cache.tokens, UINT32_MAX)) throw damaged();
  if (cache.tokens.size() > most_tokens) {
    throw Refused("failed to load the prompt cache " + path + ": its " + std::to_string(cache.tokens.size()) +
                  " tokens do not fit the context of " + std::to_string(most_tokens + 1));
  }
  if (!reader.number(cache.n_exact) || cache.n_exact > cache.tokens.size()) throw damaged();
  if (!reader.block(cache.state, UINT64_MAX) || !reader.at_end()) throw damaged();
  return cache;
}

}  // namespace rkllm
