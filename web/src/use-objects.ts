/** Finds what stands out of each photo while that is shown; what is known of a photo stays known. */
import type { Features, FoundObject } from 'plumage/browser'
import { useEffect, useRef, useState } from 'preact/hooks'
import { objectMap } from './object-map.js'
import type { ObjectAnswer, ObjectRequest } from './object-worker.js'
import type { Photo } from './photo.js'

type Objects = ReadonlyMap<number, FoundObject | null>

export function useObjects(photos: readonly Photo[], isShown: boolean): Objects {
  const [objects, setObjects] = useState<Objects>(new Map())
  /** Keeps of which features the objects are, or will be: another size or model has others. */
  const asked = useRef(new Map<number, Features>())
  const worker = useRef<Worker | null>(null)
  useEffect(() => () => worker.current?.terminate(), [])
  useEffect(() => {
    if (!isShown) return
    worker.current ??= started((answer) => setObjects((old) => new Map(old).set(answer.id, answer.object)))
    for (const { id, features } of photos) {
      if (features === null || asked.current.get(id) === features) continue
      asked.current.set(id, features)
      // A view would take along all that lies around it.
      const { patches, ...map } = objectMap(features)
      const request: ObjectRequest = { ...map, id, patches: patches.slice() }
      worker.current.postMessage(request, { transfer: [request.patches.buffer] })
    }
  }, [photos, isShown])
  return objects
}

function started(onAnswer: (answer: ObjectAnswer) => void): Worker {
  const worker = new Worker(new URL('./object-worker.ts', import.meta.url), { type: 'module' })
  worker.onmessage = ({ data }: MessageEvent<ObjectAnswer>) => onAnswer(data)
  return worker
}
