/** Numbers as they travel: uint32 length of a JSON header, the header padded to 8 bytes, little-endian float64 arrays. */
export function decodeFrame<Header>(data: ArrayBuffer): { header: Header; arrays: Float64Array[] } {
  const size = new DataView(data).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, size))) as Header & { lengths: number[] }
  let at = 4 + size
  const arrays = header.lengths.map((length) => {
    const array = new Float64Array(data, at, length)
    at += 8 * length
    return array
  })
  return { header, arrays }
}
