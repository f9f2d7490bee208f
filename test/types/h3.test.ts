import { checkTypes } from '../support/types'

// No library is skipped but those of h3's own dependencies, which are not ours to judge.
const args = ['--module', 'esnext', '--moduleResolution', 'bundler', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--target', 'ES2022', '--types', 'node']

checkTypes({ fixture: 'h3-v1', title: 'apps of h3 v1', compiler: 'tsc', args: [...args, 'server.ts', 'wrong.ts'] })
checkTypes({ fixture: 'h3-v2', title: 'apps of h3 v2', compiler: 'tsc', args: [...args, 'server.ts', 'wrong.ts'] })

checkTypes({ fixture: 'predecessors', title: 'the examples of analog-tools, on h3 v1', compiler: 'tsc', args: [...args, 'h3-v1.ts', 'analog-tools.ts'] })
checkTypes({ fixture: 'predecessors', title: 'the examples of davaux, on h3 v2, type augmentation among them', compiler: 'tsc', args: ['-p', 'tsconfig.h3-v2.json'] })
checkTypes({ fixture: 'predecessors', title: 'an app of analog-tools with our import', compiler: 'tsc', args: ['-p', 'tsconfig.renamed.json'] })
