/** Reads settings from a config that a file brought along. Each has its expected kind, and an error names the key. */
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import type { PlainRecord, PlainValue } from '../../plain-value.js'

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

  /** A key whose value is null counts as absent, as it does in Birder's Python. */
  has(key: string): boolean {
    return this.#valueOrNull(key) !== null
  }

  /** Tells a key that is there and says null, where that means something else than to be absent. */
  isNull(key: string): boolean {
    return Object.hasOwn(this.#values, key) && !this.has(key)
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.#valueOrNull(key)
    if (value === null) return fallback
    if (typeof value === 'boolean') return value
    throw this.#wrong(key, 'true or false')
  }

  text(key: string, fallback: string): string {
    const value = this.#valueOrNull(key)
    if (value === null) return fallback
    if (typeof value === 'string') return value
    throw this.#wrong(key, 'a text')
  }

  /** Gives what the text stands for in `choices`. */
  choice<Choice>(key: string, choices: ReadonlyMap<string, Choice>, fallback: string): Choice {
    const choice = choices.get(this.text(key, fallback))
    if (choice !== undefined) return choice
    throw this.#wrong(key, `one of ${[...choices.keys()].join(', ')}`)
  }

  number(key: string, fallback: number): number {
    const value = this.#valueOrNull(key)
    if (value === null) return fallback
    if (typeof value === 'number' && value >= 0 && value <= LARGEST_NUMBER) return value
    throw this.#wrong(key, `a number from 0 to ${LARGEST_NUMBER}`)
  }

  numberOrNull(key: string): number | null {
    return this.has(key) ? this.number(key, 0) : null
  }

  /** Throws where the key is absent, too. */
  positive(key: string): number {
    const value = this.number(key, 0)
    if (Number.isInteger(value) && value > 0) return value
    throw this.#wrong(key, 'a whole number above 0')
  }

  /** A single number counts as a list of one where `orOne` says so. */
  numbersOrNull(key: string, orOne = false): readonly number[] | null {
    const value = this.#valueOrNull(key)
    if (value === null) return null
    if (orOne && typeof value === 'number') return [value]
    if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value
    throw this.#wrong(key, 'a list of numbers')
  }

  /** Gives two sides of which the file may say one for both. */
  sides(
    key: string,
    fallback: readonly [height: number, width: number],
  ): readonly [height: number, width: number] {
    const [height, width = height, ...others] = this.numbersOrNull(key, true) ?? fallback
    const isSide = (side: number | undefined): side is number =>
      side !== undefined && Number.isInteger(side) && side >= 1 && side <= 16384
    if (isSide(height) && isSide(width) && others.length === 0) return [height, width]
    throw this.refuse(key, 'one side, or height and width')
  }

  textsOrNull(key: string): readonly string[] | null {
    const value = this.#valueOrNull(key)
    if (value === null) return null
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
    throw this.#wrong(key, 'a list of texts')
  }

  /** Says that a setting is not what the tensors show. */
  contradicts(key: string, shown: number | boolean): CheckpointError {
    return new CheckpointError(
      'contradiction',
      `${this.#label}: its ${key} is ${JSON.stringify(this.#valueOrNull(key))}, and the weights show ${shown}. ` +
        'The config belongs to another network than the weights.',
    )
  }

  /** Makes the error for a value that cannot be; `expected` says what could. */
  refuse(key: string, expected: string): CheckpointError {
    return this.#wrong(key, expected)
  }

  /** Gives null where the key is absent, and undefined only where a caller's own config has it as a value. */
  #valueOrNull(key: string): PlainValue | undefined {
    return Object.hasOwn(this.#values, key) ? this.#values[key] : null
  }

  #wrong(key: string, expected: string): CheckpointError {
    const value = this.#valueOrNull(key)
    const found = value === null ? 'missing' : JSON.stringify(value)
    return new CheckpointError(
      'contradiction',
      `${this.#label}: its config's ${key} is ${found}; expected ${expected}.`,
    )
  }
}
