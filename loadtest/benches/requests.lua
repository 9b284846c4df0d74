-- wrk's script: sends one prepared request for each token of a file in turn, the join of one new visitor after the other,
-- or the same request again and again. The figures come out as one line of JSON.
-- usage: wrk … -s requests.lua URL -- PATH [TOKENS-FILE | join:STEM]
-- Requests are prepared before the load runs; a join gets its number in it. STEM is 16 hex digits, not used before.
local head = "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n%s\r\n"
local join = "POST %s HTTP/1.1\r\nHost: localhost\r\nUsher-Device: %s"
local requests = {}
local stem = nil
local count = 0
local at = 0
local threads = {}

function setup(thread)
    threads[#threads + 1] = thread
end

function init(words)
    local joining = words[2] and words[2]:match("^join:(%x+)$")
    if joining then
        stem = join:format(words[1], joining)
    elseif words[2] then
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
    if stem then return stem .. string.format("%016x\r\nContent-Length: 0\r\n\r\n", at) end
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
