/** Imports a built module of the library by its path in dist: the benchmark measures what is packed. */
export function dist(path) {
  return import(new URL(`../dist/${path}`, import.meta.url).href)
}
