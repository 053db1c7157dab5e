/** An address fit for messages and logs: no user, no password, no signed query, and not the bytes that some addresses consist of. */
export function showUrl(url: URL): string {
  const isBytes = url.protocol === 'blob:' || url.protocol === 'data:'
  return isBytes ? `a ${url.protocol} address` : url.origin + url.pathname
}
