#include "thread-pool.h"

#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
static inline void relax() { _mm_pause(); }
#else
static inline void relax() {}
#endif

namespace plumage {

// Loops follow each other within microseconds during a run; sleeping and waking costs about fifty. Beyond this, sleep.
static constexpr auto kSpin = std::chrono::microseconds(60);

template <typename Condition>
static bool spinUntil(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; i++) {
      if (condition()) return true;
      relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return condition();
}

ThreadPool::ThreadPool(int threads) {
  for (int thread = 1; thread < threads; thread++) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    generation_++;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::run(int count, const std::function<void(int, int)>& body) {
  if (count <= 0) return;
  if (workers_.empty() || count == 1) {
    for (int i = 0; i < count; i++) body(i, 0);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    body_ = &body;
    count_ = count;
    next_.store(0, std::memory_order_relaxed);
    active_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  take(0);
  const auto finished = [this] { return active_.load(std::memory_order_acquire) == 0; };
  if (spinUntil(finished)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, finished);
}

void ThreadPool::take(int thread) {
  for (;;) {
    const int index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_) return;
    (*body_)(index, thread);
  }
}

void ThreadPool::work(int thread) {
  unsigned seen = 0;
  for (;;) {
    const auto called = [this, seen] { return generation_.load(std::memory_order_acquire) != seen; };
    if (!spinUntil(called)) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, called);
    }
    seen = generation_.load(std::memory_order_acquire);
    if (stopping_) return;
    take(thread);
    if (active_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      // Empty on purpose: whoever waits has looked at the count under this lock, so the call below cannot come too early.
      { std::lock_guard<std::mutex> lock(mutex_); }
      done_.notify_one();
    }
  }
}

}  // namespace plumage
