import { expect, test } from 'vitest'
import { decodeChart } from './charts'

/** A frame as the server writes it. */
function frame(header: object, arrays: (Float64Array | Float32Array)[]): ArrayBuffer {
  const types = arrays.map((a) => (a instanceof Float64Array ? 'd' : 'f')).join('')
  let text = JSON.stringify({ ...header, lengths: arrays.map((a) => a.length), types })
  text += ' '.repeat((8 - ((new TextEncoder().encode(text).length + 4) % 8)) % 8)
  const head = new TextEncoder().encode(text)
  const parts = arrays.map((a) => {
    const padded = new Uint8Array(Math.ceil(a.byteLength / 8) * 8)
    padded.set(new Uint8Array(a.buffer))
    return padded
  })
  const data = new Uint8Array(4 + head.length + parts.reduce((sum, p) => sum + p.length, 0))
  new DataView(data.buffer).setUint32(0, head.length, true)
  data.set(head, 4)
  let at = 4 + head.length
  for (const part of parts) {
    data.set(part, at)
    at += part.length
  }
  return data.buffer
}

test('arrays that the header shares are one object, and float32 becomes float64', () => {
  const header = {
    series: [
      { run: 'é/p/a', key: 'loss', points: 9, x: 0, mean: 1, min: 1, max: 1, n: null, std: null },
      { group: 'g', key: 'loss', points: 9, x: 0, mean: 1, min: 2, max: 1, n: 2, std: 1 },
    ],
    grid: 0,
  }
  const data = frame(header, [
    new Float64Array([1, 2, 3]),
    new Float32Array([0.5, NaN, 2]),
    new Float64Array([7, 8, 9]),
  ])
  const { series, grid } = decodeChart(data)
  const [run, group] = series
  expect(run).toMatchObject({ run: 'é/p/a', group: undefined, n: null, std: null, points: 9 })
  expect(group).toMatchObject({ run: '', group: 'g' })
  expect([...run!.mean]).toEqual([0.5, NaN, 2])
  expect(run!.mean).toBeInstanceOf(Float64Array)
  expect(run!.max).toBe(group!.mean)
  expect(run!.x).toBe(grid)
  expect([...group!.min]).toEqual([7, 8, 9])
})
