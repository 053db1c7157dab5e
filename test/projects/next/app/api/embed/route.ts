import { loadEncoder } from 'plumage/node'

let loading: ReturnType<typeof loadEncoder> | undefined

export async function POST(request: Request): Promise<Response> {
  loading ??= loadEncoder('small')
  const encoder = await loading
  const { embedding } = await encoder.encode(await request.arrayBuffer())
  return Response.json({ engine: encoder.identity.engine, embedding: [...embedding] })
}
