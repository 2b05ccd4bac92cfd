import css from './Sparkline.module.css'
import { strings } from '../strings'

const WIDTH = 4
const GAP = 1
const HEIGHT = 24

/** Draw the number of runs started on each of the last days as small bars, the newest last. */
export function Sparkline({ days }: { days: number[] }) {
  const most = Math.max(1, ...days)
  const total = days.reduce((sum, one) => sum + one, 0)
  const width = days.length * (WIDTH + GAP) - GAP
  return (
    <svg
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-label={strings.home.activity(total)}
      className={css.sparkline}
    >
      {days.map((runs, i) => {
        // A day with one run stays visible among days with thousands.
        const height = runs ? Math.max(3, (runs / most) * HEIGHT) : 1
        return (
          <rect
            key={i}
            x={i * (WIDTH + GAP)}
            y={HEIGHT - height}
            width={WIDTH}
            height={height}
            rx={1}
            className={runs ? css.some : css.none}
          />
        )
      })}
    </svg>
  )
}
