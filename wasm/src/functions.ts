// Computes exponentials, and the activations made of them, for vectors of four floats. NaN goes in, NaN comes out.
//
// The polynomials are those of native/src/math-impl.h; test/conformance/functions.ts holds their errors.

import {
  ACTIVATION_ELU,
  ACTIVATION_EXP,
  ACTIVATION_EXP2,
  ACTIVATION_EXPM1,
  ACTIVATION_GELU,
  ACTIVATION_GELU_TANH,
  ACTIVATION_HARD_SIGMOID,
  ACTIVATION_HARD_SWISH,
  ACTIVATION_HARD_TANH,
  ACTIVATION_LEAKY_RELU,
  ACTIVATION_MISH,
  ACTIVATION_QUICK_GELU,
  ACTIVATION_RELU,
  ACTIVATION_RELU6,
  ACTIVATION_SELU,
  ACTIVATION_SIGMOID,
  ACTIVATION_SILU,
  ACTIVATION_TANH,
} from './ops'

// @ts-ignore: decorator
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}
// @ts-ignore: decorator
@inline export function splat(x: f32): v128 {
  return f32x4.splat(x)
}
export function dot(a: usize, b: usize, width: i32): f32 {
  let total = splat(0)
  let c = 0
  for (; c + 4 <= width; c += 4) total = madd(v128.load(a + (<usize>c << 2)), v128.load(b + (<usize>c << 2)), total)
  let rest: f32 = 0
  for (; c < width; c++) rest += load<f32>(a + (<usize>c << 2)) * load<f32>(b + (<usize>c << 2))
  return sumLanes(total) + rest
}

// Constants of a formula are read by position: V8 would put a vector in the code together from its bits at every use, and a load is one instruction.
// @ts-ignore: decorator
@inline function constant(table: usize, index: i32): v128 {
  return v128.load32_splat(table + (<usize>index << 2))
}
// NaN in `a` stays NaN, which the order of the operands decides.
// @ts-ignore: decorator
@inline export function atLeast(a: v128, low: f32): v128 {
  return f32x4.pmax(a, splat(low))
}
// @ts-ignore: decorator
@inline export function atMost(a: v128, high: f32): v128 {
  return f32x4.pmin(a, splat(high))
}
// @ts-ignore: decorator
@inline function choose(condition: v128, yes: v128, no: v128): v128 {
  return v128.bitselect(yes, no, condition)
}
// @ts-ignore: decorator
@inline export function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}
// @ts-ignore: decorator
@inline export function largestLane(v: v128): f32 {
  const pairs = f32x4.pmax(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7))
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1))
}

// 2^x has these constants: the least exponent, then what WHOLE is for.
const EXP2: usize = memory.data<f32>([-126.0, 12582912.0])
const EXPONENT: usize = memory.data<i32>([127])

// Gives 2^n for whole n in [-126, 128] held as a float; 128 gives infinity.
// @ts-ignore: decorator
@inline function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, constant(EXPONENT, 0)), 23)
}

// Adding and taking this away leaves no room for a fraction; the whole number stands in the low bits.
const WHOLE: f32 = 12582912.0

const EXP2_FRACTION: usize = memory.data<f32>([
  0.000153458071877028, 0.0013399931180492755, 0.009618488975015422, 0.05550328777085747, 0.24022646890468793, 0.6931472057371927, 1.0,
])
// @ts-ignore: decorator
@inline function exp2Fraction(f: v128): v128 {
  let p = constant(EXP2_FRACTION, 0)
  p = madd(p, f, constant(EXP2_FRACTION, 1))
  p = madd(p, f, constant(EXP2_FRACTION, 2))
  p = madd(p, f, constant(EXP2_FRACTION, 3))
  p = madd(p, f, constant(EXP2_FRACTION, 4))
  p = madd(p, f, constant(EXP2_FRACTION, 5))
  p = madd(p, f, constant(EXP2_FRACTION, 6))
  return p
}

// Gives 2^x for x <= 127; 2^-126 below -126, which is nothing beside the 1 that a softmax always holds.
// @ts-ignore: decorator
@inline export function exp2(x: v128): v128 {
  const y = f32x4.pmax(x, constant(EXP2, 0))
  const shift = constant(EXP2, 1)
  const shifted = f32x4.add(y, shift)
  const whole = f32x4.sub(shifted, shift)
  return f32x4.mul(exp2Fraction(f32x4.sub(y, whole)), powerOfTwo(i32x4.sub(shifted, shift)))
}

/** Rounds x * factor to whole numbers in 32 bits, of at most 2^22 in size; of NaN and infinity it makes any. */
// @ts-ignore: decorator
@inline export function wholeOf(x: v128, factor: v128): v128 {
  const whole = constant(EXP2, 1)
  return i32x4.sub(madd(x, factor, whole), whole)
}

// The polynomial has the factor 8191 in it. Its constants follow the least exponent, WHOLE with the bias of exponents, and WHOLE.
const SHARE: usize = memory.data<f32>([
  -126.0, 12583039.0, 12582912.0, 451.90829753519336, 1987.222960612294, 5678.500733176533, 8190.411143084235,
])

/** Gives 8191 * 2^x for x <= 0 as a whole number in 32 bits, to 8e-5 of it before it is rounded. */
// @ts-ignore: decorator
@inline export function shareOf(x: v128): v128 {
  const y = f32x4.pmax(x, constant(SHARE, 0))
  const biased = constant(SHARE, 1)
  const shifted = f32x4.add(y, biased)
  const f = f32x4.sub(y, f32x4.sub(shifted, biased))
  let p = constant(SHARE, 3)
  p = madd(p, f, constant(SHARE, 4))
  p = madd(p, f, constant(SHARE, 5))
  p = madd(p, f, constant(SHARE, 6))
  const whole = constant(SHARE, 2)
  // The exponent's bits are the lowest of what was shifted.
  return i32x4.sub(madd(p, i32x4.shl(shifted, 23), whole), whole)
}

// Gives (e^f - 1 - f) / f^2 for |f| <= ln 2 / 2.
// @ts-ignore: decorator
@inline function expTail(f: v128): v128 {
  let p = splat(0.00019913527468214739)
  p = madd(p, f, splat(0.0013940973044875942))
  p = madd(p, f, splat(0.00833327422167531))
  p = madd(p, f, splat(0.04166635518527886))
  p = madd(p, f, splat(0.1666666681205731))
  return madd(p, f, splat(0.5000000046250733))
}

// Splits x = whole * ln 2 + fraction. ln 2 comes in two parts, the first of which is exact in its products.
// @ts-ignore: decorator
@inline function fractionOf(x: v128, whole: v128): v128 {
  const f = f32x4.sub(x, f32x4.mul(whole, splat(0.693359375)))
  return madd(whole, splat(2.12194440e-4), f)
}

// Gives e^x over the whole range: 0 below -104, infinity above 88.73. It is made of two factors, so that neither overflows before the result does.
export function exp(x: v128): v128 {
  const y = atMost(atLeast(x, -104.0), 89.0)
  const shifted = madd(y, splat(1.44269504088896341), splat(WHOLE))
  const f = fractionOf(y, f32x4.sub(shifted, splat(WHOLE)))
  const e = f32x4.add(madd(expTail(f), f32x4.mul(f, f), f), splat(1.0))
  const exponent = i32x4.sub(shifted, splat(WHOLE))
  const half = i32x4.shr_s(exponent, 1)
  return f32x4.mul(f32x4.mul(e, powerOfTwo(half)), powerOfTwo(i32x4.sub(exponent, half)))
}

// Gives e^x - 1 without cancellation near 0.
export function expm1(x: v128): v128 {
  const y = atMost(atLeast(x, -30.0), 88.0)
  const shifted = madd(y, splat(1.44269504088896341), splat(WHOLE))
  const f = fractionOf(y, f32x4.sub(shifted, splat(WHOLE)))
  const e = madd(expTail(f), f32x4.mul(f, f), f)
  const scale = powerOfTwo(i32x4.sub(shifted, splat(WHOLE)))
  return madd(e, scale, f32x4.sub(scale, splat(1.0)))
}

// Gives (e^2x - 1) / (e^2x + 1).
function tanh(x: v128): v128 {
  const e = expm1(f32x4.mul(atMost(atLeast(x, -15.0), 15.0), splat(2.0)))
  return f32x4.div(e, f32x4.add(e, splat(2.0)))
}

function sigmoid(x: v128): v128 {
  return f32x4.div(splat(1.0), f32x4.add(splat(1.0), exp(f32x4.neg(x))))
}

const GELU_LIMITS: usize = memory.data<f32>([5.75, 1.0])
const GELU_POWERS: usize = memory.data<f32>([
  4.052955354713458e-7, -0.000008002340616168568, 0.00006575518095968427, -0.000255490779088047, -0.00003669198941770764,
  0.006984563170942751, -0.05246532231285065, -0.459212831155738, -1.151105184355492, -0.9999999834451199,
])
// Gives x * Phi(x), where Phi is the normal distribution. Phi(-y) = 2^q(y) for y = |x| with a polynomial q, so the negative side does not cancel;
// beyond 5.75, x * Phi(x) is 0 or x to within 3e-8.
// @ts-ignore: decorator
@inline export function gelu(x: v128): v128 {
  const limit = constant(GELU_LIMITS, 0)
  const y = f32x4.pmin(f32x4.abs(x), limit)
  let q = constant(GELU_POWERS, 0)
  q = madd(q, y, constant(GELU_POWERS, 1))
  q = madd(q, y, constant(GELU_POWERS, 2))
  q = madd(q, y, constant(GELU_POWERS, 3))
  q = madd(q, y, constant(GELU_POWERS, 4))
  q = madd(q, y, constant(GELU_POWERS, 5))
  q = madd(q, y, constant(GELU_POWERS, 6))
  q = madd(q, y, constant(GELU_POWERS, 7))
  q = madd(q, y, constant(GELU_POWERS, 8))
  q = madd(q, y, constant(GELU_POWERS, 9))
  const tail = v128.andnot(exp2(q), f32x4.ge(y, limit))
  const one = constant(GELU_LIMITS, 1)
  return f32x4.mul(x, choose(f32x4.lt(x, splat(0.0)), tail, f32x4.sub(one, tail)))
}

const GELU_SHORT: usize = memory.data<f32>([
  4.5, 0.09876543209876543, 1.0, 0.5, -0.0009386153542436659, 0.004220349248498678, -0.007801132742315531, 0.010835183784365654,
  -0.017512943595647812, 0.02828799933195114, -0.040429405868053436, 0.054721686989068985, -0.07717622071504593, 0.1569042056798935,
])
// Gives the same to 1.6e-5, for values that become whole numbers of a row: x * (1/2 + c * p(c^2)) with c = x cut off at 4.5, where 1/2 + c * p is 0 or 1.
// @ts-ignore: decorator
@inline export function geluShort(x: v128): v128 {
  const limit = constant(GELU_SHORT, 0)
  const c = f32x4.pmin(f32x4.pmax(x, f32x4.neg(limit)), limit)
  const u = f32x4.sub(f32x4.mul(f32x4.mul(c, c), constant(GELU_SHORT, 1)), constant(GELU_SHORT, 2))
  let p = constant(GELU_SHORT, 4)
  p = madd(p, u, constant(GELU_SHORT, 5))
  p = madd(p, u, constant(GELU_SHORT, 6))
  p = madd(p, u, constant(GELU_SHORT, 7))
  p = madd(p, u, constant(GELU_SHORT, 8))
  p = madd(p, u, constant(GELU_SHORT, 9))
  p = madd(p, u, constant(GELU_SHORT, 10))
  p = madd(p, u, constant(GELU_SHORT, 11))
  p = madd(p, u, constant(GELU_SHORT, 12))
  p = madd(p, u, constant(GELU_SHORT, 13))
  return f32x4.mul(x, madd(c, p, constant(GELU_SHORT, 3)))
}

function mish(x: v128): v128 {
  // tanh(log(1 + e)) is (e^2 + 2 e) / (e^2 + 2 e + 2); from 30 on it is 1.
  const e = exp(atMost(x, 30.0))
  const n = f32x4.mul(e, f32x4.add(e, splat(2.0)))
  return f32x4.mul(x, f32x4.div(n, f32x4.add(n, splat(2.0))))
}

function elu(x: v128): v128 {
  return choose(f32x4.lt(x, splat(0.0)), expm1(x), x)
}

// @ts-ignore: decorator
@inline function hard(x: v128): v128 {
  return atMost(atLeast(f32x4.add(x, splat(3.0)), 0.0), 6.0)
}

export function activate(kind: i32, x: v128): v128 {
  switch (kind) {
    case ACTIVATION_RELU:
      return choose(f32x4.lt(x, splat(0.0)), splat(0.0), x)
    case ACTIVATION_RELU6:
      return atMost(atLeast(x, 0.0), 6.0)
    case ACTIVATION_LEAKY_RELU:
      return choose(f32x4.lt(x, splat(0.0)), f32x4.mul(x, splat(0.01)), x)
    case ACTIVATION_ELU:
      return elu(x)
    case ACTIVATION_SELU:
      return f32x4.mul(
        splat(1.0507009873554805),
        choose(f32x4.lt(x, splat(0.0)), f32x4.mul(splat(1.6732632423543772), expm1(x)), x),
      )
    case ACTIVATION_GELU:
      return gelu(x)
    case ACTIVATION_GELU_TANH:
      return f32x4.mul(
        x,
        sigmoid(f32x4.mul(x, madd(f32x4.mul(splat(0.0713548162726009), x), x, splat(1.5957691216057308)))),
      )
    case ACTIVATION_QUICK_GELU:
      return f32x4.mul(x, sigmoid(f32x4.mul(splat(1.702), x)))
    case ACTIVATION_SILU:
      return f32x4.mul(x, sigmoid(x))
    case ACTIVATION_MISH:
      return mish(x)
    case ACTIVATION_SIGMOID:
      return sigmoid(x)
    case ACTIVATION_TANH:
      return tanh(x)
    case ACTIVATION_HARD_SIGMOID:
      return f32x4.div(hard(x), splat(6.0))
    case ACTIVATION_HARD_SWISH:
      return f32x4.div(f32x4.mul(x, hard(x)), splat(6.0))
    case ACTIVATION_HARD_TANH:
      return atMost(atLeast(x, -1.0), 1.0)
    case ACTIVATION_EXP:
      return exp(x)
    case ACTIVATION_EXPM1:
      return expm1(x)
    case ACTIVATION_EXP2:
      return exp2(x)
    default:
      return x
  }
}
