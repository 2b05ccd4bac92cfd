import css from './Report.module.css'
import { Alert, Anchor, Button, Group, Text, Title } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { Suspense, useState } from 'react'
import { useRights, useRightsKnown } from '../access/rights'
import { ApiError } from '../api/client'
import { placeOf } from '../api/paths'
import { reportQuery, type Report as ReportShape } from '../api/reports'
import { IS_SHARED } from '../api/session'
import { Comments } from '../comments/Comments'
import { ago, moment } from '../lib/format'
import { reportsAddress } from '../lib/pageAddress'
import { ShareButton } from '../share/ShareButton'
import { Empty } from '../shell/Empty'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import { Failed } from '../shell/Failed'
import { lazyLoad } from '../shell/lazyLoad'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { Blocks } from './Blocks'
import { readDraft } from './drafts'
import { DraftBadge, whenOf } from './ReportList'
import { ReportMenu } from './ReportMenu'

const Editor = lazyLoad(() => import('./edit/Editor').then((it) => it.Editor))
const Versions = lazyLoad(() => import('./Versions').then((it) => it.Versions))

const texts = strings.reports

/** The id in the address of a report that is not saved yet. */
const NEW = 'new'

/** Show a report, or its editor (`?edit`) or versions (`?versions`). */
export function Report() {
  const { entity = '', project = '', report: id = '' } = useParams({ strict: false })
  const isNew = id === NEW
  const { data, error, refetch } = useQuery({ ...reportQuery({ entity, project, id }), enabled: !isNew })
  const mayEdit = useRights(entity, project).has('edit')
  const isKnown = useRightsKnown(entity, project)
  const { show } = useSearch({ strict: false }) as { show?: unknown }
  const navigate = useNavigate()
  usePageTitle(isNew ? texts.new : (data?.title ?? texts.title), project)
  const open = (what?: 'edit' | 'versions') =>
    void navigate({ to: '.', search: what ? { show: what } : {}, replace: what === undefined })

  if (error && !data) {
    if (!(error instanceof ApiError) || error.status !== 404)
      return <Failed error={error} reset={() => void refetch()} />
    return (
      <Empty title={texts.notFound}>
        <Anchor component={Link} to={reportsAddress(entity, project)}>
          {texts.back}
        </Anchor>
      </Empty>
    )
  }
  if (!isKnown) return <Waiting />
  if (isNew && !mayEdit) return <Empty title={texts.mayNotWrite} />
  if (!isNew && !data) return <Waiting />
  const shown = isNew ? 'edit' : show
  return (
    <ErrorBoundary>
      <Suspense fallback={<Waiting />}>
        {shown === 'edit' && mayEdit ? (
          <Editor key={id} place={{ entity, project }} report={data ?? null} onClose={() => open()} />
        ) : shown === 'versions' && data && mayEdit ? (
          <Versions report={data} onClose={() => open()} />
        ) : (
          data && <Reading report={data} mayEdit={mayEdit} onOpen={open} />
        )}
      </Suspense>
    </ErrorBoundary>
  )
}

interface ReadingProps {
  report: ReportShape
  mayEdit: boolean
  onOpen: (what: 'edit' | 'versions') => void
}

function Reading({ report, mayEdit, onOpen }: ReadingProps) {
  const { entity, project, id } = report
  const [kept] = useState(() => readDraft(report, id))
  const mayShare = useRights(entity, project).has('share')
  return (
    <div className={css.page}>
      {mayEdit && kept && (
        <Alert color="gray" className={css.notice}>
          <Group justify="space-between" gap="xs">
            <Text size="sm">{texts.unsaved(ago(kept.at))}</Text>
            <Button size="compact-sm" variant="default" onClick={() => onOpen('edit')}>
              {texts.resume}
            </Button>
          </Group>
        </Alert>
      )}
      <article className={css.article}>
        <header className={css.head}>
          <Title order={1} className={css.title}>
            {report.title}
          </Title>
          <Group className={css.actions} gap="xs" wrap="nowrap">
            {mayEdit && (
              <Button size="xs" variant="default" leftSection={<IconPencil size={15} />} onClick={() => onOpen('edit')}>
                {strings.common.edit}
              </Button>
            )}
            {mayShare && report.state === 'published' && (
              <ShareButton {...placeOf(report)} kind="report" target={id} name={report.title} />
            )}
            <ReportMenu report={report} mayEdit={mayEdit} onVersions={() => onOpen('versions')} />
          </Group>
          <p className={css.facts}>
            {report.state === 'draft' && <DraftBadge />}
            {report.author && <span>{texts.by(report.author)}</span>}
            <span title={moment(report.updated)}>{whenOf(report)}</span>
          </p>
        </header>
        {report.blocks.length ? (
          <Blocks {...placeOf(report)} blocks={report.blocks} />
        ) : (
          <Empty title={texts.empty}>{mayEdit && texts.emptyText}</Empty>
        )}
      </article>
      {!IS_SHARED && (
        <div className={css.comments}>
          <ErrorBoundary>
            <Comments {...placeOf(report)} report={id} />
          </ErrorBoundary>
        </div>
      )}
    </div>
  )
}
