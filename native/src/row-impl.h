// Kernels that go along rows: norms, sums, scaling, softmax.
#pragma once
#include <cmath>

#include "activation-impl.h"

namespace {

using plumage::RowNorm;

// f(register, how many of its numbers count) summed over a row.
template <typename F>
inline float sumOver(const float* x, int count, F f) {
  Vec sums[4] = {};
  int i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    for (int j = 0; j < 4; j++) sums[j] += f(load(x + i + j * kLanes));
  }
  for (; i + kLanes <= count; i += kLanes) sums[0] += f(load(x + i));
  float total = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  if (i < count) {
    const Vec last = f(loadPart(x + i, count - i));
    for (int j = 0; j < count - i; j++) total += last[j];
  }
  return total;
}

void norm(const float* x, int rows, int width, const RowNorm& n, float* out) {
  for (int r = 0; r < rows; r++, x += width, out += width) {
    const float mean = n.kind == 1 ? 0.0f : sumOver(x, width, [](Vec v) { return v; }) / static_cast<float>(width);
    const float square = sumOver(x, width, [mean](Vec v) { return (v - mean) * (v - mean); }) / static_cast<float>(width);
    const float scale = 1.0f / std::sqrt(square + n.epsilon);
    for (int c = 0; c < width; c += kLanes) {
      const int count = width - c < kLanes ? width - c : kLanes;
      Vec y = (loadUpTo(x + c, count) - mean) * scale * load(n.weight + c);
      if (n.bias != nullptr) y += load(n.bias + c);
      if (count == kLanes) store(out + c, y);
      else storePart(out + c, y, count);
    }
  }
}

void scaleRows(const float* x, const float* gamma, int rows, int width, float* out) {
  for (int r = 0; r < rows; r++, x += width, out += width) {
    mapRegisters(width, out, [&](size_t i, int n) { return loadUpTo(x + i, n) * load(gamma + i); }, [](Vec v) { return v; });
  }
}

void add(const float* a, const float* b, size_t count, float* out) {
  mapRegisters(count, out, [&](size_t i, int n) { return loadUpTo(a + i, n) + loadUpTo(b + i, n); }, [](Vec v) { return v; });
}

void weightedSum(const float* x, ptrdiff_t stride, const float* weight, int rows, int width, float* out) {
  for (int c = 0; c < width; c += kLanes) {
    const int count = width - c < kLanes ? width - c : kLanes;
    Vec total = {};
    for (int r = 0; r < rows; r++) {
      const Vec value = loadUpTo(x + r * stride + c, count);
      total += weight == nullptr ? value : value * weight[r];
    }
    storePart(out + c, total, count);
  }
}

float dot(const float* a, const float* b, int count) {
  Vec total = {};
  int i = 0;
  for (; i + kLanes <= count; i += kLanes) total += load(a + i) * load(b + i);
  if (i < count) total += loadPart(a + i, count - i) * loadPart(b + i, count - i);
  return sum(total);
}

inline float largestOf(const float* x, int count) {
  Vec most = all(-INFINITY);
  int i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Vec value = load(x + i);
    most = choose(value > most, value, most);
  }
  float result = largest(most);
  for (; i < count; i++) result = x[i] > result ? x[i] : result;
  return result;
}

// e^(score - most) in place; returns the sum.
inline float exponentials(float* scores, int count, float most) {
  Vec total = {};
  int i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Vec e = exponential(load(scores + i) - most);
    store(scores + i, e);
    total += e;
  }
  float result = sum(total);
  if (i < count) {
    const int rest = count - i;
    const Vec e = exponential(loadPart(scores + i, rest) - most);
    storePart(scores + i, e, rest);
    for (int j = 0; j < rest; j++) result += e[j];
  }
  return result;
}

float softmaxNumerators(float* scores, int count) { return exponentials(scores, count, largestOf(scores, count)); }

}  // namespace
