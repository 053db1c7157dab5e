/**
 * Says what transformers makes of transparent pixels, which changed in 5.21: until then its processors dropped alpha (`image.convert("RGB")`), slow and
 * fast ones alike, and since then `convert_to_rgb` (image_transforms.py) lays every image with transparency on white before it is resized. The version that
 * wrote the files decides; where none is recorded, it is today's.
 */
import type { Transparency } from '../../image/preparation.js'
import type { PlainRecord } from '../../plain-value.js'

const FIRST_ON_WHITE = [5, 21] as const

/** @param config is the config.json, or null where there is none */
export function transformersTransparency(config: PlainRecord | null): Transparency {
  const { transformers_version: version } = config ?? {}
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(typeof version === 'string' ? version : '') ?? []
  if (major === undefined || minor === undefined) return 'white'
  const [firstMajor, firstMinor] = FIRST_ON_WHITE
  const isOlder = Number(major) === firstMajor ? Number(minor) < firstMinor : Number(major) < firstMajor
  return isOlder ? 'drop' : 'white'
}
