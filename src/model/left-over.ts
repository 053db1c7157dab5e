/** Says what tensors of a file are that a network does not use: some of them a person looks for, and others nobody misses. */
/** Says what a tensor is that a network does not use; `LeftOver` tells the kinds apart. */
export type LeftOverKind = 'text-tower' | 'head' | 'training' | 'derived'

/** Lists names by what they are. */
export interface LeftOver {
  /** Make vectors of texts. */
  readonly textTower: readonly string[]
  /** Make something of features that is not computed here, such as depth. */
  readonly heads: readonly string[]
  /** Are of use in training alone. */
  readonly training: readonly string[]
  /** Follow from the rest of the file. */
  readonly derived: readonly string[]
  /** Are of something that nothing here knows. */
  readonly others: readonly string[]
}

/**
 * Sorts what a file holds beside the tensors that are used.
 *
 * @param ignored are the tensors that its dialect knows and does not use
 * @param dropped are tensors, networks and entries of a dict that lie beside the network, of which the names tell what they are
 */
export function leftOver(ignored: ReadonlyMap<string, LeftOverKind>, dropped: readonly string[]): LeftOver {
  const kinds = new Map<string, LeftOverKind | null>(ignored)
  for (const name of dropped) kinds.set(name, kindOrNull(name))
  const named = (kind: LeftOverKind | null) =>
    [...kinds].flatMap(([name, own]) => (own === kind ? [name] : []))
  return {
    textTower: named('text-tower'),
    heads: named('head'),
    training: named('training'),
    derived: named('derived'),
    others: named(null),
  }
}

/** CLIP's text tower lies beside the image tower without a name of its own. */
const OF_TEXTS = /(^|[./])(positional_embedding|token_embedding|ln_final|attn_mask|logit_(scale|bias))\b/

/** Tell what a name is of by the words in it; the first that has one counts. */
const WORDS: readonly (readonly [words: RegExp, kind: LeftOverKind])[] = [
  [/^(text|textual|language|tokenizer|temperature)$/, 'text-tower'],
  // Segment Anything calls its parts so.
  [
    /^(prompt|segm?|segmentation|depth|bbox|rpn|roi|decode|neck|auxiliary|aux|linear|classifier|fc|probe)$/,
    'head',
  ],
  [
    /^(optim|optimi[sz]er|scheduler|scaler|epoch|step|loss|dino|ibot|koleo|student|teacher|ema|momentum|predictor|decoder|projector|projection|mask|queue|prototypes|args|cfg|config)$/,
    'training',
  ],
  [/^heads?$/, 'head'],
]

function kindOrNull(name: string): LeftOverKind | null {
  if (/(^|[./])mask_decoder\b/.test(name)) return 'head'
  if (OF_TEXTS.test(name)) return 'text-tower'
  const words = name.split(/[^a-z]+/i)
  return WORDS.find(([known]) => words.some((word) => known.test(word)))?.[1] ?? null
}
