
-- Order: ranks of ties and of the draw, the record that proves them, and what a visitor may change about a place.
-- Above each function: its KEYS, its arguments (ARGV) and, after the arrow, its answers.

local CHECKPOINTS_MAX = 10000
local EXTENDED_MAX = 10000
local RECOVERED_BYTES_MAX = 1600000
-- How often one place may be recovered, and how long asking again is the same recovery.
local RECOVERIES_MAX = 20
local RECOVER_AGAIN_S = 5
local DRAW_BYTES_MAX = 16384
local ROUNDS_BYTES_MAX = 4096

-- How far ranks may be given: to the end of the last closed tie window, or of the sealed cohort.
local function rankable(meta)
    if meta.method == 'lottery' then return num(meta.cohort) end
    if num(meta.tie_ms) == 0 then return 0 end
    return num(meta.tie_first) > 0 and num(meta.tie_first) - 1 or num(meta.number)
end

-- Whether a tie that is closed lies in the stretch and not among the blocks: a window may close after its ties were read.
local function leaves_out_a_tie(ties, args, from, through)
    local given = {}
    for i = 5, #args, 2 do given[num(args[i])] = #args[i + 1] / 4 end
    for at = redis.call('STRLEN', ties) - 16, 0, -16 do
        local first, count = struct.unpack('>I8I8', redis.call('GETRANGE', ties, at, at + 15))
        if first <= from then break end
        if first <= through and given[first] ~= count then return true end
    end
    return false
end

-- rank: KEYS meta leader ranks ties · ARGV owner, fence, from (ranks are given up to there), through, then first number
--       and ranks (4 bytes each) of each block in between; numbers in no block keep theirs
-- → {1, ranked through} · {2, ranked through} not from there, or not that far yet · {0} not our lease · {-1} no room
local function rank(keys, args)
    local meta = fields(keys[1], { 'phase', 'number', 'method', 'tie_ms', 'tie_window', 'tie_first', 'cohort',
        'ranked_through' })
    if not meta.phase then return { -1 } end
    local now = now_ms()
    if not holds_lease(keys[2], args[1], args[2], now) then return { 0 } end
    close_window(keys[1], keys[4], meta, now)
    local from, through = num(args[3]), num(args[4])
    -- Until the draw is done no rank is in force: who leads now may have to draw with another round, and begins again.
    local is_again = meta.method == 'lottery' and meta.phase == 'sealed' and from == 0
    if (from ~= num(meta.ranked_through) and not is_again) or through < from or through > rankable(meta) then
        return { 2, num(meta.ranked_through) }
    end
    for i = 5, #args, 2 do
        local first, packed = num(args[i]), args[i + 1]
        if first <= from or #packed % 4 ~= 0 or first + #packed / 4 - 1 > through then
            return { 2, num(meta.ranked_through) }
        end
    end
    if leaves_out_a_tie(keys[4], args, from, through) then return { 2, num(meta.ranked_through) } end
    for i = 5, #args, 2 do redis.call('SETRANGE', keys[3], 4 * (num(args[i]) - 1), args[i + 1]) end
    redis.call('HSET', keys[1], 'ranked_through', int(through))
    return { 1, through }
end

-- name_round: KEYS meta leader changes · ARGV owner, fence, round, its time (ms)
-- Names the round whose value will be drawn with, before that value exists.
-- → {1} · {2} too late, or the room is drawn · {0} not our lease · {-1} no room
local function name_round(keys, args)
    local meta = fields(keys[1], { 'phase', 'rounds', 'draw' })
    if not meta.phase then return { -1 } end
    local now = now_ms()
    if not holds_lease(keys[2], args[1], args[2], now) then return { 0 } end
    local rounds = meta.rounds or ''
    if meta.draw or now >= num(args[4]) or #rounds > ROUNDS_BYTES_MAX then return { 2 } end
    redis.call('HSET', keys[1], 'rounds', rounds .. args[3] .. ':' .. int(now) .. ' ')
    note_change(keys[3], now, 'round', args[3])
    return { 1 }
end

-- draw: KEYS meta leader changes · ARGV owner, fence, document
-- sealed → drawn, once every place of the cohort has its rank.
-- → {1} · {2, phase} not sealed, or not ranked · {0} not our lease · {-1} no room
local function draw(keys, args)
    local meta = fields(keys[1], { 'phase', 'cohort', 'ranked_through' })
    if not meta.phase then return { -1 } end
    local now = now_ms()
    if not holds_lease(keys[2], args[1], args[2], now) then return { 0 } end
    if meta.phase ~= 'sealed' or num(meta.ranked_through) < num(meta.cohort) or #args[3] > DRAW_BYTES_MAX then
        return { 2, meta.phase }
    end
    redis.call('HSET', keys[1], 'phase', 'drawn', 'draw', args[3])
    note_change(keys[3], now, 'draw', args[3])
    note_change(keys[3], now, 'phase', 'drawn', 'by', 'draw')
    return { 1 }
end

-- checkpoint: KEYS meta leader checkpoints · ARGV owner, fence, size, signed note
-- → {1} · {2, size} not larger than the last one's, or than the log · {0} not our lease · {-1} no room
local function checkpoint(keys, args)
    local meta = fields(keys[1], { 'phase', 'number', 'checkpoint_size' })
    if not meta.phase then return { -1 } end
    if not holds_lease(keys[2], args[1], args[2], now_ms()) then return { 0 } end
    local size, last = num(args[3]), num(meta.checkpoint_size)
    if size <= last or size > num(meta.number) then return { 2, last } end
    redis.call('RPUSH', keys[3], args[4])
    redis.call('LTRIM', keys[3], -CHECKPOINTS_MAX, -1)
    redis.call('HSET', keys[1], 'checkpoint_size', int(size))
    return { 1 }
end

-- extend: KEYS meta calls passes ranks extended · ARGV number, longer by (ms), how often at most
-- → {1, rank, until (ms), times left} · {0, reason} assigning not_called late used limit full · {-1} no room
-- The score in `extended` is the end of the longer time and, in 64ths of a millisecond, how often it was asked for. Asking
-- while there is more left than one time gives changes nothing: a double click is one extension.
local function extend(keys, args)
    local meta = fields(keys[1], { 'phase', 'cursor', 'window_ms', 'grace_ms', 'forfeited_through', 'method',
        'tie_ms', 'cohort', 'ranked_through', 'paused_at' })
    if not meta.phase then return { -1 } end
    if redis.call('HGET', keys[3], args[1]) then return { 0, 'used' } end
    local rank = rank_of(keys[4], meta, tonumber(args[1]))
    if not rank then return { 0, 'assigning' } end
    if rank > num(meta.cursor) then return { 0, 'not_called' } end
    local now, at = now_ms(), call_of(keys[2], rank)
    -- While the room stands still no deadline runs out.
    if meta.paused_at then now = math.min(now, num(meta.paused_at)) end
    local score = num(redis.call('ZSCORE', keys[5], int(rank)) or nil)
    local longer = math.floor(score)
    local used, most, by = (score - longer) * 64, num(args[3]), num(args[2])
    if longer <= now then
        local isLate = not at or rank <= num(meta.forfeited_through)
        if isLate or now >= at + num(meta.window_ms) + num(meta.grace_ms) then return { 0, 'late' } end
    end
    if longer - now > by then return { 1, rank, longer, math.max(0, most - used) } end
    if used >= most then return { 0, 'limit' } end
    if longer == 0 and redis.call('ZCARD', keys[5]) >= EXTENDED_MAX then return { 0, 'full' } end
    local until_ms = math.max(longer, at and at + num(meta.window_ms) or 0, now) + by
    redis.call('ZADD', keys[5], string.format('%.6f', until_ms + (used + 1) / 64), int(rank))
    return { 1, rank, until_ms, most - used - 1 }
end

-- recover: KEYS meta tags recovered log ranks passes active turned extended revoked recoveries · ARGV dedupe tag
-- Gives a place to whoever proved to be its holder; tokens of it issued before are dead, and those of its pass, too.
-- recoveries HASH number → "seconds:times": within a few seconds it is the same recovery, and one place has only so many.
-- → {1, number, issued from (s), arrived (ms), rank (0 none yet), generation, cohort (-1 none)} · {0} no place
--   · {2} too many were recovered · {-1} no room
local function recover(keys, args)
    local meta = fields(keys[1], { 'phase', 'forfeited_through', 'generation', 'method', 'tie_ms', 'cohort',
        'ranked_through' })
    if not meta.phase then return { -1 } end
    local number, now = num(redis.call('HGET', keys[2], args[1])), now_ms()
    -- The keys as `is_over` wants them.
    local over = { [4] = keys[6], [5] = keys[7], [6] = keys[8], [9] = keys[5], [11] = keys[9] }
    if number == 0 or is_over(over, meta, number, now) then return { 0 } end
    if redis.call('STRLEN', keys[3]) >= RECOVERED_BYTES_MAX then return { 2 } end
    -- Tokens have whole seconds: one of this second cannot be told from the new one.
    local from = math.floor(now / 1000) + 1
    local last, times = string.match(redis.call('HGET', keys[11], int(number)) or '', '^(%d+):(%d+)$')
    last, times = num(last), num(times)
    if last + RECOVER_AGAIN_S > from then
        from = last
    elseif times >= RECOVERIES_MAX then
        return { 2 }
    else
        append_pair(keys[3], number, from)
        redis.call('HSET', keys[11], int(number), int(from) .. ':' .. int(times + 1))
        local pid, cap = string.match(redis.call('HGET', keys[6], int(number)) or '', '^(.-)@(%d+)$')
        if pid and redis.call('ZCARD', keys[10]) < REVOKED_MAX then
            redis.call('ZADD', keys[10], cap, pid .. '@' .. int(from))
            redis.call('HINCRBY', keys[1], 'revocations', 1)
        end
    end
    return { 1, number, from, arrival(keys[4], number), rank_of(keys[5], meta, number) or 0, num(meta.generation),
        tonumber(meta.cohort or '-1') }
end

redis.register_function('rank_@HASH@', rank)
redis.register_function('name_round_@HASH@', name_round)
redis.register_function('draw_@HASH@', draw)
redis.register_function('checkpoint_@HASH@', checkpoint)
redis.register_function('extend_@HASH@', extend)
redis.register_function('recover_@HASH@', recover)
