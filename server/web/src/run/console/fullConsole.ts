import type { RunInfo } from '../../api/client'
import { plain } from './ansi'
import { fetchLines, type Stream } from './useConsole'

const PAGE = 10_000

/** All that was printed, as text without colours, page by page. */
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

/** Have the browser save parts of a text as a file. */
export function saveAs(name: string, parts: string[]) {
  const address = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser has it when the click has been handled.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
