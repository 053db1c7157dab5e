#include "cpu.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>

#ifdef __linux__
#include <sched.h>
#endif

namespace plumage {

std::vector<InstructionSet> supportedInstructionSets() {
  std::vector<InstructionSet> sets;
#if defined(__x86_64__)
  __builtin_cpu_init();
  // These ask the operating system as well, not the processor alone.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
    sets.push_back(InstructionSet::avx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(InstructionSet::avx2);
#endif
  sets.push_back(InstructionSet::generic);
  return sets;
}

const char* nameOf(InstructionSet set) {
  switch (set) {
    case InstructionSet::avx512:
      return "avx512";
    case InstructionSet::avx2:
      return "avx2";
    default:
      return "generic";
  }
}

#ifdef __linux__
// Cores' worth of time that a container's quota allows, or a large number where there is none.
static double quota() {
  double share = 1e9;
  std::string limit;
  double period = 0;
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  if (v2 >> limit >> period && limit != "max" && period > 0) share = std::min(share, std::stod(limit) / period);
  double microseconds = 0;
  std::ifstream v1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1Period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (v1 >> microseconds && v1Period >> period && microseconds > 0 && period > 0) share = std::min(share, microseconds / period);
  return share;
}
#endif

int availableThreads() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  cores = static_cast<int>(std::min<double>(cores, std::ceil(quota())));
#endif
  return std::max(1, cores);
}

}  // namespace plumage
