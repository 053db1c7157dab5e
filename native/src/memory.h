// Takes memory from the operating system and gives it back in one piece, so that freeing a model is seen in the process's size.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "mapped-file.h"

namespace plumage {

// Asks the system for huge pages where memory holds whole ones: its first use then costs a tenth. The values stay what they are.
void preferHugePages(void* data, size_t bytes);

class Region {
 public:
  // Gives zeroed memory, aligned to 64 bytes at least (2 MB where large); null where the system refuses.
  static std::shared_ptr<Region> allocate(size_t bytes);
  // Gives what lies in a file, for reading alone; `offset` is that of a page. Throws Refusal UNREADABLE where the file does not have it.
  static std::shared_ptr<Region> map(int descriptor, size_t offset, size_t bytes);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  float* floats() const { return data_; }
  size_t bytes() const { return bytes_; }
  // Is false for what belongs to a file.
  bool isWritable() const { return file_ == nullptr; }
  // Is false where the memory belongs to a file that has been changed since it was mapped: what was read may have been wrong.
  bool isAsItWas() const { return file_ == nullptr || file_->isAsItWas(); }
  // Throws Refusal `weights-lost` where the file that the memory belongs to has been changed since: what was read may have been wrong.
  void checkFile() const;

 private:
  Region() = default;
  std::unique_ptr<MappedFile> file_;
  void* mapping_ = nullptr;
  size_t mapped_ = 0;
  float* data_ = nullptr;
  size_t bytes_ = 0;
};

// Holds the memory of activations. All programs of an engine share one, because they run one after another; it grows to the largest need, and goes
// with the last program. Only the engine's thread reserves and uses it.
class Arena {
 public:
  // Gives null where the system refuses. What the memory holds is left from earlier runs.
  float* reserve(size_t bytes);
  // This is called where nothing runs any more.
  void giveBack();
  // Any thread may ask this.
  size_t bytes() const { return bytes_.load(); }

 private:
  std::shared_ptr<Region> region_;
  std::atomic<size_t> bytes_{0};
};

}  // namespace plumage
