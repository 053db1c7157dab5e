// Threads that share loops: work is handed out in small pieces as threads come free, so that a core that is busy with
// something else slows only its own piece. Idle threads spin for a moment and then sleep.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plumage {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(index, thread) for every index in [0, count), on all threads, the calling one included; returns when all are done.
  // One loop at a time. `thread` is in [0, threads()).
  void run(int count, const std::function<void(int, int)>& body);

 private:
  void work(int thread);
  void take(int thread);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<unsigned> generation_{0};
  std::atomic<int> next_{0};
  std::atomic<int> active_{0};
  int count_ = 0;
  const std::function<void(int, int)>* body_ = nullptr;
  std::atomic<bool> stopping_{false};
};

}  // namespace plumage
