// What the drivers for Node.js share: requests and answers as lines of JSON, and
// values that say their type.
'use strict'
const readline = require('node:readline')

// How long clients wait for servers, in seconds: longer than they do by default,
// because the machine may be busy with other tests.
exports.PATIENCE = 15

// Returns the value that Go describes.
function unpack ({ type, value }) {
  switch (type) {
    case 'bytes': return Buffer.from(value, 'base64')
    case 'int': return Number(value)
    case 'list': return value.map(unpack)
    case 'map': return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unpack(v)]))
    case 'json': return JSON.stringify(value)
    case 'null': return null
    default: return value // text, float, bool
  }
}

// Describes a value to Go; a miss is null.
function pack (value) {
  if (value === undefined) return null
  if (value === null) return { type: 'null' }
  if (Buffer.isBuffer(value)) return { type: 'bytes', value: value.toString('base64') }
  if (Array.isArray(value)) return { type: 'list', value: value.map(pack) }
  switch (typeof value) {
    case 'string': return { type: 'text', value }
    case 'boolean': return { type: 'bool', value }
    case 'number': return Number.isSafeInteger(value) ? { type: 'int', value: String(value) } : { type: 'float', value }
    default: return { type: 'map', value: Object.fromEntries(Object.entries(value).map(([k, v]) => [k, pack(v)])) }
  }
}

// Answers the requests on standard input by calling the method that each names.
async function serve (driver) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { op, ...request } = JSON.parse(line)
    let answer
    try {
      answer = { result: await driver[op](request) ?? null }
    } catch (error) { // every failure is an answer
      answer = { error: `${error?.name}: ${error?.message ?? error}` }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
  process.exit()
}

Object.assign(exports, { unpack, pack, serve })
