import { readFile, writeFile } from 'node:fs/promises'

/** A row of a table. */
export function toRow(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`
}

/** What a document has between `<!-- name -->` and `<!-- /name -->`. */
export async function readMarked(file: string, name: string): Promise<string> {
  return split(await readFile(file, 'utf8'), name).marked
}

/** Replaces what a document has between `<!-- name -->` and `<!-- /name -->`. */
export async function writeMarked(file: string, name: string, text: string): Promise<void> {
  const { before, after } = split(await readFile(file, 'utf8'), name)
  await writeFile(file, `${before}\n${text}\n${after}`)
}

function split(text: string, name: string): { before: string, marked: string, after: string } {
  const opening = `<!-- ${name} -->`
  const from = text.indexOf(opening) + opening.length
  const end = text.indexOf(`<!-- /${name} -->`)
  if (from < opening.length || end < from)
    throw new Error(`The document has nothing between ${opening} and <!-- /${name} -->.`)
  return { before: text.slice(0, from), marked: text.slice(from, end).trim(), after: text.slice(end) }
}
