/**
 * Attention on matrix units. A softmax that corrects itself as it goes would have to scale sums that lie in matrices, where single rows cannot be
 * reached; so keys are passed over twice: once for each query's maximum and sum, then for the values, with nothing left to correct.
 */
import type { MatrixUnit } from '../matrix-unit.js'
import { attentionPlaces, type Operands, QUERIES } from './attention.js'
import { bytesOf, matrixEnables, matrixMain, matrixTypes, SUBGROUPS, strideOf } from './matrix.js'
import { prelude } from './wgsl.js'

/** Queries of a subgroup. */
const ROWS = QUERIES / SUBGROUPS
/** Keys at a time. */
const KEYS = 32
/** Floats from row to row of scores in workgroup memory. */
const SCORE_STRIDE = KEYS + 4
/** Shares are kept this many times larger, so that small ones are normal halves. */
const SHARE_EXPONENT = 10

export interface MatrixAttentionShader {
  readonly operands: Operands
  readonly headWidth: number
}

/** Whether the unit's matrices divide the work, and workgroup memory has room for it. */
export function canAttend({ operands, headWidth }: MatrixAttentionShader, unit: MatrixUnit, memory: number) {
  const { m, n, k, subgroupSize } = unit
  const divided = [ROWS % m, KEYS % n, KEYS % k, headWidth % n, headWidth % k, headWidth % 4]
  const isPlain = operands === 'slots' || operands === 'normed'
  const lanes = subgroupSize >= ROWS ? subgroupSize % ROWS : ROWS % subgroupSize
  return isPlain && lanes === 0 && divided.every((rest) => rest === 0) && memoryOf(headWidth, unit) <= memory
}

function memoryOf(headWidth: number, unit: MatrixUnit): number {
  const bytes = bytesOf(unit)
  const shares = unit.component === 'f16' ? QUERIES * strideOf(KEYS, unit) * bytes : 0
  return QUERIES * strideOf(headWidth, unit) * bytes + QUERIES * SCORE_STRIDE * 4 + shares + QUERIES * 4
}

/** A workgroup for 64 queries of a head, as attentionShader has it. */
export function matrixAttentionShader(
  { operands, headWidth }: MatrixAttentionShader,
  unit: MatrixUnit,
): string {
  const { m, n, k, component, subgroupSize } = unit
  const half = component === 'f16'
  const stride = strideOf(headWidth, unit)
  const [down, keysAcross, across] = [ROWS / m, KEYS / n, headWidth / n]
  const [depth, keysDeep] = [headWidth / k, KEYS / k]
  // Of float32, scores become shares where they lie.
  const shareStride = half ? strideOf(KEYS, unit) : SCORE_STRIDE
  const shares = half ? 'shares' : 'scores'
  const lanesOfRow = Math.max(1, subgroupSize / ROWS)
  const rowsOfLane = Math.max(1, ROWS / subgroupSize)
  return `${matrixEnables(unit)}${prelude({ arena: 'vec4<f32>', rows: 'vec4<f32>', weight: 'vec4<f32>' })}
${attentionPlaces(operands)}${matrixTypes(unit)}
const WIDTH = ${headWidth}u;
const STRIDE = ${stride}u;
const KEYS = ${KEYS}u;
const VALUES = ${KEYS * stride}u; // Where values begin, behind keys.
const SCORE_STRIDE = ${SCORE_STRIDE}u;
const SHARE_STRIDE = ${shareStride}u;
const THREADS = ${SUBGROUPS * subgroupSize}u;
const LANES = ${lanesOfRow}u; // Of a row.
const LOWEST = -3.0e38;
var<workgroup> operand: array<Element, ${QUERIES * stride}>;
var<workgroup> scores: array<f32, ${QUERIES * SCORE_STRIDE}>;
${half ? `var<workgroup> shares: array<Element, ${QUERIES * shareStride}>;\n` : ''}var<workgroup> totals: array<f32, ${QUERIES}>;
fn load(to: u32, at: u32) {
  let v = arena[at / 4u];
  for (var i = 0u; i < 4u; i++) { operand[to + i] = Element(v[i]); }
}
fn clear(to: u32) {
  for (var i = 0u; i < 4u; i++) { operand[to + i] = Element(0.0); }
}
// The i-th row, in workgroup memory, that a lane works on.
fn rowOf(subgroup: u32, lane: u32, i: u32) -> u32 {
  return subgroup * ${ROWS}u + lane / LANES + i * ${subgroupSize / lanesOfRow}u;
}
${matrixMain(unit)}
  let image = group.z;
  let head = group.y * WIDTH;
  let queries = p.a.rows;
  let count = p.b.rows;
  let first = group.x * ${QUERIES}u;
  let top = subgroup * ${ROWS}u;
  let factor = scale() * 1.44269504088896341;
  for (var i = thread; i < ${QUERIES}u * (WIDTH / 4u); i += THREADS) {
    let r = i / (WIDTH / 4u);
    let c = i % (WIDTH / 4u) * 4u;
    if (first + r < queries) { load(r * STRIDE + c, queryAt(image, first + r) + head + c); } else { clear(r * STRIDE + c); }
  }
  workgroupBarrier();
  var query: array<Left, ${down * depth}>;
  for (var i = 0u; i < ${down}u; i++) {
    for (var d = 0u; d < ${depth}u; d++) {
      query[i * ${depth}u + d] = subgroupMatrixLoad<Left, row_major>(&operand, (top + i * ${m}u) * STRIDE + d * ${k}u, STRIDE);
    }
  }
  var most: array<f32, ${rowsOfLane}>;
  var total: array<f32, ${rowsOfLane}>;
  for (var i = 0u; i < ${rowsOfLane}u; i++) { most[i] = LOWEST; }
  var mixed: array<Sums, ${down * across}>;
  for (var i = 0u; i < ${down * across}u; i++) { mixed[i] = Sums(); }
  for (var round = 0u; round < 2u; round++) {
    for (var start = 0u; start < count; start += KEYS) {
      workgroupBarrier();
      for (var i = thread; i < KEYS * (WIDTH / 4u); i += THREADS) {
        let r = i / (WIDTH / 4u);
        let c = i % (WIDTH / 4u) * 4u;
        if (start + r < count) {
          load(r * STRIDE + c, keyAt(image, start + r) + head + c);
          if (round == 1u) { load(VALUES + r * STRIDE + c, valueAt(image, start + r) + head + c); }
        } else {
          clear(r * STRIDE + c);
          clear(VALUES + r * STRIDE + c);
        }
      }
      workgroupBarrier();
      for (var j = 0u; j < ${keysAcross}u; j++) {
        var score: array<Sums, ${down}>;
        for (var i = 0u; i < ${down}u; i++) { score[i] = Sums(); } // Drivers were seen that begin with what was there before.
        for (var d = 0u; d < ${depth}u; d++) {
          let key = subgroupMatrixLoad<Right, col_major>(&operand, j * ${n}u * STRIDE + d * ${k}u, STRIDE);
          for (var i = 0u; i < ${down}u; i++) {
            score[i] = subgroupMatrixMultiplyAccumulate(query[i * ${depth}u + d], key, score[i]);
          }
        }
        for (var i = 0u; i < ${down}u; i++) {
          subgroupMatrixStore<row_major>(&scores, (top + i * ${m}u) * SCORE_STRIDE + j * ${n}u, score[i], SCORE_STRIDE);
        }
      }
      workgroupBarrier();
      let present = min(KEYS, count - start);
      for (var i = 0u; i < ${rowsOfLane}u; i++) {
        let row = rowOf(subgroup, lane, i);
        if (round == 0u) {
          var highest = most[i];
          for (var j = lane % LANES; j < present; j += LANES) { highest = max(highest, scores[row * SCORE_STRIDE + j]); }
          total[i] *= exp2((most[i] - highest) * factor);
          most[i] = highest;
          for (var j = lane % LANES; j < present; j += LANES) {
            total[i] += exp2((scores[row * SCORE_STRIDE + j] - highest) * factor);
          }
        } else {
          for (var j = lane % LANES; j < KEYS; j += LANES) {
            let exponent = (scores[row * SCORE_STRIDE + j] - most[i]) * factor + ${SHARE_EXPONENT}.0;
            ${shares}[row * SHARE_STRIDE + j] = Element(select(0.0, exp2(exponent), j < present));
          }
        }
      }
      if (round == 1u) {
        workgroupBarrier();
        for (var d = 0u; d < ${keysDeep}u; d++) {
          var share: array<Left, ${down}>;
          for (var i = 0u; i < ${down}u; i++) {
            share[i] = subgroupMatrixLoad<Left, row_major>(&${shares}, (top + i * ${m}u) * SHARE_STRIDE + d * ${k}u, SHARE_STRIDE);
          }
          for (var j = 0u; j < ${across}u; j++) {
            let value = subgroupMatrixLoad<Right, row_major>(&operand, VALUES + d * ${k}u * STRIDE + j * ${n}u, STRIDE);
            for (var i = 0u; i < ${down}u; i++) {
              mixed[i * ${across}u + j] = subgroupMatrixMultiplyAccumulate(share[i], value, mixed[i * ${across}u + j]);
            }
          }
        }
      }
    }
    workgroupBarrier();
    if (round == 0u) {
      // What each lane found in its share of the keys is joined: all lanes of a row then know the same.
      for (var i = 0u; i < ${rowsOfLane}u; i++) {
        let at = rowOf(subgroup, lane, i) * SCORE_STRIDE + lane % LANES * 2u;
        scores[at] = most[i];
        scores[at + 1u] = total[i];
      }
      workgroupBarrier();
      for (var i = 0u; i < ${rowsOfLane}u; i++) {
        let row = rowOf(subgroup, lane, i);
        for (var j = 0u; j < LANES; j++) { most[i] = max(most[i], scores[row * SCORE_STRIDE + j * 2u]); }
        var sum = 0.0;
        for (var j = 0u; j < LANES; j++) {
          let at = row * SCORE_STRIDE + j * 2u;
          sum += scores[at + 1u] * exp2((scores[at] - most[i]) * factor);
        }
        if (lane % LANES == 0u) { totals[row] = sum * ${2 ** SHARE_EXPONENT}.0; }
      }
    }
  }
  for (var block = 0u; block < ${down * across}u; block++) {
    let own = top * SCORE_STRIDE;
    subgroupMatrixStore<row_major>(&scores, own, mixed[block], ${n}u);
    workgroupBarrier();
    for (var e = lane; e < ${(m * n) / 4}u; e += ${subgroupSize}u) {
      let row = top + block / ${across}u * ${m}u + e / ${n / 4}u;
      let c = block % ${across}u * ${n}u + e % ${n / 4}u * 4u;
      if (first + row < queries) {
        let at = own + e * 4u;
        let v = vec4<f32>(scores[at], scores[at + 1u], scores[at + 2u], scores[at + 3u]);
        arena[(p.out.base + (image * queries + first + row) * p.out.stride + head + c) / 4u] = v / totals[row];
      }
    }
    workgroupBarrier();
  }
}
`
}
