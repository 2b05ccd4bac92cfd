import type { RunInfo } from '../../api/client'
import { plain } from './ansi'
import { fetchLines, type Stream } from './useConsole'

const PAGE = 10_000

/** Fetch the whole output page by page, as text without colors. */
export async function* fullConsole(run: RunInfo, stream: Stream): AsyncGenerator<{ text: string; lines: number }> {
  let start = 0
  for (;;) {
    const { lines, total } = await fetchLines(run, stream, start, PAGE)
    if (!lines.length) return
    yield { text: lines.map((line) => `${plain(line.text)}\n`).join(''), lines: lines.length }
    start += lines.length
    if (start >= total) return
  }
}

/** Let the browser save a text as a file. */
export function saveAs(name: string, parts: string[]) {
  const address = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has taken it by the time the click is handled.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
