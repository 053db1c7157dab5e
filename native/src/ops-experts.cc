// Holds routed experts: which tokens go to which, where each expert's rows lie, its products, and the way back. Of each, first what it may be asked,
// then what it does.
//
// The places of a batch are a slot of one row for each token, [weights of the experts, rows of the experts], and one more behind each image's tokens. That of
// the first image says of each expert [first row, rows]. Rows are whole numbers of 32 bits, counted through the batch, -1 where the token has none.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "check-ops.h"
#include "execution.h"

namespace plumage {

namespace {

constexpr float INFINITE = std::numeric_limits<float>::infinity();

int readWhole(const float* at) {
  int value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

void writeWhole(float* at, int value) { std::memcpy(at, &value, sizeof(value)); }

// Walks over the places of a batch, as described above, which has `most` rows of experts.
struct Places {
  float* table;
  long stride, tokens, experts, most;

  float* rowOf(long r) const { return table + (r + r / tokens) * stride; }

  // Calls with the weight and the row of each expert that a token goes to.
  template <typename Use>
  void ofToken(long r, const Use& use) const {
    const float* weights = rowOf(r);
    for (long e = 0; e < experts; e++) {
      const long row = readWhole(weights + experts + e);
      if (row >= 0 && row < most) use(weights[e], row);
    }
  }
};

// Is a value in falling order; of equal values the lower index comes first.
struct Ranked {
  float value;
  long index;
};

// NaN counts as the largest, so that it is not lost.
Ranked rank(float value, long index) { return {std::isnan(value) ? INFINITE : value, index}; }

bool comesAfter(Ranked a, Ranked b) { return a.value < b.value || (a.value == b.value && a.index > b.index); }

// Stands in front of all.
constexpr Ranked FRONT{INFINITE, -1};

template <typename Value>
Ranked nextAfter(Ranked last, long count, const Value& valueAt) {
  Ranked best{-INFINITE, count};
  for (long i = 0; i < count; i++) {
    const Ranked one = rank(valueAt(i), i);
    if (comesAfter(one, last) && comesAfter(best, one)) best = one;
  }
  return best;
}

void softmaxRow(const float* scores, float* out, long count) {
  float largest = -INFINITE;
  for (long i = 0; i < count; i++) largest = std::max(largest, scores[i]);
  double sum = 0;
  for (long i = 0; i < count; i++) sum += std::exp(static_cast<double>(scores[i]) - largest);
  for (long i = 0; i < count; i++) out[i] = static_cast<float>(std::exp(static_cast<double>(scores[i]) - largest) / sum);
}

// Keeps the sigmoids of the chosen, over their sum.
void sigmoidRow(const float* scores, const float* bias, long choices, float* out, long count) {
  for (long i = 0; i < count; i++) out[i] = static_cast<float>(1 / (1 + std::exp(-static_cast<double>(scores[i]))));
  const auto key = [&](long i) { return out[i] + (bias == nullptr ? 0 : bias[i]); };
  Ranked last = FRONT;
  float sum = 0;
  for (long chosen = 0; chosen < choices; chosen++) {
    last = nextAfter(last, count, key);
    sum += out[last.index];
  }
  sum = std::max(std::numeric_limits<float>::min(), sum);
  for (long i = 0; i < count; i++) out[i] = comesAfter(rank(key(i), i), last) ? 0 : out[i] / sum;
}

// Keeps of each token the weights of the experts that it chooses by its scores and that have room: all first choices come first, in the order of the
// tokens. `chosen` has room for the choices of all tokens and a count for each expert.
void keepChoices(const Op& op, const float* scores, float* weights, long rows, float* chosen) {
  const long experts = op.input.width, choices = op.choices;
  float* taken = chosen + rows * choices;
  for (long e = 0; e < experts; e++) writeWhole(taken + e, 0);
  for (long t = 0; t < rows; t++) {
    Ranked last = FRONT;
    for (long c = 0; c < choices; c++) {
      last = nextAfter(last, experts, [&](long e) { return scores[t * op.input.stride + e]; });
      writeWhole(chosen + t * choices + c, static_cast<int>(last.index));
    }
  }
  for (long c = 0; c < choices; c++) {
    for (long t = 0; t < rows; t++) {
      float* choice = chosen + t * choices + c;
      float* count = taken + readWhole(choice);
      if (readWhole(count) < op.capacity) {
        writeWhole(count, readWhole(count) + 1);
      } else {
        writeWhole(choice, -1);
      }
    }
  }
  for (long t = 0; t < rows; t++) {
    const float* own = chosen + t * choices;
    for (long e = 0; e < experts; e++) {
      const bool isKept = std::any_of(own, own + choices, [&](const float& choice) { return readWhole(&choice) == e; });
      if (!isKept) weights[t * op.output.stride + e] = 0;
    }
  }
}

}  // namespace

void Checker::route(const Op& op) {
  plainSlot(op.input);
  plainSlot(op.output);
  sameRows(op.input, op.output);
  wideEnough(op.output, op.input.width);
  require(op.firstRow >= 0 && op.firstRow < op.input.rows, "the rows that it routes are not there");
  weightsOrNone(op.bias, op.input.width);
  require(op.routing >= Routing::sigmoid && op.routing <= Routing::byExperts, "its routing is none");
  if (op.routing == Routing::byExperts) {
    require(op.capacity >= 1 && op.capacity <= op.input.rows - op.firstRow, "its experts take more tokens than there are");
  } else {
    require(op.choices >= 1 && op.choices <= op.input.width, "its tokens choose more experts than there are");
    require(op.routing == Routing::sigmoid || (op.capacity >= 1 && op.capacity <= MOST), "its experts take no tokens");
  }
}
void Execution::route(const Op& op) {
  const float* in = slot(op.input);
  const float* bias = weight(op.bias);
  float* out = slot(op.output);
  const long experts = op.input.width, routed = op.input.rows - op.firstRow;
  // An exponential takes as long as many values that are copied.
  forRows(input_.batch * op.input.rows, 64 * experts, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      const float* scores = in + r * op.input.stride;
      float* weights = out + r * op.output.stride;
      if (r % op.input.rows < op.firstRow) {
        std::memset(weights, 0, sizeof(float) * static_cast<size_t>(experts));
      } else if (op.routing == Routing::sigmoid) {
        sigmoidRow(scores, bias, op.choices, weights, experts);
      } else {
        softmaxRow(scores, weights, experts);
      }
    }
  });
  const auto firstOf = [&](long image) { return image * op.input.rows + op.firstRow; };
  if (op.routing == Routing::softmax) {
    pool_.run(input_.batch, cancelled_, [&](int thread, long image) {
      const long first = firstOf(image);
      keepChoices(op, in + first * op.input.stride, out + first * op.output.stride, routed, scratch(thread));
    });
  } else if (op.routing == Routing::byExperts) {
    pool_.run(input_.batch * experts, cancelled_, [&](int, long index) {
      float* own = out + firstOf(index / experts) * op.output.stride + index % experts;
      const auto share = [&](long t) { return own[t * op.output.stride]; };
      Ranked last = FRONT;
      for (long taken = 0; taken < op.capacity; taken++) last = nextAfter(last, routed, share);
      for (long t = 0; t < routed; t++) {
        if (comesAfter(rank(share(t), t), last)) own[t * op.output.stride] = 0;
      }
    });
  }
}

void Checker::places(const SlotRef& ref, long tokens) const {
  plainSlot(ref);
  require(ref.rows == tokens + 1 && ref.width % 2 == 0, "its places are not one row for each token and one more");
}

void Checker::placeByExpert(const Op& op) {
  plainSlot(op.input);
  places(op.output, op.input.rows);
  require(op.output.width == 2 * op.input.width, "its places are not two for each expert");
}
void Execution::placeByExpert(const Op& op) {
  const long experts = op.input.width, tokens = op.input.rows, all = input_.batch * tokens;
  const float* in = slot(op.input);
  const Places places{slot(op.output), op.output.stride, tokens, experts, all * experts};
  float* firsts = places.table + tokens * places.stride;
  float* counts = firsts + experts;
  const auto count = [&](long e) {
    const int before = readWhole(counts + e);
    writeWhole(counts + e, before + 1);
    return before;
  };
  const auto clear = [&] {
    for (long e = 0; e < experts; e++) writeWhole(counts + e, 0);
  };
  pool_.run(1, cancelled_, [&](int, long) {
    clear();
    for (long r = 0; r < all; r++) {
      for (long e = 0; e < experts; e++) {
        if (in[r * op.input.stride + e] != 0) count(e);
      }
    }
    int first = 0;
    for (long e = 0; e < experts; e++) {
      writeWhole(firsts + e, first);
      first += readWhole(counts + e);
    }
    clear();
    for (long r = 0; r < all; r++) {
      const float* weights = in + r * op.input.stride;
      float* row = places.rowOf(r);
      std::memcpy(row, weights, sizeof(float) * static_cast<size_t>(experts));
      for (long e = 0; e < experts; e++) writeWhole(row + experts + e, weights[e] != 0 ? readWhole(firsts + e) + count(e) : -1);
    }
  });
}

void Checker::toExperts(const Op& op) {
  plainSlot(op.input);
  places(op.second, op.input.rows);
  slot(op.output);
  wideEnough(op.output, op.input.width);
}
void Execution::toExperts(const Op& op) {
  const long tokens = op.input.rows, width = op.input.width;
  const Places places{slot(op.second), op.second.stride, tokens, op.second.width / 2, input_.batch * op.output.rows};
  const Rows in = rows(op.input), out = rows(op.output);
  forRows(input_.batch * tokens, width, [&](int thread, long first, long last) {
    for (long r = first; r < last; r++) {
      Rows from = in;
      from.data += r * in.stride;
      places.ofToken(r, [&](float, long place) {
        Rows to = out;
        to.data += place * out.stride;
        if (out.format == Format::float32) {
          std::memcpy(to.data, from.data, sizeof(float) * static_cast<size_t>(width));
        } else {
          kernels_.convert({from, to, width}, 0, 1, scratch(thread));
        }
      });
    }
  });
}

void Checker::expertLinear(const Op& op) {
  linear(op);
  require(op.combine == Combine::none, "its second slot is none that joins");
  plainSlot(op.second);
  require(op.second.width == 2 * op.groups && op.expert >= 0 && op.expert < op.groups, "it has no such expert");
}
void Execution::expertLinear(const Op& op) {
  const float* bounds = slot(op.second) + (op.second.rows - 1) * op.second.stride + op.expert;
  const long most = input_.batch * op.input.rows;
  const long first = std::clamp<long>(readWhole(bounds), 0, most);
  const long count = std::clamp<long>(readWhole(bounds + op.groups), 0, most - first);
  if (count > 0) multiply(op, first, count);
}

void Checker::fromExperts(const Op& op) {
  plainSlot(op.input);
  places(op.second, op.output.rows);
  plainSlot(op.output);
  wideEnough(op.input, op.output.width);
}
void Execution::fromExperts(const Op& op) {
  const long tokens = op.output.rows, width = op.output.width;
  const Places places{slot(op.second), op.second.stride, tokens, op.second.width / 2, input_.batch * op.input.rows};
  const float* in = slot(op.input);
  float* out = slot(op.output);
  forRows(input_.batch * tokens, width, [&](int, long first, long last) {
    for (long r = first; r < last; r++) {
      float* to = out + r * op.output.stride;
      std::fill(to, to + width, 0.0f);
      places.ofToken(r, [&](float weight, long place) {
        const float* answer = in + place * op.input.stride;
        for (long c = 0; c < width; c++) to[c] += weight * answer[c];
      });
      for (long c = 0; c < width; c++) to[c] *= op.scale;
    }
  });
}

}  // namespace plumage
