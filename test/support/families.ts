/** Says of the golden cases of families which are not run, and why. */

/** Says of cases whose numbers are not given here by which words they are refused. */
export const NOT_RUN: readonly (readonly [id: RegExp, why: RegExp])[] = []

export function isNotRun(id: string): boolean {
  return NOT_RUN.some(([pattern]) => pattern.test(id))
}

/** Tells networks of routed experts, which the reference and the native engine alone run. */
export function hasRoutedExperts(id: string): boolean {
  return /^birder\/(rope-)?vit-v?moe/.test(id)
}
