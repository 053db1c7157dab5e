/**
 * Tells which tokens of a network of routed experts a narrow precision has sent to other experts than the golden has. A choice has no nearly right answer: the
 * gate is multiplied in float32, but what it reads was rounded before, and where two experts are nearer than that, either may be taken. Such a token is not
 * promised; that it was as undecided is.
 */
import type { WeightSource } from '../engine/engine.js'
import type { Plan } from '../engine/plan.js'
import type { StepOf } from '../engine/step-table.js'
import { linear } from '../kernels/linear.js'
import { softmaxRows } from '../kernels/softmax.js'

/** Is a step that routes, with its weights. */
export interface Router {
  readonly route: StepOf<'route'>
  /** [E, D] */
  readonly gate: Float32Array
  /** [E]; null where nothing is added for the choice. */
  readonly bias: Float32Array | null
  /** Counts the rows of an image, special tokens that are not routed included. */
  readonly rows: number
  readonly experts: number
}

export interface Elsewhere {
  /** Numbers rows of the whole batch. */
  readonly rows: ReadonlySet<number>
  /** Is the largest difference between the shares of experts, or of tokens, that took each other's place; 0 where none did. */
  readonly farthest: number
}

/** Reads the routers of a plan; there are none in a network without routed experts. */
export async function readRouters({ steps, slots }: Plan, weights: WeightSource): Promise<readonly Router[]> {
  const routes = steps.filter((step) => step.op === 'route')
  return await Promise.all(
    routes.map(async (route) => {
      const [rows = 0, experts = 0] = slots.get(route.output) ?? []
      const [, width = 0] = slots.get(route.input) ?? []
      const gate = await weights.read(route.gate, [experts, width])
      const { choice } = route
      const bias = choice.kind === 'sigmoid' ? await weights.read(choice.bias, [experts]) : null
      return { route, gate, bias, rows, experts }
    }),
  )
}

/**
 * Compares a routing with the golden's. Sigmoids with their bias, or the softmax, are what the choice compares: they are called shares here.
 *
 * @param input what the router has read, [B, T, D]
 * @param found the routing that it has made, [B, T, E]: not 0 for an expert that a token goes to
 * @param expected the golden's, [B, routed, E]
 */
export function tokensElsewhere(
  { route, gate, bias, rows, experts }: Router,
  input: Float32Array,
  found: Float32Array,
  expected: Float32Array,
): Elsewhere {
  const scores = new Float32Array(found.length)
  linear(input, gate, null, found.length / experts, scores)
  const shares = bias === null ? softmaxRows(scores, experts) : sigmoidsWith(bias, scores)
  const routed = rows - route.firstRow
  const moved = new Set<number>()
  const changes = new Map<string, number[]>()
  for (const [at, weight] of expected.entries()) {
    const token = Math.floor(at / experts)
    const image = Math.floor(token / routed)
    const row = image * rows + route.firstRow + (token % routed)
    const expert = at % experts
    const place = row * experts + expert
    if ((weight !== 0) === (found[place] !== 0)) continue
    moved.add(row)
    const chooser = route.choice.kind === 'byExperts' ? `${image}, ${expert}` : `${row}`
    changes.set(chooser, [...(changes.get(chooser) ?? []), shares[place] ?? Number.NaN])
  }
  // Whoever takes another's place is one of two at least: what has changed alone was not undecided.
  const farthest = Array.from(changes.values(), (own) =>
    own.length === 1 ? Number.POSITIVE_INFINITY : Math.max(...own) - Math.min(...own),
  )
  return { rows: moved, farthest: Math.max(0, ...farthest) }
}

function sigmoidsWith(bias: Float32Array, scores: Float32Array): Float32Array {
  return scores.map((score, at) => 1 / (1 + Math.exp(-score)) + (bias[at % bias.length] ?? Number.NaN))
}
