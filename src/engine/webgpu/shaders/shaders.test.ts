/** The text of shaders, looked at: a change here is a change of what runs on a GPU. That they compute rightly is shown by the conformance tests. */
import { expect, test } from 'vitest'
import { attentionShader } from './attention.js'
import { epilogue, linearShader } from './linear.js'
import { broadcastShader, copyOutShader, elementwiseShader } from './rows.js'
import { activation, prelude, SCALAR, VECTOR } from './wgsl.js'

const plain = { activation: 'identity', bias: false, gamma: false, combine: 'none' } as const

test('an epilogue has the lines that its operation needs, in order', () => {
  expect(epilogue(plain)).toMatchInlineSnapshot(`"v = activate(v);"`)
  expect(epilogue({ activation: 'gelu', bias: true, gamma: true, combine: 'add' })).toMatchInlineSnapshot(`
    "v += rows[p.weights.y / 4u + c];
          v = activate(v);
          v *= rows[p.weights.z / 4u + c];
          v += arena[(p.b.base + r * p.b.stride) / 4u + c];"
  `)
  expect(epilogue({ ...plain, activation: 'silu', combine: 'gate' })).toMatchInlineSnapshot(
    `"v *= activate(arena[(p.b.base + r * p.b.stride) / 4u + c]);"`,
  )
})

test('an element-wise step', () => {
  const code = elementwiseShader({ ...plain, gamma: true, combine: 'add' })
  expect(code.slice(prelude(VECTOR).length)).toMatchInlineSnapshot(`
    "
    fn bounded(x: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> vec4<f32> {
      return select(select(x, high, x > high), low, x < low);
    }

    fn activate(x: vec4<f32>) -> vec4<f32> {
      return x;
    }

    const GROUP = 256u;
    fn flat(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
      return (group.y * groups.x + group.x) * GROUP + thread;
    }

    @compute @workgroup_size(256)
    fn main(
      @builtin(workgroup_id) group: vec3<u32>,
      @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) thread: u32,
    ) {
      let i = flat(group, groups, thread);
      if (i >= batch() * p.a.rows * ((p.a.width + 3u) / 4u)) { return; }
      let vectors = (p.a.width + 3u) / 4u;
      let r = i / vectors;
      let c = i % vectors;
      var v = arena[(p.a.base + r * p.a.stride) / 4u + c];
          v = activate(v);
          v *= rows[p.weights.z / 4u + c];
          v += arena[(p.b.base + r * p.b.stride) / 4u + c];
      arena[(p.out.base + r * p.out.stride) / 4u + c] = v;
    }
    "
  `)
})

test('rows that become outputs, and a weight that becomes rows', () => {
  expect(copyOutShader(false).slice(prelude(SCALAR).length)).toMatchInlineSnapshot(`
    "
    const GROUP = 256u;
    fn flat(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
      return (group.y * groups.x + group.x) * GROUP + thread;
    }

    @compute @workgroup_size(256)
    fn main(
      @builtin(workgroup_id) group: vec3<u32>,
      @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) thread: u32,
    ) {
      let i = flat(group, groups, thread);
      if (i >= batch() * p.a.rows * p.a.width) { return; }
      outputs[p.last.y + i] = arena[p.a.base + i / p.a.width * p.a.stride + i % p.a.width];
    }
    "
  `)
  expect(broadcastShader().slice(prelude(SCALAR).length)).toMatchInlineSnapshot(`
    "
    const GROUP = 256u;
    fn flat(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
      return (group.y * groups.x + group.x) * GROUP + thread;
    }

    @compute @workgroup_size(256)
    fn main(
      @builtin(workgroup_id) group: vec3<u32>,
      @builtin(num_workgroups) groups: vec3<u32>,
      @builtin(local_invocation_index) thread: u32,
    ) {
      let i = flat(group, groups, thread);
      if (i >= batch() * p.out.rows * p.out.width) { return; }
      let row = i / p.out.width;
      let c = i % p.out.width;
      arena[p.out.base + row * p.out.stride + c] = rows[p.weights.x + row % p.out.rows * p.out.width + c];
    }
    "
  `)
})

test('activations', () => {
  expect(activation('relu')).toMatchInlineSnapshot(`
    "
    fn bounded(x: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> vec4<f32> {
      return select(select(x, high, x > high), low, x < low);
    }

    fn activate(x: vec4<f32>) -> vec4<f32> {
      return select(x, vec4<f32>(0.0), x < vec4<f32>(0.0));
    }
    "
  `)
  expect(activation('hard_swish')).toMatchInlineSnapshot(`
    "
    fn bounded(x: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> vec4<f32> {
      return select(select(x, high, x > high), low, x < low);
    }

    fn activate(x: vec4<f32>) -> vec4<f32> {
      return x * bounded(x + 3.0, vec4<f32>(0.0), vec4<f32>(6.0)) / 6.0;
    }
    "
  `)
})

test('weights as halves are widened where they are read, and a ragged depth is cut off', () => {
  const lines = (code: string, start: string) => code.slice(code.indexOf(start)).split('\n}\n')[0]
  const half = linearShader({ ...plain, weight: 'half', ragged: true })
  expect(lines(half, 'fn loadLeft')).toMatchInlineSnapshot(`
    "fn loadLeft(r: u32, q: u32, count: u32, depth: u32) -> vec4<f32> {
      if (r >= count || q >= depth) { return vec4<f32>(0.0); }
      let v = arena[(p.a.base + r * p.a.stride) / 4u + q];
      return select(vec4<f32>(0.0), v, vec4<u32>(q * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.a.width));"
  `)
  expect(lines(half, 'fn loadRight')).toMatchInlineSnapshot(`
    "fn loadRight(n: u32, q: u32, depth: u32) -> vec4<f32> {
      if (n >= p.out.width || q >= depth) { return vec4<f32>(0.0); }
      let at = p.weights.x + n * depth + q;
      let h = weight[at]; return vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y));"
  `)
})

test('attention takes as many keys at a time as workgroup memory holds', () => {
  const keys = (headWidth: number, memory: number) =>
    /const KEYS = (\d+)u/.exec(attentionShader({ operands: 'slots', headWidth, memory }))?.[1]
  expect(keys(64, 16384)).toBe('32')
  expect(keys(64, 8192)).toBe('16')
  expect(keys(256, 16384)).toBe('8')
  expect(keys(3, 16384)).toBe('32')
  expect(keys(4096, 16384)).toBe('1')
})

test('the texts depend on what is asked for alone', () => {
  const shader = { operands: 'normed', headWidth: 80, memory: 16384 } as const
  expect(attentionShader(shader)).toBe(attentionShader({ ...shader }))
  expect(attentionShader(shader)).not.toBe(attentionShader({ ...shader, operands: 'slots' }))
})
