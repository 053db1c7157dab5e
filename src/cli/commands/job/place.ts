/** Says where a job lies that the command line names: relative paths start where the command does. */
import { isAddress } from '../../../is-address.js'
import type { CommandContext } from '../../context.js'

export function jobPlace({ files }: CommandContext, place: string): string {
  return isAddress(place) ? place : files.resolve(place)
}
