/** Says where a photo lies that a person names one by one: an address is one wherever the command runs. */
import { OBJECT } from '../is-address.js'
import type { Files } from '../work/files.js'

/** Gives a whole path, or an address that images are decoded from. Throws `StorageError` for a kind of address that is not opened. */
export function photoPlace(files: Pick<Files, 'resolve'>, photo: string): string {
  return /^data:/i.test(photo) ? photo : files.resolve(photo)
}

/** Tells a photo that lies elsewhere than on this machine, which is not looked at before it is read. */
export function isPhotoAddress(photo: string): boolean {
  return OBJECT.test(photo) || /^(?:data:|https?:\/\/)/i.test(photo)
}
