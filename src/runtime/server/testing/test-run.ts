/** What test runners leave in the environment: vitest, Jest, Playwright and that of Node. */
const RUNNERS = ['VITEST', 'JEST_WORKER_ID', 'TEST_WORKER_INDEX', 'NODE_TEST_CONTEXT']

type Environment = Readonly<Record<string, string | undefined>>

/**
 * True where a test builds a server, and for a command that says it is one. What `NODE_ENV` calls
 * production is that, whoever builds it.
 */
export function isTestBuild(env: Environment): boolean {
  return env.NODE_ENV !== 'production' && (env.NODE_ENV === 'test' || hasRunner(env))
}

/** True where a test runs a server: `@nuxt/test-utils` gives it the `NODE_ENV` of production. */
export function isTestRun(env: Environment): boolean {
  return env.NODE_ENV === 'test' || hasRunner(env)
}

/** True where a test runner made the environment, and not a person or an image. */
export function hasRunner(env: Environment): boolean {
  return RUNNERS.some(name => env[name])
}
