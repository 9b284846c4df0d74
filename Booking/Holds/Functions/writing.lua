-- Writing: a plan is made first, from reads alone; then it is written at once.
-- Keys: all of a session that change. The arguments are what seats.lua read; each function says what it answers.

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
    hold.state, hold.fence, whole(hold.deadline), hold.account, hold.order, hold.extensions, whole(hold.born),
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
  if seats.F then
    redis.call('HSET', s.tag .. ':meta', 'freed', whole(seq))
    s.freed = seq
  end
  local entry = { 'XADD', s.tag .. ':log', 'MAXLEN', '~', DELTAS_MAX, s.epoch .. '-' .. whole(seq) }
  for _, letter in ipairs(letters) do
    entry[#entry + 1] = letter
    entry[#entry + 1] = table.concat(seats[letter], ',')
  end
  redis.call(unpack(entry))
end

-- One write per row of seats, and its runs with it.
local function write_letters(s, plan)
  local edited = {}
  for _, change in ipairs(plan.changes) do
    local row = row_with(s, change.seat)
    local index = change.seat - row.first
    if row.kind == AREA then
      redis.call('SETRANGE', row.key, row.offset + index, change.letter)
    else
      if not edited[row.number] then edited[row.number] = text_of(row) end
      row.text = string.sub(row.text, 1, index) .. change.letter .. string.sub(row.text, index + 2)
    end
  end
  for number, before in pairs(edited) do
    local row = s.rows[number]
    redis.call('SETRANGE', row.key, row.offset, row.text)
    write_runs(s, row, before)
  end
end

local function write_owners(s, plan)
  local set, delete = { 'HSET', s.tag .. ':own' }, { 'HDEL', s.tag .. ':own' }
  for _, change in ipairs(plan.changes) do
    if change.owner then
      set[#set + 1] = change.seat
      set[#set + 1] = change.owner
    else
      delete[#delete + 1] = change.seat
    end
  end
  if #set > 2 then redis.call(unpack(set)) end
  if #delete > 2 then redis.call(unpack(delete)) end
end

local function write(s, plan)
  for _, id in ipairs(plan.ended) do
    redis.call('HDEL', s.tag .. ':hold', id)
    redis.call('ZREM', s.tag .. ':exp', id)
    redis.call('ZADD', s.tag .. ':gone', whole(s.now), id)
  end
  if #plan.changes == 0 then return end
  write_letters(s, plan)
  write_owners(s, plan)
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
      if hold then
        free_rest(s, plan, hold)
        note_drop(s, hold.account)
      end
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
