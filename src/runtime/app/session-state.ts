import type { ClientSession, ExposedData, Requirement } from './types'
import type { PropType, SlotsType } from 'vue'
import { guard } from '#build/unsession.mjs'
import { defineComponent } from 'vue'
import { isMet } from './requirement'
import { useClientSession } from './use-client-session'

/** What the slots of {@link SessionState} are given. */
export interface SessionStateSlot {
  data: ExposedData
  clear: ClientSession['clear']
}

/**
 * Shows one of its slots: `default` to a visitor who has what is required, `guest` to others, and
 * `unknown` until that is known.
 */
export default defineComponent({
  // By this, and not by `name`, components are told apart when the page is hydrated.
  __name: 'SessionState',
  props: {
    /** A key of the exposed data, or a function that says yes or no; by default what the option `guard` says. */
    require: [String, Function] as PropType<Requirement>,
  },
  slots: Object as SlotsType<{ default: SessionStateSlot, guest: SessionStateSlot, unknown: object }>,
  setup(props, { slots }) {
    const { data, ready, clear } = useClientSession()
    return () => {
      if (!ready.value)
        return slots.unknown?.({})
      const slot = isMet(data.value, props.require ?? guard.require) ? 'default' : 'guest'
      return slots[slot]?.({ data: data.value, clear })
    }
  },
})
