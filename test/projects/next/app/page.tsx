import { PhotoEmbedding } from './photo-embedding'

export default function Page() {
  return <PhotoEmbedding />
}
