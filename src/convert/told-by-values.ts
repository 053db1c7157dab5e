/** Finds out what of a network only its values tell, before it is decided where they go: a config cannot tell it, and a layout may hold one and not the other. */

import { PERIODS } from '../model/grid-tables.js'
import type { VitModel } from '../model/read-vit.js'
import { type RotaryRule, rotaryPeriods } from '../model/rotary.js'
import type { VitConfig } from '../model/vit-config.js'
import type { Shape } from '../tensor/shape.js'

/** Is a network as it is converted. */
export interface ConvertedConfig extends VitConfig {
  /** Tells whether keys have a bias that is more than zeros, which some layouts have no place for. */
  readonly keyBias: boolean
  /** Tells whether the matrices behind attention and of feed-forward nets have biases that are more than zeros, which a few networks are made without. */
  readonly linearBias: boolean
  /** Tells whether the layer that makes patches tokens has a bias that is more than zeros; one without it has none. */
  readonly stemBias: boolean
  /** Tells whether the head's bias is more than zeros; a head without one has none. */
  readonly headBias: boolean
  /** Tells whether an attention pooling takes its query as it is and adds nothing to what it gives, as AIMv2's head: its matrix is the identity, and its net gives zeros. */
  readonly barePooling: boolean
}

/** Reads the biases of all blocks, of the patches and of the head, and stored periods of rotary positions. Throws what reading throws; the signal's reason. */
export async function withWhatValuesTell(vit: VitModel, signal?: AbortSignal): Promise<ConvertedConfig> {
  return {
    ...vit.config,
    rotary: await rotaryOf(vit),
    keyBias: await hasKeyBias(vit, signal),
    linearBias: await hasLinearBias(vit, signal),
    stemBias: await hasBias(vit, 'conv_proj'),
    headBias: await hasBias(vit, 'classifier'),
    barePooling: await hasBarePooling(vit),
  }
}

async function hasKeyBias(
  { weights, weightShapes, config }: VitModel,
  signal?: AbortSignal,
): Promise<boolean> {
  for (const [name, shape] of weightShapes) {
    if (!name.endsWith('.attn.qkv.bias')) continue
    signal?.throwIfAborted()
    const bias = await weights.read(name, shape)
    if (!isZeros(bias.subarray(config.width, 2 * config.width))) return true
  }
  return false
}

/** The first block of most networks tells it. */
async function hasLinearBias({ weights, weightShapes }: VitModel, signal?: AbortSignal): Promise<boolean> {
  for (const [name, shape] of weightShapes) {
    if (!LINEAR_BIAS.test(name)) continue
    signal?.throwIfAborted()
    if (!isZeros(await weights.read(name, shape))) return true
  }
  return false
}

const LINEAR_BIAS = /^encoder\.block\.\d+\.(attn\.proj|mlp\.[\w.]+)\.bias$/

async function hasBias({ weights, weightShapes }: VitModel, module: string): Promise<boolean> {
  const name = `${module}.bias`
  const shape = weightShapes.get(name)
  return shape !== undefined && !isZeros(await weights.read(name, shape))
}

async function hasBarePooling(vit: VitModel): Promise<boolean> {
  const { pooling, qkvBias, width } = vit.config
  if (pooling.kind !== 'attention' || pooling.hidden === null) return false
  const read = (name: string, shape: Shape) => vit.weights.read(`attn_pool.${name}`, shape)
  // AIMv2's head has a bias for keys and values only where the blocks have one.
  if (!qkvBias && (await hasBias(vit, 'attn_pool.kv'))) return false
  if ((await hasBias(vit, 'attn_pool.q')) || (await hasBias(vit, 'attn_pool.mlp.3'))) return false
  return (
    isZeros(await read('mlp.3.weight', [width, pooling.hidden])) &&
    isIdentity(await read('q.weight', [width, width]), width)
  )
}

function isIdentity(values: Float32Array, size: number): boolean {
  return values.every((value, at) => Object.is(value, at % (size + 1) === 0 ? 1 : 0))
}

/** A negative zero would come back as another one, so that it counts as a bias. */
function isZeros(values: Float32Array): boolean {
  return values.every((value) => Object.is(value, 0))
}

/** Periods that follow from a base are told by it, as all libraries but Meta's tell them. */
async function rotaryOf(vit: VitModel): Promise<RotaryRule | null> {
  const { rotary } = vit.config
  if (rotary?.bands.kind !== 'stored') return rotary
  const periods = (await vit.readTables()).get(PERIODS) ?? new Float32Array(0)
  const temperature = temperatureOrNull(periods)
  return temperature === null ? rotary : { ...rotary, bands: { kind: 'temperature', temperature } }
}

/** Libraries differ in the last digits of a power; those of periods that were kept in bfloat16 are farther off. */
const LAST_DIGITS = 2 ** -21

function temperatureOrNull(periods: Float32Array): number | null {
  const count = periods.length
  const last = periods.at(-1) ?? Number.NaN
  // With a single period, which is 1, any base does: DINOv3's own.
  const temperature = count === 1 ? 100 : Number((last ** (count / (count - 1))).toPrecision(6))
  const made = rotaryPeriods(temperature, count)
  const isNear = periods.every(
    (period, k) => Math.abs(period - (made[k] ?? Number.NaN)) <= LAST_DIGITS * period,
  )
  return isNear ? temperature : null
}
