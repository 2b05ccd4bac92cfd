import { Anchor, Badge, Button, Container, Group, Title } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { List, Row } from '../access/List'
import { useRights } from '../access/rights'
import { usePages } from '../api/pages'
import { reportsOf, type ReportInfo } from '../api/reports'
import { ago } from '../lib/format'
import { reportAddress, reportsAddress } from '../lib/pageAddress'
import { Empty } from '../shell/Empty'
import { SearchField } from '../shell/SearchField'
import { usePageTitle } from '../shell/usePageTitle'
import { strings } from '../strings'

const texts = strings.reports

/** List the reports of a project. */
export function ReportList() {
  const { entity = '', project = '' } = useParams({ strict: false })
  usePageTitle(texts.title, project)
  const mayEdit = useRights(entity, project).has('edit')
  const [search, setSearch] = useState('')
  const [wanted] = useDebouncedValue(search.trim(), 200)
  const place = { entity, project }
  const list = usePages(reportsOf(place), wanted)
  const none = list.items?.length === 0 && !wanted
  return (
    <Container size="md" py="lg">
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2">
          {texts.title}
        </Title>
        {mayEdit && (
          <Button component={Link} to={`${reportsAddress(entity, project)}/new`} leftSection={<IconPlus size={16} />}>
            {texts.new}
          </Button>
        )}
      </Group>
      {!none && <SearchField label={texts.search} value={search} onChange={setSearch} mb="md" />}
      {none ? (
        <Empty title={texts.none}>{mayEdit ? texts.noneText : texts.noneShown}</Empty>
      ) : (
        <List
          list={list}
          label={texts.list}
          search={wanted}
          empty={null}
          idOf={(report) => report.id}
          row={(report) => <Line report={report} />}
        />
      )}
    </Container>
  )
}

function Line({ report }: { report: ReportInfo }) {
  return (
    <Row
      title={
        <Anchor component={Link} to={reportAddress(report)} inherit>
          {report.title}
        </Anchor>
      }
      facts={[report.author && texts.by(report.author), whenOf(report)]}
    >
      {report.state === 'draft' && <DraftBadge />}
    </Row>
  )
}

/** When a report was saved, and by whom if that was not its author. */
export const whenOf = ({ updated, editor, author }: ReportInfo): string =>
  editor && editor !== author ? texts.updatedBy(ago(updated), editor) : texts.updated(ago(updated))

/** Marks a report that is not published. */
export const DraftBadge = () => (
  <Badge variant="default" tt="none" title={texts.draftHint}>
    {texts.draft}
  </Badge>
)
