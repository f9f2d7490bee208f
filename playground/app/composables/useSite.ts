/** What every page has in its head, the error page as well: the session's theme is in the first byte of HTML. */
export function useSite(): void {
  const { data } = useClientSession()
  useHead({
    titleTemplate: title => title ? `${title} · unsession` : 'unsession',
    htmlAttrs: { 'data-theme': () => data.value.theme ?? 'auto' },
  })
}
