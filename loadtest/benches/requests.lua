-- wrk's script: sends one prepared request for each token of a file in turn, or the same request again and again.
-- usage: wrk … -s requests.lua URL -- PATH [TOKENS-FILE]
-- Nothing is built while the load runs; the figures come out as one line of JSON.
local head = "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n%s\r\n"
local requests = {}
local count = 0
local at = 0
local threads = {}

function setup(thread)
    threads[#threads + 1] = thread
end

function init(words)
    if words[2] then
        for token in io.lines(words[2]) do
            requests[#requests + 1] = head:format(words[1], "Usher-Place: " .. token .. "\r\n")
        end
    else
        requests[1] = head:format(words[1], "")
    end
    count = #requests
    collectgarbage()
    busy_from = os.clock()
end

function request()
    at = at + 1
    if at > count then at = 1 end
    return requests[at]
end

function done(summary, latency)
    local busy = os.clock() - threads[#threads]:get("busy_from")
    local errors = summary.errors
    io.write(string.format(
        '\nBENCH {"requests":%d,"seconds":%.6f,"busy_seconds":%.3f,"mean_ms":%.4f,"p50_ms":%.4f,"p99_ms":%.4f,'
            .. '"refused":%d,"broken":%d}\n',
        summary.requests, summary.duration / 1e6, busy, latency.mean / 1e3,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
