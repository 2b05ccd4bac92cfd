import { useQuery } from '@tanstack/react-query'
import { Navigate, useParams } from '@tanstack/react-router'
import { ApiError } from '../api/client'
import { foundReportQuery } from '../api/reports'
import { reportAddress } from '../lib/pageAddress'
import { Empty } from '../shell/Empty'
import { Failed } from '../shell/Failed'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'

/** Go to the report that an address names by its id alone. */
export function FoundReport() {
  const { report: id = '' } = useParams({ strict: false })
  const { data, error, refetch } = useQuery(foundReportQuery(id))
  if (data) return <Navigate to={reportAddress(data)} replace />
  if (error instanceof ApiError && error.status === 404) return <Empty title={strings.reports.notFound} />
  if (error) return <Failed error={error} reset={() => void refetch()} />
  return <Waiting />
}
