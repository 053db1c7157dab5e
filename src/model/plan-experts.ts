/** Plans what stands in a block in place of one feed-forward net: a soft mixture of experts, or experts to which tokens are routed. */
import type { ExpertLayer, RoutedExpert, RoutingChoice, SlotName } from '../engine/plan.js'
import { sizeAt } from '../tensor/shape.js'
import type { PlanBuilder } from './plan-builder.js'
import {
  type ExpertRouting,
  type FineExperts,
  type RoutedExperts,
  type SoftExperts,
  specialTokens,
  type VitConfig,
} from './vit-config.js'

interface ExpertContext {
  readonly builder: PlanBuilder
  readonly config: VitConfig
}

/** Tells whether a block has experts: soft ones stand in the upper half of the blocks. */
export function hasExperts({ experts, depth }: VitConfig, block: number): boolean {
  if (experts === null) return false
  return isRouted(experts) ? experts.blocks.includes(block) : block >= Math.floor(depth / 2)
}

/** Tells experts to which tokens are routed from soft ones. */
export function isRouted(experts: SoftExperts | RoutedExperts): experts is RoutedExperts {
  return 'routing' in experts
}

/** Adds the experts of a block that has them. */
export function planExperts(context: ExpertContext, name: string, input: SlotName): SlotName {
  const { experts } = context.config
  if (experts === null) throw new Error(`The network has no experts for ${name}.`)
  return isRouted(experts)
    ? planRouted(context, experts, name, input)
    : planSoft(context, experts, name, input)
}

function planSoft(
  { builder, config }: ExpertContext,
  { count, slots }: SoftExperts,
  name: string,
  input: SlotName,
): SlotName {
  const { width, hidden } = config
  return builder.step(
    {
      op: 'softMoe',
      input,
      output: name,
      tokenNorm: builder.normWeights(`${name}.token_norm`, width, 'rmsNorm', config.epsilon),
      slots: builder.weight(`${name}.slots`, [count * slots, width]),
      experts: Array.from({ length: count }, (_, e) => ({
        weight1: builder.weight(`${name}.experts.${e}.0.weight`, [hidden, width]),
        bias1: builder.weight(`${name}.experts.${e}.0.bias`, [hidden]),
        weight2: builder.weight(`${name}.experts.${e}.3.weight`, [width, hidden]),
        bias2: builder.weight(`${name}.experts.${e}.3.bias`, [width]),
      })),
      kind: config.activation,
    },
    builder.shapeOf(input),
  )
}

/** The weights of the experts for each token are in the slot `router`, [T, E]. */
function planRouted(context: ExpertContext, experts: RoutedExperts, name: string, input: SlotName): SlotName {
  const { fine } = experts
  if (fine === null) return planInQueue(context, experts, name, input)
  const firstRow = fine.special > 0 ? specialTokens(context.config) : 0
  const isAlone = fine.shared === 0 && firstRow === 0
  const answer = planRouting(context, experts, {
    name,
    input,
    firstRow,
    output: isAlone ? name : `${name}.routed_experts`,
  })
  return isAlone ? answer : planOthers(context, experts, fine, { name, input, answer })
}

/** Experts whose room ends take tokens in the order of Birder's, in which the class token stands behind the registers. */
function planInQueue(
  context: ExpertContext,
  experts: RoutedExperts,
  name: string,
  input: SlotName,
): SlotName {
  const { builder, config } = context
  const { registers, classToken, classFirst } = config
  if (!classToken || classFirst || registers === 0)
    return planRouting(context, experts, { name, input, firstRow: 0, output: name })
  const rows = Array.from({ length: sizeAt(builder.shapeOf(input), 0) }, (_, row) => row)
  const queue = rows.map((row) => (row > registers ? row : (row + 1) % (registers + 1)))
  const queued = builder.gather(input, `${name}.queue`, queue)
  const output = `${name}.queue.answers`
  const answer = planRouting(context, experts, { name, input: queued, firstRow: 0, output })
  return builder.gather(
    answer,
    name,
    rows.map((row) => queue.indexOf(row)),
  )
}

function planRouting(
  context: ExpertContext,
  experts: RoutedExperts,
  {
    name,
    input,
    firstRow,
    output,
  }: {
    readonly name: string
    readonly input: SlotName
    readonly firstRow: number
    readonly output: SlotName
  },
): SlotName {
  const { builder, config } = context
  const { count, fine } = experts
  const shape = builder.shapeOf(input)
  const rows = sizeAt(shape, 0)
  const router = `${name}.router`
  const gate = builder.weight(`${router}.gate.weight`, [count, config.width])
  const choice = choiceOf(context, experts, router, rows - firstRow)
  builder.step({ op: 'route', input, output: router, gate, firstRow, choice }, [rows, count])
  const list = `${name}.${fine === null ? 'experts' : 'routed_experts'}`
  return builder.step(
    {
      op: 'routedExperts',
      input,
      routing: router,
      output,
      experts: Array.from({ length: count }, (_, e) => expertOf(context, experts, `${list}.${e}`)),
      kind: fine === null ? config.activation : 'silu',
      scale: fine?.scale ?? 1,
    },
    shape,
  )
}

function choiceOf(
  { builder }: ExpertContext,
  { count, routing }: RoutedExperts,
  name: string,
  tokens: number,
): RoutingChoice {
  if (routing.kind === 'sigmoid') return { ...routing, bias: builder.weight(`${name}.expert_bias`, [count]) }
  const capacity = capacityOf(routing, tokens, count)
  return routing.kind === 'softmax'
    ? { kind: 'softmax', choices: routing.choices, capacity }
    : { kind: 'byExperts', capacity }
}

/** Counts the tokens that an expert takes; the order of the factors is that of Birder's code, since what is a little above a whole number is rounded up. */
function capacityOf(
  routing: Exclude<ExpertRouting, { readonly kind: 'sigmoid' }>,
  tokens: number,
  experts: number,
): number {
  if (routing.kind === 'byExperts') return Math.ceil((tokens * routing.capacityFactor) / experts)
  const { choices, capacityFactor, multipleOf } = routing
  const room = Math.max(1, Math.ceil((tokens * choices * capacityFactor) / experts))
  return Math.ceil(room / multipleOf) * multipleOf
}

function expertOf({ builder, config }: ExpertContext, experts: RoutedExperts, name: string): RoutedExpert {
  const { width } = config
  const { hidden, fine } = experts
  const layer = (part: string, rows: number, columns: number): ExpertLayer => ({
    weight: builder.weight(`${name}.${part}.weight`, [rows, columns]),
    bias: (fine?.bias ?? true) ? builder.weight(`${name}.${part}.bias`, [rows]) : null,
  })
  if (fine === null) return { inner: layer('0', hidden, width), gate: null, outer: layer('3', width, hidden) }
  return {
    inner: layer('fc1_x', hidden, width),
    gate: layer('fc1_g', hidden, width),
    outer: layer('fc2', width, hidden),
  }
}

/** Adds to the routed experts' answer those of the experts for special tokens, and of the ones that answer all. */
function planOthers(
  { builder, config }: ExpertContext,
  { hidden }: RoutedExperts,
  fine: FineExperts,
  { name, input, answer }: { readonly name: string; readonly input: SlotName; readonly answer: SlotName },
): SlotName {
  const shape = builder.shapeOf(input)
  const rows = sizeAt(shape, 0)
  const special = specialTokens(config)
  const sizes = { hidden, width: config.width, kind: 'silu', bias: fine.bias } as const
  const others: SlotName[] = []
  if (fine.special > 0) {
    const own = builder.slice(input, `${name}.special_tokens`, 0, special)
    const places = Array.from({ length: rows }, (_, row) => (row < special ? row : -1))
    for (let e = 0; e < fine.special; e++) {
      const expert = `${name}.special_token_experts.${e}`
      const answered = builder.gatedFeedForward(own, expert, sizes)
      others.push(builder.gather(answered, `${expert}.in_place`, places, `${name}.special_tokens.places`))
    }
  }
  for (let e = 0; e < fine.shared; e++)
    others.push(builder.gatedFeedForward(input, `${name}.shared_experts.${e}`, sizes))
  return others.reduce(
    (sum, branch, at) =>
      builder.step(
        {
          op: 'add',
          input: sum,
          branch,
          output: at === others.length - 1 ? name : `${name}.sum.${at}`,
        },
        shape,
      ),
    answer,
  )
}
