import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../../api/client'
import type { Place } from '../../api/paths'
import { queryClient } from '../../api/queries'
import { createReport, reportQuery, saveReport, type Report, type ReportState } from '../../api/reports'
import { showError } from '../../shell/showError'
import { strings } from '../../strings'
import { flat, removed, same, type Block, type Content } from '../blocks'
import { forgetDraft, keepDraft, readDraft } from '../drafts'
import { useDocument } from './useDocument'

/** The saved version that is being edited */
interface Base {
  /** Null while the report is not saved */
  version: number | null
  content: Content
}

interface Saving {
  state: ReportState
  /** Whether the writer is done and wants to read the report */
  done: boolean
  /** Save under a new id, since somebody deleted the report */
  asNew?: boolean
}

const KEEP_AFTER_MS = 300
const NEW = 'new'
const EMPTY: Content = { title: '', blocks: [] }

const contentOf = ({ title, blocks }: Content): Content => ({ title, blocks })
/** Leave out media whose run or key is not chosen yet. */
const complete = (blocks: Block[]): Block[] =>
  flat(blocks)
    .filter((block) => block.kind === 'media' && !(block.run && block.key))
    .reduce((rest, block) => removed(rest, block.id), blocks)

const now = () => Date.now() / 1000

/**
 * The content of a report while it is edited: kept in the browser until it is saved, saved as a version that names the
 * one it replaces. `report`: the newest version that is known; null for a new report.
 */
export function useSaving(place: Place, report: Report | null, onSaved: (saved: Report, done: boolean) => void) {
  const id = report?.id ?? NEW
  const [kept] = useState(() => readDraft(place, id))
  const [base, setBase] = useState<Base>(() =>
    kept
      ? { version: report && kept.version, content: kept.base }
      : { version: report?.version ?? null, content: report ? contentOf(report) : EMPTY },
  )
  const document = useDocument(kept?.content ?? base.content)
  const { content, change } = document
  const changed = !same(content, base.content)
  const [isKept, setKept] = useState(true)
  const [restored, setRestored] = useState(kept?.at ?? null)
  /** Whether leaving the page would lose sight of unsaved changes */
  const dirty = useRef(changed)
  dirty.current = changed
  const latest = useRef(content)
  latest.current = content

  // Keep what is written, soon after each change and at once when the page goes away.
  const hasMoved = useRef(false)
  const put = useRef(() => {})
  put.current = () => {
    if (!dirty.current || hasMoved.current) return forgetDraft(place, id)
    setKept(keepDraft(place, id, { content: latest.current, version: base.version, base: base.content, at: now() }))
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: it runs when the content or what it is compared with changes
  useEffect(() => {
    const timer = setTimeout(() => put.current(), KEEP_AFTER_MS)
    return () => clearTimeout(timer)
  }, [content, base])
  useEffect(() => {
    const onHide = () => put.current()
    window.addEventListener('pagehide', onHide)
    return () => {
      window.removeEventListener('pagehide', onHide)
      onHide()
    }
  }, [])

  const [conflict, setConflict] = useState(false)
  const [gone, setGone] = useState(false)
  const save = useMutation({
    mutationFn: async ({ state, asNew }: Saving) => {
      const sent = latest.current
      const version = {
        blocks: complete(sent.blocks),
        title: sent.title.trim() || strings.reports.untitled,
        state,
        message: null,
      }
      const saved =
        report && base.version !== null && !asNew
          ? await saveReport(report, base.version, version)
          : await createReport(place, version)
      return { sent, saved }
    },
    onSuccess: ({ sent, saved }, { state, done }) => {
      setBase({ version: saved.version, content: sent.title.trim() ? sent : { ...sent, title: saved.title } })
      if (!latest.current.title.trim()) change((was) => ({ ...was, title: saved.title }))
      setConflict(false)
      setRestored(null)
      dirty.current = !same(latest.current, sent)
      forgetDraft(place, id)
      // A new report goes on under its id, with what was typed while it was saved.
      hasMoved.current = id !== saved.id
      if (hasMoved.current && dirty.current)
        keepDraft(place, saved.id, { content: latest.current, version: saved.version, base: sent, at: now() })
      notifications.show({
        message: state === 'published' ? strings.reportEditor.published : strings.reportEditor.saved,
      })
      onSaved(saved, done && !dirty.current)
    },
    onError: async (error) => {
      const status = error instanceof ApiError && report ? error.status : 0
      if (status === 404) return setGone(true)
      if (status !== 409 || !report) return showError(error)
      await queryClient.fetchQuery({ ...reportQuery(report), staleTime: 0 })
      setConflict(true)
    },
  })

  // Others' changes are taken over at once while there are none of one's own.
  const isNewer = report !== null && base.version !== null && report.version > base.version
  const theirs = isNewer && !save.isPending ? report : null
  useEffect(() => {
    if (!theirs || changed) return
    setBase({ version: theirs.version, content: contentOf(theirs) })
    change(() => contentOf(theirs))
  }, [theirs, changed, change])

  /** Go on from a version that somebody else saved, with this content. */
  const rebase = (other: Report, next: Content) => {
    setBase({ version: other.version, content: contentOf(other) })
    change(() => next)
    setConflict(false)
  }
  const discard = () => {
    change(() => base.content)
    setRestored(null)
  }
  /** Keep what is written in this browser now. */
  const keep = () => put.current()
  return {
    document,
    base,
    keep,
    changed,
    dirty,
    isKept,
    restored,
    discard,
    theirs,
    conflict,
    setConflict,
    gone,
    save,
    rebase,
  }
}
