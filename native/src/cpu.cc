#include "cpu.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#endif
#ifdef PLUMAGE_X86
#include <cpuid.h>
#include <xmmintrin.h>
#endif

namespace plumage {

namespace {

#ifdef PLUMAGE_X86
struct Leaf {
  unsigned eax, ebx, ecx, edx;
};
[[maybe_unused]] Leaf leafOf(unsigned number, unsigned subleaf = 0) {
  Leaf leaf{};
  __get_cpuid_count(number, subleaf, &leaf.eax, &leaf.ebx, &leaf.ecx, &leaf.edx);
  return leaf;
}

// Says whether there are AMX tiles with bfloat16 and int8, and the system's leave to use them: it is asked once, for all threads of the process.
[[maybe_unused]] bool tilesAllowed() {
#ifdef __linux__
  constexpr unsigned BF16 = 1u << 22, TILE = 1u << 24, INT8 = 1u << 25;
  constexpr long REQUEST_PERMISSION = 0x1023, TILE_DATA = 18;
  static const bool allowed =
      (leafOf(7).edx & (BF16 | TILE | INT8)) == (BF16 | TILE | INT8) && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
  return allowed;
#else
  return false;
#endif
}

// These checks include whether the operating system saves the wide registers. Kernels that were not built leave theirs unused.
// Not all compilers know F16C, which widens halves, by its name.
[[maybe_unused]] bool avx2Runs() {
  constexpr unsigned F16C = 1u << 29;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && leafOf(1).ecx & F16C;
}
[[maybe_unused]] bool avx2VnniRuns() { return avx2Runs() && leafOf(7, 1).eax & 1u << 4; }
[[maybe_unused]] bool avx512Runs() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}
[[maybe_unused]] bool avx512VnniRuns() { return avx512Runs() && __builtin_cpu_supports("avx512vnni"); }
[[maybe_unused]] bool avx512Bf16Runs() { return avx512VnniRuns() && __builtin_cpu_supports("avx512bf16"); }
[[maybe_unused]] bool amxRuns() { return avx512Bf16Runs() && __builtin_cpu_supports("avx512vbmi") && tilesAllowed(); }

// Intel's processors begin a product of bfloat16 (VDPBF16PS) every other cycle, which is half of what they do in float32 and a quarter of what
// they do in pairs of 16 bits; AMD's begin one or two in each.
[[maybe_unused]] bool bfloat16IsSlow() {
  Leaf leaf{};
  constexpr unsigned GENU = 0x756e6547;
  return __get_cpuid(0, &leaf.eax, &leaf.ebx, &leaf.ecx, &leaf.edx) != 0 && leaf.ebx == GENU;
}
#endif
[[maybe_unused]] bool genericRuns() { return true; }

}  // namespace

// The build says which kernels it has made, fastest first on most processors: PLUMAGE_KERNELS is a line of KERNELS_OF(name).
std::vector<const Kernels*> availableKernels() {
  std::vector<const Kernels*> found;
#ifdef PLUMAGE_X86
  __builtin_cpu_init();
#endif
#if defined(PLUMAGE_EMULATED)
  // What the processor lacks is computed in plain code: native/test/emulated-instructions.h.
#define KERNELS_OF(name) found.push_back(&name##Kernels);
#else
#define KERNELS_OF(name) \
  if (name##Runs()) found.push_back(&name##Kernels);
#endif
  PLUMAGE_KERNELS
#undef KERNELS_OF
#if defined(PLUMAGE_X86) && !defined(PLUMAGE_EMULATED)
  const auto placeOf = [&](const char* name) {
    return std::find_if(found.begin(), found.end(), [&](const Kernels* kernels) { return std::strcmp(kernels->name, name) == 0; });
  };
  const auto bf16 = placeOf("avx512-bf16"), vnni = placeOf("avx512-vnni");
  if (bfloat16IsSlow() && bf16 < vnni && vnni != found.end()) std::iter_swap(bf16, vnni);
#endif
  return found;
}

namespace {

// Gives a quota in cores, or infinity.
double quotaOfV2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return INFINITY;
  return std::atof(quota.c_str()) / period;
}

double quotaOfV1(const std::string& folder) {
  double quota = 0, period = 0;
  std::ifstream quotaFile(folder + "/cpu.cfs_quota_us"), periodFile(folder + "/cpu.cfs_period_us");
  if (!(quotaFile >> quota) || !(periodFile >> period) || quota <= 0 || period <= 0) return INFINITY;
  return quota / period;
}

// Finds the smallest quota of the process's group and of all groups around it.
double groupQuota() {
  double smallest = INFINITY;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool unified = controllers == ",,";
    if (!unified && controllers.find(",cpu,") == std::string::npos) continue;
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      if (path == "/") path.clear();
      if (unified) {
        smallest = std::min(smallest, quotaOfV2("/sys/fs/cgroup" + path));
      } else {
        smallest = std::min(smallest, quotaOfV1("/sys/fs/cgroup/cpu" + path));
      }
      if (path.empty() || path.rfind('/') == std::string::npos) break;
    }
  }
  return smallest;
}

}  // namespace

int availableCores() {
  int cores = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  const double quota = groupQuota();
  if (std::isfinite(quota)) cores = std::min(cores, static_cast<int>(std::ceil(quota)));
#endif
  return std::max(cores, 1);
}

long levelTwoCacheBytes() {
#ifdef _SC_LEVEL2_CACHE_SIZE
  const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (bytes > 0) return bytes;
#endif
  return 512 * 1024;
}

void flushSubnormals() {
#ifdef PLUMAGE_X86
  _mm_setcsr(_mm_getcsr() | 0x8040);  // sets flush-to-zero and denormals-are-zero
#endif
}

double processorSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace plumage
