/** Tells which engines run a step, so that a network is refused by name before anything of it is read. */
import type { Engine, EngineName } from './engine.js'
import { EngineError } from './engine-error.js'
import type { Plan, Step } from './plan.js'
import type { StepKind } from './step-table.js'

/** Lists the steps that not every engine has, with what a person calls them. */
const NOT_PORTABLE: ReadonlyMap<StepKind, string> = new Map([
  ['route', 'routed experts'],
  ['routedExperts', 'routed experts'],
])
const ENGINES_WITH_ALL: readonly EngineName[] = ['native', 'reference']

/** Tells whether every engine has a step. */
export function isPortable({ op }: Step): boolean {
  return !NOT_PORTABLE.has(op)
}

/** Throws `unsupported` where the engine lacks a step of the plan. */
export function assertRuns(engine: Pick<Engine, 'name' | 'supports'>, plan: Plan): void {
  const { name } = engine
  const step = plan.steps.find((one) => !engine.supports(one))
  if (step === undefined) return
  const what = NOT_PORTABLE.get(step.op) ?? `the step ${step.op}`
  const others = ENGINES_WITH_ALL.filter((other) => other !== name)
  throw new EngineError(
    'unsupported',
    `The ${name} engine cannot run ${what}, which this network needs. The ${others.join(' and the ')} engine can: ` +
      "engine: 'native' where a program loads it in Node, --engine native on the command line; or 'reference', in a browser too, which takes seconds to minutes for an image.",
  )
}
