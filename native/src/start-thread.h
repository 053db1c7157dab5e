// Starts threads, and says which limit to raise where the system refuses one.
#pragma once

#include <system_error>
#include <thread>

#include "outcome.h"

namespace plumage {

// Throws Refusal `unavailable`. `which` of `wanted` threads it is, for the message.
template <typename Main>
std::thread startThread(int which, int wanted, Main main) {
  try {
    return std::thread(main);
  } catch (const std::system_error& error) {
    throw Refusal("unavailable",
                  "The system refuses thread %d of %d of the native engine (%s). Raise the limit of processes (ulimit -u, or pids.max of a "
                  "container), or ask for fewer threads.",
                  which, wanted, error.code().message().c_str());
  }
}

}  // namespace plumage
