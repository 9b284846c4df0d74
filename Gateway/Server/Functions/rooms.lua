#!lua name=rooms_@HASH@
-- Everything a gateway changes in a room, one function for each change. What has to do with order is in
-- rooms_order.lua, what has to do with a lost store in rooms_restore.lua; the three are one library.
-- A place has a number (order of arrival) and, once it is known, a rank (order of calling). Everything about calling
-- counts ranks: cursor calls claimed turned presence extended forfeited_through decided_through.
-- Integers in strings are big-endian. All keys of a call belong to one room
-- (`{r:<room>}:…`) or to the list of rooms (`{r:}:…`). Every function checks before it writes. Time is Redis' own.
-- Above each function: its KEYS, its arguments (ARGV) and, after the arrow, its answers.
--
-- meta    HASH    policy hash version phase override paused_at generation epoch dedupe_key number cursor rate outlook
--                 per_minute burst active_max window_ms grace_ms idle_ms lifetime_ms (of the policy, for these functions)
--                 decided_through forfeited_through granted revocations
--                 order method tie_ms beacon sale_opens_at (of the policy) secret commitment
--                 tie_window tie_first (open tie window and its first number, 0 none) ranked_through
--                 cohort sealed_at draw rounds (of a lottery) voids ("first:last " of numbers nobody holds)
-- tags    HASH    dedupe tag → number
-- log     STRING  24-byte entry of number n at 24·(n − 1): dedupe tag, arrival (ms, 8 bytes); zeros: nobody's
-- ranks   STRING  rank of number n, 4 bytes at 4·(n − 1); 0 or not there: the rank is the number
-- ties    STRING  closed tie windows with two or more places: first number, count; 8 bytes each
-- calls   ZSET    "upto:at:called:present" by upto: moves of the cursor that still matter
-- moves   STRING  every move: cursor, time (ms); 8 bytes each
-- claimed HASH    upto → passes granted to that move, until its window has ended
-- claims  STRING  every pass granted: number, time (ms); 8 bytes each
-- passes  HASH    number → "pass id@cap", "-" for a place that was left, "?@0" for a pass of which only that is known
-- left    STRING  numbers that were left, 8 bytes each
-- extended ZSET   rank by the end of its longer time to claim (ms)
-- recovered STRING number, seconds: place tokens of that number issued before are dead; 8 bytes each
-- checkpoints LIST signed notes of the log, growing in size
-- changes STREAM  kind detail version hash document: policy, phase, override, seal, draw, round, restore
-- active  ZSET    pass id by expiry (ms); live while expiry > now
-- revoked ZSET    pass id by expiry (ms)
-- turned  ZSET    rank by last try (ms): called, asked in time, waits for room
-- grants  STREAM  kind (grant renew end) pid place exp cap reason; kind policy: per_minute burst active_max from here on;
--                 the id is the time
-- spent   ZSET    id of a challenge that gave a place, by expiry (ms) and a margin
-- pace    STRING  GCRA: theoretical arrival time of the next grant, µs
-- leader  HASH    owner fence until

local LOG_NUMBER_MAX = 16000000
local CALLS_MAX = 4096
local TURNED_MAX = 10000
local REVOKED_MAX = 100000
local GRANTS_MAX = 1000000
local PRESENT_MS = 90000
local PRESENCE_LOOKUPS_MAX = 5000
local NUMBER_GAP = 1000
-- A gateway's clock may be a little behind, and a join may wait in its buffer.
local SPENT_MARGIN_MS = 15000
local SPENT_KEPT_MS = 900000
local ENTRY_BYTES = 24
-- Records of 16 bytes; what would go beyond is not recorded.
local RECORD_BYTES_MAX = 64000000
local RECORDS_SENT_MAX = 65536
local VOIDS_TEXT_MAX = 2048

-- Rooms this process of the store has been told of. It is gone with the process: that is how a restart is noticed.
local settled = {}
-- How long a room that forgot waits for what other gateways know.
local SETTLE_MS = 1000

local function this_run()
    return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

local function now_us()
    local t = redis.call('TIME')
    return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

local function now_ms()
    return math.floor(now_us() / 1000)
end

local function int(n)
    return string.format('%.0f', n)
end

local function num(v)
    return tonumber(v or '0') or 0
end

local function fields(key, names)
    local values = redis.call('HMGET', key, unpack(names))
    local out = {}
    for i, name in ipairs(names) do out[name] = values[i] or nil end
    return out
end

-- Whether a room may give numbers and passes: not after a restart of the store, until the gateways have said what they know.
local function is_settled(meta_key)
    if settled[meta_key] then return true end
    local meta = fields(meta_key, { 'run', 'recovering_until' })
    if meta.run ~= this_run() or num(meta.recovering_until) > now_ms() then return false end
    settled[meta_key] = true
    return true
end

-- The rank of number n, or nil while it has none.
local function rank_of(ranks, meta, n)
    if meta.method == 'lottery' then
        if not meta.cohort then return nil end
        if n > num(meta.cohort) then return n end
        if num(meta.ranked_through) < num(meta.cohort) then return nil end
    elseif num(meta.tie_ms) > 0 then
        if n > num(meta.ranked_through) then return nil end
    else
        return n
    end
    local packed = redis.call('GETRANGE', ranks, 4 * (n - 1), 4 * n - 1)
    if #packed < 4 then return n end
    local rank = struct.unpack('>I4', packed)
    return rank > 0 and rank or n
end

-- How far the cursor may move: the ranks up to there are given for good.
local function callable(meta)
    local number = num(meta.number)
    if meta.method == 'lottery' then
        if not meta.cohort or num(meta.ranked_through) < num(meta.cohort) then return num(meta.cursor) end
    elseif num(meta.tie_ms) > 0 then
        return math.min(number, num(meta.ranked_through))
    end
    return number
end

-- Two integers at the end of a record.
local function append_pair(key, a, b)
    if redis.call('STRLEN', key) < RECORD_BYTES_MAX then redis.call('APPEND', key, struct.pack('>I8I8', a, b)) end
end

-- A tie window whose time is over: when it has two or more places they are to be shuffled.
local function close_window(meta_key, ties, meta, now)
    local tie_ms, first = num(meta.tie_ms), num(meta.tie_first)
    if tie_ms == 0 or first == 0 or math.floor(now / tie_ms) <= num(meta.tie_window) then return end
    local count = num(meta.number) - first + 1
    if count >= 2 then append_pair(ties, first, count) end
    redis.call('HSET', meta_key, 'tie_first', 0)
    meta.tie_first = '0'
end

-- Numbers nobody holds: calling steps over them.
local function note_voids(meta_key, meta, first, last)
    local voids = meta.voids or ''
    if #voids < VOIDS_TEXT_MAX then
        meta.voids = voids .. int(first) .. ':' .. int(last) .. ' '
        redis.call('HSET', meta_key, 'voids', meta.voids)
    end
end

-- The cursor that calls as many places as `wanted` does and steps over the numbers nobody holds; how many of its
-- ranks are such numbers.
local function step_over(meta, wanted)
    local cursor, skipped = num(meta.cursor), 0
    for first, last in string.gmatch(meta.voids or '', '(%d+):(%d+)') do
        first, last = math.max(tonumber(first), cursor + 1), tonumber(last)
        if last >= first and first <= wanted then
            skipped = skipped + last - first + 1
            wanted = wanted + last - first + 1
        end
    end
    return wanted, skipped
end

local function holds_lease(leader, owner, fence, now)
    local lease = fields(leader, { 'owner', 'fence', 'until' })
    return lease.owner == owner and lease.fence == fence and num(lease['until']) > now
end

-- When rank n was called: at and upto of its move, or nil.
local function call_of(calls, n)
    local found = redis.call('ZRANGEBYSCORE', calls, n, '+inf', 'LIMIT', 0, 1)
    if not found[1] then return nil end
    local upto, at = string.match(found[1], '^(%d+):(%d+):')
    return tonumber(at), tonumber(upto)
end

local function is_live(active, pid, now)
    local expiry = redis.call('ZSCORE', active, pid)
    return expiry and tonumber(expiry) > now
end

-- Nobody is called and nobody can claim: an admin wants it so, or the shop does not answer.
local function stands(meta)
    return meta.override == 'paused' or meta.override == 'reject' or meta.outlook == 'away'
end

-- A room begins or ends to stand still. While it stands nobody can claim, so when it goes on every open deadline moves
-- by the time it stood.
local function note_standing(meta_key, calls, extended, meta, will, now)
    local was = stands(meta)
    if was and not will then
        local since = num(meta.paused_at)
        local moves = redis.call('ZRANGE', calls, 0, -1)
        for _, move in ipairs(moves) do
            local upto, at, rest = string.match(move, '^(%d+):(%d+):(.*)$')
            at = tonumber(at)
            if at + num(meta.window_ms) + num(meta.grace_ms) > since then
                redis.call('ZREM', calls, move)
                redis.call('ZADD', calls, upto, upto .. ':' .. int(at + now - math.max(at, since)) .. ':' .. rest)
            end
        end
        for _, rank in ipairs(redis.call('ZRANGEBYSCORE', extended, '(' .. int(since), '+inf')) do
            redis.call('ZINCRBY', extended, int(now - since), rank)
        end
        redis.call('HDEL', meta_key, 'paused_at')
    elseif will and not was then
        redis.call('HSET', meta_key, 'paused_at', int(now))
    end
end

-- One entry of the record. Its time is the one the function decided by, not the one at which it is written: a server
-- that was held up between the two would seem to have granted too fast. A clock that was set back gets the next id.
local function append(grants, now, ...)
    local done = redis.pcall('XADD', grants, 'MAXLEN', '~', GRANTS_MAX, int(now) .. '-*', ...)
    if type(done) == 'table' and done.err then
        redis.call('XADD', grants, 'MAXLEN', '~', GRANTS_MAX, '*', ...)
    end
end

local function record(grants, now, kind, pid, place, exp, cap, reason)
    append(grants, now, 'kind', kind, 'pid', pid, 'place', place, 'exp', int(exp), 'cap', int(cap), 'reason', reason)
end

-- A change of the rules, for everybody to see.
local function note_change(changes, now, kind, detail, ...)
    append(changes, now, 'kind', kind, 'detail', detail, ...)
end

-- The allowance in force from here on, so that the record can be checked against it later.
local function record_allowance(meta, grants)
    local values = redis.call('HMGET', meta, 'per_minute', 'burst', 'active_max')
    append(grants, now_ms(), 'kind', 'policy', 'per_minute', values[1] or '', 'burst', values[2] or '', 'active_max',
        values[3] or '')
end

-- create: KEYS meta grants changes · ARGV policy hash dedupe_key phase generation secret commitment, then pairs of meta
-- fields and values → 1 made, 0 exists
-- The caller takes the generation from the clock: tokens of a room of that name that was lost are dead.
local function create(keys, args)
    if redis.call('EXISTS', keys[1]) == 1 then return 0 end
    redis.call('HSET', keys[1], 'policy', args[1], 'hash', args[2], 'dedupe_key', args[3], 'phase', args[4],
        'version', 1, 'override', 'none', 'generation', args[5], 'epoch', 1, 'number', 0, 'cursor', 0, 'rate', '0',
        'outlook', 'open', 'decided_through', 0, 'forfeited_through', 0, 'granted', 0, 'revocations', 0,
        'secret', args[6], 'commitment', args[7], 'ranked_through', 0, 'tie_first', 0, 'run', this_run())
    redis.call('HSET', keys[1], unpack(args, 8))
    record_allowance(keys[1], keys[2])
    local now = now_ms()
    note_change(keys[3], now, 'policy', 'created', 'version', 1, 'hash', args[2], 'document', args[1])
    note_change(keys[3], now, 'phase', args[4])
    return 1
end

-- update_policy: KEYS meta grants changes · ARGV expected version, policy hash, then pairs of meta fields and values
-- → {1, new version} · {0, version} another one is there · {2, what} cannot change any more · {-1} no room
-- The order is fixed by the first join, the opening of the sale by the seal: no change moves a place behind another.
local function update_policy(keys, args)
    local meta = fields(keys[1], { 'version', 'number', 'order', 'phase', 'sale_opens_at', 'cohort' })
    if not meta.version then return { -1 } end
    if args[1] ~= meta.version then return { 0, tonumber(meta.version) } end
    local given = {}
    for i = 4, #args, 2 do given[args[i]] = args[i + 1] end
    if given.order ~= meta.order then
        local isOpen = meta.phase == 'draft' or meta.phase == 'scheduled' or meta.phase == 'prequeue'
        if num(meta.number) > 0 or not isOpen then return { 2, 'order' } end
    end
    if meta.cohort and given.sale_opens_at ~= meta.sale_opens_at then return { 2, 'schedule.sale_opens_at' } end
    redis.call('HSET', keys[1], 'policy', args[2], 'hash', args[3], unpack(args, 4))
    record_allowance(keys[1], keys[2])
    local version = redis.call('HINCRBY', keys[1], 'version', 1)
    note_change(keys[3], now_ms(), 'policy', 'changed', 'version', version, 'hash', args[3], 'document', args[2])
    return { 1, version }
end

-- set_phase: KEYS meta changes leader · ARGV expected phase, new phase, who (admin time), then owner and fence when the
-- leader moves it → 1 · 0 another phase is there, or the lease is not ours · -1 no room
-- Sealing fixes the cohort in the same step: every join answered before is in it, none after.
local function set_phase(keys, args)
    local meta = fields(keys[1], { 'phase', 'number' })
    if not meta.phase then return -1 end
    if meta.phase ~= args[1] then return 0 end
    local now = now_ms()
    if args[4] and not holds_lease(keys[3], args[4], args[5], now) then return 0 end
    redis.call('HSET', keys[1], 'phase', args[2])
    note_change(keys[2], now, 'phase', args[2], 'by', args[3])
    if args[2] == 'sealed' then
        -- Whoever holds no number is shuffled with all others.
        redis.call('HSET', keys[1], 'cohort', meta.number, 'sealed_at', int(now), 'voids', '')
        note_change(keys[2], now, 'seal', meta.number)
    end
    return 1
end

-- set_override: KEYS meta calls changes extended · ARGV override → 1 · -1 no room
local function set_override(keys, args)
    local meta = fields(keys[1], { 'override', 'outlook', 'paused_at', 'window_ms', 'grace_ms' })
    if not meta.override then return -1 end
    local will, now = stands({ override = args[1], outlook = meta.outlook }), now_ms()
    note_standing(keys[1], keys[2], keys[4], meta, will, now)
    redis.call('HSET', keys[1], 'override', args[1])
    note_change(keys[3], now, 'override', args[1])
    return 1
end

-- A place that cannot be given back: its pass has ended, it was left, or nobody came for it.
local function is_over(keys, meta, number, now)
    local pass = redis.call('HGET', keys[4], int(number))
    if pass then return not is_live(keys[5], string.match(pass, '^[^@]*'), now) end
    local rank = rank_of(keys[9], meta, number)
    if not rank or rank > num(meta.forfeited_through) then return false end
    local extended = redis.call('ZSCORE', keys[11], int(rank))
    return not redis.call('ZSCORE', keys[6], int(rank)) and not (extended and tonumber(extended) > now)
end

-- The number a visitor holds in a signed token and the store has forgotten, or 0 when it is another's.
local function held_number(keys, meta, tag, held, entry)
    if held == 0 or held > num(meta.number) then return 0 end
    local at = (held - 1) * ENTRY_BYTES
    local known = redis.call('GETRANGE', keys[3], at, at + ENTRY_BYTES - 1)
    if known ~= '' and string.find(known, '[^%z]') then
        if string.sub(known, 1, 16) ~= tag then return 0 end
    else
        redis.call('SETRANGE', keys[3], at, entry)
    end
    redis.call('HSET', keys[2], tag, int(held))
    return held
end

-- Passes a challenge once. → 0 it may, -1 it was not answered, -2 it gave a place before
local function spend(spent, challenge)
    if challenge == '?' then return -1 end
    local until_ms = num(string.sub(challenge, 17)) + SPENT_MARGIN_MS
    return redis.call('ZADD', spent, 'NX', int(until_ms), string.sub(challenge, 1, 16)) == 0 and -2 or 0
end

local function arrival(log, number)
    local at = (number - 1) * ENTRY_BYTES
    local packed = redis.call('GETRANGE', log, at + 16, at + ENTRY_BYTES - 1)
    return #packed == 8 and (struct.unpack('>I8', packed)) or 0
end

local JOIN_FIELDS = { 'phase', 'number', 'cursor', 'generation', 'epoch', 'forfeited_through', 'method', 'tie_ms',
    'tie_window', 'tie_first', 'ranked_through', 'cohort', 'voids', 'gap' }

-- join: KEYS meta tags log passes active turned presence spent ranks ties extended
--       ARGV highest number known to the gateway, near (places before the cursor whose presence counts),
--            then entry, challenge and held number of each member. Challenge: '' none is asked for · '?' not answered,
--            so only a place that is there is given · 16 bytes of id and the expiry (ms) of a passed one, which is
--            marked as spent when it gives a new place. Held: the number in a place token that was shown, or 0; its
--            entry then has the arrival of that token
-- → {-3} the room recovers, ask again
--   · {1, now, cursor, generation, epoch, phase, cohort (-1 none), n₁, isNew₁, arrived₁ (ms), rank₁ (0 none yet) …}
--   · {0, phase} no joins now · {-1} no room · {-2} full
--   n = 0 without a place: isNew -1 not answered, -2 spent before
local function join(keys, args)
    local meta = fields(keys[1], JOIN_FIELDS)
    if not meta.phase then return { -1 } end
    local phase = meta.phase
    if phase ~= 'prequeue' and phase ~= 'sealed' and phase ~= 'drawn' and phase ~= 'active' then
        return { 0, phase }
    end
    if not is_settled(keys[1]) then return { -3 } end
    local count = (#args - 2) / 3
    local highest = math.max(num(args[1]), num(meta.number))
    if highest + count + NUMBER_GAP > LOG_NUMBER_MAX then
        if num(meta.number) + count + NUMBER_GAP > LOG_NUMBER_MAX then return { -2 } end
        highest = num(meta.number)
    end
    local now, cursor = now_ms(), num(meta.cursor)
    -- A gateway has seen a higher number than the store knows: the store has forgotten the latest ones.
    -- After a loss there may be higher ones that no gateway knows of.
    if meta.gap and highest == 0 then redis.call('HDEL', keys[1], 'gap') end
    if highest > num(meta.number) or (meta.gap and highest > 0) then
        close_window(keys[1], keys[10], meta, math.huge)
        note_voids(keys[1], meta, highest + 1, highest + NUMBER_GAP)
        meta.number = highest + NUMBER_GAP
        redis.call('HSET', keys[1], 'number', int(meta.number))
        if not meta.gap then meta.epoch = redis.call('HINCRBY', keys[1], 'epoch', 1) end
        redis.call('HDEL', keys[1], 'gap')
    end
    close_window(keys[1], keys[10], meta, now)
    local number = num(meta.number)
    local reply = { 1, now, cursor, num(meta.generation), num(meta.epoch), phase, tonumber(meta.cohort or '-1') }
    local first, entries, spends = number + 1, {}, false
    for i = 3, #args, 3 do
        local entry, challenge = args[i], args[i + 1]
        local tag = string.sub(entry, 1, 16)
        local known = num(redis.call('HGET', keys[2], tag))
        if known == 0 and args[i + 2] ~= '0' then known = held_number(keys, meta, tag, num(args[i + 2]), entry) end
        if known > 0 and is_over(keys, meta, known, now) then known = 0 end
        local isNew, arrived, rank = 0, 0, 0
        if known == 0 and challenge ~= '' then
            if challenge ~= '?' and not spends then
                redis.call('ZREMRANGEBYSCORE', keys[8], '-inf', int(now))
                spends = true
            end
            isNew = spend(keys[8], challenge)
        end
        if known > 0 then
            arrived = arrival(keys[3], known)
            rank = rank_of(keys[9], meta, known) or 0
        elseif isNew == 0 then
            number = number + 1
            known, isNew = number, 1
            -- The time by which seals and tie windows are decided, not the gateway's: the log must agree with them.
            entries[#entries + 1] = tag .. struct.pack('>I8', now)
            redis.call('HSET', keys[2], tag, int(number))
            arrived = now
            rank = rank_of(keys[9], meta, number) or 0
            if rank > 0 and rank - cursor <= num(args[2]) then redis.call('ZADD', keys[7], int(now), int(rank)) end
        end
        local at = #reply
        reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4] = known, isNew, arrived, rank
    end
    if #entries > 0 then
        redis.call('SETRANGE', keys[3], (first - 1) * ENTRY_BYTES, table.concat(entries))
        redis.call('HSET', keys[1], 'number', int(number))
        if num(meta.tie_ms) > 0 and num(meta.tie_first) == 0 then
            redis.call('HSET', keys[1], 'tie_first', int(first), 'tie_window', int(math.floor(now / meta.tie_ms)))
        end
    end
    if spends then redis.call('PEXPIRE', keys[8], SPENT_KEPT_MS) end
    return reply
end

-- Takes one grant of the pace. → 0 taken, else milliseconds to wait
local function take_pace(key, per_minute, burst, now)
    local interval = math.ceil(60000000 / per_minute)
    local arrival = math.max(num(redis.call('GET', key)), now)
    -- A pace that was raised must not wait for the end of the old one.
    arrival = math.min(arrival, now + interval * burst)
    local wait = arrival + interval - now - interval * burst
    if wait > 0 then return math.ceil(wait / 1000) end
    redis.call('SET', key, int(arrival + interval))
    return 0
end

-- claim: KEYS meta calls claimed passes active turned grants pace ranks claims extended
--        ARGV number, pass id to give
-- → {1, pass id, expiry ms, cap ms, isNew, now} · {2, reason, wait ms} not now: recovering assigning not_called paused not_open pace cap
--   {3, reason} never: late left used sold_out closed · {-1} no room
local function claim(keys, args)
    local meta = fields(keys[1], { 'phase', 'override', 'cursor', 'outlook', 'window_ms', 'grace_ms', 'per_minute',
        'burst', 'active_max', 'idle_ms', 'lifetime_ms', 'forfeited_through', 'decided_through', 'paused_at', 'method',
        'tie_ms', 'cohort', 'ranked_through' })
    if not meta.phase then return { -1 } end
    if not is_settled(keys[1]) then return { 2, 'recovering', 1000 } end
    local us = now_us()
    local now, n = math.floor(us / 1000), tonumber(args[1])
    local known = redis.call('HGET', keys[4], args[1])
    if known == '-' then return { 3, 'left' } end
    if known then
        local pid, cap = string.match(known, '^(.-)@(%d+)$')
        local expiry = redis.call('ZSCORE', keys[5], pid)
        if not expiry or tonumber(expiry) <= now then return { 3, 'used' } end
        return { 1, pid, tonumber(expiry), tonumber(cap), 0, now }
    end
    if meta.phase == 'closed' then return { 3, 'closed' } end
    if meta.outlook == 'gone' then return { 3, 'sold_out' } end
    if meta.phase ~= 'active' and meta.phase ~= 'draining' then return { 2, 'not_open', 2000 } end
    if stands(meta) then return { 2, 'paused', 2000 } end
    local rank = rank_of(keys[9], meta, n)
    if not rank then return { 2, 'assigning', 1000 } end
    if rank > num(meta.cursor) then return { 2, 'not_called', 1000 } end
    local at, upto = call_of(keys[2], rank)
    if not redis.call('ZSCORE', keys[6], int(rank)) and num(redis.call('ZSCORE', keys[11], int(rank)) or nil) <= now then
        if rank <= num(meta.forfeited_through) or not at
            or now >= at + num(meta.window_ms) + num(meta.grace_ms) then
            return { 3, 'late' }
        end
    end
    local wait, reason = 0, 'cap'
    if redis.call('ZCOUNT', keys[5], '(' .. int(now), '+inf') >= num(meta.active_max) then
        wait = 2000
    else
        wait, reason = take_pace(keys[8], num(meta.per_minute), num(meta.burst), us), 'pace'
    end
    if wait > 0 then
        -- It came in time: from now on it is never too late, as long as it keeps asking.
        if redis.call('ZSCORE', keys[6], int(rank)) or redis.call('ZCARD', keys[6]) < TURNED_MAX then
            redis.call('ZADD', keys[6], int(now), int(rank))
        end
        return { 2, reason, wait }
    end
    local cap = math.ceil((now + num(meta.lifetime_ms)) / 1000) * 1000
    local expiry = math.min(math.ceil((now + num(meta.idle_ms)) / 1000) * 1000, cap)
    redis.call('ZADD', keys[5], int(expiry), args[2])
    redis.call('HSET', keys[4], args[1], args[2] .. '@' .. int(cap))
    redis.call('ZREM', keys[6], int(rank))
    redis.call('ZREM', keys[11], int(rank))
    redis.call('HINCRBY', keys[1], 'granted', 1)
    append_pair(keys[10], n, now)
    if upto and upto > num(meta.decided_through) then redis.call('HINCRBY', keys[3], int(upto), 1) end
    record(keys[7], now, 'grant', args[2], args[1], expiry, cap, 'claim')
    return { 1, args[2], expiry, cap, 1, now }
end

-- end_pass: KEYS meta active revoked grants · ARGV pass id, number, expiry of the token (ms), reason
-- → 1 it was live, 0 it was not; its token is dead either way
local function end_pass(keys, args)
    local now = now_ms()
    local expiry = redis.call('ZSCORE', keys[2], args[1])
    local was_live = expiry and tonumber(expiry) > now
    local until_ms = math.max(num(expiry or nil), num(args[3]))
    if was_live then
        redis.call('ZREM', keys[2], args[1])
        record(keys[4], now, 'end', args[1], args[2], now, now, args[4])
    end
    if until_ms > now and redis.call('ZCARD', keys[3]) < REVOKED_MAX then
        redis.call('ZADD', keys[3], int(until_ms), args[1])
        redis.call('HINCRBY', keys[1], 'revocations', 1)
    end
    return was_live and 1 or 0
end

-- leave: KEYS tags passes turned meta ranks left · ARGV number, dedupe tag
-- → 1 left, 0 was not there (left before, or has a pass)
local function leave(keys, args)
    if redis.call('HGET', keys[2], args[1]) then return 0 end
    redis.call('HSET', keys[2], args[1], '-')
    local meta = fields(keys[4], { 'method', 'tie_ms', 'cohort', 'ranked_through' })
    local rank = rank_of(keys[5], meta, tonumber(args[1]))
    if rank then redis.call('ZREM', keys[3], int(rank)) end
    if redis.call('HGET', keys[1], args[2]) == args[1] then redis.call('HDEL', keys[1], args[2]) end
    if redis.call('STRLEN', keys[6]) < RECORD_BYTES_MAX then
        redis.call('APPEND', keys[6], struct.pack('>I8', tonumber(args[1])))
    end
    return 1
end

-- A live pass the store has forgotten takes the place of a phantom (see rooms_restore.lua).
local function adopt(keys, pid, number, wanted, cap, now)
    local phantoms = num(redis.call('HGET', keys[3], 'phantoms') or nil)
    if phantoms == 0 or wanted <= now or redis.call('ZSCORE', keys[4], pid) then return false end
    redis.call('HINCRBY', keys[3], 'phantoms', -1)
    if redis.call('ZREM', keys[1], 'lost:' .. int(phantoms)) == 0 then return false end
    redis.call('ZADD', keys[1], int(wanted), pid)
    local known = redis.call('HGET', keys[5], number)
    if not known or string.sub(known, 1, 1) == '?' then
        redis.call('HSET', keys[5], number, pid .. '@' .. int(cap))
    end
    record(keys[2], now, 'renew', pid, number, wanted, cap, 'restore')
    return true
end

-- renew: KEYS active grants meta revoked passes · ARGV pass id, number, wanted expiry (ms), cap (ms), reason of each
-- → for each the expiry that now holds, or 0 when the pass is not live
local function renew(keys, args)
    local now, reply = now_ms(), {}
    for i = 1, #args, 5 do
        local pid, cap = args[i], num(args[i + 3])
        local expiry = num(redis.call('ZSCORE', keys[1], pid) or nil)
        local wanted = math.min(num(args[i + 2]), cap)
        if expiry <= now then
            reply[#reply + 1] = adopt(keys, pid, args[i + 1], wanted, cap, now) and wanted or 0
        elseif wanted > expiry then
            redis.call('ZADD', keys[1], 'XX', int(wanted), pid)
            record(keys[2], now, 'renew', pid, args[i + 1], wanted, cap, args[i + 4])
            reply[#reply + 1] = wanted
        else
            reply[#reply + 1] = expiry
        end
    end
    return reply
end

-- present: KEYS presence · ARGV ranks → 1
local function present(keys, args)
    local now = int(now_ms())
    for _, n in ipairs(args) do redis.call('ZADD', keys[1], now, n) end
    return 1
end

-- Calls whose window has ended since the last look, how many of them were claimed; old moves are forgotten.
local function settle(keys, meta, now)
    local called, claimed = 0, 0
    local decided, forfeited = num(meta.decided_through), num(meta.forfeited_through)
    local moves = redis.call('ZRANGE', keys[2], 0, -1)
    local undecided = 0
    for index, move in ipairs(moves) do
        local upto, at, count, here = string.match(move, '^(%d+):(%d+):(%d+):(%d+)$')
        local claims = num(redis.call('HGET', keys[3], upto))
        if now >= tonumber(at) + num(meta.window_ms) and tonumber(upto) > decided then
            called, claimed = called + tonumber(count), claimed + claims
            decided = tonumber(upto)
            redis.call('HDEL', keys[3], upto)
        elseif tonumber(upto) > decided then
            undecided = undecided + math.max(0, tonumber(here) - claims)
        end
        if now >= tonumber(at) + num(meta.window_ms) + num(meta.grace_ms) then
            forfeited = tonumber(upto)
            redis.call('ZREM', keys[2], move)
        elseif #moves - index >= CALLS_MAX then
            -- Too many moves: these places take the later deadline of the next move.
            redis.call('ZREM', keys[2], move)
            redis.call('HDEL', keys[3], upto)
        end
    end
    redis.call('HSET', keys[1], 'decided_through', int(decided), 'forfeited_through', int(forfeited))
    return called, claimed, undecided, decided
end

-- lead: KEYS meta calls claimed active turned revoked presence leader extended · ARGV owner, lease (ms)
-- Takes or keeps the lease, and counts what the controller needs.
-- → {fence, now, phase, override, cursor, number, live, undecided, decided calls, decided claims,
--    how far the cursor may move, granted} · {0} another leads · {-1} no room, or it recovers
local function lead(keys, args)
    local meta = fields(keys[1], { 'phase', 'override', 'outlook', 'cursor', 'number', 'window_ms', 'grace_ms',
        'decided_through', 'forfeited_through', 'method', 'tie_ms', 'cohort', 'ranked_through',
        'granted' })
    if not meta.phase or not is_settled(keys[1]) then return { -1 } end
    local now = now_ms()
    local lease = fields(keys[8], { 'owner', 'fence', 'until' })
    local fence = num(lease.fence)
    if lease.owner ~= args[1] or num(lease['until']) <= now then
        if num(lease['until']) > now then return { 0 } end
        fence = fence + 1
    end
    redis.call('HSET', keys[8], 'owner', args[1], 'fence', int(fence), 'until', int(now + num(args[2])))
    redis.call('ZREMRANGEBYSCORE', keys[4], '-inf', int(now))
    redis.call('ZREMRANGEBYSCORE', keys[6], '-inf', int(now))
    redis.call('ZREMRANGEBYSCORE', keys[7], '-inf', int(now - PRESENT_MS))
    local called, claimed, undecided, decided = 0, 0, 0, num(meta.decided_through)
    local decided_before = decided
    if not stands(meta) then
        redis.call('ZREMRANGEBYSCORE', keys[5], '-inf', int(now - math.max(PRESENT_MS, num(meta.window_ms))))
        called, claimed, undecided, decided = settle(keys, meta, now)
        redis.call('ZREMRANGEBYSCORE', keys[9], '-inf', int(now))
    end
    for _, n in ipairs(redis.call('ZRANGE', keys[9], 0, -1)) do
        if tonumber(n) <= decided and not redis.call('ZSCORE', keys[5], n) then undecided = undecided + 1 end
    end
    for _, n in ipairs(redis.call('ZRANGE', keys[5], 0, -1)) do
        if tonumber(n) <= decided then
            -- Those who turned up in an open window are counted there already.
            undecided = undecided + 1
            -- Who asked and found no room came: no no-show.
            if tonumber(n) > decided_before then claimed = claimed + 1 end
        end
    end
    return { fence, now, meta.phase, meta.override, num(meta.cursor), num(meta.number), redis.call('ZCARD', keys[4]),
        undecided, called, claimed, callable(meta), num(meta.granted) }
end

-- advance: KEYS meta calls presence leader moves extended · ARGV owner, fence, new cursor, rate (places a minute:
--          realised, expected; seconds the ramp still costs), outlook
-- → {1, cursor} · {0} the lease is not ours any more · {-1} no room
local function advance(keys, args)
    local meta = fields(keys[1], { 'phase', 'override', 'outlook', 'cursor', 'number', 'paused_at', 'window_ms',
        'grace_ms', 'method', 'tie_ms', 'cohort', 'ranked_through', 'voids' })
    if not meta.phase then return { -1 } end
    local now = now_ms()
    if not is_settled(keys[1]) or not holds_lease(keys[4], args[1], args[2], now) then return { 0 } end
    local will = stands({ override = meta.override, outlook = args[5] })
    note_standing(keys[1], keys[2], keys[6], meta, will, now)
    redis.call('HSET', keys[1], 'rate', args[4], 'outlook', args[5])
    local cursor = num(meta.cursor)
    local wanted, skipped = step_over(meta, num(args[3]))
    wanted = math.min(wanted, callable(meta))
    local calling = (meta.phase == 'active' or meta.phase == 'draining') and not will
    if not calling or not (wanted > cursor) then return { 1, cursor } end
    local here, called = 0, math.max(0, wanted - cursor - skipped)
    for n = cursor + 1, math.min(wanted, cursor + PRESENCE_LOOKUPS_MAX) do
        if redis.call('ZSCORE', keys[3], int(n)) then here = here + 1 end
    end
    here = math.min(here + math.max(0, wanted - cursor - PRESENCE_LOOKUPS_MAX), called)
    redis.call('ZADD', keys[2], int(wanted), int(wanted) .. ':' .. int(now) .. ':' .. int(called) .. ':' .. int(here))
    redis.call('HSET', keys[1], 'cursor', int(wanted))
    append_pair(keys[5], wanted, now)
    return { 1, wanted }
end

-- What is behind the first `known` bytes of a record; all of it when it has become shorter.
local function new_records(key, known)
    if redis.call('STRLEN', key) < known then known = 0 end
    return known, redis.call('GETRANGE', key, known, known + RECORDS_SENT_MAX - 1)
end

-- snapshot: KEYS meta calls active revoked turned ties extended recovered
--           ARGV policy version, count of revocations, bytes of ties and of recovered places known, 1 when the draw is
-- → {now, version, policy or "", hash, phase, override, generation, epoch, cursor, number, forfeited_through, rate,
--    outlook, dedupe_key, live, revocations, {revoked ids} or false, {moves}, {turned up}, granted, paused at or 0,
--    secret, commitment, ranked_through, cohort (-1 none), sealed_at or 0, draw or "", rounds, voids, {rank, until …},
--    offset of new ties, new ties, offset of new recovered, new recovered, 1 when settled} · false no room
-- New records are those after the known ones, at most RECORDS_SENT_MAX bytes of them; all when fewer are there than are known.
local function snapshot(keys, args)
    local names = { 'version', 'policy', 'hash', 'phase', 'override', 'generation', 'epoch', 'cursor', 'number',
        'forfeited_through', 'rate', 'outlook', 'dedupe_key', 'revocations', 'granted', 'paused_at', 'secret',
        'commitment', 'ranked_through', 'cohort', 'sealed_at', 'draw', 'rounds', 'voids', 'tie_ms', 'tie_window',
        'tie_first' }
    local meta = fields(keys[1], names)
    if not meta.phase then return false end
    local now = now_ms()
    close_window(keys[1], keys[6], meta, now)
    local live = redis.call('ZCOUNT', keys[3], '(' .. int(now), '+inf')
    local revoked = false
    if meta.revocations ~= args[2] then
        revoked = redis.call('ZRANGEBYSCORE', keys[4], '(' .. int(now), '+inf')
    end
    local policy = ''
    if meta.version ~= args[1] then policy = meta.policy end
    local draw = ''
    if args[5] ~= '1' then draw = meta.draw or '' end
    local ties_from, new_ties = new_records(keys[6], num(args[3]))
    local recovered_from, new_recovered = new_records(keys[8], num(args[4]))
    return { now, num(meta.version), policy, meta.hash, meta.phase, meta.override, num(meta.generation),
        num(meta.epoch), num(meta.cursor), num(meta.number), num(meta.forfeited_through), meta.rate, meta.outlook,
        meta.dedupe_key, live, num(meta.revocations), revoked, redis.call('ZRANGE', keys[2], 0, -1),
        redis.call('ZRANGE', keys[5], 0, -1), num(meta.granted), num(meta.paused_at), meta.secret or '',
        meta.commitment or '', num(meta.ranked_through), tonumber(meta.cohort or '-1'), num(meta.sealed_at), draw,
        meta.rounds or '', meta.voids or '', redis.call('ZRANGE', keys[7], 0, -1, 'WITHSCORES'), ties_from, new_ties,
        recovered_from, new_recovered, is_settled(keys[1]) and 1 or 0 }
end

redis.register_function('create_@HASH@', create)
redis.register_function('update_policy_@HASH@', update_policy)
redis.register_function('set_phase_@HASH@', set_phase)
redis.register_function('set_override_@HASH@', set_override)
redis.register_function('join_@HASH@', join)
redis.register_function('claim_@HASH@', claim)
redis.register_function('end_pass_@HASH@', end_pass)
redis.register_function('leave_@HASH@', leave)
redis.register_function('renew_@HASH@', renew)
redis.register_function('present_@HASH@', present)
redis.register_function('lead_@HASH@', lead)
redis.register_function('advance_@HASH@', advance)
redis.register_function('snapshot_@HASH@', snapshot)
