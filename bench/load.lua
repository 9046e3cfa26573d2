-- wrk -s load.lua URL -- TOKENS_FILE COUNT: requests with the first COUNT tokens of the file, in turn; ends with one line
-- of JSON. The requests are made once, at start: on the load's core every microsecond is taken from what it can send.

local requests, last, next_one = {}, 0, 0

function init(arguments)
    local count = tonumber(arguments[2])
    for token in io.lines(arguments[1]) do
        last = last + 1
        requests[last] = wrk.format("GET", "/orders/42?full=1", {
            ["Host"] = "orders.bench.example",
            ["Accept"] = "application/json",
            ["User-Agent"] = "bench/1",
            ["Authorization"] = "Bearer " .. token,
        })
        if last == count then break end
    end
    if last < count then error("too few tokens in " .. arguments[1]) end
end

function request()
    next_one = next_one % last + 1
    return requests[next_one]
end

function done(summary, latency)
    io.write(string.format(
        '{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\n',
        summary.requests, summary.duration, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
