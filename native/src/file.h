// Reads files that JavaScript has open.
#pragma once

#include <cstddef>

namespace plumage {

// Tells a state of a file from the one after its bytes have been changed.
struct FileState {
  size_t bytes;
  long seconds, nanoseconds;  // its bytes were last changed then
  bool operator==(const FileState& other) const {
    return bytes == other.bytes && seconds == other.seconds && nanoseconds == other.nanoseconds;
  }
};

// Holds a file open of its own, so that whoever has opened it may close it meanwhile: another file would get its number.
class File {
 public:
  // Throws Refusal UNREADABLE where `descriptor` is no open file.
  explicit File(int descriptor);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Reads exactly `bytes` bytes from `offset`. Throws Refusal UNREADABLE where there are fewer, or the system cannot. Threads may read at once.
  void read(void* to, size_t bytes, size_t offset) const;
  // Throws Refusal UNREADABLE where the system does not tell.
  FileState state() const;
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

}  // namespace plumage
