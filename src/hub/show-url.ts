/**
 * Makes an address fit for messages and logs: without user, password and signed query, and without the bytes
 * that some consist of.
 */
export function showUrl(url: URL): string {
  const isBytes = url.protocol === 'blob:' || url.protocol === 'data:'
  if (isBytes) return `a ${url.protocol} address`
  // What is no address of the web has no origin, as that of an object in a bucket.
  return `${url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin}${url.pathname}`
}
