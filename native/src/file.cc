#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "outcome.h"

namespace plumage {

File::File(int descriptor) : descriptor_(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) {
  if (descriptor_ < 0) throw Refusal(UNREADABLE, "The file %d cannot be read: %s.", descriptor, std::strerror(errno));
}

File::~File() { close(descriptor_); }

void File::read(void* to, size_t bytes, size_t offset) const {
  for (size_t done = 0; done < bytes;) {
    const ssize_t count = pread(descriptor_, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Refusal(UNREADABLE, "The file cannot be read: %s.", std::strerror(errno));
    if (count == 0) throw Refusal(UNREADABLE, "The file ends %zu bytes before it should.", bytes - done);
    done += static_cast<size_t>(count);
  }
}

FileState File::state() const {
  struct stat found;
  if (fstat(descriptor_, &found) != 0) throw Refusal(UNREADABLE, "The file cannot be looked at: %s.", std::strerror(errno));
#if defined(__APPLE__)
  const struct timespec& changed = found.st_mtimespec;
#else
  const struct timespec& changed = found.st_mtim;
#endif
  return {static_cast<size_t>(found.st_size), static_cast<long>(changed.tv_sec), static_cast<long>(changed.tv_nsec)};
}

}  // namespace plumage
