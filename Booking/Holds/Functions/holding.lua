-- Holds: made, read, lengthened, released.
-- Keys: all of a session. The comment of each function lists its arguments and what it answers.

local EXTENSIONS_MAX = 5

-- What a choice answers when it cannot have all it wants.
local function too_few(found)
  return { 'few', whole(found) }
end

-- quantity, all | partial, 1 when only together, 1 when accessible, sections (none: all) -> seats or nil, refusal
local function choose_best(s, args, room)
  local wanted, is_partial, sections = tonumber(args[1]), args[2] == 'partial', numbers(args[5])
  local is_together, is_accessible = args[3] == '1', args[4] == '1'
  if is_partial then wanted = math.min(wanted, room) end
  while true do
    local c = new_choice(s, sections)
    local found
    if is_accessible then
      found = pick_accessible(c, wanted, is_together)
    else
      found = pick_best(c, wanted, is_together)
    end
    if found == wanted then return c.seats end
    if is_together and not is_partial then return nil, { 'apart' } end
    -- The longest that is together is found one by one; otherwise what was found is all there is.
    if is_together then found = wanted - 1 end
    if not is_partial or found < 1 then return nil, too_few(found) end
    wanted = found
  end
end

-- section:quantity, … -> seats or nil, refusal
local function choose_places(s, args)
  local c, wanted = new_choice(s, {}), 0
  for section, quantity in string.gmatch(args[1], '(%d+):(%d+)') do
    wanted = wanted + tonumber(quantity)
    pick_places(c, tonumber(section), tonumber(quantity))
  end
  if #c.seats < wanted then return nil, too_few(#c.seats) end
  return c.seats
end

-- seats, 1 when none may be left alone -> seats or nil, refusal
local function choose_named(s, args)
  local seats, taken, seen = numbers(args[1]), {}, {}
  for _, seat in ipairs(seats) do
    if letter_of(s, seat) ~= 'F' or seen[seat] then taken[#taken + 1] = seat end
    seen[seat] = true
  end
  if #taken > 0 or #seats == 0 then return nil, { 'taken', table.concat(taken, ',') } end
  if args[2] == '1' then
    local left = orphans(s, seats)
    if #left > 0 then return nil, { 'orphan', table.concat(left, ',') } end
  end
  return seats
end

-- How many seats are asked for, for the buyer's limit; a partial wish takes what the limit leaves.
local function asked(how, args)
  if how == 'seats' then return #numbers(args[1]) end
  if how == 'best' then return args[2] == 'partial' and 1 or tonumber(args[1]) end
  local sum = 0
  for quantity in string.gmatch(args[1], ':(%d+)') do sum = sum + tonumber(quantity) end
  return sum
end

local function choose(s, how, args, room)
  if how == 'best' then return choose_best(s, args, room) end
  if how == 'areas' then return choose_places(s, args) end
  return choose_named(s, args)
end

-- hold id, account, pass or '', limit, lifetime in ms, epoch, flags (c: droppers cool down,
-- o: an offer to somebody on the waiting list), seats | best | areas, and what the choice of that name
-- above takes -> a hold
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
  if s.kept > s.now and s.freed > s.served and not string.find(args[7], 'o', 1, true) then return { 'waiting' } end
  local left = string.find(args[7], 'c', 1, true) and cool_down_left(s, account) or 0
  if left > 0 then return { 'cooling', whole(left) } end
  local how, wish = args[8], { unpack(args, 9) }
  local room = limit - tonumber(redis.call('HGET', s.tag .. ':lim', account) or 0)
  if asked(how, wish) > room then return { 'limit', whole(math.max(0, room)) } end
  local seats, refused = choose(s, how, wish, room)
  if not seats then return refused end
  table.sort(seats)

  local plan = new_plan()
  for _, seat in ipairs(seats) do move(plan, seat, 'F', 'H', 'free', 'held', id) end
  add(plan.limits, account, #seats)
  local hold = {
    id = id, state = 'A', fence = next_fence(s), deadline = s.now + tonumber(args[5]), account = account, order = '',
    extensions = 0, born = s.now, seats = seats,
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

-- hold id, account, lifetime in ms, times at most, ms since it was made at most, epoch -> a hold
-- The buyer asks for more time: `spent` when there is none to be had any more.
local function extend(keys, args)
  local s, refusal = begin(keys[1], args[6])
  if not s then return refusal end
  local hold = read_hold(s, args[1])
  if not hold then return { is_gone(s, args[1]) and 'expired' or 'not_found' } end
  if hold.account ~= args[2] then return { 'not_found' } end
  if has_ended(s, hold) then return { 'expired' } end
  local deadline = math.min(s.now + tonumber(args[3]), hold.born + tonumber(args[5]))
  if hold.state ~= 'A' or hold.extensions >= tonumber(args[4]) or deadline <= hold.deadline then return { 'spent' } end
  hold.deadline = deadline
  hold.extensions = hold.extensions + 1
  write_hold(s, hold)
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
  note_drop(s, hold.account)
  return { 'ok' }
end
