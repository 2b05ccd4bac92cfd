import { Code, Container, CopyButton, Button, Group, Loader, Stack, Text, Title } from '@mantine/core'
import { strings } from '../strings'

/** What to run to see something here. */
export function FirstRun() {
  const shell = `export TRACKER_BASE_URL=${window.location.origin}`
  const python = 'import tracker\n\ntracker.init(project="first")\nfor step in range(100):\n    tracker.log({"loss": 1 / (step + 1)})\n'
  return (
    <Container size="sm" py="xl">
      <Stack>
        <Title order={1}>{strings.home.firstTitle}</Title>
        <Text>{strings.home.firstText}</Text>
        <Snippet name={strings.home.firstShell} text={shell} />
        <Snippet name={strings.home.firstPython} text={python} />
        <Group gap="xs">
          <Loader size="xs" />
          <Text c="dimmed" role="status">
            {strings.home.waiting}
          </Text>
        </Group>
      </Stack>
    </Container>
  )
}

function Snippet({ name, text }: { name: string; text: string }) {
  return (
    <Stack gap={4}>
      <Group justify="space-between">
        <Text fw={600}>{name}</Text>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="light" onClick={copy}>
              {copied ? strings.common.copied : strings.common.copy}
            </Button>
          )}
        </CopyButton>
      </Group>
      <Code block>{text}</Code>
    </Stack>
  )
}
