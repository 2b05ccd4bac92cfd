import { useNavigate, useSearch } from '@tanstack/react-router'
import * as address from '../view/longViews'
import { decodeView, encodeView } from '../view/codec'
import { defaultView, type ChartsView } from '../view/view'

/** The chart settings of a page other than the workspace, kept in `?charts=` of its address. */
export function useChartsView(standard: ChartsView = defaultView.charts) {
  const navigate = useNavigate()
  const { charts: written }: { charts?: unknown } = useSearch({ strict: false })
  const view = written ? decodeView({ charts: address.read(written) }).charts : standard
  const change = (members: Partial<ChartsView>) => {
    const { charts } = encodeView({ ...defaultView, charts: { ...view, ...members } })
    void navigate({
      to: '.',
      search: ((before: object) => ({
        ...before,
        charts: address.written(charts as Record<string, unknown> | undefined),
      })) as never,
      replace: true,
    })
  }
  return [view, change] as const
}
