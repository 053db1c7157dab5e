#include "memory.h"

#include <sys/mman.h>

#include <cstdint>

namespace plumage {

namespace {
constexpr size_t HUGE_PAGE = size_t{2} << 20;
constexpr size_t SMALL_PAGE = 4096;

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
}  // namespace

std::shared_ptr<Region> Region::allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const bool large = bytes >= HUGE_PAGE;
  // A mapping begins at any page: one huge page more, so that the data can begin at a huge one.
  const size_t mapped = large ? roundUp(bytes, HUGE_PAGE) + HUGE_PAGE : roundUp(bytes == 0 ? 1 : bytes, SMALL_PAGE);
  void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  uintptr_t start = reinterpret_cast<uintptr_t>(mapping);
  if (large) {
    start = roundUp(start, HUGE_PAGE);
#ifdef MADV_HUGEPAGE
    madvise(reinterpret_cast<void*>(start), roundUp(bytes, HUGE_PAGE), MADV_HUGEPAGE);
#endif
  }
  return std::shared_ptr<Region>(new Region(mapping, mapped, reinterpret_cast<float*>(start), bytes));
}

Region::~Region() { munmap(mapping_, mapped_); }

}  // namespace plumage
