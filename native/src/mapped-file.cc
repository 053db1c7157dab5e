#include "mapped-file.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>

#include "outcome.h"

namespace plumage {

// The system sends SIGBUS where a page of a mapped file is read that the file no longer has, or that the disk does not give, and that would end the
// process. Here such a page reads as zeros from then on, and is remembered: whoever has read it asks afterwards whether all was as it should be.
// The list of what is watched is read by a signal handler. It only ever grows: what has ended is used again.
struct Watched {
  std::atomic<uintptr_t> start{0}, end{0};
  std::atomic<bool> lost{false};
  Watched* next = nullptr;
};

namespace {

std::atomic<Watched*> all{nullptr};
std::mutex mutex;
// These two are guarded by the mutex.
int mappings = 0;
struct sigaction before;

void passOn(int number, siginfo_t* info, void* context) {
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(number, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(number);
  } else {
    // The instruction is tried again, and ends the process as it would have without this handler.
    sigaction(number, &before, nullptr);
  }
}

void onBusError(int number, siginfo_t* info, void* context) {
  const int error = errno;
  const uintptr_t at = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Watched* watched = all.load(); watched != nullptr; watched = watched->next) {
    const uintptr_t start = watched->start.load(), end = watched->end.load();
    if (at < start || at >= end) continue;
    watched->lost.store(true);
    // Whatever comes after the page is most often lost as well: one signal is enough for all of it.
    const uintptr_t page = at & ~static_cast<uintptr_t>(sysconf(_SC_PAGESIZE) - 1);
    void* zeros = mmap(reinterpret_cast<void*>(page), end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    errno = error;
    if (zeros != MAP_FAILED) return;
    break;
  }
  errno = error;
  passOn(number, info, context);
}

// Gives null where there is no memory.
Watched* watch(void* data, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  Watched* watched = all.load();
  while (watched != nullptr && watched->end.load() != 0) watched = watched->next;
  if (watched == nullptr) {
    watched = new (std::nothrow) Watched();
    if (watched == nullptr) return nullptr;
    watched->next = all.load();
    all.store(watched);
  }
  watched->lost.store(false);
  watched->start.store(reinterpret_cast<uintptr_t>(data));
  watched->end.store(reinterpret_cast<uintptr_t>(data) + bytes);
  if (mappings++ == 0) {
    struct sigaction action = {};
    action.sa_sigaction = onBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGBUS, &action, &before);
  }
  return watched;
}

// The last one takes the handler away: the code may be unloaded with the worker of Node that has loaded it.
void unwatch(Watched* watched) {
  std::lock_guard<std::mutex> lock(mutex);
  watched->end.store(0);
  watched->start.store(0);
  if (--mappings > 0) return;
  struct sigaction now;
  if (sigaction(SIGBUS, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == onBusError) {
    sigaction(SIGBUS, &before, nullptr);
  }
}

}  // namespace

MappedFile::MappedFile(int descriptor, size_t offset, size_t bytes) : file_(descriptor), bytes_(bytes), state_(file_.state()) {
  if (offset > state_.bytes || bytes > state_.bytes - offset) {
    throw Refusal(UNREADABLE, "The file has %zu bytes, not the %zu from %zu on.", state_.bytes, bytes, offset);
  }
  void* data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file_.descriptor(), static_cast<off_t>(offset));
  if (data == MAP_FAILED) throw Refusal(UNREADABLE, "The file cannot be mapped: %s.", std::strerror(errno));
  watched_ = watch(data, bytes);
  if (watched_ == nullptr) {
    munmap(data, bytes);
    throw Refusal(UNREADABLE, "The file cannot be mapped: there is no memory.");
  }
  data_ = data;
  // A disk reads ahead of whoever checks the bytes.
  madvise(data, bytes, MADV_WILLNEED);
}

MappedFile::~MappedFile() {
  unwatch(watched_);
  munmap(data_, bytes_);
}

bool MappedFile::isAsItWas() const { return !watched_->lost.load() && file_.state() == state_; }

}  // namespace plumage
