/** Reads a network's sizes off the headers of its tensors, and names the tensor where one is missing. */
import { type Checkpoint, placeOf, type TensorInfo } from '../../checkpoint/checkpoint.js'
import { CheckpointError } from '../../checkpoint/checkpoint-error.js'

type Headers = Pick<Checkpoint, 'label' | 'head' | 'tensors'>

/** Throws `missing-tensor`; `dialect` names the layout that needs the tensor. */
export function headerOf(headers: Headers, tensor: string, dialect: string): TensorInfo {
  const info = headers.tensors.get(tensor)
  if (info !== undefined) return info
  const [file, name] = placeOf(headers, tensor)
  throw new CheckpointError(
    'missing-tensor',
    `${file} has no tensor ${name}, which the ${dialect} layout of this network needs. ` +
      'Is the file of another network, or only a part of one?',
    { tensor },
  )
}

/** Gives a tensor's size along one axis. Throws `missing-tensor`, or `wrong-shape` where it has no such axis. */
export function storedSize(headers: Headers, tensor: string, axis: number, dialect: string): number {
  const { shape } = headerOf(headers, tensor, dialect)
  const size = shape[axis]
  if (size !== undefined) return size
  throw new CheckpointError(
    'wrong-shape',
    `${headers.label}: ${tensor} is [${shape.join(', ')}]; the ${dialect} layout of this network needs it with ${axis + 1} or more axes.`,
    { tensor },
  )
}

/** Gives null where there is no such tensor, or where it has no such axis. */
export function sizeOrNull(
  tensors: ReadonlyMap<string, TensorInfo>,
  tensor: string,
  axis: number,
): number | null {
  return tensors.get(tensor)?.shape[axis] ?? null
}

/** Counts the blocks: there is one more than the largest number that follows the prefix. */
export function countBlocks(tensors: ReadonlyMap<string, TensorInfo>, prefix: string): number {
  let depth = 0
  for (const name of tensors.keys()) {
    if (!name.startsWith(prefix)) continue
    const index = Number.parseInt(name.slice(prefix.length), 10)
    if (index >= depth) depth = index + 1
  }
  return depth
}

/** Gives the side of a square grid of `cells`, or null where they don't make one. */
export function squareSideOrNull(cells: number): number | null {
  const side = Math.round(Math.sqrt(cells))
  return side * side === cells ? side : null
}
