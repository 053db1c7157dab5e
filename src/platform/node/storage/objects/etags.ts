/** Says in the headers of HTTP under which condition an object is written, for servers whose versions are ETags. */
import type { ObjectWrite } from './object-server.js'

export function etagCondition({
  condition: { ifAbsent = false, ifVersion },
}: ObjectWrite): Record<string, string> {
  return {
    ...(ifAbsent ? { 'if-none-match': '*' } : {}),
    ...(ifVersion === undefined ? {} : { 'if-match': `"${ifVersion}"` }),
  }
}
