#include "engine.h"

#include "cpu.h"

namespace plumage {

Engine::Engine(const Kernels& kernels, int threads, std::function<void(std::shared_ptr<Job>)> finished)
    : kernels_(kernels), pool_(threads), finished_(std::move(finished)) {}

void Engine::submit(std::shared_ptr<Job> job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { main(); });
    jobs_.push_back(std::move(job));
  }
  arrived_.notify_one();
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

void Engine::main() {
  flushSubnormals();
  for (;;) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      current_.reset();
      arrived_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (stop_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      current_ = job;
    }
    if (job->cancelled.load()) {
      job->status = 1;
    } else {
      job->work(*job);
    }
    // What the job held goes now, not when JavaScript hears of it.
    job->work = nullptr;
    finished_(std::move(job));
  }
}

}  // namespace plumage
