#include "thread-pool.h"

#include <algorithm>
#include <utility>

#include "cpu.h"
#include "start-thread.h"

namespace plumage {

namespace {
constexpr int OPEN = 1 << 30;
// These take about 50 microseconds: longer than the gap between two loops of a forward pass, too short to be seen as load.
constexpr int SPINS = 1500;

inline void pause() {
#if defined(PLUMAGE_X86)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

uint64_t packRange(uint32_t begin, uint32_t end) { return static_cast<uint64_t>(end) << 32 | begin; }
}  // namespace

ThreadPool::ThreadPool(int threads)
    : threads_(threads), wanted_(std::min(threads, availableCores())), ranges_(new Range[threads]) {}

ThreadPool::~ThreadPool() { end(); }

void ThreadPool::end() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  stop_ = false;
}

void ThreadPool::startThreads() {
  try {
    workers_.reserve(static_cast<size_t>(threads_) - 1);
    for (int t = 1; t < threads_; t++) workers_.push_back(startThread(t + 1, threads_, [this, t] { workerMain(t); }));
  } catch (...) {
    end();
    throw;
  }
}

void ThreadPool::runErased(long count, const std::atomic<bool>& cancelled, Call call, const void* body) {
  if (threads_ == 1 || count <= 1) {
    const double begun = countsWork_ ? processorSeconds() : 0;
    for (long i = 0; i < count && !cancelled.load(std::memory_order_relaxed); i++) call(body, 0, i);
    if (countsWork_) ranges_[0].seconds += processorSeconds() - begun;
    return;
  }
  if (workers_.empty()) startThreads();
  call_ = call;
  body_ = body;
  cancelled_ = &cancelled;
  failed_.store(false);
  for (long t = 0; t < threads_; t++) {
    ranges_[t].packed.store(packRange(static_cast<uint32_t>(count * t / threads_), static_cast<uint32_t>(count * (t + 1) / threads_)),
                            std::memory_order_relaxed);
  }
  inside_.store(OPEN, std::memory_order_release);
  loop_.fetch_add(1);
  wakeSome();

  work(0);

  // The loop is closed: workers that have not come yet need not be waited for, because all indices are taken.
  inside_.fetch_and(~OPEN);
  for (int spin = 0; inside_.load(std::memory_order_acquire) != 0; spin++) {
    if (spin < SPINS) {
      pause();
      continue;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    callerSleeps_.store(true);
    done_.wait(lock, [this] { return inside_.load() == 0; });
    callerSleeps_.store(false);
  }
  if (failed_.load()) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// A worker that goes to sleep just now looks for the loop once more before it does.
void ThreadPool::wakeSome() {
  const int awake = threads_ - sleeping_.load();
  if (awake >= wanted_) return;
  std::lock_guard<std::mutex> lock(mutex_);
  for (int t = awake; t < wanted_; t++) wake_.notify_one();
}

void ThreadPool::work(int thread) {
  const double begun = countsWork_ ? processorSeconds() : 0;
  try {
    takeIndices(thread);
  } catch (...) {
    fail();
  }
  if (countsWork_) ranges_[thread].seconds += processorSeconds() - begun;
}

ThreadPool::WorkCount::WorkCount(ThreadPool& pool) : pool_(pool) {
  take();
  pool_.countsWork_ = true;
}

ThreadPool::WorkCount::~WorkCount() { pool_.countsWork_ = false; }

double ThreadPool::WorkCount::take() {
  double seconds = 0;
  for (int t = 0; t < pool_.threads_; t++) seconds += std::exchange(pool_.ranges_[t].seconds, 0);
  return seconds;
}

// This is called inside a catch block. The exception waits for the caller of the loop, because the others still use what is on its stack.
void ThreadPool::fail() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failed_.load()) failure_ = std::current_exception();
  failed_.store(true);
}

void ThreadPool::takeIndices(int thread) {
  for (int k = 0; k < threads_; k++) {
    const int owner = (thread + k) % threads_;
    std::atomic<uint64_t>& range = ranges_[owner].packed;
    uint64_t seen = range.load(std::memory_order_relaxed);
    while (!cancelled_->load(std::memory_order_relaxed) && !failed_.load(std::memory_order_relaxed)) {
      const uint32_t begin = static_cast<uint32_t>(seen), end = static_cast<uint32_t>(seen >> 32);
      if (begin >= end) break;
      const uint64_t next = k == 0 ? packRange(begin + 1, end) : packRange(begin, end - 1);
      if (!range.compare_exchange_weak(seen, next, std::memory_order_relaxed)) continue;
      call_(body_, thread, k == 0 ? begin : end - 1);
      seen = range.load(std::memory_order_relaxed);
    }
  }
}

bool ThreadPool::join() {
  int seen = inside_.load(std::memory_order_relaxed);
  while (seen & OPEN) {
    if (inside_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire)) return true;
  }
  return false;
}

void ThreadPool::workerMain(int thread) {
  flushSubnormals();
  uint32_t seen = loop_.load() - 1;  // the loop that started this thread may still be open
  for (;;) {
    for (int spin = 0; spin < SPINS && loop_.load(std::memory_order_relaxed) == seen; spin++) pause();
    if (loop_.load() == seen) {
      std::unique_lock<std::mutex> lock(mutex_);
      sleeping_.fetch_add(1);
      wake_.wait(lock, [&] { return stop_ || loop_.load() != seen; });
      sleeping_.fetch_sub(1);
      if (stop_) return;
    }
    seen = loop_.load();
    if (!join()) continue;
    work(thread);
    if (inside_.fetch_sub(1) == 1 && callerSleeps_.load()) {
      std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
  }
}

}  // namespace plumage
