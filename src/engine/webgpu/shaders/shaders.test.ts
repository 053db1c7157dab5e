/** The text of shaders, looked at: a change here is a change of what runs on a GPU. That they compute rightly is shown by the conformance tests. */
import { expect, test } from 'vitest'
import { matrixUnitsOf } from '../matrix-unit.js'
import { attentionShader } from './attention.js'
import { epilogue, linearShader } from './linear.js'
import { canMultiply, matrixLinearShader } from './matrix.js'
import { canAttend, matrixAttentionShader } from './matrix-attention.js'
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
  const half = linearShader({ ...plain, weight: 'half', operand: 'float', ragged: true })
  expect(lines(half, 'alias Vector')).toMatchInlineSnapshot(`
    "alias Vector = vec4<f32>;
    fn loadLeft(r: u32, q: u32, count: u32, depth: u32) -> Vector {
      if (r >= count || q >= depth) { return Vector(); }
      let v = arena[(p.a.base + r * p.a.stride) / 4u + q];
      return Vector(select(vec4<f32>(0.0), v, vec4<u32>(q * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.a.width)));"
  `)
  expect(lines(half, 'fn loadRight')).toMatchInlineSnapshot(`
    "fn loadRight(n: u32, q: u32, depth: u32) -> Vector {
      if (n >= p.out.width || q >= depth) { return Vector(); }
      let at = p.weights.x + n * depth + q;
      let h = weight[at]; return vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y));"
  `)
})

test('operands in halves are widened before they are multiplied', () => {
  const half = linearShader({ ...plain, weight: 'half', operand: 'half', ragged: false })
  expect(half).toMatch(/^enable f16;\n/)
  const lines = half.split('\n').map((line) => line.trim())
  expect(
    lines.filter((line) => /Vector|weight\[at\]|sums\[r\] \+=|let (a|b0) =/.test(line)),
  ).toMatchInlineSnapshot(`
    [
      "alias Vector = vec4<f16>;",
      "fn loadLeft(r: u32, q: u32, count: u32, depth: u32) -> Vector {",
      "if (r >= count || q >= depth) { return Vector(); }",
      "return Vector(v);",
      "fn loadRight(n: u32, q: u32, depth: u32) -> Vector {",
      "if (n >= p.out.width || q >= depth) { return Vector(); }",
      "return bitcast<vec4<f16>>(weight[at]);",
      "const STEP = 4u; // Vectors of the depth at a time.",
      "var<workgroup> left: array<Vector, 272>;",
      "var<workgroup> right: array<Vector, 272>;",
      "let b0 = vec4<f32>(right[place(thread.x * 4u, k)]);",
      "let a = vec4<f32>(left[place(thread.y * 4u + r, k)]);",
      "sums[r] += vec4<f32>(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));",
    ]
  `)
})

const UNIT = { component: 'f16', m: 16, n: 8, k: 16, subgroupSize: 32, sizeControl: true } as const

test('a linear layer on matrix units', () => {
  const code = matrixLinearShader({ ...plain, weight: 'half', ragged: false, bias: true }, UNIT)
  expect(code.slice(0, code.indexOf('struct Slot'))).toMatchInlineSnapshot(`
    "enable f16;
    enable subgroups;
    enable subgroup_size_control;
    enable chromium_experimental_subgroup_matrix;

    "
  `)
  const types = code.slice(code.indexOf('alias Element'), code.indexOf('const TILE'))
  expect(types).toMatchInlineSnapshot(`
    "alias Element = f16;
    alias Left = subgroup_matrix_left<Element, 16, 16>;
    alias Right = subgroup_matrix_right<Element, 8, 16>;
    alias Sums = subgroup_matrix_result<f32, 8, 16>;

    "
  `)
  expect(code.slice(code.indexOf('@subgroup_size'))).toMatchInlineSnapshot(`
    "@subgroup_size(32) @compute @workgroup_size(128)
    fn main(
      @builtin(workgroup_id) group: vec3<u32>,
      @builtin(local_invocation_index) thread: u32,
      @builtin(subgroup_id) subgroup: u32,
      @builtin(subgroup_invocation_id) lane: u32,
    ) {
      let count = p.a.rows * batch();
      let depth = (p.a.width + 3u) / 4u;
      let row = group.y * TILE;
      let column = group.x * TILE;
      let top = subgroup / 2u * 32u;
      let side = subgroup % 2u * 32u;
      var sums: array<Sums, 8>;
      for (var i = 0u; i < 8u; i++) { sums[i] = Sums(); }
      for (var start = 0u; start < depth; start += VECTORS) {
        for (var i = thread; i < TILE * VECTORS; i += THREADS) {
          let own = i / VECTORS;
          let part = i % VECTORS;
          let to = own * STRIDE + part * 4u;
          let a = loadLeft(row + own, start + part, count, depth);
          let b = loadRight(column + own, start + part, depth);
          for (var j = 0u; j < 4u; j++) {
            left[to + j] = a[j];
            right[to + j] = b[j];
          }
        }
        workgroupBarrier();
        for (var k = 0u; k < 32u; k += 16u) {
          var a: array<Left, 2>;
          for (var i = 0u; i < 2u; i++) {
            a[i] = subgroupMatrixLoad<Left, row_major>(&left, (top + i * 16u) * STRIDE + k, STRIDE);
          }
          for (var j = 0u; j < 4u; j++) {
            let b = subgroupMatrixLoad<Right, col_major>(&right, (side + j * 8u) * STRIDE + k, STRIDE);
            for (var i = 0u; i < 2u; i++) {
              sums[i * 4u + j] = subgroupMatrixMultiplyAccumulate(a[i], b, sums[i * 4u + j]);
            }
          }
        }
        workgroupBarrier();
      }
      let own = subgroup * 128u;
      for (var block = 0u; block < 8u; block++) {
        subgroupMatrixStore<row_major>(&staged, own, sums[block], 8u);
        workgroupBarrier();
        for (var e = lane; e < 32u; e += 32u) {
          let r = row + top + block / 4u * 16u + e / 2u;
          let c = (column + side + block % 4u * 8u) / 4u + e % 2u;
          if (r < count && c * 4u < p.out.width) {
            let at = own + e * 4u;
            var v = vec4<f32>(staged[at], staged[at + 1u], staged[at + 2u], staged[at + 3u]);
            v += rows[p.weights.y / 4u + c];
          v = activate(v);
            arena[(p.out.base + r * p.out.stride) / 4u + c] = v;
          }
        }
        workgroupBarrier();
      }
    }
    "
  `)
})

test('attention on matrix units', () => {
  const code = matrixAttentionShader({ operands: 'slots', headWidth: 64 }, UNIT)
  expect(code.slice(code.indexOf('const WIDTH'), code.indexOf('fn load('))).toMatchInlineSnapshot(`
    "const WIDTH = 64u;
    const STRIDE = 72u;
    const KEYS = 32u;
    const VALUES = 2304u; // Where values begin, behind keys.
    const SCORE_STRIDE = 36u;
    const SHARE_STRIDE = 40u;
    const THREADS = 128u;
    const LANES = 2u; // Of a row.
    const LOWEST = -3.0e38;
    var<workgroup> operand: array<Element, 4608>;
    var<workgroup> scores: array<f32, 2304>;
    var<workgroup> shares: array<Element, 2560>;
    var<workgroup> totals: array<f32, 64>;
    "
  `)
  // Scores become shares where they lie, if both are float32.
  const floats = { ...UNIT, component: 'f32', m: 8, k: 8, sizeControl: false } as const
  const own = matrixAttentionShader({ operands: 'normed', headWidth: 32 }, floats)
  expect(own).not.toContain('shares')
  expect(own).not.toContain('subgroup_size(')
})

test('matrix units are used where they divide the work and workgroup memory has room', () => {
  const attend = (headWidth: number, memory: number, more: object = {}) =>
    canAttend({ operands: 'slots', headWidth, ...more }, UNIT, memory)
  expect(attend(64, 32768)).toBe(true)
  expect(attend(128, 32768)).toBe(true)
  expect(attend(64, 16384)).toBe(false)
  expect(attend(72, 32768)).toBe(false)
  expect(attend(64, 32768, { operands: 'weight-key' })).toBe(false)
  expect(canMultiply(UNIT)).toBe(true)
  expect(canMultiply({ ...UNIT, m: 64 })).toBe(false)
  expect(canMultiply({ ...UNIT, k: 64 })).toBe(false)
})

test('of the matrices that a GPU has, those with float32 sums are units, the largest first', () => {
  const config = (componentType: string, resultComponentType: string, M: number, N: number, K: number) => ({
    componentType,
    resultComponentType,
    M,
    N,
    K,
  })
  const info = {
    subgroupMinSize: 16,
    subgroupMaxSize: 32,
    subgroupMatrixConfigs: [
      config('f16', 'f16', 16, 16, 16),
      config('f16', 'f32', 16, 8, 8),
      config('f16', 'f32', 16, 16, 16),
      config('i8', 'i32', 16, 16, 32),
    ],
  }
  expect(matrixUnitsOf(info, false)).toEqual([])
  expect(matrixUnitsOf(info, true)).toMatchObject([
    { component: 'f16', m: 16, n: 16, k: 16, subgroupSize: 32, sizeControl: true },
    { m: 16, n: 8, k: 8 },
  ])
  expect(matrixUnitsOf({ ...info, subgroupMinSize: 32 }, false)).toMatchObject([
    { sizeControl: false },
    { sizeControl: false },
  ])
  expect(matrixUnitsOf({}, true)).toEqual([])
})

test('attention takes as many keys at a time as workgroup memory holds', () => {
  const keys = (headWidth: number, memory: number) =>
    /const KEYS = (\d+)u/.exec(
      attentionShader({ operands: 'slots', operand: 'float', headWidth, memory }),
    )?.[1]
  expect(keys(64, 16384)).toBe('32')
  expect(keys(64, 8192)).toBe('16')
  expect(keys(256, 16384)).toBe('8')
  expect(keys(3, 16384)).toBe('32')
  expect(keys(4096, 16384)).toBe('1')
})

test('the texts depend on what is asked for alone', () => {
  const shader = { operands: 'normed', operand: 'float', headWidth: 80, memory: 16384 } as const
  expect(attentionShader(shader)).toBe(attentionShader({ ...shader }))
  expect(attentionShader(shader)).not.toBe(attentionShader({ ...shader, operands: 'slots' }))
})
