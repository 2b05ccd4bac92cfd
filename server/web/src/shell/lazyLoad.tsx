import { lazy, type ComponentType } from 'react'

/** A part of the dashboard that could not be fetched. */
export class LoadError extends Error {
  constructor(
    message: string,
    /** Allow another attempt */
    readonly forget: () => void,
  ) {
    super(message)
  }
}

const RELOADED = 'tracker reloaded'
const AGAIN_MS = 60_000

/**
 * Make a component whose code loads when it is first shown, and again after a failure. If the server answers but lacks
 * the file, it has a newer version of the dashboard, so the page reloads once.
 */
export function lazyLoad<P extends object>(
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> & { preload: () => Promise<void> } {
  let made: ComponentType<P> | null = null
  const fetched = async () => {
    try {
      return { default: await load() }
    } catch (error) {
      if ((await isThere()) && reload()) return new Promise<never>(() => {})
      throw new LoadError(String(error), () => {
        made = null
      })
    }
  }
  function Later(props: P) {
    made ??= lazy(fetched) as unknown as ComponentType<P>
    const Shown = made
    return <Shown {...props} />
  }
  return Object.assign(Later, {
    preload: () =>
      load().then(
        () => {},
        () => {},
      ),
  })
}

/** Whether the server answers. */
const isThere = (): Promise<boolean> =>
  fetch(document.baseURI, { method: 'HEAD', cache: 'no-store' }).then(
    (answer) => answer.status < 500,
    () => false,
  )

/** Reload the page, unless it was reloaded a moment ago. */
function reload(): boolean {
  try {
    if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < AGAIN_MS) return false
    sessionStorage.setItem(RELOADED, String(Date.now()))
  } catch {
    return false
  }
  window.location.reload()
  return true
}
