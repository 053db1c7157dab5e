// Memory straight from the system: aligned, zeroed, and given back at once when it is freed, so that disposing of a model shows.
#pragma once
#include <cstddef>
#include <utility>

namespace plumage {

// Owns a block of float32 numbers. `data()` is null where the system had no memory left: callers must look.
class Block {
 public:
  Block() = default;
  explicit Block(size_t count);
  ~Block();
  Block(Block&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  float* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  float* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace plumage
