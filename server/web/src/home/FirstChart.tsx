/** The first metric of the first run, as it grows. */
export function FirstChart(_: { entity: string; project: string }) {
  return null
}
