/** A real app keeps password hashes in a database. */
const ACCOUNTS = [
  { id: 'ada', name: 'Ada Lovelace', password: 'lovelace' },
  { id: 'alan', name: 'Alan Turing', password: 'turing' },
]

export function findUser(id: string, password: string): User | undefined {
  const account = ACCOUNTS.find(account => account.id === id && account.password === password)
  return account && { id: account.id, name: account.name }
}
