/**
 * Finds where in a checkpoint networks lie. A vision transformer has one patch embedding, which the libraries call by few names, so that
 * what stands in front of such a name is the place of a network, however many wrappers it is made of: `state_dict/model.encoder.`,
 * `teacher.backbone.`, `visual.trunk.`.
 *
 * A full name has the keys of a PyTorch file's dicts, each with a slash behind it, and then the tensor's own name. A slash that belongs to a key or a
 * name is written as another character meanwhile.
 */

/**
 * These are the patch embeddings of Meta and timm, of Birder and torchvision (plain and hierarchical), and of transformers, which puts the network's own
 * name in front where there is a classifier, a projection or another tower beside it: these belong to the network, so longer names come first.
 */
const STEMS = [
  'dinov2.embeddings.patch_embeddings.projection.weight',
  'dinov2_with_registers.embeddings.patch_embeddings.projection.weight',
  'vit.embeddings.patch_embeddings.projection.weight',
  'deit.embeddings.patch_embeddings.projection.weight',
  'ijepa.embeddings.patch_embeddings.projection.weight',
  'beit.embeddings.patch_embeddings.projection.weight',
  'data2vec_vision.embeddings.patch_embeddings.projection.weight',
  'vision_model.embeddings.patch_embedding.weight',
  'patch_embed.proj.weight',
  'conv_proj.weight',
  'conv_proj.0.weight',
  'embeddings.patch_embeddings.projection.weight',
  'embeddings.patch_embeddings.weight',
  'embeddings.patch_embedding.weight',
] as const

/** Optimisers keep tensors under the names of the weights, too. */
const OPTIMISER =
  /(^|[_.])(optim|optimi[sz]er|opt|sched|scheduler|exp|grad|grads|gradients|momentum_buffer)s?([_.]|$)/i

/** What stands in a name wherever a module was compiled, sharded or made to forget its activations. It never belongs to a network. */
const TRANSPARENT = /(^|[./])(?:(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.)+(?=[^.])/g

const OWN_SLASH = '\u0000'

/** Writes a key or a tensor's own name as a part of a full name. */
export function partOfName(key: string): string {
  return key.replaceAll('/', OWN_SLASH)
}

/** Gives a full name, or a part of one, as the file has it. */
export function asInFile(name: string): string {
  return name.replaceAll(OWN_SLASH, '/')
}

/** Gives the name without what torch.compile, FSDP and activation checkpointing put into it. */
export function withoutTransparent(name: string): string {
  return name.replace(TRANSPARENT, '$1')
}

/** Says whether a full name lies in what an optimiser keeps. */
function isOptimiserState(name: string): boolean {
  const keys = name.split('/').slice(0, -1)
  return keys.some((key) => OPTIMISER.test(key))
}

/** Gives what stands in front of every patch embedding, in the order of the file: '' where a network lies at the top. */
export function networkPlaces(names: Iterable<string>): readonly string[] {
  const places = new Set<string>()
  for (const name of names) {
    const stem = STEMS.find((stem) => name === stem || name.endsWith(`.${stem}`) || name.endsWith(`/${stem}`))
    if (stem !== undefined && !isOptimiserState(name)) places.add(name.slice(0, -stem.length))
  }
  return [...places]
}

/** Gives the dicts that hold the most tensors, as places: what is looked at where no patch embedding is found. A few belong to no network. */
export function tensorPlaces(names: Iterable<string>): readonly string[] {
  const counts = new Map<string, number>()
  for (const name of names) {
    const place = name.slice(0, name.lastIndexOf('/') + 1)
    if (!isOptimiserState(name)) counts.set(place, (counts.get(place) ?? 0) + 1)
  }
  const most = Math.max(...counts.values())
  return [...counts].filter(([, count]) => 2 * count > most).map(([place]) => place)
}

/** Names a place as a person types it: `state_dict/model.` is `state_dict.model`, and the top is a dot. */
export function entryName(place: string): string {
  return asInFile(place.replaceAll('/', '.').replace(/\.$/, '') || '.')
}
