-- What PostgreSQL decided, and what is read of a whole session.
-- Keys: all of a session. The comment of each function lists its arguments and what it answers.

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

-- pinned | sold | free | blocked, hold id, order, account, deadline in ms (pinned) or 0, seats -> ok, seats left alone
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
    if outcome == 'free' or outcome == 'blocked' then
      local now = letter_of(s, seat)
      done = owner_of(s, seat) == id and (now == 'H' or now == 'S') and not is_moved(plan, seat)
      if done then
        local letter = outcome == 'free' and 'F' or 'B'
        move(plan, seat, now, letter, now == 'S' and 'sold' or was, outcome, nil)
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
      account = account, order = args[3], extensions = known and known.extensions or 0,
      born = known and known.born or s.now, seats = owned,
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

-- sequence, limit -> ok, epoch, then per change after that sequence, oldest first: its sequence, letter and seats, …
local function changes(keys, args)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local after = s.epoch .. '-' .. whole(tonumber(args[1]) + 1)
  local reply = { 'ok', s.epoch }
  for _, entry in ipairs(redis.call('XRANGE', s.tag .. ':log', after, '+', 'COUNT', args[2])) do
    local sequence = string.match(entry[1], '%-(%d+)$')
    reply[#reply + 1] = sequence .. ' ' .. table.concat(entry[2], ' ')
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
