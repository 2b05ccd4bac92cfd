import css from './Alerts.module.css'
import factsCss from './Facts.module.css'
import { Group, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconCircleX, IconInfoCircle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { data, GET, type Shapes } from '../api/client'
import { ago, moment } from '../lib/format'
import { runPlaceOf } from '../api/paths'
import { strings } from '../strings'
import type { TabProps } from './props'

const ICONS: Record<string, typeof IconInfoCircle> = {
  info: IconInfoCircle,
  warn: IconAlertTriangle,
  error: IconCircleX,
}

/** List the run's alerts, newest first. */
export function Alerts({ run }: TabProps) {
  const { data: alerts = [] } = useQuery({
    queryKey: ['run', run.entity, run.project, run.id, 'alerts'],
    queryFn: async ({ signal }) =>
      (await data(GET('/api/runs/{entity}/{project}/{id}/alerts', { params: { path: runPlaceOf(run) }, signal })))
        .alerts,
  })
  if (!alerts.length) return null
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Title order={2} size="h5" mb="xs">
        {strings.run.alerts}
      </Title>
      <Stack gap="xs" component="ul" className="plain-list">
        {[...alerts].reverse().map((alert, i) => (
          <OneAlert key={i} alert={alert} />
        ))}
      </Stack>
    </section>
  )
}

function OneAlert({ alert }: { alert: Shapes['Alert'] }) {
  const Icon = ICONS[alert.level] ?? IconInfoCircle
  return (
    <Group component="li" gap="sm" wrap="nowrap" align="flex-start">
      <Icon size={18} className={css[alert.level]} aria-label={alert.level} role="img" />
      <div className="grow">
        <Group justify="space-between" gap="xs">
          <Text size="sm" fw={600} className="wrap">
            {alert.title}
          </Text>
          <Text size="xs" c="dimmed" title={moment(alert.time)}>
            {ago(alert.time)}
          </Text>
        </Group>
        {alert.text && (
          <Text size="sm" className="wrap pre">
            {alert.text}
          </Text>
        )}
      </div>
    </Group>
  )
}
