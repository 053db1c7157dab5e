/** Has photos come to the size, and their patches or their attention be those, that another tool looks at, so that a picture is made as it makes it. */
import { type Command, Option } from 'commander'
import { encodeLike, METHOD_NAMES, type MethodName, sizeLike } from '../encoder/like.js'
import type { Features } from '../encoder/types.js'
import type { FileEncoder, ManyEncoder } from '../work/file-encoder.js'
import type { ModelOptions } from './model-options.js'

export interface LikeOptions {
  /** Names the tool. */
  readonly like?: MethodName
}

/** @param names are those of the tools that make such a picture */
export function addLikeOption(command: Command, names: readonly MethodName[] = METHOD_NAMES): Command {
  const text = `look as another tool does: at its patches, in its size where none is given (${names.map(withSize).join(', ')})`
  return command.addOption(new Option('--like <method>', text).choices(names))
}

/** Says with which size a tool goes. */
export function withSize(name: MethodName): string {
  const { shortest } = sizeLike(name)
  return `${name}: ${shortest === undefined ? "the network's own" : `--shortest ${shortest}`}`
}

type SizeOptions = Pick<ModelOptions, 'size' | 'recipe' | 'shortest' | 'longest' | 'scale'>

/** Tells whether somebody has said how images come to their size. */
export function isSized({ size, recipe, shortest, longest, scale }: SizeOptions): boolean {
  return [size, recipe, shortest, longest, scale].some((option) => option !== undefined)
}

/** Has images come to the size of the tool that is followed, unless their size was chosen. */
export function sizedLike<Options extends SizeOptions>(
  name: MethodName | undefined,
  options: Options,
): Options {
  return name === undefined || isSized(options) ? options : { ...options, ...sizeLike(name) }
}

/** Gives the patches that a tool looks at in place of the encoder's own. */
export function seenLike(encoder: FileEncoder, name: MethodName): ManyEncoder {
  const like = encodeLike(name, 'patches', encoder)
  return {
    async *encodeAll(sources, options) {
      for await (const result of encoder.encodeAll(sources, { ...options, ...like })) {
        if (result.features === undefined) yield result
        else yield { ...result, features: withFacet(result.features) }
      }
    },
  }
}

function withFacet(features: Features): Features {
  const [facet] = features.facets ?? []
  if (facet === undefined) throw new Error('the encoder was asked for a facet and gave none')
  return { ...features, patches: facet.patches }
}
