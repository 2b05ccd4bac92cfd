import css from './Legend.module.css'
import { Link } from '@tanstack/react-router'
import type { Place } from '../api/paths'
import type { ShownGroup, ShownRun } from '../charts'
import { runAddress } from '../lib/pageAddress'
import { Swatch } from '../project/grid/Cell'
import { strings } from '../strings'

/** Most names shown */
const MOST = 20

interface Props extends Place {
  runs: ShownRun[]
  groups: ShownGroup[] | undefined
}

/** Name the lines of a chart, since there is no runs table beside it. */
export function Legend({ runs, groups, ...place }: Props) {
  const all = groups ?? runs
  if (!all.length) return null
  return (
    <ul className={css.legend} aria-label={strings.reports.legend}>
      {all.slice(0, MOST).map((one) => (
        <li key={'id' in one ? one.id : one.name}>
          <Swatch color={one.stroke.color} dash={one.stroke.dash} faint={false} />
          {'id' in one ? <Link to={runAddress({ ...place, id: one.id })}>{one.name}</Link> : one.name}
        </li>
      ))}
      {all.length > MOST && <li>{strings.charts.line.more(all.length - MOST)}</li>}
    </ul>
  )
}
