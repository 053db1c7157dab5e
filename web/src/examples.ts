/** The example photos that come with the package. */
const found = import.meta.glob<string>('../../examples/photos/*.jpg', {
  query: '?url',
  import: 'default',
  eager: true,
})

/** File names with their addresses. */
export function exampleAddresses(): readonly (readonly [name: string, address: string])[] {
  return Object.entries(found).map(([path, address]) => [path.split('/').pop() ?? path, address])
}
