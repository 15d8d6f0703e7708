-- Asks for one page, or for as many in turn as the first argument says, and
-- prints the summary of the run as JSON, on the last line.
local threads = 0

function setup(thread)
  thread:set("first", threads * 37)
  threads = threads + 1
end

function init(args)
  local pages = tonumber(args[1]) or 1
  if pages == 1 then return end
  local list = {}
  for n = 1, pages do
    list[n] = wrk.format(nil, wrk.path .. "?n=" .. n)
  end
  local n = first
  request = function()
    n = n % pages + 1
    return list[n]
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"Requests":%d,"Microseconds":%d,"Bytes":%d,"Failed":%d,"P50":%f,"P99":%f}\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
