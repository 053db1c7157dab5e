/** Lets handlers of steps be tables: the compiler sees to it that every kind of step has one. */
import type { Step } from './plan.js'

export type StepKind = Step['op']
export type StepOf<Kind extends StepKind> = Extract<Step, { readonly op: Kind }>

export type StepTable<Rest extends readonly unknown[], Result> = {
  readonly [Kind in StepKind]: (step: StepOf<Kind>, ...rest: Rest) => Result
}

/** Calls the handler of the step's kind. */
export function handleStep<Rest extends readonly unknown[], Result>(
  table: StepTable<Rest, Result>,
  step: Step,
  ...rest: Rest
): Result {
  // A table's handler takes the steps of its own key, which the compiler cannot follow through a union.
  const handle = table[step.op] as (step: Step, ...rest: Rest) => Result
  return handle(step, ...rest)
}
