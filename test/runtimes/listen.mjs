// Prints what our tracing channels tell, before anything of the app is loaded.
const { channel } = process.getBuiltinModule('node:diagnostics_channel')

for (const operation of ['load', 'commit', 'reject']) {
  for (const moment of ['start', 'end', 'asyncStart', 'asyncEnd', 'error']) {
    const name = `${operation}:${moment}`
    channel(`tracing:unsession:${name}`).subscribe(trace => console.log(`trace ${name} ${JSON.stringify(trace)}`))
  }
}
