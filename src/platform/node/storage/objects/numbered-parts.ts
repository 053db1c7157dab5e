/** Numbers the parts of one object as they come. */
import { StorageError } from '../../../../storage/storage-error.js'

export interface NumberedPart {
  readonly number: number
  readonly bytes: Uint8Array
}

/** Ends what gives them, however it ends. Throws `StorageError` `refused` where there are more than a server takes. */
export async function* numberedParts(
  first: Uint8Array,
  rest: AsyncIterator<{ readonly bytes: Uint8Array }>,
  { what, most, isOver }: { readonly what: string; readonly most: number; readonly isOver: () => boolean },
): AsyncGenerator<NumberedPart> {
  try {
    yield { number: 1, bytes: first }
    for (let number = 2; !isOver(); number++) {
      const part = await rest.next()
      if (part.done) return
      if (number > most)
        throw new StorageError(
          'refused',
          `${what}: it has more than ${most} parts. Write it in several objects.`,
        )
      yield { number, bytes: part.value.bytes }
    }
  } finally {
    await rest.return?.()
  }
}
