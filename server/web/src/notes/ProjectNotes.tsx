export function ProjectNotes() {
  return null
}
