
-- What gateways remember, for a store that has forgotten: emptied, or started again without its latest writes.
-- Above each function: its KEYS, its arguments (ARGV) and, after the arrow, its answers.

local PHASES = { draft = 0, scheduled = 1, prequeue = 2, sealed = 3, drawn = 4, active = 5, draining = 6, closed = 7 }
local PHANTOMS_MAX = 100000
-- Records that come back hold a room up no longer than this.
local RECOVERY_MAX_MS = 10000
-- A pass of which only the place is known.
local UNKNOWN_PASS = '?@0'

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
    redis.call('HSET', keys[1], 'run', this_run(), 'recovering_until', int(now + SETTLE_MS), 'recovering_since',
        int(now), 'epoch', int(epoch), 'told_live', 0, 'told_as_of', 0, 'gap', 1, 'since', int(told.as_of))
    -- No burst for a pace that forgot what it gave.
    local interval = math.ceil(60000000 / told.fields.per_minute)
    redis.call('SET', keys[14], int(now * 1000 + interval * told.fields.burst))
    note_change(keys[13], now, 'restore', isNew and 'emptied' or 'restarted', 'epoch', int(epoch))
end

-- Whether the room still recovers; then it waits for what else comes back.
local function still_recovers(key, now)
    local state = fields(key, { 'recovering_until', 'recovering_since' })
    if num(state.recovering_until) <= now then return false end
    local until_ms = math.min(now + SETTLE_MS / 2, num(state.recovering_since) + RECOVERY_MAX_MS)
    if until_ms > num(state.recovering_until) then redis.call('HSET', key, 'recovering_until', int(until_ms)) end
    return true
end

-- The first of the records of 16 bytes whose field (1 the number, 2 the time) is not below a value, by index.
local function first_not_below(key, field, value)
    local low, high = 0, math.floor(redis.call('STRLEN', key) / 16)
    while low < high do
        local middle = math.floor((low + high) / 2)
        local pair = { struct.unpack('>I8I8', redis.call('GETRANGE', key, 16 * middle, 16 * middle + 15)) }
        if pair[field] < value then low = middle + 1 else high = middle end
    end
    return low
end

local function unpack_pairs(bytes, out)
    for at = 1, #bytes - 15, 16 do
        local number, time = struct.unpack('>I8I8', bytes, at)
        out[#out + 1] = { number, time }
    end
    return out
end

-- Puts records that are told among those that are there, in the order of a field. Of two with one number the earlier
-- stands, and no time is after the next one's.
local function merge_pairs(key, field, told)
    if #told == 0 or redis.call('STRLEN', key) + 16 * #told > RECORD_BYTES_MAX then return end
    local least = told[1][field]
    for _, pair in ipairs(told) do least = math.min(least, pair[field]) end
    local from = first_not_below(key, field, least)
    local all = unpack_pairs(redis.call('GETRANGE', key, 16 * from, -1), {})
    local place = {}
    for index, pair in ipairs(all) do place[pair[1]] = index end
    for _, pair in ipairs(told) do
        local index = place[pair[1]]
        if index then
            all[index][2] = math.min(all[index][2], pair[2])
        else
            all[#all + 1] = { pair[1], pair[2] }
            place[pair[1]] = #all
        end
    end
    table.sort(all, function(a, b)
        if a[field] ~= b[field] then return a[field] < b[field] end
        return a[1] < b[1]
    end)
    local out = {}
    for index = #all, 1, -1 do
        if all[index + 1] then all[index][2] = math.min(all[index][2], all[index + 1][2]) end
        out[index] = struct.pack('>I8I8', all[index][1], all[index][2])
    end
    redis.call('SETRANGE', key, 16 * from, table.concat(out))
end

-- Moves of the cursor for the record: those that are told, and one that explains the cursor when none does.
local function merge_moves(keys, moves, told, now)
    local known = {}
    for _, move in ipairs(told.moves) do known[#known + 1] = { move[1], math.min(move[2], now) } end
    merge_pairs(moves, 1, known)
    local cursor, length = num(redis.call('HGET', keys[1], 'cursor')), redis.call('STRLEN', moves)
    local last, at = 0, 0
    if length > 0 then last, at = struct.unpack('>I8I8', redis.call('GETRANGE', moves, length - 16, length - 1)) end
    if last < cursor then append_pair(moves, cursor, math.max(at, math.min(told.as_of, now))) end
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
    local claims = {}
    for _, grant in ipairs(told.grants) do
        local number, pid, expiry, cap, at = int(grant[1]), grant[2], grant[3], grant[4], grant[5]
        local known = redis.call('HGET', keys[4], number)
        if not known then claims[#claims + 1] = { grant[1], at } end
        if not known or known == UNKNOWN_PASS then redis.call('HSET', keys[4], number, pid .. '@' .. int(cap)) end
        if expiry > now and not redis.call('ZSCORE', keys[6], pid) then
            redis.call('ZADD', keys[5], 'GT', int(expiry), pid)
            record(keys[10], now, 'restore', pid, number, expiry, cap, 'restore')
        end
    end
    merge_pairs(keys[9], 2, claims)
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
    -- Who gave a place up and came again holds the later one.
    local tag = string.sub(entry, 1, 16)
    if number > num(redis.call('HGET', tags, tag) or nil) then redis.call('HSET', tags, tag, int(number)) end
end

-- restore: KEYS meta tags log passes active revoked turned calls claims grants recovered ties changes pace extended
--          moves
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
    merge_moves(keys, keys[16], told, now)
    restore_passes(keys, told, now)
    return { 1, math.max(0, num(state.recovering_until) - now), num(state.epoch) }
end

-- restore_log: KEYS meta tags log · ARGV first number, entries one after the other → {1, entries taken} · {-1} no room
local function restore_log(keys, args)
    local number = num(redis.call('HGET', keys[1], 'number') or nil)
    if number == 0 then return { -1 } end
    local first, entries, taken = num(args[1]), args[2], 0
    still_recovers(keys[1], now_ms())
    for i = 0, math.floor(#entries / ENTRY_BYTES) - 1 do
        local entry = string.sub(entries, i * ENTRY_BYTES + 1, (i + 1) * ENTRY_BYTES)
        if first + i <= number and string.find(entry, '[^%z]') then
            restore_entry(keys[2], keys[3], first + i, entry)
            taken = taken + 1
        end
    end
    return { 1, taken }
end

-- Changes of the rules, put among those that are there by their ids.
local function merge_changes(key, told)
    local all, known = redis.call('XRANGE', key, '-', '+'), {}
    for _, entry in ipairs(all) do known[entry[1]] = true end
    local count = #all
    for _, entry in ipairs(told) do
        if not known[entry[1]] then all[#all + 1] = { entry[1], entry[2] } end
    end
    if #all == count then return end
    local function parts(id)
        local ms, index = string.match(id, '^(%d+)-(%d+)$')
        return num(ms), num(index)
    end
    table.sort(all, function(a, b)
        local a_ms, a_index = parts(a[1])
        local b_ms, b_index = parts(b[1])
        if a_ms ~= b_ms then return a_ms < b_ms end
        return a_index < b_index
    end)
    redis.call('DEL', key)
    for _, entry in ipairs(all) do redis.call('XADD', key, entry[1], unpack(entry[2])) end
end

-- restore_records: KEYS meta moves claims left passes changes checkpoints · ARGV which, then
--   moves, claims: records of 16 bytes · left: numbers of 8 bytes · changes: JSON [[id, [field, value …]] …]
--   checkpoints: size and note of each
-- → {1} · {0} the room does not recover any more: what it has stands · {-1} no room
-- What is told twice counts once.
local function restore_records(keys, args)
    if redis.call('EXISTS', keys[1]) == 0 then return { -1 } end
    if not still_recovers(keys[1], now_ms()) then return { 0 } end
    local which = args[1]
    if which == 'moves' then
        merge_pairs(keys[2], 1, unpack_pairs(args[2], {}))
    elseif which == 'claims' then
        local fresh = {}
        for _, pair in ipairs(unpack_pairs(args[2], {})) do
            -- The pass itself may be told by whoever gave it.
            if redis.call('HSETNX', keys[5], int(pair[1]), UNKNOWN_PASS) == 1 then fresh[#fresh + 1] = pair end
        end
        merge_pairs(keys[3], 2, fresh)
    elseif which == 'left' then
        for at = 1, #args[2] - 7, 8 do
            local number = struct.unpack('>I8', args[2], at)
            if redis.call('HSETNX', keys[5], int(number), '-') == 1 then
                redis.call('APPEND', keys[4], struct.pack('>I8', number))
            end
        end
    elseif which == 'changes' then
        merge_changes(keys[6], cjson.decode(args[2]))
    elseif which == 'checkpoints' then
        local size = num(redis.call('HGET', keys[1], 'checkpoint_size') or nil)
        for i = 2, #args - 1, 2 do
            if num(args[i]) > size then
                size = num(args[i])
                redis.call('RPUSH', keys[7], args[i + 1])
            end
        end
        redis.call('HSET', keys[1], 'checkpoint_size', int(size))
    end
    return { 1 }
end

redis.register_function('restore_@HASH@', restore)
redis.register_function('restore_records_@HASH@', restore_records)
redis.register_function('restore_log_@HASH@', restore_log)
