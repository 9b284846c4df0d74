-- What staff and the comparison with PostgreSQL do to seats.
-- Keys: all of a session. The comment of each function lists its arguments and what it answers.

-- What a seat is, as one letter: P for held by an order, H for held by somebody who has not ordered.
local function standing_of(s, seat, hold)
  local letter = letter_of(s, seat)
  if letter == 'H' and not (hold and hold.state == 'A') then return 'P' end
  return letter
end

local CLASS = { F = 'free', H = 'held', P = 'pending', S = 'sold', B = 'blocked' }

-- F | B, the letters it may have now (as of standing_of), seats -> ok, seats left alone
-- A hold that loses a seat loses all of them.
local function force(keys, args)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local wanted, plan, evicted, skipped = args[1], new_plan(), {}, 0
  for _, seat in ipairs(numbers(args[3])) do
    local owner = owner_of(s, seat)
    local hold = owner and (evicted[owner] or read_hold(s, owner))
    local now = standing_of(s, seat, hold)
    if now and string.find(args[2], now, 1, true) and not is_moved(plan, seat) then
      local letter = now == 'P' and 'H' or now
      move(plan, seat, letter, wanted, CLASS[now], CLASS[wanted], nil)
      if hold then
        evicted[owner] = hold
        add(plan.limits, hold.account, -1)
      end
    else
      skipped = skipped + 1
    end
  end
  for id, hold in pairs(evicted) do
    free_rest(s, plan, hold)
    finish(plan, id)
  end
  write(s, plan)
  return { 'ok', whole(skipped) }
end

-- for how many ms what is freed is kept for those who wait, seq up to which they have been served or '' -> ok, seq
local function keep(keys, args)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  redis.call('HSET', s.tag .. ':meta', 'kept', whole(s.now + tonumber(args[1])))
  if args[2] ~= '' then redis.call('HSET', s.tag .. ':meta', 'served', args[2]) end
  return { 'ok', redis.call('HGET', s.tag .. ':meta', 'seq') }
end

-- -> ok, epoch, seats that orders hold, one string per section
local function standing(keys)
  local s, refusal = begin(keys[1])
  if not s then return refusal end
  local pinned = {}
  for _, text in ipairs(redis.call('HVALS', s.tag .. ':hold')) do
    local seats = string.match(text, '^P;.*;([%d,]*)$')
    if seats and seats ~= '' then pinned[#pinned + 1] = seats end
  end
  local reply = { 'ok', s.epoch, table.concat(pinned, ',') }
  for section = 0, s.sections - 1 do
    reply[#reply + 1] = redis.call('GET', s.tag .. ':sec:' .. section) or ''
  end
  return reply
end
