// Computes exponentials, and the activations made of them, for vectors. NaN goes in, NaN comes out.
//
// Errors are measured against float64 in test/conformance/functions.ts, which holds the promised bounds.
// Polynomials were fitted by weighted least squares towards equal ripple.
#pragma once

#include "vector-impl.h"

namespace plumage {
namespace {

// Gives 2^n for whole n in [-126, 128] held as a float; 128 gives infinity.
INLINE V powerOfTwo(I n) { return (V)((n + 127) << 23); }

struct Split {
  V whole, fraction;
  I exponent;
};
// Splits x = whole + fraction with |fraction| <= 1/2. Adding 1.5 * 2^23 leaves the rounded value in the low bits.
INLINE Split split(V x) {
  const V magic = splat(12582912.0f);
  V shifted = x + magic;
  V whole = shifted - magic;
  return {whole, x - whole, (I)shifted - (I)magic};
}

#if VECTOR_WIDTH == 16
// 2^x is 2^(x - floor(x)), a polynomial, times 2^floor(x): AVX-512 has an instruction for each of the two parts.
INLINE V fractionOf(V x) { return (V)_mm512_reduce_ps((__m512)x, 9); }
INLINE V timesPower(V p, V x) { return (V)_mm512_scalef_ps((__m512)p, (__m512)x); }

// Gives 2^x for x in [-126, 127] to 1.5 units in the last place.
INLINE V exp2InRange(V x) {
  const V f = fractionOf(x);
  V p = splat(0.00021612914728347238f);
  p = p * f + 0.0012467846516448736f;
  p = p * f + 0.00967545155855021f;
  p = p * f + 0.055485280623345734f;
  p = p * f + 0.24022930555101407f;
  p = p * f + 0.6931470444434364f;
  return timesPower(p * f + 1.0f, x);
}
INLINE V exp2ShortInRange(V x) {
  const V f = fractionOf(x);
  V p = splat(0.07802452198987517f);
  p = p * f + 0.22606715635357938f;
  p = p * f + 0.6958335401766866f;
  return timesPower(p * f + 0.9999252185776744f, x);
}
#else
// Gives 2^x for x in [-126, 127] to 1.5 units in the last place.
INLINE V exp2InRange(V x) {
  const Split s = split(x);
  V p = splat(0.000153458071877028f);
  p = p * s.fraction + 0.0013399931180492755f;
  p = p * s.fraction + 0.009618488975015422f;
  p = p * s.fraction + 0.05550328777085747f;
  p = p * s.fraction + 0.24022646890468793f;
  p = p * s.fraction + 0.6931472057371927f;
  return (p * s.fraction + 1.0f) * powerOfTwo(s.exponent);
}
INLINE V exp2ShortInRange(V x) {
  const Split s = split(x);
  V p = splat(0.0551713218819672f);
  p = p * s.fraction + 0.24261054335396093f;
  p = p * s.fraction + 0.6932609856154966f;
  return (p * s.fraction + 0.9999281092765517f) * powerOfTwo(s.exponent);
}
#endif

// Gives 2^x for x <= 127; 2^-126 below -126, which is nothing beside the 1 that a softmax always holds, and keeps clear of numbers that
// processors are slow with.
INLINE V exp2(V x) { return exp2InRange(atLeast(x, -126.0f)); }

// Gives the same to 8e-5 of it, for weights that become bfloat16.
INLINE V exp2Short(V x) { return exp2ShortInRange(atLeast(x, -126.0f)); }

// Gives (e^f - 1 - f) / f^2 for |f| <= ln 2 / 2.
INLINE V expTail(V f) {
  V p = splat(0.00019913527468214739f);
  p = p * f + 0.0013940973044875942f;
  p = p * f + 0.00833327422167531f;
  p = p * f + 0.04166635518527886f;
  p = p * f + 0.1666666681205731f;
  return p * f + 0.5000000046250733f;
}

struct Reduced {
  V fraction;
  I exponent;
};
// Splits x = exponent * ln 2 + fraction. ln 2 comes in two parts, the first of which is exact in its products.
INLINE Reduced reduce(V x) {
  Split s = split(x * 1.44269504088896341f);
  V f = x - s.whole * 0.693359375f;
  return {f + s.whole * 2.12194440e-4f, s.exponent};
}

// Gives e^x over the whole range: 0 below -104, infinity above 88.73. It is made of two factors, so that neither overflows before the result
// does.
INLINE V exp(V x) {
  Reduced r = reduce(atMost(atLeast(x, -104.0f), 89.0f));
  V e = expTail(r.fraction) * (r.fraction * r.fraction) + r.fraction + 1.0f;
  I half = r.exponent >> 1;
  return e * powerOfTwo(half) * powerOfTwo(r.exponent - half);
}

// Gives e^x - 1 without cancellation near 0.
INLINE V expm1(V x) {
  Reduced r = reduce(atMost(atLeast(x, -30.0f), 88.0f));
  V e = expTail(r.fraction) * (r.fraction * r.fraction) + r.fraction;
  V scale = powerOfTwo(r.exponent);
  return e * scale + (scale - 1.0f);
}

// Gives (e^2x - 1) / (e^2x + 1).
INLINE V tanh(V x) {
  V e = expm1(atMost(atLeast(x, -15.0f), 15.0f) * 2.0f);
  return e / (e + 2.0f);
}

INLINE V sigmoid(V x) { return 1.0f / (1.0f + exp(-x)); }

// Gives x * Phi(x), where Phi is the normal distribution. Phi(-y) = 2^q(y) for y = |x| with a polynomial q, so the negative side does not cancel;
// beyond 5.75, x * Phi(x) is 0 or x to within 3e-8.
INLINE V gelu(V x) {
  V y = atMost(absolute(x), 5.75f);
  V q = splat(4.052955354713458e-7f);
  q = q * y + -0.000008002340616168568f;
  q = q * y + 0.00006575518095968427f;
  q = q * y + -0.000255490779088047f;
  q = q * y + -0.00003669198941770764f;
  q = q * y + 0.006984563170942751f;
  q = q * y + -0.05246532231285065f;
  q = q * y + -0.459212831155738f;
  q = q * y + -1.151105184355492f;
  q = q * y + -0.9999999834451199f;
  V tail = exp2InRange(q);
  tail = y >= splat(5.75f) ? V{} : tail;
  return x * (x < V{} ? tail : 1.0f - tail);
}

#if VECTOR_WIDTH == 16
// Phi(y) - 1/2 = c[0] + c[1] * y + c[2] * y^2 in pieces of 1/6.4 around their middles; from the last one on it is 1/2.
alignas(64) constexpr float PHI[3][32] = {
    {-9.88237275e-07f, -0.000200960261f, -0.00179264881f, -0.00551384641f, -0.0110469777f, -0.016999701f, -0.0210194197f, -0.0202988368f,
     -0.0121988067f, 0.00516997371f, 0.0325369053f, 0.0693220496f, 0.113760598f, 0.163242653f, 0.214768648f, 0.265410721f, 0.312688529f,
     0.354805261f, 0.390730381f, 0.420150638f, 0.443330884f, 0.460932612f, 0.473832101f, 0.482966423f, 0.489222497f, 0.493370235f, 0.496034205f,
     0.497692734f, 0.498694181f, 0.499280959f, 0.499614716f, 0.5f},
    {0.399170101f, 0.403412312f, 0.416898251f, 0.435908794f, 0.456188649f, 0.473229557f, 0.482722729f, 0.481446505f, 0.467750877f, 0.441698521f,
     0.404897332f, 0.36009571f, 0.310647607f, 0.259970516f, 0.211094067f, 0.166358799f, 0.127282917f, 0.0945779234f, 0.0682720765f, 0.0478919707f,
     0.0326567777f, 0.0216516722f, 0.013961263f, 0.00875734631f, 0.00534473546f, 0.00317445886f, 0.00183518545f, 0.00103282742f, 0.000565949944f,
     0.000301988563f, 0.000156935086f, 0.0f},
    {-0.00778218592f, -0.0307309832f, -0.0595703162f, -0.0839308128f, -0.102543779f, -0.114751257f, -0.120358683f, -0.119800322f, -0.114009485f,
     -0.104237482f, -0.091862753f, -0.0782189295f, -0.0644611865f, -0.0514842197f, -0.039892111f, -0.0300117861f, -0.0219368804f, -0.0155872814f,
     -0.010771405f, -0.0072417492f, -0.00473828567f, -0.00301802717f, -0.00187176012f, -0.00113055063f, -0.000665149011f, -0.000381244958f,
     -0.000212914179f, -0.000115870491f, -6.14547753e-05f, -3.17683589e-05f, -1.60076579e-05f, 0.0f},
};
// Gives the same to 7e-6, as x / 2 + |x| * (Phi(|x|) - 1/2). Matrix tiles take one of the two ports that multiply vectors, and lookups have their own.
INLINE V geluShort(V x) {
  const V y = absolute(x), t = atMost(y, 31 / 6.4f);
  // Added to 2^23, the number of a piece stands in the lowest bits.
  const __m512i piece = (__m512i)(t * 6.4f + 8388608.0f);
  const auto coefficient = [&](int k) { return (V)_mm512_permutex2var_ps(_mm512_load_ps(PHI[k]), piece, _mm512_load_ps(PHI[k] + 16)); };
  return y * ((coefficient(2) * t + coefficient(1)) * t + coefficient(0)) + x * 0.5f;
}
#else
// Gives the same to 1.6e-5, as x * (1/2 + c * p(c^2)) with c = x cut off at 4.5, where 1/2 + c * p is 0 or 1.
INLINE V geluShort(V x) {
  const V c = atMost(atLeast(x, -4.5f), 4.5f);
  const V u = c * c * (2.0f / (4.5f * 4.5f)) - 1.0f;
  V p = splat(-0.0009386153542436659f);
  p = p * u + 0.004220349248498678f;
  p = p * u + -0.007801132742315531f;
  p = p * u + 0.010835183784365654f;
  p = p * u + -0.017512943595647812f;
  p = p * u + 0.02828799933195114f;
  p = p * u + -0.040429405868053436f;
  p = p * u + 0.054721686989068985f;
  p = p * u + -0.07717622071504593f;
  p = p * u + 0.1569042056798935f;
  return x * (c * p + 0.5f);
}
#endif

INLINE V mish(V x) {
  // tanh(log(1 + e)) is (e^2 + 2 e) / (e^2 + 2 e + 2); from 30 on it is 1.
  V e = exp(atMost(x, 30.0f));
  V n = e * (e + 2.0f);
  return x * (n / (n + 2.0f));
}

template <Activation kind>
INLINE V activate(V x) {
  switch (kind) {
    case Activation::identity: return x;
    case Activation::relu: return x < V{} ? V{} : x;
    case Activation::relu6: return atMost(atLeast(x, 0.0f), 6.0f);
    case Activation::leakyRelu: return x < V{} ? x * 0.01f : x;
    case Activation::elu: return x < V{} ? expm1(x) : x;
    case Activation::selu: return 1.0507009873554805f * (x < V{} ? 1.6732632423543772f * expm1(x) : x);
    case Activation::gelu: return gelu(x);
    case Activation::geluTanh: return x * sigmoid(x * (1.5957691216057308f + 0.0713548162726009f * x * x));
    case Activation::quickGelu: return x * sigmoid(1.702f * x);
    case Activation::silu: return x * sigmoid(x);
    case Activation::mish: return mish(x);
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return tanh(x);
    case Activation::hardSigmoid: return atMost(atLeast(x + 3.0f, 0.0f), 6.0f) / 6.0f;
    case Activation::hardSwish: return x * atMost(atLeast(x + 3.0f, 0.0f), 6.0f) / 6.0f;
    case Activation::hardTanh: return atMost(atLeast(x, -1.0f), 1.0f);
    case Activation::exp: return exp(x);
    case Activation::expm1: return expm1(x);
    case Activation::exp2: return exp2(x);
    case Activation::exp2Short: return exp2Short(x);
    case Activation::geluShort: return geluShort(x);
  }
  return x;
}

// Calls `body` with the activation as a compile-time constant, so that the choice is made outside the loops.
template <Activation kind>
struct Chosen {
  static INLINE V apply(V x) { return activate<kind>(x); }
};
#define PLUMAGE_CASE(kind) \
  case Activation::kind: return body(Chosen<Activation::kind>());
template <typename Body>
INLINE void withActivation(Activation kind, Body body) {
  switch (kind) {
    PLUMAGE_ACTIVATIONS(PLUMAGE_CASE)
  }
}
#undef PLUMAGE_CASE

}  // namespace
}  // namespace plumage
