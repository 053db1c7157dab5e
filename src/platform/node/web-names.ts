/** Adds to src/web-names.ts what only Node's doors name. */
declare global {
  interface Blob {}
  interface ReadableStream<R> {}
  interface URL {}
}

export {}
