import css from './ErrorBoundary.module.css'
import { Button, Stack, Text } from '@mantine/core'
import { Component, useEffect, type ReactNode } from 'react'
import { useConnection } from '../api/connection'
import { strings } from '../strings'
import { LoadError } from './lazyLoad'

interface Props {
  /** Text before the error */
  what?: string
  children: ReactNode
}

/** Confine an error to its part of the page, with a retry button. Give it a `key` that changes with its content. */
export class ErrorBoundary extends Component<Props, { error: unknown }> {
  state = { error: null as unknown }
  static getDerivedStateFromError = (error: unknown) => ({ error })
  render() {
    const { error } = this.state
    if (error === null) return this.props.children
    const retry = () => {
      if (error instanceof LoadError) error.forget()
      this.setState({ error: null })
    }
    return error instanceof LoadError ? (
      <Away retry={retry} />
    ) : (
      <Broken text={`${this.props.what ?? strings.errors.broken} ${String(error)}`} retry={retry} />
    )
  }
}

function Broken({ text, retry }: { text: string; retry: () => void }) {
  return (
    <Stack className={css.broken} p="md" align="center" justify="center" gap="xs" role="alert">
      <Text size="sm" ta="center" className="clamped">
        {text}
      </Text>
      <Button size="compact-sm" variant="light" onClick={retry}>
        {strings.common.retry}
      </Button>
    </Stack>
  )
}

/** Retry a failed load as soon as the server is back. */
function Away({ retry }: { retry: () => void }) {
  const connection = useConnection()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `retry` is new at each render, but must run only when the connection changes
  useEffect(() => {
    if (connection !== 'offline') return
    return retry // when that changes
  }, [connection])
  return <Broken text={strings.errors.away} retry={retry} />
}
