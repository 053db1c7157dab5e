// Memory taken from and given back to the operating system in one piece, so that freeing a model is seen in the process's size.
#pragma once

#include <cstddef>
#include <memory>

namespace plumage {

class Region {
 public:
  // Zeroed, aligned to 64 bytes at least (2 MB where large). Null where the system refuses.
  static std::shared_ptr<Region> allocate(size_t bytes);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  float* floats() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  Region(void* mapping, size_t mapped, float* data, size_t bytes)
      : mapping_(mapping), mapped_(mapped), data_(data), bytes_(bytes) {}
  void* mapping_;
  size_t mapped_;
  float* data_;
  size_t bytes_;
};

}  // namespace plumage
