/** The names of engines and precisions that callers may ask for; apart from the engines, so that a list of options loads none of them. */

/** What callers may ask for; `auto` is `high` where the processor has matrix tiles, else `float32`. */
export const PRECISION_CHOICES = [
  'auto',
  'float32',
  'high',
  'bfloat16',
  'float16',
  'int8',
  'float64',
] as const
export type PrecisionChoice = (typeof PRECISION_CHOICES)[number]

/** `auto` never takes the reference engine, unless asked for its precision. */
export const ENGINE_CHOICES = ['auto', 'native', 'webgpu', 'wasm', 'reference'] as const
export type EngineChoiceName = (typeof ENGINE_CHOICES)[number]
