#include "memory.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

namespace plumage {

#ifdef _WIN32
static void* take(size_t bytes) { return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }
static void give(void* data, size_t) { VirtualFree(data, 0, MEM_RELEASE); }
#else
static void* take(size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
  // Fewer page faults and TLB misses; a refusal costs nothing.
  if (bytes >= (4u << 20)) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  return data;
}
static void give(void* data, size_t bytes) { munmap(data, bytes); }
#endif

Block::Block(size_t count) {
  if (count == 0 || count > (size_t{1} << 42)) return;
  const size_t bytes = (count * sizeof(float) + 4095) & ~size_t{4095};
  data_ = static_cast<float*>(take(bytes));
  bytes_ = data_ == nullptr ? 0 : bytes;
}

Block::~Block() {
  if (data_ != nullptr) give(data_, bytes_);
}

}  // namespace plumage
