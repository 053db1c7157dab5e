/**
 * Makes the tables of rotary positions (Su et al. 2021, "RoFormer"; Heo et al. 2024, "Rotary position embedding for vision transformer"): for each token
 * cosines and sines of a head's columns. Libraries agree on the turning and on little else, so the way to the angles is data of the network. It is
 * computed in float32, step by step as they do it, since they do so whatever the type of the rest.
 */
import type { Constant } from '../engine/plan.js'
import type { PatchGrid } from './positions.js'

/** Says which angles a token's place has. */
export interface RotaryRule {
  /** Says what the place of a patch along an axis is. */
  readonly coordinates: RotaryCoordinates
  /** Says how fast each pair of columns turns. */
  readonly bands: RotaryBands
  /** Says whether the first of the two axes is that of the rows or that of the columns. */
  readonly firstAxis: 'rows' | 'columns'
  /** Lays the angles of both axes out once more behind themselves (`tiled`), or writes each twice in a row (`repeated`). */
  readonly spread: 'tiled' | 'repeated'
  /** Says which columns are turned into each other; see `Rotary`. */
  readonly pairs: 'halves' | 'neighbours'
  /** Turns registers on a grid of their own, square where their number is, else a column; null where they stay as they are. */
  readonly registers: {
    /** Is the base of their bands. */
    readonly temperature: number
  } | null
}

/** Says what the place of a patch along an axis is. */
export type RotaryCoordinates =
  /** (i + 0.5) / n * 2 - 1, times 2 pi (DINOv3). */
  | { readonly kind: 'centred' }
  /** i + offset, of a grid of n patches scaled to a reference grid where there is one. */
  | {
      readonly kind: 'whole'
      /** Is added to the number of a patch. */
      readonly offset: number
      /** Is the grid to which places are scaled; `own` divides by n and multiplies with it again, as Birder does. */
      readonly reference: PatchGrid | 'own' | null
    }

/** Says how fast each pair of columns turns. */
export type RotaryBands =
  /** temperature^(-k / (d / 4)) for k below d / 4. */
  | {
      readonly kind: 'temperature'
      /** Is the base of the bands. */
      readonly temperature: number
    }
  /** 1 / period, from the table `rotary.periods` [d / 4] of the file. */
  | { readonly kind: 'stored' }
  /** Learnt for each block, head and axis: the table `encoder.block.N.attn.frequencies` [2, H, d / 2], columns first. */
  | { readonly kind: 'mixed' }

/** Holds what a table depends on beside its rule. */
export interface RotaryShape {
  readonly grid: PatchGrid
  /** Counts the columns of a head, d. */
  readonly headWidth: number
  readonly heads: number
  readonly registers: number
  readonly classToken: boolean
}

/** Gives [T, 2 * d], or [T, H * 2 * d] for learnt frequencies, which `stored` then holds; for stored periods it holds these. */
export function rotaryTable(rule: RotaryRule, shape: RotaryShape, stored: Float32Array | null): Constant {
  const { grid, headWidth, heads, registers, classToken } = shape
  const tables = rule.bands.kind === 'mixed' ? heads : 1
  const width = tables * 2 * headWidth
  const special = registers + (classToken ? 1 : 0)
  const rows = special + grid.rows * grid.columns
  const values = new Float32Array(rows * width)
  for (let at = 0; at < special * width; at++) values[at] = at % (2 * headWidth) < headWidth ? 1 : 0
  const anglesAt = anglesOf(rule, shape, stored)
  for (let cell = 0; cell < grid.rows * grid.columns; cell++) {
    for (let table = 0; table < tables; table++) {
      const at = (special + cell) * width + table * 2 * headWidth
      write(values, at, spread(anglesAt(cell, table), rule.spread))
    }
  }
  if (rule.registers !== null) turnRegisters(values, rule, shape, rule.registers.temperature)
  return { shape: [rows, width], values }
}

function write(values: Float32Array, at: number, angles: Float32Array): void {
  angles.forEach((angle, j) => {
    values[at + j] = Math.cos(angle)
    values[at + angles.length + j] = Math.sin(angle)
  })
}

/** Registers are turned among themselves, as if they were patches of a small image of their own: neither the offset nor the reference grid of patches is theirs (Birder's net/rope_vit5.py). */
function turnRegisters(
  values: Float32Array,
  rule: RotaryRule,
  { headWidth, heads, registers, classToken }: RotaryShape,
  temperature: number,
): void {
  const side = Math.sqrt(registers)
  const grid = Number.isInteger(side) ? { rows: side, columns: side } : { rows: registers, columns: 1 }
  const own: RotaryRule = {
    ...rule,
    coordinates: placesOfRegisters(rule.coordinates),
    bands: { kind: 'temperature', temperature },
    registers: null,
  }
  const table = rotaryTable(own, { grid, headWidth, heads, registers: 0, classToken: false }, null)
  values.set(table.values, (classToken ? 1 : 0) * 2 * headWidth)
}

function placesOfRegisters(coordinates: RotaryCoordinates): RotaryCoordinates {
  if (coordinates.kind !== 'whole') return coordinates
  return { kind: 'whole', offset: 0, reference: coordinates.reference === null ? null : 'own' }
}

function spread(angles: Float32Array, kind: RotaryRule['spread']): Float32Array {
  const out = new Float32Array(2 * angles.length)
  angles.forEach((angle, k) => {
    const [first, second] = kind === 'tiled' ? [k, angles.length + k] : [2 * k, 2 * k + 1]
    out[first] = angle
    out[second] = angle
  })
  return out
}

/** Gives the d / 2 angles of a patch, for one of the tables. */
function anglesOf(
  rule: RotaryRule,
  { grid, headWidth, heads }: RotaryShape,
  stored: Float32Array | null,
): (cell: number, table: number) => Float32Array {
  const told = rule.coordinates.kind === 'whole' ? rule.coordinates.reference : null
  const reference = told === 'own' ? grid : told
  const places = {
    rows: placesOf(rule.coordinates, grid.rows, reference?.rows),
    columns: placesOf(rule.coordinates, grid.columns, reference?.columns),
  }
  const placeOf = (cell: number) => {
    const [row, column] = [Math.floor(cell / grid.columns), cell % grid.columns]
    return { row: at(places.rows, row), column: at(places.columns, column) }
  }
  const half = headWidth / 2
  if (rule.bands.kind === 'mixed') {
    const frequencies = needed(stored, 'frequencies')
    return (cell, table) => {
      const { row, column } = placeOf(cell)
      return Float32Array.from({ length: half }, (_, k) => {
        const ofColumn = Math.fround(column * at(frequencies, table * half + k))
        return ofColumn + Math.fround(row * at(frequencies, (heads + table) * half + k))
      })
    }
  }
  const bands = bandsOf(rule.bands, headWidth, stored)
  return (cell) => {
    const { row, column } = placeOf(cell)
    const [first, second] = rule.firstAxis === 'rows' ? [row, column] : [column, row]
    return Float32Array.from({ length: half }, (_, k) =>
      k < bands.length ? first * at(bands, k) : second * at(bands, k - bands.length),
    )
  }
}

function placesOf(rule: RotaryCoordinates, count: number, reference: number | undefined): Float32Array {
  if (rule.kind === 'centred') {
    return Float32Array.from({ length: count }, (_, i) => {
      const centred = Math.fround(Math.fround(2 * Math.fround((i + 0.5) / count)) - 1)
      return Math.fround(2 * Math.PI) * centred
    })
  }
  return Float32Array.from({ length: count }, (_, i) =>
    reference === undefined ? i + rule.offset : Math.fround((i + rule.offset) / count) * reference,
  )
}

function bandsOf(
  bands: Exclude<RotaryBands, { readonly kind: 'mixed' }>,
  headWidth: number,
  stored: Float32Array | null,
): Float32Array {
  if (bands.kind === 'stored') return needed(stored, 'periods').map((period) => 1 / period)
  return rotaryPeriods(bands.temperature, headWidth / 4).map((period) => 1 / period)
}

/** Gives temperature^(k / count) for k below count, d / 4: the periods that follow from a base. */
export function rotaryPeriods(temperature: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, k) => temperature ** Math.fround(k / count))
}

function needed(stored: Float32Array | null, what: string): Float32Array {
  if (stored !== null) return stored
  throw new Error(`The rotary positions of this network rest on stored ${what}, which were not read.`)
}

function at(values: Float32Array, index: number): number {
  const value = values[index]
  if (value !== undefined) return value
  throw new Error(`A table of rotary positions has ${values.length} values, and ${index + 1} are needed.`)
}
