-- Prints the summary of a run of wrk as JSON, on the last line.
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"Requests":%d,"Microseconds":%d,"Bytes":%d,"Failed":%d,"P50":%f,"P99":%f}\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
