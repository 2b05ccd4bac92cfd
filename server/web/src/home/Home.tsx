import { Anchor, Container, Group, Skeleton, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { projectsQuery } from '../api/queries'
import { ago } from '../lib/format'
import { Failed } from '../shell/Failed'
import { strings } from '../strings'
import { FirstRun } from './FirstRun'

/** All projects, the one with the latest activity first; while there are none, how to log a run. */
export function Home() {
  const { data: projects, error, refetch } = useQuery(projectsQuery)
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!projects) return <Skeleton h={200} m="xl" />
  if (!projects.length) return <FirstRun />
  const latest = [...projects].sort((a, b) => b.updated - a.updated)
  return (
    <Container size="lg" py="lg">
      <Group justify="space-between" align="baseline" mb="md">
        <Title order={1} size="h2">
          {strings.home.title}
        </Title>
        <Text c="dimmed">{strings.common.projects(projects.length)}</Text>
      </Group>
      <Stack className="panel">
        <Table highlightOnHover verticalSpacing="sm" horizontalSpacing="md">
          <Table.Tbody>
            {latest.map((one) => (
              <Table.Tr key={`${one.entity}/${one.project}`}>
                <Table.Td>
                  <Anchor
                    component={Link}
                    to={`/projects/${encodeURIComponent(one.entity)}/${encodeURIComponent(one.project)}`}
                    fw={600}
                  >
                    {one.project}
                  </Anchor>
                  <Text size="sm" c="dimmed">
                    {one.entity}
                  </Text>
                </Table.Td>
                <Table.Td ta="right">{strings.common.runs(one.runs)}</Table.Td>
                <Table.Td ta="right" c="dimmed" w={140}>
                  {ago(one.updated)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </Container>
  )
}
