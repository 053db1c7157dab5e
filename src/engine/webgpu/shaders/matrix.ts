/**
 * Products on a GPU's matrix units, as far as WebGPU reaches them: Dawn's experimental subgroup matrices, which a subgroup holds together and
 * multiplies in one instruction. Operands are halves (or float32 where a device has that), sums float32.
 * https://github.com/gpuweb/gpuweb/blob/main/proposals/subgroup-matrix.md
 */
import type { MatrixUnit } from '../matrix-unit.js'
import { epilogue, type LinearShader, linearPrelude, operands, TILE } from './linear.js'
import { activation } from './wgsl.js'

/** Of a workgroup; each makes a quarter of its tile. */
export const SUBGROUPS = 4
const QUARTER = TILE / 2

/** Bytes of an operand's element. */
export const bytesOf = ({ component }: MatrixUnit) => (component === 'f16' ? 2 : 4)
/** Depth at a time: 64 bytes of each row. */
const depthOf = (unit: MatrixUnit) => 64 / bytesOf(unit)
/** Elements from one row of `width` to the next in workgroup memory: 16 bytes more, so that rows begin at different banks. */
export const strideOf = (width: number, unit: MatrixUnit) => width + 16 / bytesOf(unit)

export function canMultiply(unit: MatrixUnit): boolean {
  return QUARTER % unit.m === 0 && QUARTER % unit.n === 0 && depthOf(unit) % unit.k === 0
}

/** Bytes of workgroup memory. */
export function matrixLinearMemory(unit: MatrixUnit): number {
  const operandBytes = 2 * TILE * strideOf(depthOf(unit), unit) * bytesOf(unit)
  return operandBytes + SUBGROUPS * unit.m * unit.n * 4
}

export function matrixEnables({ component, sizeControl }: MatrixUnit): string {
  return `${component === 'f16' ? 'enable f16;\n' : ''}enable subgroups;
${sizeControl ? 'enable subgroup_size_control;\n' : ''}enable chromium_experimental_subgroup_matrix;
`
}

export function matrixTypes({ component, m, n, k }: MatrixUnit): string {
  return `
alias Element = ${component};
alias Left = subgroup_matrix_left<Element, ${k}, ${m}>;
alias Right = subgroup_matrix_right<Element, ${n}, ${k}>;
alias Sums = subgroup_matrix_result<f32, ${n}, ${m}>;
`
}

/** The attributes and parameters of a main function of `SUBGROUPS` subgroups. */
export function matrixMain({ subgroupSize, sizeControl }: MatrixUnit): string {
  return `${sizeControl ? `@subgroup_size(${subgroupSize}) ` : ''}@compute @workgroup_size(${SUBGROUPS * subgroupSize})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {`
}

/** A tile of TILE x TILE of a linear layer to a workgroup, a quarter of it to a subgroup. */
export function matrixLinearShader(shader: Omit<LinearShader, 'operand'>, unit: MatrixUnit): string {
  const { m, n, k, component, subgroupSize } = unit
  const [down, across] = [QUARTER / m, QUARTER / n]
  const depth = depthOf(unit)
  const stride = strideOf(depth, unit)
  const vectors = depth / 4
  return `${matrixEnables(unit)}${linearPrelude(shader)}
${activation(shader.activation)}${operands({ ...shader, operand: component === 'f16' ? 'half' : 'float' })}${matrixTypes(unit)}
const TILE = ${TILE}u;
const STRIDE = ${stride}u;
const VECTORS = ${vectors}u; // Of the depth at a time.
const THREADS = ${SUBGROUPS * subgroupSize}u;
var<workgroup> left: array<Element, ${TILE * stride}>;
var<workgroup> right: array<Element, ${TILE * stride}>;
var<workgroup> staged: array<f32, ${SUBGROUPS * m * n}>;
${matrixMain(unit)}
  let count = p.a.rows * batch();
  let depth = (p.a.width + 3u) / 4u;
  let row = group.y * TILE;
  let column = group.x * TILE;
  let top = subgroup / 2u * ${QUARTER}u;
  let side = subgroup % 2u * ${QUARTER}u;
  var sums: array<Sums, ${down * across}>;
  for (var i = 0u; i < ${down * across}u; i++) { sums[i] = Sums(); }
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
    for (var k = 0u; k < ${depth}u; k += ${k}u) {
      var a: array<Left, ${down}>;
      for (var i = 0u; i < ${down}u; i++) {
        a[i] = subgroupMatrixLoad<Left, row_major>(&left, (top + i * ${m}u) * STRIDE + k, STRIDE);
      }
      for (var j = 0u; j < ${across}u; j++) {
        let b = subgroupMatrixLoad<Right, col_major>(&right, (side + j * ${n}u) * STRIDE + k, STRIDE);
        for (var i = 0u; i < ${down}u; i++) {
          sums[i * ${across}u + j] = subgroupMatrixMultiplyAccumulate(a[i], b, sums[i * ${across}u + j]);
        }
      }
    }
    workgroupBarrier();
  }
  let own = subgroup * ${m * n}u;
  for (var block = 0u; block < ${down * across}u; block++) {
    subgroupMatrixStore<row_major>(&staged, own, sums[block], ${n}u);
    workgroupBarrier();
    for (var e = lane; e < ${(m * n) / 4}u; e += ${subgroupSize}u) {
      let r = row + top + block / ${across}u * ${m}u + e / ${n / 4}u;
      let c = (column + side + block % ${across}u * ${n}u) / 4u + e % ${n / 4}u;
      if (r < count && c * 4u < p.out.width) {
        let at = own + e * 4u;
        var v = vec4<f32>(staged[at], staged[at + 1u], staged[at + 2u], staged[at + 3u]);
        ${epilogue(shader)}
        arena[(p.out.base + r * p.out.stride) / 4u + c] = v;
      }
    }
    workgroupBarrier();
  }
}
`
}
