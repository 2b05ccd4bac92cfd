import css from './Gallery.module.css'
import { signed } from '../../api/session'
import { Text } from '@mantine/core'
import { strings } from '../../strings'
import { Swatch } from '../line/Values'
import type { ViewProps } from './props'
import type { One } from './mediaValues'

/** Show images, audio, video, texts and HTML pages side by side, one row per run. */
export function Gallery({ shown, title }: ViewProps) {
  if (!shown.length) return <Text size="sm">{strings.charts.media.notYet}</Text>
  return shown.map(({ run, base, step, values }) => (
    <section key={run.path} className={css.run} aria-label={run.name}>
      <div className={css.name}>
        <Swatch stroke={run.stroke} />
        <span>{run.name}</span>
        <span className={css.aside}>{strings.charts.media.step(step)}</span>
      </div>
      <div className={css.row}>
        {values.map((value, i) => (
          <Medium key={i} base={base} value={value} label={strings.charts.media.label(title, run.name, step)} />
        ))}
      </div>
    </section>
  ))
}

/** One value. Animated images are shown as images, unless they are in a video format. */
export function Medium({
  base,
  value,
  label,
  small = false,
}: {
  base: string
  value: One
  label: string
  small?: boolean
}) {
  switch (value._type) {
    case 'text':
      return <pre className={css.text}>{value.value}</pre>
    case 'image':
    case 'video': {
      const moves = value._type === 'video' && !['apng', 'gif', 'png', 'webp'].includes(value.format)
      const address = signed(`${base}/media/${value.digest}?type=${moves ? 'video' : 'image'}`)
      const { width, height } = value
      return (
        <figure className={css.figure} data-small={small || undefined}>
          {moves ? (
            <video src={address} controls preload="metadata" aria-label={value.caption ?? label} />
          ) : (
            <img
              src={address}
              alt={value.caption ?? label}
              loading="lazy"
              {...(width && height && { width, height })}
              data-tiny={(width ?? 999) < 128 || undefined}
            />
          )}
          {value.caption && <figcaption>{value.caption}</figcaption>}
        </figure>
      )
    }
    case 'audio':
      return (
        <figure className={css.figure}>
          <audio
            src={signed(`${base}/media/${value.digest}?type=audio`)}
            controls
            preload="none"
            aria-label={value.caption ?? label}
          />
          {value.caption && <figcaption>{value.caption}</figcaption>}
        </figure>
      )
    case 'html':
    case 'plotly':
      // A sandboxed frame without our origin: logged scripts run there and cannot reach the dashboard.
      return (
        <iframe
          className={css.page}
          src={signed(`${base}/render/${value.digest}`)}
          sandbox="allow-scripts"
          referrerPolicy="no-referrer"
          loading="lazy"
          title={label}
        />
      )
    default:
      return <span className={css.aside}>{strings.charts.media.kinds[value._type] ?? value._type}</span>
  }
}
