/** True once the page runs JavaScript; false in the HTML and while it hydrates. */
export function useMounted(): Readonly<Ref<boolean>> {
  const isMounted = ref(false)
  onMounted(() => isMounted.value = true)
  return isMounted
}
