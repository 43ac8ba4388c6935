// What the library asks of the machine and of its environment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rkllm {

int online_cpus();

// One per core among the CPUs this process may use, not one per hardware thread.
int physical_cpus();

// Peak resident size of the process (VmHWM) in megabytes; 0 where /proc is not there.
float peak_memory_mb();

// A whole number from an environment variable, empty where it is unset; refuses anything else.
std::optional<int64_t> number_from_environment(const char *name, int64_t low, int64_t high);

// "[4, 5, 6, 7]" of a mask of CPUs.
std::string list_cpus(uint32_t mask);

}  // namespace rkllm
