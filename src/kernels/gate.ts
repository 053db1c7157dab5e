import { ACTIVATIONS, type ActivationFunction } from './activation.js'

/**
 * Lets a function of one table gate another: SwiGLU where the function is SiLU.
 *
 *     out[i] = f(gate[i]) * value[i]
 */
export function gate(
  kind: keyof typeof ACTIVATIONS,
  gate: Float32Array,
  value: Float32Array,
  out: Float32Array,
): void {
  const f: ActivationFunction = ACTIVATIONS[kind]
  for (let i = 0; i < out.length; i++) out[i] = f(gate[i]) * value[i]
}
