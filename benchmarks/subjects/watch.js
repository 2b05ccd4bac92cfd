// Put into every page before its own scripts: when something was painted, and how long frames take. All times in ms.
;(() => {
  performance.setResourceTimingBufferSize(20_000)

  /** Resolves after the paint that follows this frame's scripts. To be called in a frame's callback. */
  const painted = () =>
    new Promise((resolve) => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => resolve(performance.now())
      channel.port2.postMessage(null)
    })
  const frame = () => new Promise(requestAnimationFrame)

  async function until(condition, patience = 60_000) {
    const deadline = performance.now() + patience
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`not within ${patience} ms: ${condition}`)
      await frame()
    }
    return painted()
  }

  /**
   * As `until`, but looks when a frame has been painted: what is drawn late in it, or by a worker, is seen then. Where a
   * look takes long, there is a pause of up to 30 ms behind it.
   */
  async function untilPainted(condition, patience = 60_000) {
    for (let next = 0; ; ) {
      await frame()
      const now = await painted()
      if (now < next) continue
      if (condition()) return now
      const looked = performance.now()
      if (looked > patience) throw new Error(`not within ${patience} ms: ${condition}`)
      next = looked + Math.min(30, 9 * (looked - now))
    }
  }

  // The lines of charts: coloured, wider than an icon and not at one height as an axis is, on a canvas or in SVG, in shadow
  // trees too.
  const COLUMNS = 30
  const ROWS = 5
  const coloured = (r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) > 60
  const scratch = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })

  const roots = [document]
  const { attachShadow } = Element.prototype
  Element.prototype.attachShadow = function (options) {
    const root = attachShadow.call(this, options)
    roots.push(root)
    return root
  }

  function onScreen(element) {
    const { width, height, top, bottom, left, right } = element.getBoundingClientRect()
    const within = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth
    return width > 120 && height > 60 && within && element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
  }

  function lineOnCanvas(canvas) {
    const { width, height } = canvas
    if (!width || !height) return false
    Object.assign(scratch.canvas, { width, height })
    scratch.drawImage(canvas, 0, 0)
    const { data } = scratch.getImageData(0, 0, width, height)
    const tops = new Array(width)
    const pixels = new Uint32Array(data.buffer)
    let last = 0
    let line = false
    for (let i = 0; i < pixels.length; i++) {
      if (pixels[i] !== last) {
        last = pixels[i]
        line = data[4 * i + 3] > 40 && coloured(data[4 * i], data[4 * i + 1], data[4 * i + 2])
      }
      if (line) tops[i % width] ??= Math.floor(i / width)
    }
    let side = []
    for (const top of tops) {
      side = top === undefined ? [] : [...side, top]
      if (side.length >= COLUMNS && Math.max(...side) - Math.min(...side) >= ROWS) return true
    }
    return false
  }

  // What WebGL has drawn is gone after the frame, unless it is asked to keep it.
  const { getContext } = HTMLCanvasElement.prototype
  HTMLCanvasElement.prototype.getContext = function (kind, options) {
    return getContext.call(this, kind, kind.startsWith('webgl') ? { ...options, preserveDrawingBuffer: true } : options)
  }

  function lineInSvg(svg) {
    for (const line of svg.querySelectorAll('path, polyline')) {
      const { width, height } = line.getBoundingClientRect()
      if (width < COLUMNS || height < ROWS || !line.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
      const { fill, stroke, strokeOpacity } = getComputedStyle(line)
      const parts = stroke.match(/[\d.]+/g)?.map(Number)
      if (fill === 'none' && strokeOpacity !== '0' && parts && parts[3] !== 0 && coloured(...parts)) return true
    }
    return false
  }

  const hasLine = () =>
    roots.some((root) => [...root.querySelectorAll('canvas')].some((canvas) => onScreen(canvas) && lineOnCanvas(canvas))) ||
    roots.some((root) => [...root.querySelectorAll('svg')].some((svg) => onScreen(svg) && lineInSvg(svg)))

  let stroked = -1
  const { stroke } = CanvasRenderingContext2D.prototype
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    stroke.apply(this, path)
    const style = String(this.strokeStyle)
    const parts = style.startsWith('#') ? [1, 3, 5].map((at) => parseInt(style.slice(at, at + 2), 16)) : style.match(/[\d.]+/g)?.map(Number)
    if (parts && coloured(...parts)) stroked = performance.now()
  }

  const requests = (path, after = 0) =>
    performance.getEntriesByType('resource').filter((one) => new URL(one.name).pathname.startsWith(path) && one.responseEnd > 0 && one.startTime >= after)

  const mouse = (type, target, clientX, clientY, more = {}) =>
    target.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, view: window, clientX, clientY, ...more }))

  /** The plotting areas of the line charts on screen: what lies on top in the middle of each. */
  function plots() {
    return [...document.querySelectorAll('[role=application]')].filter(onScreen).map((chart) => {
      const { left, top, width, height } = chart.getBoundingClientRect()
      const [x, y] = [left + width / 2, top + height / 2]
      return { target: document.elementFromPoint(x, y), x, y, width, height }
    })
  }

  window.bench = {
    until,

    /** The first line of a chart is on the screen; ms since the navigation. */
    firstLine: () => untilPainted(hasLine),

    /** ms from the end of the answer of the last request to `path` until lines that were drawn since are painted. */
    drawnAfter: async (path) => {
      const answered = () => Math.max(...requests(path).map((one) => one.responseEnd))
      const now = await until(() => requests(path).length && stroked > answered())
      return now - answered()
    },

    /** The document has this text; seconds since 1970. */
    says: async (text) => (performance.timeOrigin + (await until(() => document.body.textContent.includes(text)))) / 1000,

    /**
     * ms from the next click until the table's first line is another one, and how long its request took. It is to be
     * called before the click.
     */
    sorted: async (path) => {
      const grid = document.querySelector('[role=grid]')
      const first = () => grid.querySelector('[role=row][aria-rowindex="2"], [data-line="0"]')?.textContent
      const before = first()
      const clicked = await new Promise((resolve) => addEventListener('click', (event) => resolve(event.timeStamp), { capture: true, once: true }))
      const now = await until(() => first() !== before && grid.getAttribute('aria-busy') !== 'true')
      const asked = requests(path, clicked).map((one) => one.responseEnd - one.requestStart)
      return [now - clicked, asked.length ? Math.max(...asked) : 0]
    },

    /** ms of each frame while `act(i)` does something in each. The first ones do not count. */
    frames: async (count, act, warmUp = 10) => {
      const times = []
      let last = await frame()
      for (let i = 0; i < count + warmUp; i++) {
        act(i)
        const now = await frame()
        if (i >= warmUp) times.push(now - last)
        last = now
      }
      return times
    },

    /** What is done in each frame. */
    idle: () => () => undefined,
    scroll: (dx, dy) => {
      const grid = document.querySelector('[role=grid]')
      return () => grid.scrollBy(dx, dy)
    },
    hover: () => {
      const { target, x, y, width, height } = plots()[0]
      return (i) => mouse('mousemove', target, x + 0.35 * width * Math.sin(i / 15), y + 0.3 * height * Math.sin(i / 7))
    },
    pan: () => {
      const { target, x, y, width } = plots()[0]
      mouse('mousedown', target, x, y, { shiftKey: true, buttons: 1 })
      return (i) => mouse('mousemove', target, x + 0.2 * width * Math.sin(i / 15), y, { shiftKey: true, buttons: 1 })
    },
    release: () => mouse('mouseup', window, 0, 0),
    zoom: () => {
      const { target, x, y } = plots()[0]
      return (i) =>
        target.dispatchEvent(new WheelEvent('wheel', { bubbles: true, cancelable: true, ctrlKey: true, clientX: x, clientY: y, deltaY: 30 * Math.cos(i / 10) }))
    },
    plots: () => plots().length,
  }
})()
