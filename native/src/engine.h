// The engine's own thread: jobs run on it one after another, in the order they came, with the pool's help.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "kernels.h"
#include "thread-pool.h"

namespace plumage {

struct Job {
  // Runs on the engine's thread. Holds whatever memory it works on.
  std::function<void(Job&)> work;
  std::atomic<bool> cancelled{false};
  // 0 done, 1 cancelled, 2 out of memory (`value`: bytes wanted).
  int status = 0;
  double value = 0;
  // What JavaScript must not collect meanwhile; owned by the addon.
  void* reference = nullptr;
};

class Engine {
 public:
  // `finished` is called on the engine's thread after each job.
  Engine(const Kernels& kernels, int threads, std::function<void(std::shared_ptr<Job>)> finished);
  ~Engine() { stop(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Kernels& kernels() const { return kernels_; }
  ThreadPool& pool() { return pool_; }

  void submit(std::shared_ptr<Job> job);
  // Cancels what is under way and ends the thread; jobs that have not run are dropped. Called from the JavaScript thread.
  void stop();

 private:
  void main();

  const Kernels& kernels_;
  ThreadPool pool_;
  std::function<void(std::shared_ptr<Job>)> finished_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::shared_ptr<Job> current_;
  bool stop_ = false;
};

}  // namespace plumage
