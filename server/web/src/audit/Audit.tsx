import css from './Audit.module.css'
import { Button, Container, Group, Select, Stack, Text, Title } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { Forbidden } from '../access/Forbidden'
import { Searched } from '../access/Searched'
import { readsAudit } from '../access/rights'
import { logOf, type AuditEntry } from '../api/audit'
import { fetchAll, usePages } from '../api/pages'
import { useWhoami, type Whoami } from '../api/whoami'
import { download } from '../lib/download'
import { ago, moment } from '../lib/format'
import { Empty } from '../shell/Empty'
import { Failed, NotFound } from '../shell/Failed'
import { showError } from '../shell/showError'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'

const texts = strings.audit

/** The audit log: of the whole server for server admins, else of one's own account and of teams that one manages. */
export function Audit() {
  usePageTitle(texts.title)
  const whoami = useWhoami()
  if (!whoami) return <Waiting />
  if (whoami.kind !== 'account') return <NotFound />
  if (!readsAudit(whoami)) return <Forbidden />
  return <Log whoami={whoami} />
}

function Log({ whoami }: { whoami: Whoami }) {
  const navigate = useNavigate()
  const wanted: unknown = useSearch({ strict: false }).entity
  const managed = Object.keys(whoami.roles).filter((one) => whoami.roles[one] === 'admin')
  const entity = typeof wanted === 'string' && wanted ? wanted : whoami.is_admin ? '' : managed[0]!
  const choices = [...new Set([...(entity ? [entity] : []), ...managed])].map((one) => ({ value: one, label: one }))
  const [search, setSearch] = useState('')
  const source = logOf(entity || null)
  const list = usePages(source, search)
  const save = useMutation({
    mutationFn: async () =>
      download('audit-log.json', JSON.stringify(await fetchAll(source, search), null, 1), 'application/json'),
    onError: showError,
  })
  return (
    <Container size="xl" py="lg">
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={1} size="h2">
            {texts.title}
          </Title>
          <Button
            size="compact-md"
            variant="default"
            leftSection={<IconDownload size={16} />}
            loading={save.isPending}
            onClick={() => save.mutate()}
          >
            {texts.export}
          </Button>
        </Group>
        <Group gap="sm">
          <Select
            aria-label={texts.entity}
            allowDeselect={false}
            value={entity}
            onChange={(next) =>
              void navigate({ to: '.', search: { entity: next || undefined } as never, replace: true })
            }
            data={[...(whoami.is_admin ? [{ value: '', label: texts.all }] : []), ...choices]}
            w={220}
          />
          <Searched label={texts.search} total={Infinity} search={search} onSearch={setSearch} />
        </Group>
        {list.error && !list.items && <Failed error={list.error} reset={list.retry} />}
        {!list.error && !list.items && <Waiting />}
        {list.items?.length === 0 && <Empty title={search ? strings.access.noMatch(search) : texts.none} />}
        {list.items && list.items.length > 0 && <Entries entries={list.items} />}
        {list.items && list.more && (
          <Group gap="sm">
            <Button size="compact-sm" variant="default" onClick={list.more} loading={list.loading}>
              {strings.access.more}
            </Button>
            <Text size="sm" c="dimmed" role="status">
              {strings.access.shown(list.items.length, list.total)}
            </Text>
          </Group>
        )}
      </Stack>
    </Container>
  )
}

function Entries({ entries }: { entries: AuditEntry[] }) {
  const { columns } = texts
  return (
    <div className={`panel ${css.scroll}`}>
      <table className={css.table} aria-label={texts.title}>
        <thead>
          <tr>
            {Object.values(columns).map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((one) => (
            <tr key={one.id}>
              <td data-name={columns.time} className={css.time} title={moment(one.time)}>
                {ago(one.time)}
              </td>
              <td data-name={columns.actor} className="wrap">
                {one.actor}
              </td>
              <td data-name={columns.action}>{one.action}</td>
              <td data-name={columns.subject} className="wrap">
                {one.subject}
              </td>
              <td data-name={columns.address} className={one.address ? 'mono' : css.time}>
                {one.address ?? texts.local}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
