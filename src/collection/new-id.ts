/** Makes the id of a row: 32 hexadecimal digits that nothing else has. */
export function newId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
