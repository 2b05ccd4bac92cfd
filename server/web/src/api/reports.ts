/** Reports of a project, and their versions. */
import { queryOptions } from '@tanstack/react-query'
import type { Block, Content } from '../reports/blocks'
import { ApiError, data, DELETE, GET, POST, PUT, type Shapes } from './client'
import type { Source } from './pages'
import { placeOf, runPlaceOf, type Place, type RunPlace } from './paths'
import { queryClient } from './queries'
import { signed } from './session'

export type ReportInfo = Shapes['ReportInfo']
export type ReportVersion = Shapes['ReportVersion']
export type ReportState = ReportInfo['state']

export interface Report extends ReportInfo {
  message: string | null
  blocks: Block[]
}

/** The members that identify a report. */
export type ReportPlace = RunPlace

/** What a save stores. */
export interface NewVersion extends Content {
  state: ReportState
  message: string | null
}

const ONE = '/api/projects/{entity}/{project}/reports/{id}'
const pathTo = (report: ReportPlace) => ({ path: runPlaceOf(report) })

const reportsPath = ({ entity, project }: Place) =>
  `/api/projects/${[entity, project].map(encodeURIComponent).join('/')}/reports`
const reportPath = (report: ReportPlace) => `${reportsPath(report)}/${encodeURIComponent(report.id)}`

// Below the key of the project, so that the live stream's changes of the project concern them.
const reportsKey = ({ entity, project }: Place) => ['project', entity, project, 'reports']
const reportKey = (report: ReportPlace) => [...reportsKey(report), report.id]

/** The reports of a project, the latest saved first. */
export const reportsOf = (place: Place): Source<ReportInfo> => ({
  key: [...reportsKey(place), 'list'],
  fetch: async (query, signal) => {
    const params = { path: placeOf(place), query }
    const { reports: items, ...rest } = await data(GET('/api/projects/{entity}/{project}/reports', { params, signal }))
    return { items, ...rest }
  },
})

/** The versions of a report, the newest first. */
export const versionsOf = (report: ReportPlace): Source<ReportVersion> => ({
  key: [...reportKey(report), 'versions'],
  fetch: async ({ cursor, limit }, signal) => {
    const params = { path: runPlaceOf(report), query: { cursor, limit } }
    const { versions: items, ...rest } = await data(GET(`${ONE}/versions`, { params, signal }))
    return { items, ...rest }
  },
})

/** The panels of a report are the dashboard's own; the server stores them as they are. */
const readable = async (answer: Promise<Shapes['Report']>): Promise<Report> => (await answer) as Report

export const reportQuery = (report: ReportPlace) =>
  queryOptions({
    queryKey: [...reportKey(report), 'now'],
    queryFn: ({ signal }) => readable(data(GET(ONE, { params: pathTo(report), signal }))),
  })

/** A report by its id alone, which stays the same when the project gets another name. */
export const foundReportQuery = (id: string) =>
  queryOptions({
    queryKey: ['report', id],
    queryFn: ({ signal }) => readable(data(GET('/api/reports/{id}', { params: { path: { id } }, signal }))),
  })

export const versionQuery = (report: ReportPlace, version: number) =>
  queryOptions({
    queryKey: [...reportKey(report), 'version', version],
    queryFn: ({ signal }) => {
      const params = { path: { ...runPlaceOf(report), version } }
      return readable(data(GET(`${ONE}/versions/{version}`, { params, signal })))
    },
    staleTime: Infinity, // a saved version never changes
  })

function saved(report: Report): Report {
  const { queryKey } = reportQuery(report)
  queryClient.setQueryData(queryKey, report)
  void queryClient.invalidateQueries({
    queryKey: reportsKey(report),
    predicate: (query) => query.queryKey[5] !== 'now',
  })
  return report
}

const bodyOf = (content: NewVersion) => content as NewVersion & { blocks: Shapes['NewReport']['blocks'] }

export const createReport = async (place: Place, content: NewVersion): Promise<Report> =>
  saved(
    await readable(
      data(
        POST('/api/projects/{entity}/{project}/reports', { params: { path: placeOf(place) }, body: bodyOf(content) }),
      ),
    ),
  )

/** Save a version in place of `version`. Throws an `ApiError` of status 409 if there is a newer one. */
export const saveReport = async (report: ReportPlace, version: number, content: NewVersion): Promise<Report> =>
  saved(await readable(data(PUT(ONE, { params: pathTo(report), body: { ...bodyOf(content), version } }))))

export async function deleteReport(report: ReportPlace): Promise<void> {
  await data(DELETE(ONE, { params: pathTo(report) }))
  queryClient.removeQueries({ queryKey: reportKey(report) })
  await queryClient.invalidateQueries({ queryKey: reportsKey(report) })
}

/** Attempts to add to a report that others save at the same time */
const ATTEMPTS = 4

/** Add a block at the end of a report, whatever others save meanwhile. */
export async function appendBlock(report: ReportPlace, block: Block): Promise<Report> {
  for (let attempt = 1; ; attempt++) {
    const now = await queryClient.fetchQuery({ ...reportQuery(report), staleTime: 0 })
    const { title, state, blocks, version } = now
    try {
      return await saveReport(report, version, { title, state, blocks: [...blocks, block], message: null })
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || attempt >= ATTEMPTS) throw error
    }
  }
}

/** The address of an export, for a link that downloads it. */
export const exportAddress = (report: ReportPlace, format: 'html' | 'markdown') =>
  signed(`${reportPath(report)}/export?format=${format}`)
