-- wrk -s load.lua URL -- TOKENS_FILE COUNT [POSITION]: requests with the first COUNT tokens of the file, in turn, beginning
-- with the one after POSITION; ends with one line of JSON, which tells the position that was reached. The requests are
-- made once, at start: on the load's core every microsecond is taken from what it can send.

local requests, last = {}, 0
local thread_of_load
position = 0 -- global, so that done() can ask for it

function setup(thread)
    thread_of_load = thread
end

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
    position = tonumber(arguments[3] or 0)
end

function request()
    position = position % last + 1
    return requests[position]
end

function done(summary, latency)
    io.write(string.format(
        '{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d, "position": %d}\n',
        summary.requests, summary.duration, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
        latency:percentile(50), latency:percentile(99), thread_of_load:get("position")))
end
