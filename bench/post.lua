-- wrk's request: 385 bytes of chat completion.
local body = '{"model":"chat","messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"'
local tail = '"}],"temperature":0.2}'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer bench"
wrk.body = body .. string.rep("x", 385 - #body - #tail) .. tail

-- One line of JSON for the program that runs wrk; latencies in microseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"bad_status":%d,"socket_errors":%d,"p50":%d,"p90":%d,"p99":%d,"max":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
