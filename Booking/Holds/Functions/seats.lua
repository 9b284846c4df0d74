#!lua name=usher_seats_@HASH@
-- Seats of a session: one byte each, holds as fenced leases, truth elsewhere (PostgreSQL's claims).
--
-- Every function takes one key, the session's tag `{s:<id>}`; its keys are that tag plus
--   :meta   HASH    epoch, run, sections, seq, fence, free, held, pending, sold, blocked (written last by a load)
--   :sec:<k> STRING one letter per seat: F free, H held, S sold, B blocked; each row followed by |
--   :spots  STRING  per seat number 6 bytes: section (2), byte in the section's string (4), big endian
--   :own    HASH    seat number -> id of the hold that has it (letters H and S)
--   :hold   HASH    hold id -> state;fence;deadline;account;order;extensions;seats (A active, P pinned)
--   :exp    ZSET    hold id -> deadline in ms, active holds only
--   :lim    HASH    account -> seats held, pending and sold
--   :pass   HASH    pass id -> the account it belongs to
--   :gone   ZSET    hold ids that ended -> when, kept for TOMBSTONE_MS
--   :log    STREAM  id <epoch>-<seq>, fields letter -> seat numbers, applied in order; about DELTAS_MAX entries
-- Time is the server's. Each function first frees due holds (a whole change of its own), then checks everything, then
-- writes. The comment of each function lists its arguments and what it answers. Answers are arrays whose first word
-- is `ok` or the refusal:
--   unavailable <why>  the session is not loaded, of another epoch, or was loaded before the server last started:
--     a restarted or promoted server may have lost answered writes, so PostgreSQL must be asked again
--   taken <seats>  limit <remaining>  pass_bound  expired  not_found  stale
-- A hold is answered as ok, state, fence, deadline, account, seats; lists of seats are decimal numbers with commas.

local DUE_MAX = 16
local DELTAS_MAX = 10000
local TOMBSTONE_MS = 600000
local EXTENSIONS_MAX = 5
local FENCES_PER_EPOCH = 1000000000

local function whole(number)
  return string.format('%.0f', number)
end

local function numbers(text)
  local list = {}
  for number in string.gmatch(text, '%d+') do list[#list + 1] = tonumber(number) end
  return list
end

-- Reading ------------------------------------------------------------------------------------------------------------

-- The run id of this server process, asked once: a library is read anew when a server starts.
local run_id
local function this_run()
  run_id = run_id or string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  return run_id
end

local function open(tag)
  local meta = redis.call('HMGET', tag .. ':meta', 'epoch', 'sections', 'run')
  if not meta[1] then return nil, { 'unavailable', 'the session is not loaded' } end
  if meta[3] ~= this_run() then return nil, { 'unavailable', 'the server has started anew' } end
  local time = redis.call('TIME')
  return {
    tag = tag,
    epoch = meta[1],
    sections = tonumber(meta[2]),
    now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000),
    spots = {},
  }
end

local function spot_of(s, seat)
  local spot = s.spots[seat]
  if not spot then
    local raw = redis.call('GETRANGE', s.tag .. ':spots', seat * 6, seat * 6 + 5)
    if #raw ~= 6 then return nil end
    local section, offset = struct.unpack('>I2I4', raw)
    spot = { key = s.tag .. ':sec:' .. section, offset = offset }
    s.spots[seat] = spot
  end
  return spot
end

-- The seat's letter, or nil when there is no such seat.
local function letter_of(s, seat)
  local spot = spot_of(s, seat)
  return spot and redis.call('GETRANGE', spot.key, spot.offset, spot.offset)
end

local function owner_of(s, seat)
  return redis.call('HGET', s.tag .. ':own', seat)
end

local function read_hold(s, id)
  local text = redis.call('HGET', s.tag .. ':hold', id)
  if not text then return nil end
  local state, fence, deadline, account, order, extensions, seats =
    string.match(text, '^(%a);(%d+);(%d+);([^;]*);([^;]*);(%d+);(.*)$')
  return {
    id = id, state = state, fence = fence, deadline = tonumber(deadline), account = account, order = order,
    extensions = tonumber(extensions), seats = numbers(seats),
  }
end

local function is_gone(s, id)
  return redis.call('ZSCORE', s.tag .. ':gone', id)
end

local function answer(hold)
  return {
    'ok', hold.state == 'P' and 'pinned' or 'active', hold.fence, whole(hold.deadline), hold.account,
    table.concat(hold.seats, ','),
  }
end

-- Writing: a plan is made first, from reads alone; then it is written at once. -------------------------------------------

local function new_plan()
  return { changes = {}, moved = {}, counts = {}, limits = {}, ended = {} }
end

local function add(numbers_by_name, name, change)
  numbers_by_name[name] = (numbers_by_name[name] or 0) + change
end

-- One seat goes from one letter and count to another, and then belongs to a hold (or to nobody).
local function move(plan, seat, before, letter, from, to, owner)
  plan.changes[#plan.changes + 1] = { seat = seat, letter = letter, owner = owner, is_seen = before ~= letter }
  plan.moved[seat] = true
  add(plan.counts, from, -1)
  add(plan.counts, to, 1)
end

local function is_moved(plan, seat)
  return plan.moved[seat]
end

local function class_of(hold)
  return hold.state == 'P' and 'pending' or 'held'
end

-- Gives back those of a hold's seats that are still its own and not moved otherwise.
local function free_rest(s, plan, hold)
  for _, seat in ipairs(hold.seats) do
    if not is_moved(plan, seat) and owner_of(s, seat) == hold.id and letter_of(s, seat) == 'H' then
      move(plan, seat, 'H', 'F', class_of(hold), 'free', nil)
      add(plan.limits, hold.account, -1)
    end
  end
end

local function finish(plan, id)
  plan.ended[#plan.ended + 1] = id
end

local function write_hold(s, hold)
  redis.call('HSET', s.tag .. ':hold', hold.id, table.concat({
    hold.state, hold.fence, whole(hold.deadline), hold.account, hold.order, hold.extensions,
    table.concat(hold.seats, ','),
  }, ';'))
  if hold.state == 'A' then
    redis.call('ZADD', s.tag .. ':exp', whole(hold.deadline), hold.id)
  else
    redis.call('ZREM', s.tag .. ':exp', hold.id)
  end
end

local function next_fence(s)
  return whole(redis.call('HINCRBY', s.tag .. ':meta', 'fence', 1))
end

local function log_changes(s, plan)
  local letters, seats = {}, {}
  for _, change in ipairs(plan.changes) do
    if change.is_seen then
      if not seats[change.letter] then
        letters[#letters + 1] = change.letter
        seats[change.letter] = {}
      end
      table.insert(seats[change.letter], change.seat)
    end
  end
  if #letters == 0 then return end
  local seq = redis.call('HINCRBY', s.tag .. ':meta', 'seq', 1)
  local entry = { 'XADD', s.tag .. ':log', 'MAXLEN', '~', DELTAS_MAX, s.epoch .. '-' .. whole(seq) }
  for _, letter in ipairs(letters) do
    entry[#entry + 1] = letter
    entry[#entry + 1] = table.concat(seats[letter], ',')
  end
  redis.call(unpack(entry))
end

local function write(s, plan)
  for _, id in ipairs(plan.ended) do
    redis.call('HDEL', s.tag .. ':hold', id)
    redis.call('ZREM', s.tag .. ':exp', id)
    redis.call('ZADD', s.tag .. ':gone', whole(s.now), id)
  end
  if #plan.changes == 0 then return end
  for _, change in ipairs(plan.changes) do
    local spot = spot_of(s, change.seat)
    redis.call('SETRANGE', spot.key, spot.offset, change.letter)
    if change.owner then
      redis.call('HSET', s.tag .. ':own', change.seat, change.owner)
    else
      redis.call('HDEL', s.tag .. ':own', change.seat)
    end
  end
  for name, change in pairs(plan.counts) do
    if change ~= 0 then redis.call('HINCRBY', s.tag .. ':meta', name, change) end
  end
  for account, change in pairs(plan.limits) do
    if change ~= 0 and redis.call('HINCRBY', s.tag .. ':lim', account, change) <= 0 then
      redis.call('HDEL', s.tag .. ':lim', account)
    end
  end
  log_changes(s, plan)
end

local function drain(s, limit)
  local due = redis.call('ZRANGEBYSCORE', s.tag .. ':exp', '-inf', whole(s.now), 'LIMIT', 0, limit)
  if #due > 0 then
    local plan = new_plan()
    for _, id in ipairs(due) do
      local hold = read_hold(s, id)
      if hold then free_rest(s, plan, hold) end
      finish(plan, id)
    end
    write(s, plan)
  end
  local old = redis.call('ZRANGEBYSCORE', s.tag .. ':gone', '-inf', whole(s.now - TOMBSTONE_MS), 'LIMIT', 0, DUE_MAX)
  if #old > 0 then redis.call('ZREM', s.tag .. ':gone', unpack(old)) end
  return #due
end

-- Opens the session and frees what is due; `epoch` may be nil where any will do.
local function begin(tag, epoch)
  local s, refusal = open(tag)
  if not s then return nil, refusal end
  if epoch and s.epoch ~= epoch then return nil, { 'unavailable', 'the session has another epoch' } end
  drain(s, DUE_MAX)
  return s
end

local function has_ended(s, hold)
  return hold.state == 'A' and hold.deadline <= s.now
end

-- The functions --------------------------------------------------------------------------------------------------------

-- hold id, account, pass or '', limit, lifetime in ms, epoch, seats -> a hold
-- The same id again answers the same hold; an id that has ended is `expired`.
local function place(keys, args)
  local s, refusal = begin(keys[1], args[6])
  if not s then return refusal end
  local id, account, pass, limit = args[1], args[2], args[3], tonumber(args[4])
  local known = read_hold(s, id)
  if known then
    if known.account ~= account then return { 'not_found' } end
    if has_ended(s, known) then return { 'expired' } end
    return answer(known)
  end
  if is_gone(s, id) then return { 'expired' } end
  if pass ~= '' then
    local holder = redis.call('HGET', s.tag .. ':pass', pass)
    if holder and holder ~= account then return { 'pass_bound' } end
  end
  local seats = numbers(args[7])
  local have = tonumber(redis.call('HGET', s.tag .. ':lim', account) or 0)
  if have + #seats > limit then return { 'limit', whole(math.max(0, limit - have)) } end

  local plan, taken = new_plan(), {}
  for _, seat in ipairs(seats) do
    if letter_of(s, seat) == 'F' and not is_moved(plan, seat) then
      move(plan, seat, 'F', 'H', 'free', 'held', id)
    else
      taken[#taken + 1] = seat
    end
  end
  if #taken > 0 or #seats == 0 then return { 'taken', table.concat(taken, ',') } end
  add(plan.limits, account, #seats)

  local hold = {
    id = id, state = 'A', fence = next_fence(s), deadline = s.now + tonumber(args[5]), account = account, order = '',
    extensions = 0, seats = seats,
  }
  write(s, plan)
  write_hold(s, hold)
  if pass ~= '' then redis.call('HSET', s.tag .. ':pass', pass, account) end
  return answer(hold)
end

-- hold id -> a hold, or not_found
local function read(keys, args)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local hold = read_hold(s, args[1])
  if not hold or has_ended(s, hold) then return { 'not_found' } end
  return answer(hold)
end

-- hold id, account, the time that must be left in ms, epoch -> a hold whose deadline is at least that far away
-- A hold is extended EXTENSIONS_MAX times at most; then it is `expired` for this purpose.
local function touch(keys, args)
  local s, refusal = begin(keys[1], args[4])
  if not s then return refusal end
  local hold = read_hold(s, args[1])
  if not hold then return { is_gone(s, args[1]) and 'expired' or 'not_found' } end
  if hold.account ~= args[2] then return { 'not_found' } end
  if has_ended(s, hold) then return { 'expired' } end
  local needed = s.now + tonumber(args[3])
  if hold.state == 'A' and hold.deadline < needed then
    if hold.extensions >= EXTENSIONS_MAX then return { 'expired' } end
    hold.deadline = needed
    hold.extensions = hold.extensions + 1
    write_hold(s, hold)
  end
  return answer(hold)
end

-- hold id, account -> ok; gone is fine, a pinned hold is left alone (`expired`)
local function release(keys, args)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local hold = read_hold(s, args[1])
  if not hold then return { 'ok' } end
  if hold.account ~= args[2] then return { 'not_found' } end
  if hold.state == 'P' then return { 'expired' } end
  local plan = new_plan()
  free_rest(s, plan, hold)
  finish(plan, hold.id)
  write(s, plan)
  return { 'ok' }
end

-- Plans to give one seat to `id`. An active hold of somebody else gives way: the claim in PostgreSQL has decided.
-- A seat that another order has is left alone: this projection is older than that.
local function claim_seat(s, plan, evicted, seat, id, account, letter, class, was)
  local now, owner = letter_of(s, seat), owner_of(s, seat)
  if not now or is_moved(plan, seat) then return false end
  if owner == id then
    if now == 'S' then return letter == 'S' end
    move(plan, seat, now, letter, was, class, id)
    return true
  end
  if now == 'H' and owner then
    local other = evicted[owner] or read_hold(s, owner)
    if not other or other.state ~= 'A' then return false end
    evicted[owner] = other
    move(plan, seat, now, letter, 'held', class, id)
    add(plan.limits, other.account, -1)
  elseif now == 'F' then
    move(plan, seat, now, letter, 'free', class, id)
  else
    return false
  end
  add(plan.limits, account, 1)
  return true
end

-- pinned | sold | free, hold id, order, account, deadline in ms (pinned) or 0, seats -> ok, seats left alone
-- Idempotent, in the order of the order's life; a hold that was lost is made again.
local function settle(keys, args)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local outcome, id, account = args[1], args[2], args[4]
  local known = read_hold(s, id)
  local was = known and class_of(known) or 'pending'
  local plan, evicted, owned, skipped = new_plan(), {}, {}, 0
  for _, seat in ipairs(numbers(args[6])) do
    local done
    if outcome == 'free' then
      local now = letter_of(s, seat)
      done = owner_of(s, seat) == id and (now == 'H' or now == 'S') and not is_moved(plan, seat)
      if done then
        move(plan, seat, now, 'F', now == 'S' and 'sold' or was, 'free', nil)
        add(plan.limits, account, -1)
      end
    elseif outcome == 'sold' then
      done = claim_seat(s, plan, evicted, seat, id, account, 'S', 'sold', was)
    else
      done = claim_seat(s, plan, evicted, seat, id, account, 'H', 'pending', was)
    end
    if done then owned[#owned + 1] = seat else skipped = skipped + 1 end
  end
  if known then free_rest(s, plan, known) end
  for other, hold in pairs(evicted) do
    free_rest(s, plan, hold)
    finish(plan, other)
  end
  local stays = outcome == 'pinned' and #owned > 0
  if not stays then finish(plan, id) end
  write(s, plan)
  if stays then
    redis.call('ZREM', s.tag .. ':gone', id)
    write_hold(s, {
      id = id, state = 'P', fence = known and known.fence or next_fence(s), deadline = tonumber(args[5]),
      account = account, order = args[3], extensions = known and known.extensions or 0, seats = owned,
    })
  end
  return { 'ok', whole(skipped) }
end

-- limit -> ok, holds freed
local function sweep(keys, args)
  local s, refusal = open(keys[1])
  if not s then return refusal end
  return { 'ok', whole(drain(s, tonumber(args[1]))) }
end

-- -> ok, epoch, seq, one string per section
local function letters(keys)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local reply = { 'ok', s.epoch, redis.call('HGET', s.tag .. ':meta', 'seq') }
  for section = 0, s.sections - 1 do
    reply[#reply + 1] = redis.call('GET', s.tag .. ':sec:' .. section) or ''
  end
  return reply
end

-- -> ok, free, held, pending, sold, blocked
local function counts(keys)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local found = redis.call('HMGET', s.tag .. ':meta', 'free', 'held', 'pending', 'sold', 'blocked')
  return { 'ok', found[1], found[2], found[3], found[4], found[5] }
end

-- -> ok, epoch
local function epoch(keys)
  local s, refusal = open(keys[1])
  if not s then return refusal end
  return { 'ok', s.epoch }
end

-- epoch, sections n, n strings, spots, free, pending, sold, blocked, then per order: P | S, hold id, order, account,
-- deadline in ms, seats -> ok; `stale` when a later epoch is there; the same epoch of this run is kept as it is.
local function load(keys, args)
  local tag, epoch, sections = keys[1], tonumber(args[1]), tonumber(args[2])
  local before = redis.call('HMGET', tag .. ':meta', 'epoch', 'sections', 'run')
  if before[1] then
    if tonumber(before[1]) > epoch then return { 'stale' } end
    if tonumber(before[1]) == epoch and before[3] == this_run() then return { 'ok' } end
  end
  for _, part in ipairs({ 'meta', 'spots', 'own', 'hold', 'exp', 'lim', 'log' }) do
    redis.call('DEL', tag .. ':' .. part)
  end
  for section = 0, tonumber(before[2] or 0) - 1 do redis.call('DEL', tag .. ':sec:' .. section) end
  for section = 0, sections - 1 do redis.call('SET', tag .. ':sec:' .. section, args[3 + section]) end
  local at = 3 + sections
  redis.call('SET', tag .. ':spots', args[at])
  local free, pending, sold, blocked = args[at + 1], args[at + 2], args[at + 3], args[at + 4]
  local fence = epoch * FENCES_PER_EPOCH
  local s = { tag = tag }
  for first = at + 5, #args, 6 do
    local state, id, order, account = args[first], args[first + 1], args[first + 2], args[first + 3]
    local seats = numbers(args[first + 5])
    for _, seat in ipairs(seats) do redis.call('HSET', tag .. ':own', seat, id) end
    redis.call('HINCRBY', tag .. ':lim', account, #seats)
    if state == 'P' then
      fence = fence + 1
      write_hold(s, {
        id = id, state = 'P', fence = whole(fence), deadline = tonumber(args[first + 4]), account = account,
        order = order, extensions = 0, seats = seats,
      })
    end
  end
  redis.call('HSET', tag .. ':meta', 'run', this_run(), 'sections', sections, 'seq', 0, 'fence', whole(fence), 'free', free, 'held', 0,
    'pending', pending, 'sold', sold, 'blocked', blocked, 'epoch', whole(epoch))
  return { 'ok' }
end

redis.register_function('place_@HASH@', place)
redis.register_function('read_@HASH@', read)
redis.register_function('touch_@HASH@', touch)
redis.register_function('release_@HASH@', release)
redis.register_function('settle_@HASH@', settle)
redis.register_function('sweep_@HASH@', sweep)
redis.register_function('letters_@HASH@', letters)
redis.register_function('counts_@HASH@', counts)
redis.register_function('epoch_@HASH@', epoch)
redis.register_function('load_@HASH@', load)
