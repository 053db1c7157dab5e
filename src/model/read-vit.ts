/** Makes a vision transformer of an open checkpoint, whichever library wrote it: here stands which libraries are known, and who is asked first. */
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import { birder } from './dialects/birder.js'
import type { Dialect, VitHints } from './dialects/dialect.js'
import { facebook } from './dialects/facebook.js'
import { huggingFace } from './dialects/hugging-face.js'
import { timm } from './dialects/timm.js'
import { facebookDino } from './families/facebook-dino.js'
import { facebookDinov3 } from './families/facebook-dinov3.js'
import { facebookPerceptionEncoder } from './families/facebook-perception-encoder.js'
import { huggingFaceAimv2 } from './families/hugging-face-aimv2.js'
import { huggingFaceBeit } from './families/hugging-face-beit.js'
import { huggingFaceClip } from './families/hugging-face-clip.js'
import { huggingFaceDinov3 } from './families/hugging-face-dinov3.js'
import { huggingFaceRadio } from './families/hugging-face-radio.js'
import { huggingFaceSiglip } from './families/hugging-face-siglip.js'
import { huggingFaceTipsv2 } from './families/hugging-face-tipsv2.js'
import { huggingFaceVit } from './families/hugging-face-vit.js'
import { openClip } from './families/open-clip.js'
import { readAmong, type VitModel } from './read-among.js'

export type { VitModel } from './read-among.js'

/** Lists the families that traces of their own show, each of which is recognised without regard to the others. */
export const FAMILIES: readonly Dialect[] = [
  ...huggingFaceDinov3,
  huggingFaceAimv2,
  huggingFaceTipsv2,
  ...huggingFaceRadio,
  ...huggingFaceVit,
  ...huggingFaceBeit,
  ...huggingFaceClip,
  ...huggingFaceSiglip,
  facebookDino,
  facebookDinov3,
  ...facebookPerceptionEncoder,
  openClip,
]

/**
 * The order matters: timm recognises what facebook would, less its mask token. Birder's comes first, so that whoever reads its files alone, as a page does, reads them
 * as all do.
 */
const DIALECTS: readonly Dialect[] = [birder, ...FAMILIES, ...huggingFace, facebook, timm]

/**
 * Makes a vision transformer of an open checkpoint, which is judged by its headers: every weight must be there with its shape, and nothing else. No
 * tensor is read. Throws `CheckpointError`: `unknown-dialect`, `unsupported-network`, `contradiction`, `missing-tensor`, `unexpected-tensor`,
 * `wrong-shape`, `unknown-field`, `unsupported-field`, `malformed`; RangeError for an unknown hint.
 */
export function readVit(checkpoint: Checkpoint, hints: VitHints = {}): VitModel {
  return readAmong(DIALECTS, checkpoint, hints)
}
