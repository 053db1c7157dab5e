#include "memory.h"

#include <sys/mman.h>

#include <cstdint>

#include "outcome.h"

namespace plumage {

namespace {
constexpr size_t HUGE_PAGE = size_t{2} << 20;
constexpr size_t SMALL_PAGE = 4096;

size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
}  // namespace

void preferHugePages(void* data, size_t bytes) {
#ifdef MADV_HUGEPAGE
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data), start = roundUp(begin, HUGE_PAGE);
  const uintptr_t end = (begin + bytes) / HUGE_PAGE * HUGE_PAGE;
  if (start < end) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
#else
  (void)data, (void)bytes;
#endif
}

std::shared_ptr<Region> Region::allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const bool large = bytes >= HUGE_PAGE;
  // A mapping begins at any page: one huge page more is asked for, so that the data can begin at a huge one.
  const size_t mapped = large ? roundUp(bytes, HUGE_PAGE) + HUGE_PAGE : roundUp(bytes == 0 ? 1 : bytes, SMALL_PAGE);
  // The object comes first: where memory for it is refused, there is no mapping yet that would be lost.
  std::shared_ptr<Region> region(new Region());
  void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  uintptr_t start = reinterpret_cast<uintptr_t>(mapping);
  if (large) {
    start = roundUp(start, HUGE_PAGE);
    preferHugePages(reinterpret_cast<void*>(start), roundUp(bytes, HUGE_PAGE));
  }
  region->mapping_ = mapping;
  region->mapped_ = mapped;
  region->data_ = reinterpret_cast<float*>(start);
  region->bytes_ = bytes;
  return region;
}

std::shared_ptr<Region> Region::map(int descriptor, size_t offset, size_t bytes) {
  std::shared_ptr<Region> region(new Region());
  region->file_ = std::make_unique<MappedFile>(descriptor, offset, bytes);
  region->data_ = static_cast<float*>(region->file_->data());
  region->bytes_ = bytes;
  return region;
}

void Region::checkFile() const {
  if (isAsItWas()) return;
  throw Refusal("weights-lost",
                "The file of packed weights has been cut off or written into while it was in use: no result is given. Load the model again.");
}

Region::~Region() {
  if (mapping_ != nullptr) munmap(mapping_, mapped_);
}

float* Arena::reserve(size_t bytes) {
  if (region_ == nullptr || region_->bytes() < bytes) {
    // The old memory goes first: both together might be more than there is.
    giveBack();
    region_ = Region::allocate(bytes);
    if (region_ == nullptr) return nullptr;
    bytes_.store(bytes);
  }
  return region_->floats();
}

void Arena::giveBack() {
  region_.reset();
  bytes_.store(0);
}

}  // namespace plumage
