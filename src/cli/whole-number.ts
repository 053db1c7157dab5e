/** Reads a number of the command line that may be nothing: a seed, or how many of what can be left out. */
import { InvalidArgumentError } from 'commander'

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number, 0 or more.')
}
