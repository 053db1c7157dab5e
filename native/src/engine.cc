#include "engine.h"

#include "cpu.h"
#include "start-thread.h"

namespace plumage {

Engine::Engine(const Kernels& kernels, int threads, std::function<void(std::shared_ptr<Job>)> finished)
    : kernels_(kernels), pool_(threads), finished_(std::move(finished)) {}

void Engine::submit(std::shared_ptr<Job> job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!thread_.joinable()) thread_ = startThread(1, pool_.size(), [this] { main(); });
    jobs_.push_back(std::move(job));
  }
  arrived_.notify_one();
}

bool Engine::finish(std::shared_ptr<Job> last) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!thread_.joinable()) return false;
    last_ = std::move(last);
    for (const std::shared_ptr<Job>& job : jobs_) job->cancelled.store(true);
    if (current_ != nullptr) current_->cancelled.store(true);
  }
  arrived_.notify_one();
  return true;
}

void Engine::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    jobs_.clear();
    if (current_ != nullptr) current_->cancelled.store(true);
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// Gives the next job, or null where the thread shall end. The last one waits until there is no other.
std::shared_ptr<Job> Engine::next() {
  std::unique_lock<std::mutex> lock(mutex_);
  current_.reset();
  arrived_.wait(lock, [this] { return stop_ || !jobs_.empty() || last_ != nullptr; });
  if (stop_) return nullptr;
  if (jobs_.empty()) {
    stop_ = true;
    return std::move(last_);
  }
  current_ = std::move(jobs_.front());
  jobs_.pop_front();
  return current_;
}

void Engine::main() {
  flushSubnormals();
  while (std::shared_ptr<Job> job = next()) {
    if (job->cancelled.load()) {
      job->outcome.status = Status::cancelled;
    } else {
      try {
        job->work(*job);
      } catch (...) {
        job->outcome.fail();
      }
    }
    // What the job held goes now, not when JavaScript hears of it.
    job->work = nullptr;
    finished_(std::move(job));
  }
}

}  // namespace plumage
