#!lua name=limits_@HASH@
-- What all gateways know of whom to refuse: two access lists (deny, allow) and the bans of addresses. Time is Redis' own.
-- Above each function: its KEYS, its arguments (ARGV) and, after the arrow, its answers.
--
-- list      HASH    entry → JSON as admins see it            (one set of the first three for each list)
-- ends      ZSET    entry by expiry (ms); an entry for good is not in it
-- version   STRING  counts the changes; missing: the store has lost the list
-- bans      HASH    address → "end:level:since:rule" (ms); a lifted ban has end and level 0
-- order     ZSET    address by the number of its last change
-- forget    ZSET    address by the time (ms) after which its past does not matter any more
-- changes   STRING  counts the changes of bans

local PRUNED_MAX = 1000

local function now_ms()
    local t = redis.call('TIME')
    return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

local function int(n)
    return string.format('%.0f', n)
end

local function num(v)
    return tonumber(v or '0') or 0
end

local function prune_list(keys)
    local over = redis.call('ZRANGEBYSCORE', keys[2], '-inf', int(now_ms()), 'LIMIT', 0, PRUNED_MAX)
    for _, entry in ipairs(over) do
        redis.call('HDEL', keys[1], entry)
        redis.call('ZREM', keys[2], entry)
    end
end

local function put(keys, entry, expiry, json)
    redis.call('HSET', keys[1], entry, json)
    if num(expiry) > 0 then
        redis.call('ZADD', keys[2], expiry, entry)
    else
        redis.call('ZREM', keys[2], entry)
    end
end

-- enlist: KEYS list ends version · ARGV entry, JSON, expiry (ms) or 0, entries at most → version · 0 the list is full
local function enlist(keys, args)
    prune_list(keys)
    if redis.call('HEXISTS', keys[1], args[1]) == 0 and redis.call('HLEN', keys[1]) >= num(args[4]) then return 0 end
    put(keys, args[1], args[3], args[2])
    return redis.call('INCR', keys[3])
end

-- delist: KEYS list ends version · ARGV entry → version · 0 it was not there
local function delist(keys, args)
    redis.call('ZREM', keys[2], args[1])
    if redis.call('HDEL', keys[1], args[1]) == 0 then return 0 end
    return redis.call('INCR', keys[3])
end

-- listing: KEYS list ends version → {version, entry₁, expiry₁ or 0, JSON₁, entry₂ …}
local function listing(keys)
    prune_list(keys)
    local reply = { num(redis.call('GET', keys[3]) or nil) }
    local all = redis.call('HGETALL', keys[1])
    for i = 1, #all, 2 do
        reply[#reply + 1] = all[i]
        reply[#reply + 1] = int(num(redis.call('ZSCORE', keys[2], all[i]) or nil))
        reply[#reply + 1] = all[i + 1]
    end
    return reply
end

-- relist: KEYS list ends version · ARGV version, then entry, expiry and JSON of each
-- Puts a list back that the store has lost, or lost the latest changes of. → 1 · 0 the store has this version or a later one
local function relist(keys, args)
    if num(redis.call('GET', keys[3]) or nil) >= num(args[1]) then return 0 end
    redis.call('DEL', keys[1], keys[2])
    for i = 2, #args, 3 do put(keys, args[i], args[i + 1], args[i + 2]) end
    redis.call('SET', keys[3], args[1])
    return 1
end

local function prune_bans(keys, now, most)
    local over = redis.call('ZRANGEBYSCORE', keys[3], '-inf', int(now), 'LIMIT', 0, PRUNED_MAX)
    local surplus = redis.call('HLEN', keys[1]) - #over - most
    if surplus > 0 then
        for _, address in ipairs(redis.call('ZRANGE', keys[3], #over, #over + surplus - 1)) do
            over[#over + 1] = address
        end
    end
    for _, address in ipairs(over) do
        redis.call('HDEL', keys[1], address)
        redis.call('ZREM', keys[2], address)
        redis.call('ZREM', keys[3], address)
    end
end

local function set_ban(keys, address, record, forget)
    redis.call('HSET', keys[1], address, record)
    redis.call('ZADD', keys[2], redis.call('INCR', keys[4]), address)
    redis.call('ZADD', keys[3], int(forget), address)
end

-- ban: KEYS bans order forget changes · ARGV bans at most, then address, level, length (ms), memory after it (ms) and rule
-- of each. A ban that ends later than the new one stays. → 1
local function ban(keys, args)
    local now = now_ms()
    for i = 2, #args, 5 do
        local address, ends = args[i], now + num(args[i + 2])
        local known = redis.call('HGET', keys[1], address)
        if not known or num(string.match(known, '^(%d+):')) < ends then
            local record = int(ends) .. ':' .. args[i + 1] .. ':' .. int(now) .. ':' .. args[i + 4]
            set_ban(keys, address, record, ends + num(args[i + 3]))
        end
    end
    prune_bans(keys, now, num(args[1]))
    return 1
end

-- lift: KEYS bans order forget changes · ARGV address → 1 · 0 no such ban
-- What was lifted stays on the record until its ban would have ended, so that every gateway hears of it.
local function lift(keys, args)
    local known = redis.call('HGET', keys[1], args[1])
    local ends = known and num(string.match(known, '^(%d+):')) or 0
    if ends == 0 then return 0 end
    local now = now_ms()
    set_ban(keys, args[1], '0:0:' .. int(now) .. ':lifted', math.max(ends, now + 60000))
    return 1
end

-- bans_since: KEYS bans order forget changes · ARGV number of the last change known, bans at most
-- → {now, changes, number of the last change told, address₁, record₁ …}; all bans when the store counts anew
local function bans_since(keys, args)
    local changes, known = num(redis.call('GET', keys[4]) or nil), num(args[1])
    if known > changes then known = 0 end
    local found = redis.call('ZRANGEBYSCORE', keys[2], '(' .. int(known), '+inf', 'WITHSCORES', 'LIMIT', 0, num(args[2]))
    local reply = { now_ms(), changes, known }
    for i = 1, #found, 2 do
        reply[#reply + 1] = found[i]
        reply[#reply + 1] = redis.call('HGET', keys[1], found[i]) or ''
        reply[3] = num(found[i + 1])
    end
    return reply
end

redis.register_function('enlist_@HASH@', enlist)
redis.register_function('delist_@HASH@', delist)
redis.register_function('listing_@HASH@', listing)
redis.register_function('relist_@HASH@', relist)
redis.register_function('ban_@HASH@', ban)
redis.register_function('lift_@HASH@', lift)
redis.register_function('bans_since_@HASH@', bans_since)
