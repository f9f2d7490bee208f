/**
 * Imported before anything else: several packages are slower in development, and some ask once,
 * when they are loaded.
 */
process.env.NODE_ENV = 'production'
