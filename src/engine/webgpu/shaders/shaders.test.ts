/** The text of shaders, looked at: a change here is a change of what runs on a GPU. That they compute rightly is shown by the conformance tests. */
import { expect, test } from 'vitest'
import { matrixUnitsOf } from '../matrix-unit.js'
import { attentionShader } from './attention.js'
import { epilogue, LINEAR_TILES, linearShader } from './linear.js'
import { matrixLinearShader, matrixTiles, sidesOf } from './matrix.js'
import { quadAttentionShader, quadTiles } from './quad-attention.js'
import { broadcastShader, copyOutShader, elementwiseShader } from './rows.js'
import { NO_CHANGE } from './score-change.js'
import { chooseTile } from './tile.js'
import { activation, prelude, SCALAR, VECTOR } from './wgsl.js'

const plain = { activation: 'identity', bias: false, gamma: false, combine: 'none' } as const

test('an epilogue has the lines that its operation needs, in order', () => {
  expect(epilogue(plain)).toMatchInlineSnapshot(`"v = activate(v);"`)
  expect(epilogue({ activation: 'gelu', bias: true, gamma: true, combine: 'add' })).toMatchInlineSnapshot(`
    "v += rows[p.bias / 4u + c];
          v = activate(v);
          v *= rows[p.gamma / 4u + c];
          v += arena[(p.second.offset + r * p.second.stride) / 4u + c];"
  `)
  expect(epilogue({ ...plain, activation: 'silu', combine: 'gate' })).toMatchInlineSnapshot(
    `"v *= activate(arena[(p.second.offset + r * p.second.stride) / 4u + c]);"`,
  )
})

test('an element-wise step', () => {
  const code = elementwiseShader({ ...plain, gamma: true, combine: 'add' })
  expect(code.slice(prelude(VECTOR).length)).toMatchInlineSnapshot(`
    "
    fn isNumber(x: vec4<f32>) -> vec4<bool> {
      return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) <= vec4<u32>(0x7f800000u);
    }
    fn bounded(x: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> vec4<f32> {
      return select(x, clamp(x, low, high), isNumber(x));
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
      if (i >= p.batch * p.input.rows * ((p.input.width + 3u) / 4u)) { return; }
      let vectors = (p.input.width + 3u) / 4u;
      let r = i / vectors;
      let c = i % vectors;
      var v = arena[(p.input.offset + r * p.input.stride) / 4u + c];
          v = activate(v);
          v *= rows[p.gamma / 4u + c];
          v += arena[(p.second.offset + r * p.second.stride) / 4u + c];
      arena[(p.output.offset + r * p.output.stride) / 4u + c] = v;
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
      if (i >= p.batch * p.input.rows * p.input.width) { return; }
      outputs[p.outputBase + i] = arena[p.input.offset + i / p.input.width * p.input.stride + i % p.input.width];
    }
    "
  `)
  expect(broadcastShader('rows').slice(prelude(SCALAR).length)).toMatchInlineSnapshot(`
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
      if (i >= p.batch * p.output.rows * p.output.width) { return; }
      let row = i / p.output.width;
      let c = i % p.output.width;
      arena[p.output.offset + row * p.output.stride + c] = rows[p.weight + row % p.output.rows * p.output.width + c];
    }
    "
  `)
})

test('activations', () => {
  expect(activation('relu')).toMatchInlineSnapshot(`
    "
    fn isNumber(x: vec4<f32>) -> vec4<bool> {
      return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) <= vec4<u32>(0x7f800000u);
    }
    fn bounded(x: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> vec4<f32> {
      return select(x, clamp(x, low, high), isNumber(x));
    }

    fn activate(x: vec4<f32>) -> vec4<f32> {
      return select(x, max(x, vec4<f32>(0.0)), isNumber(x));
    }
    "
  `)
  expect(activation('hard_swish')).toMatchInlineSnapshot(`
    "
    fn isNumber(x: vec4<f32>) -> vec4<bool> {
      return (bitcast<vec4<u32>>(x) & vec4<u32>(0x7fffffffu)) <= vec4<u32>(0x7f800000u);
    }
    fn bounded(x: vec4<f32>, low: vec4<f32>, high: vec4<f32>) -> vec4<f32> {
      return select(x, clamp(x, low, high), isNumber(x));
    }

    fn activate(x: vec4<f32>) -> vec4<f32> {
      return x * bounded(x + 3.0, vec4<f32>(0.0), vec4<f32>(6.0)) / 6.0;
    }
    "
  `)
})

test('weights as halves are widened where they are read, and a ragged depth is cut off', () => {
  const lines = (code: string, start: string) => code.slice(code.indexOf(start)).split('\n}\n')[0]
  const half = linearShader({ ...plain, weight: 'half', operand: 'float', ragged: true }, LINEAR_TILES[0])
  expect(lines(half, 'alias Vector')).toMatchInlineSnapshot(`
    "alias Vector = vec4<f32>;
    fn loadLeft(r: u32, q: u32, count: u32, depth: u32) -> Vector {
      if (r >= count || q >= depth) { return Vector(); }
      let v = arena[(p.input.offset + r * p.input.stride) / 4u + q];
      return Vector(select(vec4<f32>(0.0), v, vec4<u32>(q * 4u) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.input.width)));"
  `)
  expect(lines(half, 'fn loadRight')).toMatchInlineSnapshot(`
    "fn loadRight(n: u32, q: u32, depth: u32) -> Vector {
      if (n >= p.output.width || q >= depth) { return Vector(); }
      let at = p.weight + n * depth + q;
      let h = weight[at]; return vec4<f32>(unpack2x16float(h.x), unpack2x16float(h.y));"
  `)
})

test.each(LINEAR_TILES)('a linear layer in squares of $side', (tile) => {
  const code = linearShader({ ...plain, weight: 'float', operand: 'float', ragged: false }, tile)
  const bytes = Number(/block: array<Vector, (\d+)>/.exec(code)?.[1]) * 16
  // Every device has this much.
  expect(bytes).toBeLessThanOrEqual(16384)
  expect(threadsOf(code)).toBeLessThanOrEqual(256)
  expect(code.match(/= fma\(/g)).toHaveLength(tile.steps * tile.own * (tile.own / 4))
  expect(code.includes('if (slice != 0u) { return; }')).toBe(tile.slices > 1)
})

test('operands in halves are widened before they are multiplied, and added up elsewhere', () => {
  const half = linearShader({ ...plain, weight: 'half', operand: 'half', ragged: false }, LINEAR_TILES[2])
  expect(half).toMatch(/^enable f16;\n/)
  const lines = half.split('\n').map((line) => line.trim())
  expect(
    lines.filter((line) => /Vector|weight\[at\]|shares\[0u|let (a|b)0 =/.test(line)).slice(0, 12),
  ).toMatchInlineSnapshot(`
    [
      "alias Vector = vec4<f16>;",
      "fn loadLeft(r: u32, q: u32, count: u32, depth: u32) -> Vector {",
      "if (r >= count || q >= depth) { return Vector(); }",
      "return Vector(v);",
      "fn loadRight(n: u32, q: u32, depth: u32) -> Vector {",
      "if (n >= p.output.width || q >= depth) { return Vector(); }",
      "return bitcast<vec4<f16>>(weight[at]);",
      "var<workgroup> block: array<Vector, 1024>;",
      "var f0: Vector; var f1: Vector; var f2: Vector; var f3: Vector;",
      "block[to + 0u * LINES] = Vector(f0[0], f1[0], f2[0], f3[0]);",
      "block[to + 1u * LINES] = Vector(f0[1], f1[1], f2[1], f3[1]);",
      "block[to + 2u * LINES] = Vector(f0[2], f1[2], f2[2], f3[2]);",
    ]
  `)
})

function threadsOf(code: string): number {
  return Number(/@workgroup_size\((\d+)\)/.exec(code)?.[1])
}

test('a tile is the largest that keeps enough workgroups busy, or the one that is asked for', () => {
  const tiles = [
    { side: 128, fewest: 100 },
    { side: 64, fewest: 50 },
    { side: 32, fewest: 0 },
  ]
  const sideFor = (rows: number, only: number | null = null) =>
    chooseTile(tiles, ({ side }) => rows / side, only).side
  expect([128 * 100, 128 * 99, 64 * 50, 64 * 49, 0].map((rows) => sideFor(rows))).toEqual([
    128, 64, 64, 32, 32,
  ])
  expect([0, 1, 2, 9].map((only) => sideFor(10, only))).toEqual([128, 64, 32, 32])
})

const UNIT = { component: 'f16', m: 16, n: 8, k: 16, subgroupSize: 32, sizeControl: true } as const

test('a linear layer on matrix units', () => {
  const [, small] = matrixTiles(UNIT, 32768)
  const code = matrixLinearShader({ ...plain, weight: 'half', ragged: false, bias: true }, UNIT, small)
  expect(code.slice(0, code.indexOf('struct Slot'))).toMatchInlineSnapshot(`
    "enable f16;
    enable subgroups;
    enable subgroup_size_control;
    enable chromium_experimental_subgroup_matrix;

    "
  `)
  const types = code.slice(code.indexOf('alias Element'), code.indexOf('const STRIDE'))
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
      let count = p.input.rows * p.batch;
      let depth = (p.input.width + 3u) / 4u;
      let row = group.y * 16u;
      let column = group.x * 64u;
      let top = subgroup / 4u * 16u;
      let side = subgroup % 4u * 16u;
      let own = thread / VECTORS;
      let part = thread % VECTORS;
      let place = own * STRIDE + part * 4u;
      var sum0_0 = Sums();
      var sum0_1 = Sums();
      var f0: Vector; var f1: Vector;
      var g0: Vector; var g1: Vector; var g2: Vector; var g3: Vector; var g4: Vector; var g5: Vector; var g6: Vector; var g7: Vector;
        f0 = loadLeft(row + own + 0u * LINES, 0u + part, count, depth);
        f1 = loadLeft(row + own + 1u * LINES, 0u + part, count, depth);
        g0 = loadRight(column + own + 0u * LINES, 0u + part, depth);
        g1 = loadRight(column + own + 1u * LINES, 0u + part, depth);
        g2 = loadRight(column + own + 2u * LINES, 0u + part, depth);
        g3 = loadRight(column + own + 3u * LINES, 0u + part, depth);
        g4 = loadRight(column + own + 4u * LINES, 0u + part, depth);
        g5 = loadRight(column + own + 5u * LINES, 0u + part, depth);
        g6 = loadRight(column + own + 6u * LINES, 0u + part, depth);
        g7 = loadRight(column + own + 7u * LINES, 0u + part, depth);
      for (var start = 0u; start < depth; start += VECTORS) {
        left[place + 0u * LINES * STRIDE + 0u] = f0[0]; left[place + 0u * LINES * STRIDE + 1u] = f0[1]; left[place + 0u * LINES * STRIDE + 2u] = f0[2]; left[place + 0u * LINES * STRIDE + 3u] = f0[3];
        left[place + 1u * LINES * STRIDE + 0u] = f1[0]; left[place + 1u * LINES * STRIDE + 1u] = f1[1]; left[place + 1u * LINES * STRIDE + 2u] = f1[2]; left[place + 1u * LINES * STRIDE + 3u] = f1[3];
        right[place + 0u * LINES * STRIDE + 0u] = g0[0]; right[place + 0u * LINES * STRIDE + 1u] = g0[1]; right[place + 0u * LINES * STRIDE + 2u] = g0[2]; right[place + 0u * LINES * STRIDE + 3u] = g0[3];
        right[place + 1u * LINES * STRIDE + 0u] = g1[0]; right[place + 1u * LINES * STRIDE + 1u] = g1[1]; right[place + 1u * LINES * STRIDE + 2u] = g1[2]; right[place + 1u * LINES * STRIDE + 3u] = g1[3];
        right[place + 2u * LINES * STRIDE + 0u] = g2[0]; right[place + 2u * LINES * STRIDE + 1u] = g2[1]; right[place + 2u * LINES * STRIDE + 2u] = g2[2]; right[place + 2u * LINES * STRIDE + 3u] = g2[3];
        right[place + 3u * LINES * STRIDE + 0u] = g3[0]; right[place + 3u * LINES * STRIDE + 1u] = g3[1]; right[place + 3u * LINES * STRIDE + 2u] = g3[2]; right[place + 3u * LINES * STRIDE + 3u] = g3[3];
        right[place + 4u * LINES * STRIDE + 0u] = g4[0]; right[place + 4u * LINES * STRIDE + 1u] = g4[1]; right[place + 4u * LINES * STRIDE + 2u] = g4[2]; right[place + 4u * LINES * STRIDE + 3u] = g4[3];
        right[place + 5u * LINES * STRIDE + 0u] = g5[0]; right[place + 5u * LINES * STRIDE + 1u] = g5[1]; right[place + 5u * LINES * STRIDE + 2u] = g5[2]; right[place + 5u * LINES * STRIDE + 3u] = g5[3];
        right[place + 6u * LINES * STRIDE + 0u] = g6[0]; right[place + 6u * LINES * STRIDE + 1u] = g6[1]; right[place + 6u * LINES * STRIDE + 2u] = g6[2]; right[place + 6u * LINES * STRIDE + 3u] = g6[3];
        right[place + 7u * LINES * STRIDE + 0u] = g7[0]; right[place + 7u * LINES * STRIDE + 1u] = g7[1]; right[place + 7u * LINES * STRIDE + 2u] = g7[2]; right[place + 7u * LINES * STRIDE + 3u] = g7[3];
        workgroupBarrier();
        f0 = loadLeft(row + own + 0u * LINES, start + VECTORS + part, count, depth);
        f1 = loadLeft(row + own + 1u * LINES, start + VECTORS + part, count, depth);
        g0 = loadRight(column + own + 0u * LINES, start + VECTORS + part, depth);
        g1 = loadRight(column + own + 1u * LINES, start + VECTORS + part, depth);
        g2 = loadRight(column + own + 2u * LINES, start + VECTORS + part, depth);
        g3 = loadRight(column + own + 3u * LINES, start + VECTORS + part, depth);
        g4 = loadRight(column + own + 4u * LINES, start + VECTORS + part, depth);
        g5 = loadRight(column + own + 5u * LINES, start + VECTORS + part, depth);
        g6 = loadRight(column + own + 6u * LINES, start + VECTORS + part, depth);
        g7 = loadRight(column + own + 7u * LINES, start + VECTORS + part, depth);
        for (var k = 0u; k < 64u; k += 16u) {
          let a0 = subgroupMatrixLoad<Left, row_major>(&left, (top + 0u) * STRIDE + k, STRIDE);
          {
            let b = subgroupMatrixLoad<Right, col_major>(&right, (side + 0u) * STRIDE + k, STRIDE);
            sum0_0 = subgroupMatrixMultiplyAccumulate(a0, b, sum0_0);
          }
          {
            let b = subgroupMatrixLoad<Right, col_major>(&right, (side + 8u) * STRIDE + k, STRIDE);
            sum0_1 = subgroupMatrixMultiplyAccumulate(a0, b, sum0_1);
          }
        }
        workgroupBarrier();
      }
      let begin = subgroup * 128u;
      subgroupMatrixStore<row_major>(&staged, begin, sum0_0, 8u);
      workgroupBarrier();
      for (var e = lane; e < 32u; e += 32u) {
        let r = row + top + 0u + e / 2u;
        let c = (column + side + 0u) / 4u + e % 2u;
        if (r < count && c * 4u < p.output.width) {
          let at = begin + e * 4u;
          var v = vec4<f32>(staged[at], staged[at + 1u], staged[at + 2u], staged[at + 3u]);
          v += rows[p.bias / 4u + c];
          v = activate(v);
          arena[(p.output.offset + r * p.output.stride) / 4u + c] = v;
        }
      }
      workgroupBarrier();
      subgroupMatrixStore<row_major>(&staged, begin, sum0_1, 8u);
      workgroupBarrier();
      for (var e = lane; e < 32u; e += 32u) {
        let r = row + top + 0u + e / 2u;
        let c = (column + side + 8u) / 4u + e % 2u;
        if (r < count && c * 4u < p.output.width) {
          let at = begin + e * 4u;
          var v = vec4<f32>(staged[at], staged[at + 1u], staged[at + 2u], staged[at + 3u]);
          v += rows[p.bias / 4u + c];
          v = activate(v);
          arena[(p.output.offset + r * p.output.stride) / 4u + c] = v;
        }
      }
      workgroupBarrier();
    }
    "
  `)
})

test('matrix units are used where they divide the work and workgroup memory has room', () => {
  const sides = (unit: object, memory = 32768) => matrixTiles({ ...UNIT, ...unit }, memory).map(sidesOf)
  expect(sides({})).toEqual([
    [64, 128],
    [16, 64],
  ])
  expect(sides({}, 16384)).toEqual([[16, 64]])
  expect(sides({}, 8192)).toEqual([])
  // There are fewer subgroups, and larger ones.
  expect(sides({ subgroupSize: 64 })).toEqual([
    [64, 64],
    [16, 64],
  ])
  expect(sides({ m: 64 })).toEqual([])
  expect(sides({ m: 32 })).toEqual([[64, 128]])
  expect(sides({ k: 64 })).toEqual([[16, 64]])
  expect(sides({ component: 'f32', m: 8, k: 8 })).toEqual([
    [64, 128],
    [16, 64],
  ])
})

test('attention by quads', () => {
  const quads = (headWidth: number, memory: number, operands: 'slots' | 'weight-key' = 'slots') =>
    quadTiles(operands, headWidth, memory).map(({ quads, splits }) => [quads, splits])
  expect(quads(64, 49152)).toEqual([
    [32, 1],
    [16, 4],
  ])
  expect(quads(64, 32768)).toEqual([
    [32, 1],
    [16, 4],
  ])
  expect(quads(64, 16384)).toEqual([
    [32, 1],
    [16, 1],
  ])
  expect(quads(64, 8192)).toEqual([[16, 1]])
  expect(quads(32, 32768)).toEqual([
    [32, 1],
    [16, 4],
  ])
  expect(quads(72, 49152)).toEqual([])
  expect(quads(128, 49152)).toEqual([])
  expect(quads(64, 49152, 'weight-key')).toEqual([])
  const [large, small] = quadTiles('slots', 64, 49152)
  const shader = { operands: 'slots', headWidth: 64, change: NO_CHANGE } as const
  expect(threadsOf(quadAttentionShader(shader, large))).toBe(128)
  expect(quadAttentionShader(shader, large)).not.toContain('mosts')
  expect(threadsOf(quadAttentionShader(shader, small))).toBe(256)
  expect(quadAttentionShader(shader, small)).toContain('if (split != 0u) { return; }')
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
      attentionShader({ operands: 'slots', headWidth, change: NO_CHANGE, memory }),
    )?.[1]
  expect(keys(64, 16384)).toBe('32')
  expect(keys(64, 8192)).toBe('16')
  expect(keys(256, 16384)).toBe('8')
  expect(keys(3, 16384)).toBe('32')
  expect(keys(4096, 16384)).toBe('1')
})

test('the texts depend on what is asked for alone', () => {
  const shader = { operands: 'slots', headWidth: 80, change: NO_CHANGE, memory: 16384 } as const
  expect(attentionShader(shader)).toBe(attentionShader({ ...shader }))
  expect(attentionShader(shader)).not.toBe(attentionShader({ ...shader, operands: 'weight-key' }))
})
