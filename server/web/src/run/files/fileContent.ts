import { bytes } from '../../api/client'

/** Fetch the first `most` bytes of a content of `size` bytes. */
export async function fetchPart(
  address: string,
  most: number,
  size: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (size === 0) return new Uint8Array()
  const headers: Record<string, string> = size > most ? { range: `bytes=0-${most - 1}` } : {}
  return new Uint8Array(await bytes(address, { signal, headers }))
}

/** Return how to show a file, by its extension. The content may turn out to be something else. */
export type Kind = 'image' | 'audio' | 'video' | 'markdown' | 'csv' | 'json' | 'notebook' | 'patch' | 'text' | 'unknown'

const KINDS: Record<string, Kind> = {
  ...of('image', 'png jpg jpeg gif webp svg'),
  ...of('audio', 'wav mp3 ogg flac m4a'),
  ...of('video', 'mp4 webm'),
  ...of('markdown', 'md markdown'),
  ...of('csv', 'csv tsv'),
  ...of('json', 'json'),
  ...of('notebook', 'ipynb'),
  ...of('patch', 'patch diff'),
  ...of(
    'text',
    'txt log py toml yaml yml cfg ini sh bash js ts css html xml rst tex c h cpp cu hpp rs go java r jl jsonl lock',
  ),
}

function of(kind: Kind, endings: string): Record<string, Kind> {
  return Object.fromEntries(endings.split(' ').map((ending) => [ending, kind]))
}

export const kindOf = (name: string): Kind => KINDS[/\.(\w+)$/.exec(name.toLowerCase())?.[1] ?? ''] ?? 'unknown'

const TYPES: Record<string, string> = { jpg: 'image/jpeg', svg: 'image/svg+xml', mp3: 'audio/mpeg', m4a: 'audio/mp4' }

/** Return the media type of an image, audio or video file, by its name. */
export function typeOf(name: string): string {
  const ending = /\.(\w+)$/.exec(name.toLowerCase())?.[1] ?? ''
  return TYPES[ending] ?? `${kindOf(name)}/${ending}`
}

/** Decode bytes as text; null if they are not text. A character cut in two at the end is dropped. */
export function textOf(content: Uint8Array, isPart: boolean): string | null {
  if (content.subarray(0, 8000).includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content, { stream: isPart })
  } catch {
    return null
  }
}
