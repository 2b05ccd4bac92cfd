/** Lists that the server sends in pages. */
import { infiniteQueryOptions, keepPreviousData, useInfiniteQuery, type QueryKey } from '@tanstack/react-query'

/** Which part of a list to fetch. */
export interface Part {
  search?: string
  cursor?: string
  limit?: number
}

/** A page of a list; `cursor` continues it, null at its end. `total` counts the whole list. */
export interface Page<T> {
  items: T[]
  cursor: string | null
  total: number
}

/** Where a list comes from. `key` identifies it for invalidation. */
export interface Source<T> {
  key: QueryKey
  fetch: (part: Part, signal?: AbortSignal) => Promise<Page<T>>
}

const pagesQuery = <T>({ key, fetch }: Source<T>, search: string) =>
  infiniteQueryOptions({
    queryKey: [...key, 'pages', search],
    queryFn: ({ pageParam, signal }) => fetch(partOf(search, pageParam), signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.cursor,
    placeholderData: keepPreviousData,
    staleTime: 0,
  })

const partOf = (search: string, cursor: string | null): Part => ({
  ...(search && { search }),
  ...(cursor !== null && { cursor }),
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

/** Return a list that grows page by page. */
export function usePages<T>(source: Source<T>, search = ''): List<T> {
  const found = useInfiniteQuery(pagesQuery(source, search))
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

const AT_ONCE = 1000

/** Fetch a whole list. */
export async function fetchAll<T>(source: Source<T>, search: string): Promise<T[]> {
  const all: T[] = []
  let cursor: string | null = null
  do {
    const page: Page<T> = await source.fetch({ ...partOf(search, cursor), limit: AT_ONCE })
    all.push(...page.items)
    cursor = page.cursor
  } while (cursor !== null)
  return all
}
