#include "platform.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include "types.h"

namespace rkllm {

int online_cpus() { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }

int physical_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return online_cpus();
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    char path[96];
    std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    char siblings[128] = "";
    if (std::FILE *file = std::fopen(path, "r")) {
      if (std::fgets(siblings, sizeof siblings, file) == nullptr) siblings[0] = '\0';
      std::fclose(file);
    }
    cores.insert(siblings[0] != '\0' ? std::string(siblings) : "cpu" + std::to_string(cpu));
  }
  return cores.empty() ? 1 : static_cast<int>(cores.size());
}

float peak_memory_mb() {
  std::FILE *file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  char line[256];
  long kilobytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "VmHWM: %ld", &kilobytes) == 1) break;
  }
  std::fclose(file);
  return static_cast<float>(kilobytes) / 1024.0f;
}

std::optional<int64_t> number_from_environment(const char *name, int64_t low, int64_t high) {
  const char *value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  char *end = nullptr;
  errno = 0;
  const long long number = std::strtoll(value, &end, 10);
  if (errno != 0 || *end != '\0' || number < low || number > high) {
    throw Refused(std::string(name) + " must be a whole number between " + std::to_string(low) + " and " +
                  std::to_string(high) + ", but is '" + value + "'");
  }
  return number;
}

std::string list_cpus(uint32_t mask) {
  std::string list;
  for (int cpu = 0; cpu < 32; ++cpu) {
    if ((mask >> cpu & 1u) == 0) continue;
    list += (list.empty() ? "" : ", ") + std::to_string(cpu);
  }
  return "[" + list + "]";
}

}  // namespace rkllm
