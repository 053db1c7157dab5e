/**
 * Tells the heads of networks that are published under names of their own in the layout that timm reads, and whose levels are ImageNet's: the
 * count is that of their makers' code for the width.
 */
import type { PositionRule } from '../position-rule.js'

interface PublishedName {
  readonly pattern: RegExp
  readonly headsByWidth: ReadonlyMap<number, number>
  /** Says how their makers' code resamples positions, where it does otherwise than timm. */
  readonly rule?: PositionRule
}

const PUBLISHED: readonly PublishedName[] = [
  // MoCo v3's small network has heads of 32 (facebookresearch/moco-v3, vits.py).
  {
    pattern: /moco/i,
    headsByWidth: new Map([
      [384, 12],
      [768, 12],
    ]),
  },
  // facebookresearch/mae, models_mae.py and models_vit.py.
  {
    pattern: /(^|[^a-z])mae[_-]/i,
    headsByWidth: new Map([
      [768, 12],
      [1024, 16],
      [1280, 16],
    ]),
  },
  // facebookresearch/dino, vision_transformer.py.
  {
    pattern: /^dino_(deit|vit)/i,
    headsByWidth: new Map([
      [192, 3],
      [384, 6],
      [768, 12],
    ]),
    rule: 'bicubic-offset',
  },
  // bytedance/ibot, models/vision_transformer.py.
  {
    pattern: /(^|[^a-z])ibot/i,
    headsByWidth: new Map([
      [384, 6],
      [768, 12],
      [1024, 16],
    ]),
    rule: 'bicubic-offset',
  },
  // facebookresearch/dinov2, models/vision_transformer.py.
  {
    pattern: /^dinov2_vit/i,
    headsByWidth: new Map([
      [384, 6],
      [768, 12],
      [1024, 16],
      [1536, 24],
    ]),
    rule: 'bicubic-offset',
  },
]

/** Gives null where the last part of a path is no such name. */
export function publishedNameOrNull(label: string): PublishedName | null {
  const file = label.split(/[/\\]/).at(-1) ?? label
  return PUBLISHED.find(({ pattern }) => pattern.test(file)) ?? null
}
