
-- What gateways remember, for a store that has forgotten: emptied, or started again without its latest writes.
-- Above each function: its KEYS, its arguments (ARGV) and, after the arrow, its answers.

local PHASES = { draft = 0, scheduled = 1, prequeue = 2, sealed = 3, drawn = 4, active = 5, draining = 6, closed = 7 }
local PHANTOMS_MAX = 100000

local function set_fields(key, values)
    for name, value in pairs(values) do redis.call('HSET', key, name, value) end
end

-- A room begins to recover: for SETTLE_MS it gives neither numbers nor passes, so that every gateway can say what it
-- knows.
local function begin(keys, told, meta, now)
    local isNew = not meta.phase
    settled[keys[1]] = nil
    if isNew then
        set_fields(keys[1], told.fields)
        redis.call('HSET', keys[1], 'policy', told.policy, 'hash', told.hash, 'version', told.version, 'dedupe_key',
            told.dedupe_key, 'phase', told.phase, 'override', told.override, 'generation', told.generation, 'number', 0,
            'cursor', 0, 'rate', told.rate, 'outlook', told.outlook, 'decided_through', 0, 'forfeited_through', 0,
            'granted', 0, 'revocations', 0, 'secret', told.secret, 'commitment', told.commitment, 'ranked_through', 0,
            'tie_first', 0, 'voids', told.voids)
    else
        -- What was open when the store stopped is over.
        close_window(keys[1], keys[12], meta, math.huge)
    end
    local epoch = math.max(num(meta.epoch), told.epoch) + 1
    redis.call('HSET', keys[1], 'run', this_run(), 'recovering_until', int(now + SETTLE_MS), 'epoch', int(epoch),
        'told_live', 0, 'told_as_of', 0, 'gap', 1, 'since', int(told.as_of))
    -- No burst for a pace that forgot what it gave.
    local interval = math.ceil(60000000 / told.fields.per_minute)
    redis.call('SET', keys[14], int(now * 1000 + interval * told.fields.burst))
    note_change(keys[13], now, 'restore', isNew and 'emptied' or 'restarted', 'epoch', int(epoch))
end

-- Everything that only grows.
local function raise(keys, told)
    local meta = fields(keys[1], { 'number', 'cursor', 'forfeited_through', 'decided_through', 'phase', 'version',
        'granted', 'cohort', 'draw', 'rounds', 'told_live', 'epoch' })
    local number = math.max(num(meta.number), told.highest)
    if told.highest > num(meta.number) then redis.call('HSET', keys[1], 'number', int(number), 'gap', 1) end
    redis.call('HSET', keys[1],
        'cursor', int(math.min(number, math.max(num(meta.cursor), told.cursor))),
        'forfeited_through', int(math.max(num(meta.forfeited_through), told.forfeited_through)),
        'decided_through', int(math.max(num(meta.decided_through), told.forfeited_through)),
        'granted', int(math.max(num(meta.granted), told.granted)),
        'epoch', int(math.max(num(meta.epoch), told.epoch)),
        'told_live', int(math.max(num(meta.told_live), told.live)))
    if (PHASES[told.phase] or 0) > (PHASES[meta.phase] or 0) then redis.call('HSET', keys[1], 'phase', told.phase) end
    if told.version > num(meta.version) then
        set_fields(keys[1], told.fields)
        redis.call('HSET', keys[1], 'policy', told.policy, 'hash', told.hash, 'version', int(told.version))
    end
    if told.cohort >= 0 and not meta.cohort then
        redis.call('HSET', keys[1], 'cohort', int(told.cohort), 'sealed_at', int(told.sealed_at))
    end
    if told.draw ~= '' and not meta.draw then redis.call('HSET', keys[1], 'draw', told.draw) end
    if #told.rounds > #(meta.rounds or '') then redis.call('HSET', keys[1], 'rounds', told.rounds) end
end

-- Moves of the cursor. No deadline ran while the store was away.
local function restore_calls(keys, told, now)
    local meta = fields(keys[1], { 'window_ms', 'grace_ms', 'forfeited_through', 'since' })
    local since, whole = num(meta.since), num(meta.window_ms) + num(meta.grace_ms)
    local function shifted(at) return at + whole > since and at + math.max(0, now - math.max(at, since)) or at end
    local before = num(meta.forfeited_through)
    for _, move in ipairs(told.moves) do
        local upto, at = move[1], move[2]
        if upto > before then
            if #redis.call('ZRANGEBYSCORE', keys[8], int(upto), int(upto)) == 0 then
                local count = int(upto - before)
                redis.call('ZADD', keys[8], int(upto), int(upto) .. ':' .. int(shifted(at)) .. ':' .. count .. ':' .. count)
            end
            before = upto
        end
    end
    for _, rank in ipairs(told.turned) do redis.call('ZADD', keys[7], 'NX', int(now), int(rank)) end
    for _, entry in ipairs(told.extended) do redis.call('ZADD', keys[15], 'NX', int(shifted(entry[2])), int(entry[1])) end
end

-- The moves the store still has: their deadlines stood while it was away.
local function shift_calls(keys, told, now)
    local meta = fields(keys[1], { 'window_ms', 'grace_ms' })
    for _, move in ipairs(redis.call('ZRANGE', keys[8], 0, -1)) do
        local upto, at, rest = string.match(move, '^(%d+):(%d+):(.*)$')
        at = tonumber(at)
        if at + num(meta.window_ms) + num(meta.grace_ms) > told.as_of and now > told.as_of then
            redis.call('ZREM', keys[8], move)
            redis.call('ZADD', keys[8], upto, upto .. ':' .. int(at + now - math.max(at, told.as_of)) .. ':' .. rest)
        end
    end
end

-- Passes: those a gateway granted come back; of others that were live only the count is known. They are held as phantoms,
-- which a pass that is used takes the place of, so that nobody is let in for them.
local function restore_passes(keys, told, now)
    local revoked = 0
    for _, pid in ipairs(told.revoked) do
        revoked = revoked + redis.call('ZADD', keys[6], 'NX', int(now + told.fields.lifetime_ms), pid)
        redis.call('ZREM', keys[5], pid)
    end
    if revoked > 0 then redis.call('HINCRBY', keys[1], 'revocations', revoked) end
    for _, grant in ipairs(told.grants) do
        local number, pid, expiry, cap, at = int(grant[1]), grant[2], grant[3], grant[4], grant[5]
        if redis.call('HSETNX', keys[4], number, pid .. '@' .. int(cap)) == 1 then append_pair(keys[9], grant[1], at) end
        if expiry > now and not redis.call('ZSCORE', keys[6], pid) then
            redis.call('ZADD', keys[5], 'GT', int(expiry), pid)
            record(keys[10], now, 'restore', pid, number, expiry, cap, 'restore')
        end
    end
    local meta = fields(keys[1], { 'told_live', 'phantoms' })
    for i = 1, num(meta.phantoms) do redis.call('ZREM', keys[5], 'lost:' .. i) end
    local missing = num(meta.told_live) - redis.call('ZCOUNT', keys[5], '(' .. int(now), '+inf')
    missing = math.max(0, math.min(missing, PHANTOMS_MAX))
    for i = 1, missing do redis.call('ZADD', keys[5], int(now + told.fields.idle_ms), 'lost:' .. i) end
    redis.call('HSET', keys[1], 'phantoms', missing)
end

-- Entries of the log by number, 24 bytes each: those that are not there, and the places they stand for.
local function restore_entry(tags, log, number, entry)
    local at = (number - 1) * ENTRY_BYTES
    local known = redis.call('GETRANGE', log, at, at + ENTRY_BYTES - 1)
    if known ~= '' and string.find(known, '[^%z]') then return end
    redis.call('SETRANGE', log, at, entry)
    redis.call('HSETNX', tags, string.sub(entry, 1, 16), int(number))
end

-- restore: KEYS meta tags log passes active revoked turned calls claims grants recovered ties changes pace extended
--          ARGV JSON {generation epoch highest cursor forfeited_through granted live phase override version policy hash
--               fields dedupe_key secret commitment cohort sealed_at draw rounds voids rate outlook as_of,
--               moves [[upto, at]], turned [rank], extended [[rank, until]], revoked [pass id],
--               grants [[number, pass id, expiry, cap, at]]}, records of ties, of recovered places, then number and
--               entry of recent joins
-- → {1, ms until it gives numbers and passes again, epoch} · {2} a room of another generation is there
-- What is told twice counts once.
local function restore(keys, args)
    local told = cjson.decode(args[1])
    local now = now_ms()
    local meta = fields(keys[1], { 'phase', 'generation', 'epoch', 'run', 'number', 'tie_ms', 'tie_first', 'tie_window' })
    if meta.generation and num(meta.generation) ~= told.generation then return { 2 } end
    if not meta.phase or meta.run ~= this_run() then
        begin(keys, told, meta, now)
        shift_calls(keys, told, now)
    end
    raise(keys, told)
    local state = fields(keys[1], { 'recovering_until', 'told_as_of', 'epoch' })
    if num(state.recovering_until) > now and told.as_of > num(state.told_as_of) then
        redis.call('HSET', keys[1], 'override', told.override, 'told_as_of', int(told.as_of))
    end
    if #args[2] > redis.call('STRLEN', keys[12]) then redis.call('SET', keys[12], args[2]) end
    if #args[3] > redis.call('STRLEN', keys[11]) then redis.call('SET', keys[11], args[3]) end
    for i = 4, #args, 2 do restore_entry(keys[2], keys[3], num(args[i]), args[i + 1]) end
    restore_calls(keys, told, now)
    restore_passes(keys, told, now)
    return { 1, math.max(0, num(state.recovering_until) - now), num(state.epoch) }
end

-- restore_log: KEYS meta tags log · ARGV first number, entries one after the other → {1, entries taken} · {-1} no room
local function restore_log(keys, args)
    local number = num(redis.call('HGET', keys[1], 'number') or nil)
    if number == 0 then return { -1 } end
    local first, entries, taken = num(args[1]), args[2], 0
    for i = 0, math.floor(#entries / ENTRY_BYTES) - 1 do
        local entry = string.sub(entries, i * ENTRY_BYTES + 1, (i + 1) * ENTRY_BYTES)
        if first + i <= number and string.find(entry, '[^%z]') then
            restore_entry(keys[2], keys[3], first + i, entry)
            taken = taken + 1
        end
    end
    return { 1, taken }
end

redis.register_function('restore_@HASH@', restore)
redis.register_function('restore_log_@HASH@', restore_log)
