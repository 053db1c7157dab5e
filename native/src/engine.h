// Holds the engine's own thread: jobs run on it one after another, in the order they came, with the pool's help.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "kernels.h"
#include "outcome.h"
#include "thread-pool.h"

namespace plumage {

struct Job {
  // Runs on the engine's thread and holds whatever memory it works on. What it throws becomes the outcome.
  std::function<void(Job&)> work;
  std::atomic<bool> cancelled{false};
  Outcome outcome;
  // Keeps alive what JavaScript must not collect meanwhile; the addon owns it.
  void* reference = nullptr;
  // Keeps the job alive on its way to JavaScript, without asking for memory on the engine's thread.
  std::shared_ptr<Job> self;
};

class Engine {
 public:
  // `finished` is called on the engine's thread after each job; it may not throw.
  Engine(const Kernels& kernels, int threads, std::function<void(std::shared_ptr<Job>)> finished);
  ~Engine() { stop(); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Kernels& kernels() const { return kernels_; }
  ThreadPool& pool() { return pool_; }

  // The thread starts with the first job. Throws Refusal `unavailable` where the system refuses it; then the job has not been taken.
  void submit(std::shared_ptr<Job> job);
  // Cancels what is under way and what waits, and lets `last` be the last job: the thread ends after it, and the pool's before it.
  // Gives false where the thread was never started: then there is nothing to wait for, and `last` has not been taken.
  bool finish(std::shared_ptr<Job> last);
  // Cancels what is under way and ends the thread; jobs that have not run are dropped. It is called from the JavaScript thread.
  void stop();

 private:
  void main();
  std::shared_ptr<Job> next();

  const Kernels& kernels_;
  ThreadPool pool_;
  std::function<void(std::shared_ptr<Job>)> finished_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::shared_ptr<Job> current_, last_;
  bool stop_ = false;
};

}  // namespace plumage
