/**
 * Tells an address, `https://…`, `s3://…`, `data:…`, from a path, by the form alone, and shows it without what nobody may read in a log. One letter before a colon is a drive, and a name with a colon in it may be a file's: two slashes make
 * an address, or one of the kinds that need none.
 */
export function isAddress(text: string): boolean {
  return /^([a-z][a-z0-9+.-]+:\/\/|(data|file|blob):)/i.test(text)
}

/** Begins the address of an object in a bucket: of an S3 server, of Azure or of Google. */
export const OBJECT = /^(s3|az|gs):\/\//i

/** Gives the bucket or the web server that an address begins with, as `s3://bucket`; undefined for any other text. */
export function serverOf(address: string): string | undefined {
  return OBJECT.test(address) || /^https?:\/\//i.test(address)
    ? /^[^/]+\/\/[^/]+/.exec(address)?.[0]
    : undefined
}

/** Tells the address of a database, which may hold a collection: what follows its `?` are options, no pattern of names. */
export function isDatabase(address: string): boolean {
  return /^postgres(ql)?:\/\//i.test(address)
}

/** Gives a place as it is shown to people: an address keeps neither its password nor any option but the collection's name. */
export function shownPlace(place: string): string {
  if (!isAddress(place)) return place
  const found = /^([^:]+):\/\/(?:(.*)@)?([^?#]*)/.exec(place)
  // An address without slashes has no room for either.
  if (found === null) return place
  const [, scheme = '', user = '', rest = ''] = found
  const [name] = user.split(':')
  const collection = /[?&]collection=([^&#]*)/.exec(place)?.[1]
  return `${scheme}://${name ? `${name}@` : ''}${rest}${collection === undefined ? '' : `?collection=${collection}`}`
}
