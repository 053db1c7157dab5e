/** Gives `1 photo`, `12 photos`. */
export function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : what.endsWith('ch') ? 'es' : 's'}`
}
