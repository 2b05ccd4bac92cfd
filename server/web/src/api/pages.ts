/** Lists that the server sends in pages. */
import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery, type QueryKey } from '@tanstack/react-query'
import { call } from './client'

export interface Page<T> {
  items: T[]
  cursor: string | null
  total: number
}

/** Fetch one page; `plural` is the member of the answer that holds the items. */
export async function fetchPage<T>(
  path: string,
  plural: string,
  query: Record<string, string | number | null | undefined>,
  signal?: AbortSignal,
): Promise<Page<T>> {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined || value === '' ? [] : [[name, String(value)] as [string, string]],
  )
  const search = new URLSearchParams(given).toString()
  const answer = await call<Record<string, unknown>>('GET', path + (search && `?${search}`), undefined, signal)
  const items = answer[plural] as T[]
  return { items, cursor: (answer.cursor as string | null) ?? null, total: (answer.total as number) ?? items.length }
}

const pagesQuery = <T>(key: QueryKey, path: string, plural: string, query: Record<string, string | undefined>) =>
  infiniteQueryOptions({
    queryKey: [...key, 'pages', query],
    queryFn: ({ pageParam, signal }) => fetchPage<T>(path, plural, { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.cursor,
    placeholderData: keepPreviousData,
    staleTime: 0,
  })

export interface List<T> {
  items: T[] | undefined
  total: number
  error: Error | null
  /** Load another page; null if there is none */
  more: (() => void) | null
  loading: boolean
  retry: () => void
}

/** A list that grows page by page. `key` identifies it for invalidation. */
export function usePages<T>(
  key: QueryKey,
  path: string,
  plural: string,
  query: Record<string, string | undefined> = {},
): List<T> {
  const found = useInfiniteQuery(pagesQuery<T>(key, path, plural, query))
  const pages = found.data?.pages
  return {
    items: pages?.flatMap((page) => page.items),
    total: pages?.[0]?.total ?? 0,
    error: found.error,
    more: found.hasNextPage ? () => void found.fetchNextPage() : null,
    loading: found.isFetchingNextPage,
    retry: () => void found.refetch(),
  }
}
