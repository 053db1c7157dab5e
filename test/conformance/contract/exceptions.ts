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
    reason: 'it is the slow truth for plans that are right, and looks at a step when its turn comes',
    cases: [
      'a plan that contradicts itself or the weights is refused, and what is at fault named',
      'a weight of another length than its shape is refused by name',
    ],
  },
  {
    engine: 'reference',
    reason:
      'it keeps weights as its source hands them out and an array for each slot, and foresees the size of neither',
    cases: [
      'weights that no memory holds are refused by name before one is read, and the engine goes on',
      'activations that no memory holds are refused by name, and the engine goes on',
    ],
  },
  {
    engine: 'reference',
    reason:
      'a program of it holds the weights itself, and owns no memory that could be told of or given back',
    cases: [
      'a program that is disposed of, twice even, says so, and its model goes on',
      'a model that is disposed of, twice even, says so, and so do its programs',
    ],
  },
  {
    engine: 'reference',
    reason: 'it reads pixels in place, image after image, as the interface allows',
    cases: ['pixels may be overwritten or transferred while a run is under way'],
  },
  {
    engine: 'webgpu',
    reason:
      'it sends pixels when the turn of the run comes, and until then reads them in place, as the interface allows',
    cases: ['pixels may be overwritten or transferred while a run is under way'],
  },
  {
    engine: 'webgpu',
    reason:
      'a run that waits for its turn asks for its program anew, in case the device was lost, and then finds it disposed of',
    cases: ['runs under way finish when their program and model are disposed of'],
  },
]

export function exceptionFor({ name }: Subject, caseName: string): Exception | undefined {
  return EXCEPTIONS.find(({ engine, cases }) => name.startsWith(engine) && cases.includes(caseName))
}
