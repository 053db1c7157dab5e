/** Opens a photo of a collection: of a camera's raw photo it is the preview in it that is decoded, since nothing here develops raw data. */
import { isRawName } from '../../../image/camera-raw.js'
import { ImageError } from '../../../image/image-error.js'
import { CAMERA_RAW, fileKindOrNull } from '../../../image/image-format.js'
import { rawPreviewOrNull } from '../../../image/raw-preview.js'
import { type InspectOptions, inspectFile, type ReadFile } from '../inspect-file.js'

/** Is a photo that can be decoded. */
export interface OpenPhoto extends ReadFile {
  /** Says that it is a preview which is decoded. */
  readonly preview: boolean
  /** Is EXIF's, 1 to 8; null where what is decoded tells it. */
  readonly orientation: number | null
}

/** Throws as `inspectFile`, and `ImageError` `unsupported` for a raw photo without a preview. */
export function openPhoto(bytes: Uint8Array, label: string, options: InspectOptions): OpenPhoto {
  if (!isRaw(bytes, label))
    return { bytes, label, file: inspectFile(bytes, label, options), preview: false, orientation: null }
  const found = rawPreviewOrNull(bytes)
  if (found === null)
    throw new ImageError(
      'unsupported',
      `${label} is ${CAMERA_RAW.format} without a preview in it, and raw data is not developed. Export it as JPEG, PNG or TIFF.`,
    )
  // Its name would have a JPEG taken for raw data again.
  const file = inspectFile(found.bytes, `the preview in ${label}`, options)
  return { bytes: found.bytes, label, file, preview: true, orientation: found.orientation }
}

function isRaw(bytes: Uint8Array, label: string): boolean {
  if (bytes.length === 0) return false
  const kind = fileKindOrNull(bytes)
  if (kind === null || (kind.decoder === 'own' && kind.format === 'tiff')) return isRawName(label)
  return kind.format === CAMERA_RAW.format
}
