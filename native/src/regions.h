// Puts regions of weights into the hands of JavaScript, whose garbage collector is told how large they are.
#pragma once

#include "handles.h"
#include "memory.h"

namespace plumage {

// Every whole number up to this one is a double of its own, and four times as many bytes are still a size.
constexpr long MOST_NUMBER = 1L << 53;

template <>
struct Handled<Region> {
  static constexpr const char* NAME = "region";
  static constexpr napi_type_tag TAG = {0x51b3c2f09ad64e78, 0x86e0419f2d7c53ab};
  static void takeUp(napi_env env, const Region& region) { adjustExternalMemory(env, owned(region)); }
  static void letGo(napi_env env, const std::shared_ptr<Region>& region) { adjustExternalMemory(env, -owned(*region)); }

 private:
  // What belongs to a file takes no memory of this process.
  static long owned(const Region& region) { return region.isWritable() ? static_cast<long>(region.bytes()) : 0; }
};

}  // namespace plumage
