/**
 * Makes an address fit for messages and logs: without user, password and signed query, and without the bytes
 * that some consist of.
 */
export function showUrl(url: URL): string {
  const isBytes = url.protocol === 'blob:' || url.protocol === 'data:'
  return isBytes ? `a ${url.protocol} address` : url.origin + url.pathname
}
