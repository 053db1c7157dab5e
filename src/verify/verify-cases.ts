/** Runs golden cases on an engine, and says how far each result is from that of the library that made the case. */
import type { Comparison, GoldenCase, GoldenContext } from './case.js'
import { runEndToEndCase } from './end-to-end-case.js'
import { runFamilyCase } from './family-case.js'
import { isLookedInto, runIntrospectionCase } from './introspection-case.js'
import { runLargeCase } from './large-case.js'
import { runMalformedCase } from './malformed-case.js'
import { reasonOfHeadOrNull, reasonOfKind, refusalOrNull, supersededOrNull } from './not-run.js'
import { runPositionCase } from './position-case.js'
import { runPreprocessCase } from './preprocess-case.js'
import { runProcessorCase } from './processor-case.js'
import { runVitCase } from './vit-case.js'

/** Says which cases run; default: all. */
export interface CaseSelection {
  /** Runs only cases whose id contains this text; default: all. */
  readonly filter?: string
  /** Runs only the case of exactly this id; default: all. */
  readonly only?: string
  /** Runs only these kinds; default: all. */
  readonly kinds?: readonly string[]
  /**
   * Is told each case that is not compared, and why: kinds that nothing here can run, and single cases on a closed list, whose networks are refused; and, of cases that are
   * compared, the tensors that are not.
   */
  readonly onLeftOut?: (leftOut: LeftOut) => void
}

/** Is a case that is not compared, or of which some tensors are not. */
export interface LeftOut {
  /** Names the case. */
  readonly id: string
  /** Names its kind. */
  readonly kind: string
  /** Says why it is not compared. */
  readonly reason: string
  /** Tells whether nothing of this kind is compared. */
  readonly isOfKind: boolean
  /** Names the tensors that are not compared of a case that is; absent where the case is not. */
  readonly tensors?: readonly string[]
}

type RunCase = (golden: GoldenCase, context: GoldenContext) => AsyncIterable<Comparison>

const RUNNERS: ReadonlyMap<string, RunCase> = new Map<string, RunCase>([
  ['vit', runVitCase],
  ['rope-vit', runVitCase],
  ['family', runFamilyCase],
  ['head', runFamilyCase],
  ['dialect', runVitCase],
  ['position', runPositionCase],
  ['end-to-end', runEndToEndCase],
  ['malformed', runMalformedCase],
  ['large', runLargeCase],
  ['preprocess', runPreprocessCase],
  ['processor', runProcessorCase],
  ['introspection', runIntrospectionCase],
])

/** The reference engine would take an hour for a network of real size, and a narrow precision promises nothing of some tensors. */
const NOTHING = 'this engine and precision have nothing to compare in it'

const UNKNOWN_TOOL = 'this release does not know the tool'

/** A case that fails with an error is one comparison that did not pass, with the error as its note. */
export async function* verifyCases(
  cases: readonly GoldenCase[],
  context: GoldenContext,
  { filter = '', only, kinds, onLeftOut }: CaseSelection = {},
): AsyncGenerator<Comparison, void, undefined> {
  const { signal } = context
  for (const golden of cases) {
    if (!golden.id.includes(filter) || kinds?.includes(golden.kind) === false) continue
    if (only !== undefined && golden.id !== only) continue
    const { id, kind } = golden
    const run = RUNNERS.get(kind)
    const unseen = kind === 'introspection' && !isLookedInto(golden) ? UNKNOWN_TOOL : null
    const reason = supersededOrNull(id) ?? reasonOfHeadOrNull(golden) ?? unseen
    if (run === undefined || reason !== null) {
      onLeftOut?.({ id, kind, reason: reason ?? reasonOfKind(kind), isOfKind: run === undefined })
      continue
    }
    signal?.throwIfAborted()
    let count = 0
    try {
      const onTensorsLeftOut = (tensors: readonly string[], why: string) =>
        onLeftOut?.({ id, kind, reason: why, isOfKind: false, tensors })
      for await (const comparison of run(golden, { ...context, onTensorsLeftOut })) {
        count++
        yield comparison
      }
      if (count === 0) onLeftOut?.({ id, kind, reason: NOTHING, isOfKind: false })
    } catch (error) {
      signal?.throwIfAborted()
      const failure = failed(golden, error)
      const reason = refusalOrNull(id, failure.note)
      if (reason === null) yield failure
      else onLeftOut?.({ id, kind, reason, isOfKind: false })
    }
  }
}

function failed({ id, kind }: GoldenCase, error: unknown): Comparison & { readonly note: string } {
  const note = error instanceof Error ? error.message : String(error)
  return { id, kind, tensor: 'all', error: Number.POSITIVE_INFINITY, tolerance: 0, passed: false, note }
}
