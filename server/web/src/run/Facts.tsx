import css from './Facts.module.css'
import { Group, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { CopyButton } from '../shell/CopyButton'

/** A titled list of names and values; empty values are left out. */
export function Facts({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={`panel ${css.facts}`}>
      <Title order={2} size="h5" mb="xs">
        {title}
      </Title>
      <dl>{children}</dl>
    </section>
  )
}

interface FactProps {
  name: string
  /** Text that can be copied, shown as it is unless there are children */
  text?: string | null
  mono?: boolean
  children?: ReactNode
  copy?: boolean
}

export function Fact({ name, text, mono, copy, children }: FactProps) {
  if (!children && !text) return null
  return (
    <>
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Group component="dd" gap={4} wrap="nowrap" align="flex-start" justify="space-between">
        <div className={mono ? 'mono wrap' : 'wrap'}>{children ?? text}</div>
        {copy && text && <CopyButton text={text} what={name} />}
      </Group>
    </>
  )
}
