import { checkTypes } from '../support/types'

const prepare = ['nitropack', 'prepare']

checkTypes({ fixture: 'types-nitro', prepare, compiler: 'tsc' })
checkTypes({ fixture: 'types-nitro-loose', prepare, compiler: 'tsc' })
checkTypes({ fixture: 'types-nitro-required', prepare, compiler: 'tsc' })

checkTypes({ fixture: 'types-nitro3', compiler: 'tsc' })
