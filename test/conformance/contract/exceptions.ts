/** Says where an engine may part from the contract, and why. An exception that is no longer needed fails the suite. */
import type { Subject } from './subject.js'

export interface Exception {
  /** Begins the names of the engines that it holds for. */
  readonly engine: string
  readonly reason: string
  /** Names the cases. */
  readonly cases: readonly string[]
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    engine: 'reference',
    reason:
      'it keeps weights as its source hands them out and an array for each slot, and foresees the size of neither',
    cases: [
      'weights that no memory holds are refused by name before one is read, and the engine goes on',
      'activations that no memory holds are refused by name, and the engine goes on',
    ],
  },
]

export function exceptionFor({ name }: Subject, caseName: string): Exception | undefined {
  return EXCEPTIONS.find(({ engine, cases }) => name.startsWith(engine) && cases.includes(caseName))
}
