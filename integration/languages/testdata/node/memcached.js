// Drives the npm package memcached, which speaks the text protocol.
'use strict'
const { promisify } = require('node:util')
const Memcached = require('memcached')
const { PATIENCE, unpack, pack, serve } = require('./common')

let client

const call = (method, ...args) => promisify(client[method].bind(client))(...args)

// A value that is not stored, for whatever reason, is an error of the client.
async function done (promise) {
  try {
    return await promise
  } catch (error) {
    if (/not stored/i.test(error.message)) return false
    throw error
  }
}

serve({
  async open ({ servers, options = {} }) {
    client?.end()
    client = new Memcached(servers, { timeout: PATIENCE * 1000, ...options })
  },
  set: ({ key, value, ttl = 0 }) => call('set', key, unpack(value), ttl),
  add: ({ key, value, ttl = 0 }) => done(call('add', key, unpack(value), ttl)),
  append: ({ key, value }) => done(call('append', key, unpack(value))),
  get: async ({ key }) => pack(await call('get', key)),
  get_json: async ({ key }) => ({ type: 'json', value: JSON.parse(await call('get', key)) }),
  async set_multi ({ values }) {
    const stored = await Promise.all(Object.entries(values).map(([k, v]) => call('set', k, unpack(v), 0)))
    return stored.every(Boolean)
  },
  async get_multi ({ keys }) {
    const found = await call('getMulti', keys)
    return Object.fromEntries(Object.entries(found).map(([k, v]) => [k, pack(v)]))
  },
  delete: ({ key }) => call('del', key),
  touch: ({ key, ttl }) => call('touch', key, ttl),
  async incr ({ key, by, initial }) {
    if (await done(call('add', key, String(initial), 0))) return String(initial)
    return String(await call('incr', key, by))
  },
  async decr ({ key, by, initial }) {
    if (await done(call('add', key, String(initial), 0))) return String(initial)
    return String(await call('decr', key, by))
  },
  async gets ({ key }) {
    const { [key]: value, cas } = await call('gets', key)
    return { value: pack(value), cas }
  },
  cas: async ({ key, value, cas }) => (await done(call('cas', key, unpack(value), cas, 0))) === true
})
