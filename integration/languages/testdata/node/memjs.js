// Drives memjs, which stores strings and Buffers as they are.
'use strict'
const memjs = require('memjs')
const { PATIENCE, unpack, pack, serve } = require('./common')

let client

// Awaits what found resolves to; a value that is not there has no error.
const found = async (key) => (await client.get(key)).value ?? undefined

serve({
  async open ({ servers, username, password }) {
    client?.close()
    client = memjs.Client.create(servers.join(','), {
      username, password, timeout: PATIENCE, logger: { log () {} }
    })
  },
  set: ({ key, value, ttl = 0 }) => client.set(key, unpack(value), { expires: ttl }),
  add: ({ key, value, ttl = 0 }) => client.add(key, unpack(value), { expires: ttl }),
  append: ({ key, value }) => client.append(key, unpack(value)),
  get: async ({ key }) => pack(await found(key)),
  get_json: async ({ key }) => ({ type: 'json', value: JSON.parse(await found(key)) }),
  async set_multi ({ values }) {
    const done = await Promise.all(Object.entries(values).map(([k, v]) => client.set(k, unpack(v), { expires: 0 })))
    return done.every(Boolean)
  },
  async get_multi ({ keys }) {
    const all = await Promise.all(keys.map(async (key) => [key, pack(await found(key))]))
    return Object.fromEntries(all.filter(([, value]) => value !== null))
  },
  delete: ({ key }) => client.delete(key),
  touch: ({ key, ttl }) => client.touch(key, ttl),
  incr: async ({ key, by, initial }) => String((await client.increment(key, by, { initial, expires: 0 })).value),
  decr: async ({ key, by, initial }) => String((await client.decrement(key, by, { initial, expires: 0 })).value)
})
