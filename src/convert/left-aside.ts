/** Says which tensors of a source are not written, since the network does not use them: a text tower, a decoder, a mask token that a layout has no place for. */
import type { StoredPart } from '../model/dialects/stored-weight.js'
import type { ConvertSource } from './convert-source.js'
import type { TextTower } from './writer.js'

/**
 * Gives a sentence, or nothing where all is written.
 *
 * @param further are tensors that the layout has beside the network, which go by their own names, whatever stands in front
 * @param carried is the text tower that is written beside the network, or why none is
 */
export function leftAside(
  { vit, checkpoint }: ConvertSource,
  further: readonly StoredPart[],
  carried: TextTower | string,
): readonly string[] {
  const weights = [...vit.weightShapes].flatMap(([name, shape]) => vit.storedAs.weight(name, shape).parts)
  const tables = [...vit.storedAs.tables.values()].flatMap(({ parts }) => parts)
  const used = new Set([...weights, ...tables].map(({ tensor }) => tensor))
  const beside = new Set(further.map(({ tensor }) => ownName(tensor)))
  const taken = typeof carried === 'string' ? [] : carried.tensors.flatMap(({ from }) => from)
  const text = new Set(
    [...vit.leftOver].flatMap(([tensor, kind]) =>
      kind === 'text-tower' && !taken.includes(tensor) ? [tensor] : [],
    ),
  )
  const others = [...checkpoint.tensors.keys()].filter(
    (name) => !used.has(name) && !text.has(name) && !taken.includes(name) && !beside.has(ownName(name)),
  )
  const told = [
    ...(text.size === 0
      ? []
      : [
          `the text tower (${text.size} tensors), of which nothing is written${typeof carried === 'string' ? `, since ${carried}` : ''}`,
        ]),
    ...grouped([...others, ...checkpoint.dropped]),
  ]
  return sentence(told)
}

/** Gives a sentence of what lies beside the network in its file, or nothing where nothing does. */
export function dropped({ checkpoint }: ConvertSource): readonly string[] {
  return sentence(grouped(checkpoint.dropped))
}

function sentence(told: readonly string[]): readonly string[] {
  return told.length === 0 ? [] : [`Left aside, since the network does not use it: ${told.join('; ')}.`]
}

function ownName(tensor: string): string {
  return tensor.split('.').at(-1) ?? tensor
}

/** Many tensors of one module are told by its name. */
function grouped(names: readonly string[]): readonly string[] {
  const modules = new Map<string, string[]>()
  for (const name of names) {
    const module = name.split('.', 1).join()
    modules.set(module, [...(modules.get(module) ?? []), name])
  }
  return [...modules].map(([module, [first = module, ...others]]) =>
    others.length === 0 ? first : `${module}.* (${others.length + 1} tensors)`,
  )
}
