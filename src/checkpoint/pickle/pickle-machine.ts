/** Keeps the stack, marks and memo that a pickle works on, and bounds them. */
import { CheckpointError, type CheckpointErrorCode } from '../checkpoint-error.js'
import { type PickleBytes, pickleBytes } from './pickle-bytes.js'
import type { PickleStorage, PickleValue } from './pickle-value.js'

/** A state dict of ten thousand tensors stays far below all of these. */
const MOST_VALUES = 4_000_000
const MOST_MARKS = 1000
const MOST_MEMOIZED = 4_000_000

export interface PickleMachine {
  readonly bytes: PickleBytes
  push(value: PickleValue): void
  /** Never takes from below the last mark. */
  pop(): PickleValue
  /** Gives the value on top, which stays there. */
  top(): PickleValue
  mark(): void
  /** Takes everything above the last mark; the mark goes too. */
  popToMark(): PickleValue[]
  remember(index: number): void
  /** Remembers under the next free number. */
  rememberNext(): void
  recall(index: number): PickleValue
  /** Holds every storage that the pickle has spoken of, by key. */
  readonly storages: Map<string, PickleStorage>
  /** Throws an error that names the file and the place in the pickle. */
  refuse(problem: string, code?: CheckpointErrorCode): never
}

/** `label` names the file in errors. */
export function pickleMachine(code: Uint8Array, label: string): PickleMachine {
  const bytes = pickleBytes(code, label)
  const stack: PickleValue[] = []
  const marks: number[] = []
  const memo = new Map<number, PickleValue>()
  let pushed = 0

  const refuse = (problem: string, errorCode: CheckpointErrorCode = 'malformed'): never => {
    throw new CheckpointError(errorCode, `${label}: the pickle ${problem} (byte ${bytes.position()})`)
  }
  const top = (): PickleValue => {
    const value = stack.at(-1)
    const lastMark = marks.at(-1)
    const isAboveMark = lastMark === undefined || stack.length > lastMark
    return value !== undefined && isAboveMark ? value : refuse('takes from an empty stack')
  }
  const remember = (index: number) => {
    if (memo.size >= MOST_MEMOIZED) refuse(`memoizes more than ${MOST_MEMOIZED} values`, 'too-large')
    memo.set(index, top())
  }

  return {
    bytes,
    top,
    remember,
    refuse,
    storages: new Map(),
    push: (value) => {
      if (++pushed > MOST_VALUES) refuse(`makes more than ${MOST_VALUES} values`, 'too-large')
      stack.push(value)
    },
    pop: () => {
      const value = top()
      stack.pop()
      return value
    },
    mark: () => {
      if (marks.length >= MOST_MARKS) refuse(`opens more than ${MOST_MARKS} marks`, 'too-large')
      marks.push(stack.length)
    },
    popToMark: () => {
      const start = marks.pop()
      if (start === undefined) return refuse('closes a mark that it never opened')
      return stack.splice(start)
    },
    rememberNext: () => remember(memo.size),
    recall: (index) => {
      const value = memo.get(index)
      if (value === undefined) return refuse(`reads memo ${index}, which was never written`)
      return value
    },
  }
}
