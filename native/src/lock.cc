// Holds the lock that Node has no call for: the one which Python's libraries take on a file that is being downloaded.
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "functions.h"

namespace plumage {
namespace {

// lockFile(descriptor) -> whether the lock was free. It is held until the file is closed, or the process ends in whatever way.
napi_value lockFile(napi_env env, napi_value* arguments) {
  const int descriptor = static_cast<int>(whole(env, arguments[0], "The file", 0, 1L << 30));
  int outcome;
  do outcome = flock(descriptor, LOCK_EX | LOCK_NB);
  while (outcome != 0 && errno == EINTR);
  if (outcome != 0 && errno != EWOULDBLOCK)
    throw Refusal(UNREADABLE, "The file %d cannot be locked: %s.", descriptor, std::strerror(errno));
  napi_value held;
  check(env, napi_get_boolean(env, outcome == 0, &held));
  return held;
}

}  // namespace

void defineLocking(napi_env env, napi_value exports) { define<lockFile, 1>(env, exports, "lockFile"); }

}  // namespace plumage
