import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { packedFrom } from '../support/types'

/** Everything that users can import; a change here is a change of the contract. */
const ENTRY_POINTS = {
  '.': {
    values: ['default'],
    types: [
      'CookieSessionMigrateOptions', 'CoreSessionOptions', 'ExposedKeys', 'ExpressMigrateOptions', 'FlashMessages', 'H3MigrateOptions', 'IronMigrateOptions', 'MigrateOptions', 'RejectReason', 'Session',
      'SessionCookieOptions', 'SessionData', 'SessionHookContext',
      'SessionHooks', 'SessionMode', 'SessionOptions', 'SessionOverrides', 'SessionStorageOptions',
    ],
  },
  './nuxt': {
    values: ['default'],
    types: [
      'CookieSessionMigrateOptions', 'CoreSessionOptions', 'ExposedKeys', 'ExpressMigrateOptions', 'FlashMessages', 'GuardOptions', 'H3MigrateOptions', 'IronMigrateOptions', 'MigrateOptions', 'ModuleOptions', 'RejectReason',
      'Session', 'SessionCookieOptions', 'SessionData',
      'SessionHookContext', 'SessionHooks', 'SessionMode', 'SessionOptions', 'SessionOverrides', 'SessionStorageOptions',
    ],
  },
  './server': {
    values: [
      'SessionError', 'clearSession', 'destroySession', 'flash', 'getSession', 'isSessionError', 'regenerateSession', 'requireSession', 'updateSession',
      'useSession',
    ],
    types: [
      'CookieSessionMigrateOptions', 'DeepReadonly', 'ExposedKeys', 'ExpressMigrateOptions', 'FlashMessages', 'H3MigrateOptions', 'IronMigrateOptions', 'MigrateOptions', 'RegenerateOptions', 'RejectReason', 'Session',
      'SessionData', 'SessionErrorCode', 'SessionHookContext', 'SessionHooks',
      'SessionOptions', 'SessionOverrides', 'SessionPatch', 'SessionStorageOptions', 'SessionUpdater',
    ],
  },
  './h3': {
    values: [
      'SessionError', 'clearSession', 'createUnstorageStore', 'destroySession', 'flash', 'fromCookieSession', 'fromExpressSession', 'fromH3Session', 'fromIronSession', 'getSession', 'isSessionError', 'regenerateSession',
      'requireSession', 'sessionMiddleware', 'signCookie', 'socketSessions', 'unsignCookie', 'updateSession', 'useSession',
    ],
    types: [
      'CookieSessionOptions', 'DeepReadonly', 'ExpressSessionOptions', 'FlashMessages', 'H3SessionOptions', 'IronSessionOptions', 'OldCookieOptions',
      'OldSession', 'OldToken', 'RegenerateOptions', 'Session', 'SessionData', 'SessionErrorCode', 'SessionEvent', 'SessionMiddleware',
      'SessionMigration', 'SessionOptions', 'SessionPatch', 'SessionSource', 'SessionStore', 'UnstorageDriver',
    ],
  },
  './auto-imports': { values: [], types: [] },
  './core': {
    values: [
      'DEFAULTS', 'MAX_COOKIE_BYTES', 'RequestSession', 'SessionError', 'buildRemoval', 'buildSetCookie', 'createSessionManager',
      'createStorageStore', 'createUnstorageStore', 'fromCookieSession', 'fromExpressSession', 'fromH3Session', 'fromIronSession', 'isSessionError', 'readCookies', 'resolveOptions', 'signCookie', 'unsignCookie',
    ],
    types: [
      'CommitAction', 'CommitTrace', 'ConnectStore', 'CookieSessionOptions', 'CoreSessionOptions', 'DataKey', 'DeepReadonly', 'DefaultData', 'DefaultFlash', 'Exchange', 'ExposedKeys', 'ExpressSessionOptions', 'FlashKey',
      'FlashMessages', 'H3SessionOptions', 'IronSessionOptions', 'LoadOutcome', 'LoadTrace', 'ManagerDependencies', 'NoExtraKeys', 'OldCookieOptions', 'OldRecordStore', 'OldSession', 'OldToken', 'OptionIssue', 'PageSession', 'RegenerateOptions', 'RejectReason', 'RejectTrace', 'RequestAddress', 'ResolveContext', 'ResolvedCookieOptions',
      'ResolvedSessionOptions', 'Session', 'SessionCookieOptions', 'SessionData', 'SessionErrorCode', 'SessionEventName',
      'SessionLifetime', 'SessionManager', 'SessionMigration', 'SessionMode', 'SessionObserver', 'SessionPatch', 'SessionRecord', 'SessionStore',
      'SessionTrace', 'SessionUpdater', 'TracedError', 'UnstorageDriver', 'UnstorageLike', 'UnstorageStoreOptions',
    ],
  },
  './test': {
    values: ['createSessionEvent', 'mountSession', 'sessionCookies', 'sessionHeaders', 'sessionOf'],
    types: ['FlashMessages', 'H3Library', 'SessionCookiesOptions', 'SessionData', 'SessionEventOptions', 'SessionHeadersOptions', 'SessionSnapshot', 'TestCookie'],
  },
}

const packageJson = packedFrom(join(import.meta.dirname, '../fixtures/types-consumer'))
const { exports } = JSON.parse(await readFile(packageJson, 'utf8')) as { exports: Record<string, { types: string, default: string }> }

it('the package has these entry points', () => {
  expect(Object.keys(exports)).toEqual([...Object.keys(ENTRY_POINTS), './package.json'])
})

describe.each(Object.entries(ENTRY_POINTS))('entry point %s', (path, { values, types }) => {
  const fileOf = (condition: 'types' | 'default'): string => join(dirname(packageJson), exports[path]?.[condition] ?? 'missing')

  it('has these values when it is imported', async () => {
    const entry: object = await import(/* @vite-ignore */ pathToFileURL(fileOf('default')).href)
    expect(Object.keys(entry).sort()).toEqual(values)
  })

  it('declares the same values, and these types', () => {
    expect(declaredBy(fileOf('types'))).toEqual({ values, types })
  })
})

function declaredBy(file: string): { values: string[], types: string[] } {
  const program = ts.createProgram([file], { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, noEmit: true })
  const checker = program.getTypeChecker()
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!)!
  const isValue = (exported: ts.Symbol): boolean => {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    return (target.flags & ts.SymbolFlags.Value) !== 0
  }
  const all = checker.getExportsOfModule(symbol)
  const names = (wanted: boolean): string[] => all.filter(exported => isValue(exported) === wanted).map(({ name }) => name).sort()
  return { values: names(true), types: names(false) }
}
