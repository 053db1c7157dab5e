/** Makes the shaders of pictures that have a pixel to a row, and says over how many threads each runs. Convolutions are products, which linear.ts makes. */
import type { OpKind } from '../../ops.js'
import type { DispatchMaker } from '../op-on-gpu.js'
import { forEach, prelude, SCALAR } from './wgsl.js'

/** Gives a value of the picture to a thread, which adds up what patches have there. */
function foldPatchesShader(bias: boolean): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let c = i % p.output.width;
  let row = i / p.output.width;
  let image = row / p.output.rows;
  let pixel = row % p.output.rows;
  let y = i32(pixel / p.planeWidth + p.padding);
  let x = i32(pixel % p.planeWidth + p.padding);
  let kernel = i32(p.patchSize);
  let stride = i32(p.patchStride);
  let down = 1 + (i32(p.planeHeight + 2u * p.padding) - kernel) / stride;
  let across = 1 + (i32(p.planeWidth + 2u * p.padding) - kernel) / stride;
  var sum = ${bias ? 'rows[p.bias + c]' : '0.0'};
  for (var top = min(y / stride, down - 1); top >= 0 && y - top * stride < kernel; top--) {
    for (var left = min(x / stride, across - 1); left >= 0 && x - left * stride < kernel; left--) {
      let patch_row = image * p.input.rows + u32(top * across + left);
      let within = u32((y - top * stride) * kernel + x - left * stride);
      sum += arena[p.input.offset + patch_row * p.input.stride + within * p.output.width + c];
    }
  }
  arena[p.output.offset + row * p.output.stride + c] = sum;`,
  )}`
}

/** Gives a value of the new picture to a thread, which adds up what it is made of. */
function resizeShader(): string {
  return `${prelude(SCALAR)}${forEach(
    'p.batch * p.output.rows * p.output.width',
    `  let c = i % p.output.width;
  let row = i / p.output.width;
  let first = row / p.output.rows * p.input.rows;
  let pixel = row % p.output.rows;
  let vertical = p.constant + pixel / p.gridColumns * 2u * p.taps;
  let horizontal = p.columnTable + pixel % p.gridColumns * 2u * p.taps;
  var sum = 0.0;
  for (var a = 0u; a < p.taps; a++) {
    let line = first + u32(constants[vertical + a]) * p.planeWidth;
    var part = 0.0;
    for (var b = 0u; b < p.taps; b++) {
      let at = line + u32(constants[horizontal + b]);
      part += constants[horizontal + p.taps + b] * arena[p.input.offset + at * p.input.stride + c];
    }
    sum += constants[vertical + p.taps + a] * part;
  }
  arena[p.output.offset + row * p.output.stride + c] = sum;`,
  )}`
}

export const MAP_DISPATCHES = {
  foldPatches: (on) => on.flatOutput(foldPatchesShader(on.op.bias !== null)),
  resize: (on) => on.flatOutput(resizeShader()),
} as const satisfies Partial<Record<OpKind, DispatchMaker>>
