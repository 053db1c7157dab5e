/** Reads settings from a config that a file brought along: each with its expected kind, and an error that names the key. */
import type { PlainValue } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'

export type PlainRecord = { readonly [key: string]: PlainValue }

export function isRecord(value: PlainValue | undefined): value is PlainRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** No network is larger; a config that says so lies. */
const LARGEST_NUMBER = 1e6

export class ConfigReader {
  readonly #values: PlainRecord
  readonly #label: string

  constructor(values: PlainRecord, label: string) {
    this.#values = values
    this.#label = label
  }

  keys(): readonly string[] {
    return Object.keys(this.#values).filter((key) => this.has(key))
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key) && this.#values[key] !== null
  }

  flag(key: string, fallback: boolean): boolean {
    if (!this.has(key)) return fallback
    const value = this.#values[key]
    if (typeof value === 'boolean') return value
    throw this.#wrong(key, 'true or false')
  }

  text(key: string, fallback: string): string {
    if (!this.has(key)) return fallback
    const value = this.#values[key]
    if (typeof value === 'string') return value
    throw this.#wrong(key, 'a text')
  }

  oneOf(key: string, known: readonly string[], fallback: string): string {
    const value = this.text(key, fallback)
    if (known.includes(value)) return value
    throw this.#wrong(key, `one of ${known.join(', ')}`)
  }

  number(key: string, fallback: number): number {
    if (!this.has(key)) return fallback
    const value = this.#values[key]
    if (typeof value === 'number' && value >= 0 && value <= LARGEST_NUMBER) return value
    throw this.#wrong(key, `a number from 0 to ${LARGEST_NUMBER}`)
  }

  positive(key: string): number {
    const value = this.number(key, 0)
    if (Number.isInteger(value) && value > 0) return value
    throw this.#wrong(key, 'a whole number above 0')
  }

  numbersOrNull(key: string): readonly number[] | null {
    if (!this.has(key)) return null
    const value = this.#values[key]
    if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value
    throw this.#wrong(key, 'a list of numbers')
  }

  #wrong(key: string, expected: string): CheckpointError {
    const found = Object.hasOwn(this.#values, key) ? JSON.stringify(this.#values[key]) : 'missing'
    return new CheckpointError(
      'contradiction',
      `${this.#label}: its config's ${key} is ${found}; expected ${expected}.`,
    )
  }
}
