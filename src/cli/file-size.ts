/** Says how large a file is, in the units of disks: `3.2 MB`, and `48.1 kB` where that would be 0.0 MB. */
export function fileSize(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
