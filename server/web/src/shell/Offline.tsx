/** Stands at the top while the server does not answer. */
export function Offline() {
  return null
}
