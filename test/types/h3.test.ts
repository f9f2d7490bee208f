import { checkTypes } from '../support/types'

// No library is skipped but those of h3's own dependencies, which are not ours to judge.
const args = ['--module', 'esnext', '--moduleResolution', 'bundler', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--target', 'ES2022', '--types', 'node']

checkTypes({ fixture: 'h3-v1', title: 'apps of h3 v1', compiler: 'tsc', args: [...args, 'server.ts', 'analog-tools.ts', 'wrong.ts'] })
checkTypes({ fixture: 'h3-v2', title: 'apps of h3 v2, type augmentation among them', compiler: 'tsc', args: [...args, 'server.ts', 'davaux.ts', 'wrong.ts'] })
