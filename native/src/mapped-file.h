// Maps a part of a file for reading, so that its bytes are those of the page cache and belong to all processes that map it.
#pragma once

#include "file.h"

namespace plumage {

struct Watched;

class MappedFile {
 public:
  // `offset` is that of a page. Throws Refusal UNREADABLE where `descriptor` is no open file that has all those bytes, or where the system refuses.
  MappedFile(int descriptor, size_t offset, size_t bytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  void* data() const { return data_; }
  // Tells whether the bytes are those that were there when the file was mapped: a file that is replaced by another stays as it was, one that is cut
  // off or written into does not. What has been read by then may have been zeros, or anything.
  bool isAsItWas() const;

 private:
  const File file_;
  const size_t bytes_;
  const FileState state_;
  void* data_ = nullptr;
  Watched* watched_ = nullptr;
};

}  // namespace plumage
