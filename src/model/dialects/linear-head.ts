/**
 * Reads Meta's linear classifiers, each a file of its own that stands on a network without one: of DINOv2 (dinov2/hub/classifiers.py, the `…_lc` of torch.hub) and of
 * the first DINO (eval_linear.py). They read what no embedding is: class tokens of the last four blocks, or the class token and the mean patch.
 */
import { type Checkpoint, HEAD_PREFIX } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'
import { type Shape, sizeAt } from '../../tensor/shape.js'
import { type Classifier, LAST_CLASSES, type VitConfig } from '../vit-config.js'
import { sizeOrNull, storedSize } from './headers.js'
import { column, everyColumn, type StoredWeight, stored } from './stored-weight.js'

interface LinearHead {
  /** Ends the sentence "It is a linear classifier of …". */
  readonly name: string
  /** Stands in front of `weight` and `bias`. */
  readonly prefix: string
  /** Says what is read, by how many times the network's width the matrix is wide. */
  readonly kinds: ReadonlyMap<number, Classifier['kind']>
  /** Tells whether class token and mean patch take turns, column by column: eval_linear.py puts them together so, whether it was meant or not. */
  readonly takesTurns: boolean
}

const OF_DINOV2: LinearHead = {
  name: 'DINOv2',
  prefix: HEAD_PREFIX,
  kinds: new Map([
    [2, 'class-and-mean'],
    [LAST_CLASSES + 1, 'last-classes-and-mean'],
  ]),
  takesTurns: false,
}
const OF_DINO: LinearHead = {
  name: 'the first DINO',
  prefix: `${HEAD_PREFIX}linear.`,
  kinds: new Map([
    [2, 'class-and-mean'],
    [LAST_CLASSES, 'last-classes'],
  ]),
  takesTurns: true,
}

function linearHeadOrNull(tensors: Checkpoint['tensors']): LinearHead | null {
  return [OF_DINOV2, OF_DINO].find(({ prefix }) => tensors.has(`${prefix}weight`)) ?? null
}

/** Tells a linear classifier from the other heads. */
export function isLinearHead(tensors: Checkpoint['tensors']): boolean {
  return linearHeadOrNull(tensors) !== null
}

/** Puts the classifier on a network. Throws `CheckpointError` `contradiction` for the one of another network, or one that reads what none of Meta's does. */
export function withLinearHead(checkpoint: Checkpoint, label: string, config: VitConfig): VitConfig {
  const { tensors } = checkpoint
  const head = linearHeadOrNull(tensors) ?? OF_DINOV2
  const columns = storedSize(checkpoint, `${head.prefix}weight`, 1, head.name)
  const kind = head.kinds.get(columns / config.width)
  if (kind === undefined) {
    const widths = [...head.kinds.keys()].map((times) => times * config.width)
    throw new CheckpointError(
      'contradiction',
      `The head ${label} is a linear classifier of ${columns} columns, and on the network of ${checkpoint.label}, which is ${config.width} wide, one of ${head.name} has ${widths.join(' or ')}: ` +
        'it is the classifier of another network, or reads other tokens.',
    )
  }
  if (kind !== 'class-and-mean' && config.depth < LAST_CLASSES) {
    throw new CheckpointError(
      'contradiction',
      `The head ${label} reads the last ${LAST_CLASSES} blocks, and the network of ${checkpoint.label} has ${config.depth}: it is the head of another network.`,
    )
  }
  const classes = storedSize(checkpoint, `${head.prefix}weight`, 0, head.name)
  return { ...config, classifier: { classes, kind, bias: tensors.has(`${head.prefix}bias`) } }
}

/** Says where a canonical weight of the classifier comes from; null for a weight of the network. */
export function linearHeadSource(
  weight: string,
  shape: Shape,
  { width }: VitConfig,
  tensors: Checkpoint['tensors'],
): StoredWeight | null {
  const [, part, what] = /^classifier\.(\d+|class|mean)\.(weight|bias)$/.exec(weight) ?? []
  const head = linearHeadOrNull(tensors)
  if (part === undefined || head === null) return null
  if (what === 'bias') return stored(`${head.prefix}bias`, shape)
  const tensor = `${head.prefix}weight`
  const columns = sizeOrNull(tensors, tensor, 1) ?? width
  const count = columns / width
  const index = part === 'mean' ? count - 1 : part === 'class' ? 0 : Number(part)
  const whole = [sizeAt(shape, 0), columns]
  const isInTurns = head.takesTurns && head.kinds.get(count) === 'class-and-mean'
  return isInTurns ? everyColumn(tensor, whole, index, count) : column(tensor, whole, index, count)
}
