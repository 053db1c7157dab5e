/** Elementwise functions go by the names that Birder's configs use (layers/activations.py); parameters are PyTorch's defaults. */
import { erf } from './erf.js'

export type ActivationFunction = (x: number) => number

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high)

export const ACTIVATIONS = {
  identity: (x: number) => x,
  relu: (x: number) => Math.max(x, 0),
  relu6: (x: number) => clamp(x, 0, 6),
  leaky_relu: (x: number) => (x < 0 ? 0.01 * x : x),
  elu: (x: number) => (x < 0 ? Math.expm1(x) : x),
  celu: (x: number) => (x < 0 ? Math.expm1(x) : x),
  selu: (x: number) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x),
  gelu: (x: number) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  gelu_tanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quick_gelu: (x: number) => x * sigmoid(1.702 * x),
  silu: (x: number) => x * sigmoid(x),
  // Above 30 log(1 + exp(x)) is x to the last bit, and exp would overflow later on.
  mish: (x: number) => x * Math.tanh(x > 30 ? x : Math.log1p(Math.exp(x))),
  sigmoid,
  tanh: Math.tanh,
  hard_sigmoid: (x: number) => clamp(x + 3, 0, 6) / 6,
  hard_swish: (x: number) => (x * clamp(x + 3, 0, 6)) / 6,
  hard_tanh: (x: number) => clamp(x, -1, 1),
} as const satisfies Record<string, ActivationFunction>

export function activate(kind: keyof typeof ACTIVATIONS, x: Float32Array, out: Float32Array): void {
  const f: ActivationFunction = ACTIVATIONS[kind]
  for (let i = 0; i < x.length; i++) out[i] = f(x[i])
}
