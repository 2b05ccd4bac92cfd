import css from './Versions.module.css'
import { Button, Group, Text, Title, UnstyledButton } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArrowLeft, IconRestore } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { usePages } from '../api/pages'
import { saveReport, versionQuery, versionsOf, type Report } from '../api/reports'
import { ago, moment } from '../lib/format'
import { Failed } from '../shell/Failed'
import { showError } from '../shell/showError'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { TextDiff } from './TextDiff'

const texts = strings.reportVersions

interface Props {
  report: Report
  onClose: () => void
}

/** List the versions of a report, show what each changed, and restore one. */
export function Versions({ report, onClose }: Props) {
  const list = usePages(versionsOf(report))
  const [chosen, setChosen] = useState<number | null>(null)
  const [other, setOther] = useState<'before' | 'current'>('before')
  const shown = chosen ?? report.version
  if (list.error && !list.items) return <Failed error={list.error} reset={list.retry} />
  if (!list.items) return <Waiting />
  const against = other === 'current' || shown === 1 ? report.version : shown - 1
  return (
    <div className={css.page}>
      <header className={css.head}>
        <Title order={1} size="h3" className="grow wrap">
          {texts.title}: {report.title}
        </Title>
        <Button size="xs" variant="default" leftSection={<IconArrowLeft size={15} />} onClick={onClose}>
          {texts.close}
        </Button>
      </header>
      <nav className={`panel ${css.list}`} aria-label={texts.title}>
        <ul className="plain-list">
          {list.items.map((one) => (
            <li key={one.version}>
              <UnstyledButton
                className={css.line}
                aria-current={one.version === shown || undefined}
                onClick={() => setChosen(one.version)}
              >
                <Text size="sm" fw={600}>
                  {strings.reports.version(one.version)}
                  {one.version === report.version && <span className={css.mark}> · {texts.current}</span>}
                </Text>
                <Text size="xs" c="dimmed" title={moment(one.saved)}>
                  {texts.by(ago(one.saved), one.author)}
                  {one.state === 'draft' && ` · ${strings.reports.draft}`}
                </Text>
                {one.message && (
                  <Text size="xs" className="wrap">
                    {one.message}
                  </Text>
                )}
              </UnstyledButton>
            </li>
          ))}
        </ul>
        {list.more && (
          <Button size="compact-sm" variant="subtle" m="xs" onClick={list.more} loading={list.loading}>
            {strings.access.more}
          </Button>
        )}
      </nav>
      <section className={css.comparison}>
        <Group gap="xs">
          {shown > 1 && shown < report.version && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setOther(other === 'before' ? 'current' : 'before')}
            >
              {other === 'before' ? texts.withCurrent : texts.withBefore}
            </Button>
          )}
          {shown !== report.version && <Restore report={report} version={shown} onDone={() => setChosen(null)} />}
        </Group>
        <Comparison report={report} versions={[Math.min(against, shown), Math.max(against, shown)]} />
      </section>
    </div>
  )
}

function Comparison({ report, versions }: { report: Report; versions: [number, number] }) {
  const before = useQuery(versionQuery(report, versions[0]))
  const after = useQuery(versionQuery(report, versions[1]))
  const failed = before.error ?? after.error
  if (failed) return <Failed error={failed} />
  if (!before.data || !after.data) return <Waiting />
  const label = (n: number) => strings.reports.version(n)
  if (versions[0] === versions[1])
    return (
      <TextDiff before={{ title: '', blocks: [] }} after={after.data} labels={[texts.nothing, label(versions[1])]} />
    )
  return <TextDiff before={before.data} after={after.data} labels={[label(versions[0]), label(versions[1])]} />
}

function Restore({ report, version, onDone }: { report: Report; version: number; onDone: () => void }) {
  const { data } = useQuery(versionQuery(report, version))
  const restore = useMutation({
    mutationFn: ({ title, blocks }: Report) =>
      saveReport(report, report.version, { title, blocks, state: report.state, message: texts.message(version) }),
    onSuccess: () => {
      notifications.show({ message: texts.restored(version) })
      onDone()
    },
    onError: showError,
  })
  return (
    <Button
      size="compact-sm"
      leftSection={<IconRestore size={14} />}
      disabled={!data}
      loading={restore.isPending}
      onClick={() => data && restore.mutate(data)}
    >
      {texts.restore}
    </Button>
  )
}
