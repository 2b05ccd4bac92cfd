/**
 * Decodes binary answers: uint32 length of a JSON header, the header padded to 8 bytes, then little-endian arrays of
 * float64 (`d`) and float32 (`f`), each padded to 8 bytes. All arrays become float64.
 */
export function decodeFrame<Header>(data: ArrayBuffer): { header: Header; arrays: Float64Array[] } {
  const size = new DataView(data).getUint32(0, true)
  const text = new TextDecoder().decode(new Uint8Array(data, 4, size))
  const header = JSON.parse(text) as Header & { lengths: number[]; types: string }
  let at = 4 + size
  const arrays = header.lengths.map((length, i) => {
    const wide = header.types[i] === 'd'
    const array = wide ? new Float64Array(data, at, length) : Float64Array.from(new Float32Array(data, at, length))
    at += Math.ceil((length * (wide ? 8 : 4)) / 8) * 8
    return array
  })
  return { header, arrays }
}
