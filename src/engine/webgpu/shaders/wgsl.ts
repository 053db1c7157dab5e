/** Holds what all shaders share: what is bound where, what an operation is told, and the functions that activations are made of. */
import type { ActivationKind } from '../../ops.js'
import { PARAMS } from './params.js'

/** Says how the shader sees the arena and the weights: as single numbers, or four at a time where everything is aligned to four. */
export interface Views {
  readonly arena: 'f32' | 'vec4<f32>'
  readonly rows: 'f32' | 'vec4<f32>'
  /** `vec2<u32>` holds four halves. */
  readonly weight: 'vec4<f32>' | 'vec2<u32>'
}

export const SCALAR: Views = { arena: 'f32', rows: 'f32', weight: 'vec4<f32>' }
export const VECTOR: Views = { arena: 'vec4<f32>', rows: 'vec4<f32>', weight: 'vec4<f32>' }

/** Begins every shader: with the operation's uniforms, which are made from the table of operations, and what is bound where. */
export function prelude({ arena, rows, weight }: Views): string {
  return `${PARAMS}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> arena: array<${arena}>;
@group(0) @binding(2) var<storage, read> weight: array<${weight}>;
@group(0) @binding(3) var<storage, read> rows: array<${rows}>;
@group(0) @binding(4) var<storage, read> constants: array<f32>;
@group(0) @binding(5) var<storage, read> pixels: array<f32>;
@group(0) @binding(6) var<storage, read_write> outputs: array<f32>;
`
}

/** Gives the number of a thread among all, in a dispatch that fills x before y. */
const FLAT_INDEX = `
const GROUP = 256u;
fn flat(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
  return (group.y * groups.x + group.x) * GROUP + thread;
}
`

/** Writes a main function for each of a number of elements. */
export function forEach(count: string, body: string): string {
  return `${FLAT_INDEX}
@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = flat(group, groups, thread);
  if (i >= ${count}) { return; }
${body}
}
`
}

/**
 * `clamp` and `max` may make a number of what is none, and hide it; drivers were seen that make such of comparisons as well. What is no number is
 * told by its bits, about which they know nothing.
 */
const BOUNDED = `
fn isNumber(x: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) <= vec4<u32>(0x7f800000u);
}
fn bounded(x: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> vec4<f32> {
  return select(x, clamp(x, low, high), isNumber(x));
}
`

/**
 * These exponentials have errors of their own, the same on every GPU: the standard allows the built-in ones to be off by more and more the
 * larger their argument. The polynomials are those of the other engines.
 */
const EXPONENTIALS = `
fn powerOfTwo(n: vec4<i32>) -> vec4<f32> { return bitcast<vec4<f32>>((n + 127) << vec4<u32>(23u)); }
fn exp2Of(x: vec4<f32>) -> vec4<f32> {
  let y = max(x, vec4<f32>(-126.0));
  let whole = round(y);
  let f = y - whole;
  var q = vec4<f32>(0.000153458071877028);
  q = fma(q, f, vec4<f32>(0.0013399931180492755));
  q = fma(q, f, vec4<f32>(0.009618488975015422));
  q = fma(q, f, vec4<f32>(0.05550328777085747));
  q = fma(q, f, vec4<f32>(0.24022646890468793));
  q = fma(q, f, vec4<f32>(0.6931472057371927));
  q = fma(q, f, vec4<f32>(1.0));
  return q * powerOfTwo(vec4<i32>(whole));
}
fn fractionOf(x: vec4<f32>, whole: vec4<f32>) -> vec4<f32> {
  return fma(whole, vec4<f32>(2.12194440e-4), fma(whole, vec4<f32>(-0.693359375), x));
}
fn expTail(f: vec4<f32>) -> vec4<f32> {
  var q = vec4<f32>(0.00019913527468214739);
  q = fma(q, f, vec4<f32>(0.0013940973044875942));
  q = fma(q, f, vec4<f32>(0.00833327422167531));
  q = fma(q, f, vec4<f32>(0.04166635518527886));
  q = fma(q, f, vec4<f32>(0.1666666681205731));
  return fma(q, f, vec4<f32>(0.5000000046250733));
}
fn expOf(x: vec4<f32>) -> vec4<f32> {
  let y = bounded(x, vec4<f32>(-104.0), vec4<f32>(88.7));
  let whole = round(y * 1.44269504088896341);
  let f = fractionOf(y, whole);
  let e = fma(expTail(f), f * f, f) + 1.0;
  let exponent = vec4<i32>(whole);
  let half = exponent >> vec4<u32>(1u);
  return e * powerOfTwo(half) * powerOfTwo(exponent - half);
}
fn expm1Of(x: vec4<f32>) -> vec4<f32> {
  let y = bounded(x, vec4<f32>(-30.0), vec4<f32>(88.0));
  let whole = round(y * 1.44269504088896341);
  let f = fractionOf(y, whole);
  let factor = powerOfTwo(vec4<i32>(whole));
  return fma(fma(expTail(f), f * f, f), factor, factor - 1.0);
}
fn sigmoidOf(x: vec4<f32>) -> vec4<f32> { return 1.0 / (1.0 + expOf(-x)); }
`

/** Computes x * Phi(x), Phi the normal distribution. Phi(-y) is 2^q(y) with a polynomial q, so that the negative side does not cancel. */
const GELU = `
  let y = min(abs(x), vec4<f32>(5.75));
  var q = vec4<f32>(4.052955354713458e-7);
  q = fma(q, y, vec4<f32>(-0.000008002340616168568));
  q = fma(q, y, vec4<f32>(0.00006575518095968427));
  q = fma(q, y, vec4<f32>(-0.000255490779088047));
  q = fma(q, y, vec4<f32>(-0.00003669198941770764));
  q = fma(q, y, vec4<f32>(0.006984563170942751));
  q = fma(q, y, vec4<f32>(-0.05246532231285065));
  q = fma(q, y, vec4<f32>(-0.459212831155738));
  q = fma(q, y, vec4<f32>(-1.151105184355492));
  q = fma(q, y, vec4<f32>(-0.9999999834451199));
  let tail = select(exp2Of(q), vec4<f32>(0.0), y >= vec4<f32>(5.75));
  return x * select(1.0 - tail, tail, x < vec4<f32>(0.0));`

const HARD = 'bounded(x + 3.0, vec4<f32>(0.0), vec4<f32>(6.0))'
const ELU = 'select(x, expm1Of(x), x < vec4<f32>(0.0))'

const BODIES: Readonly<Record<ActivationKind, string>> = {
  identity: '  return x;',
  relu: '  return select(x, max(x, vec4<f32>(0.0)), isNumber(x));',
  relu6: '  return bounded(x, vec4<f32>(0.0), vec4<f32>(6.0));',
  leaky_relu: '  return select(x, x * 0.01, x < vec4<f32>(0.0));',
  elu: `  return ${ELU};`,
  celu: `  return ${ELU};`,
  selu: '  return 1.0507009873554805 * select(x, 1.6732632423543772 * expm1Of(x), x < vec4<f32>(0.0));',
  gelu: GELU,
  gelu_tanh: '  return x * sigmoidOf(x * fma(0.0713548162726009 * x, x, vec4<f32>(1.5957691216057308)));',
  quick_gelu: '  return x * sigmoidOf(1.702 * x);',
  silu: '  return x * sigmoidOf(x);',
  mish: `  let e = expOf(min(x, vec4<f32>(30.0)));
  let n = e * (e + 2.0);
  return x * (n / (n + 2.0));`,
  sigmoid: '  return sigmoidOf(x);',
  tanh: `  let e = expm1Of(2.0 * bounded(x, vec4<f32>(-15.0), vec4<f32>(15.0)));
  return e / (e + 2.0);`,
  hard_sigmoid: `  return ${HARD} / 6.0;`,
  hard_swish: `  return x * ${HARD} / 6.0;`,
  hard_tanh: '  return bounded(x, vec4<f32>(-1.0), vec4<f32>(1.0));',
}

/** Writes `fn activate(x: vec4<f32>) -> vec4<f32>`. */
export function activation(kind: ActivationKind): string {
  const body = BODIES[kind]
  const needs = /exp2Of|expOf|expm1Of|sigmoidOf/.test(body)
  return `${BOUNDED}${needs ? EXPONENTIALS : ''}
fn activate(x: vec4<f32>) -> vec4<f32> {
${body}
}
`
}
