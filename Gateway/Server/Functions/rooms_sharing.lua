-- Passes that two networks use at once; continues rooms.lua. Above each function: its KEYS, its arguments (ARGV) and,
-- after the arrow, its answers.
--
-- seen:M  HASH    minute M: pass id → "network,ms …", the four latest first; "shared:" .. pass id → when that was carried out
-- sharing STREAM  pid place network action: the latest passes that were found shared; the id is the time
-- revoked ZSET    has "pass id@seconds", too: tokens of the pass from before are dead; @0: all are, as it was shared

local SEEN_MAX = 200000
local SEEN_KEPT_MS = 180000
local NETWORKS_MAX = 4
local BACK_WITHIN_MS = 60000
local SHARINGS_MAX = 1000

local function sightings_of(text)
    local found = {}
    for network, at in string.gmatch(text or '', '(%x+),(%d+)') do
        found[#found + 1] = { network = network, at = tonumber(at) }
    end
    return found
end

-- An odd last digit is an IPv6 network.
local function family(network)
    return tonumber(string.sub(network, -1), 16) % 2
end

-- The rule of `PassSightings`: whether the pass was here less than a minute ago and elsewhere since. The latest comes first.
local function note_sighting(found, network, now)
    local last, was_elsewhere
    for i, one in ipairs(found) do
        if one.network == network then
            last = one.at
            table.remove(found, i)
            break
        end
        if family(one.network) == family(network) then was_elsewhere = true end
    end
    table.insert(found, 1, { network = network, at = math.max(now, last or now) })
    if #found > NETWORKS_MAX then table.remove(found) end
    return last ~= nil and was_elsewhere and now - last <= BACK_WITHIN_MS
end

-- Does what the policy wants. → the second from which tokens are good, 0 when none is, -1 when all go on
local function act_on_sharing(keys, action, pid, place, cap, now)
    if action == 'end' then end_pass(keys, { pid, place, cap, 'shared' }) end
    if action ~= 'end' and action ~= 'step_up' then return -1 end
    -- Tokens have whole seconds: one of this second cannot be told from the next one.
    local from = action == 'end' and 0 or math.floor(now / 1000) + 1
    if redis.call('ZCARD', keys[3]) < REVOKED_MAX then
        redis.call('ZADD', keys[3], cap, pid .. '@' .. int(from))
        redis.call('HINCRBY', keys[1], 'revocations', 1)
    end
    return from
end

-- see: KEYS meta active revoked grants sharing seen (of this minute) seen (of the last)
--      ARGV action (log step_up end), then pass id, number, cap (ms), network, 1 when the gateway found it shared, of each
-- → for each: 0 used from one network · 1 shared, seen to now · 2 shared, seen to within the last minute
--   and the second from which its tokens are good (0 none is, -1 all go on) · {} no room
local function see(keys, args)
    if redis.call('EXISTS', keys[1]) == 0 then return {} end
    local now, reply = now_ms(), {}
    for i = 2, #args, 5 do
        local pid, place, cap, network = args[i], args[i + 1], args[i + 2], args[i + 3]
        local known = redis.call('HGET', keys[6], pid) or redis.call('HGET', keys[7], pid) or nil
        local found = sightings_of(known)
        local shared = note_sighting(found, network, now) or args[i + 4] == '1'
        local parts = {}
        for _, one in ipairs(found) do parts[#parts + 1] = one.network .. ',' .. int(one.at) end
        if redis.call('HLEN', keys[6]) < SEEN_MAX then redis.call('HSET', keys[6], pid, table.concat(parts, ' ')) end
        local verdict, from = 0, -1
        if shared then
            local mark = 'shared:' .. pid
            local before = num(redis.call('HGET', keys[6], mark) or redis.call('HGET', keys[7], mark) or nil)
            verdict = now - before < BACK_WITHIN_MS and 2 or 1
            if verdict == 1 and is_live(keys[2], pid, now) then
                redis.call('HSET', keys[6], mark, int(now))
                from = act_on_sharing(keys, args[1], pid, place, cap, now)
                redis.call('XADD', keys[5], 'MAXLEN', '~', SHARINGS_MAX, '*', 'pid', pid, 'place', place, 'network',
                    network, 'action', args[1])
            end
        end
        reply[#reply + 1] = verdict
        reply[#reply + 1] = from
    end
    redis.call('PEXPIRE', keys[6], SEEN_KEPT_MS)
    return reply
end

redis.register_function('see_@HASH@', see)
