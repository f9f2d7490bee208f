import { checkTypes } from '../support/types'

checkTypes({ fixture: 'types-nuxt', prepare: ['nuxt', 'prepare'], compiler: 'vue-tsc', args: ['-b'] })
