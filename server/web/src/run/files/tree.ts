export interface Named {
  name: string
  size: number
}

/** A folder of the tree; files are its leaves. */
export interface Folder<File extends Named> {
  path: string
  name: string
  size: number
  count: number
  folders: Folder<File>[]
  files: { name: string; file: File }[]
}

/** Put files with slashes in their names into folders, each sorted by name. */
export function treeOf<File extends Named>(files: File[]): Folder<File> {
  const root: Folder<File> = { path: '', name: '', size: 0, count: 0, folders: [], files: [] }
  const known = new Map<string, Folder<File>>()
  for (const file of files) {
    const parts = file.name.split('/')
    let folder = root
    for (let i = 0; i < parts.length - 1; i++) {
      const path = parts.slice(0, i + 1).join('/')
      let inner = known.get(path)
      if (!inner) {
        inner = { path, name: parts[i]!, size: 0, count: 0, folders: [], files: [] }
        known.set(path, inner)
        folder.folders.push(inner)
      }
      folder = inner
    }
    folder.files.push({ name: parts.at(-1)!, file })
  }
  return summed(root)
}

function summed<File extends Named>(folder: Folder<File>): Folder<File> {
  folder.folders.forEach(summed)
  folder.folders.sort((a, b) => compare(a.name, b.name))
  folder.files.sort((a, b) => compare(a.name, b.name))
  const sum = (values: number[]) => values.reduce((total, one) => total + one, 0)
  folder.size = sum(folder.folders.map((one) => one.size)) + sum(folder.files.map(({ file }) => file.size))
  folder.count = sum(folder.folders.map((one) => one.count)) + folder.files.length
  return folder
}

const compare = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })
