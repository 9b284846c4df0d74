-- Building a session anew, and the names under which the functions are called.
-- Keys: all of a session. The comment of each function lists its arguments and what it answers.

-- The digits of every row, from the letters of the sections.
local function load_runs(s)
  local digits = {}
  for class = 1, RUNS_MAX do
    digits[class] = {}
    for number = 1, s.row_count do digits[class][number] = '0' end
  end
  for number = 0, s.row_count - 1 do
    local row = row_of(s, number)
    if row.kind ~= AREA then
      for class in pairs(classes_of(general_text(row, s.tag, text_of(row)))) do digits[class][number + 1] = '1' end
    end
  end
  for class = 1, RUNS_MAX do digits[class] = table.concat(digits[class]) end
  redis.call('SET', s.tag .. ':runs', table.concat(digits))
end

-- The strings that say where seats are. `args` from `at` on: per section its letters, per section its mask or '',
-- :at, :rows, :secs, :accrows; answers where they end.
local function load_layout(tag, sections, args, at)
  for section = 0, sections - 1 do
    redis.call('SET', tag .. ':sec:' .. section, args[at + section])
    local mask = args[at + sections + section]
    if mask ~= '' then redis.call('SET', tag .. ':acc:' .. section, mask) end
  end
  at = at + 2 * sections
  for _, part in ipairs({ 'at', 'rows', 'secs', 'accrows' }) do
    redis.call('SET', tag .. ':' .. part, args[at])
    at = at + 1
  end
  return at
end

-- Per order: P | S, hold id, order, account, deadline in ms, seats; answers the last fence given.
local function load_holds(s, args, at, fence)
  for first = at, #args, 6 do
    local state, id, order, account = args[first], args[first + 1], args[first + 2], args[first + 3]
    local seats = numbers(args[first + 5])
    local owners = { 'HSET', s.tag .. ':own' }
    for _, seat in ipairs(seats) do
      owners[#owners + 1] = seat
      owners[#owners + 1] = id
    end
    redis.call(unpack(owners))
    redis.call('HINCRBY', s.tag .. ':lim', account, #seats)
    if state == 'P' then
      fence = fence + 1
      write_hold(s, {
        id = id, state = 'P', fence = whole(fence), deadline = tonumber(args[first + 4]), account = account,
        order = order, extensions = 0, born = s.now, seats = seats,
      })
    end
  end
  return fence
end

-- epoch, sections n, rows, what load_layout takes, free, pending, sold, blocked, what load_holds takes -> ok; `stale`
-- when a later epoch is there; the same epoch of this run is kept as it is. `meta` is written last and opens the
-- session.
local function load(keys, args)
  local tag, epoch, sections = keys[1], tonumber(args[1]), tonumber(args[2])
  local before = redis.call('HMGET', tag .. ':meta', 'epoch', 'sections', 'run', 'format')
  if before[1] then
    if tonumber(before[1]) > epoch then return { 'stale' } end
    if tonumber(before[1]) == epoch and before[3] == this_run() and before[4] == FORMAT then return { 'ok' } end
  end
  for _, part in ipairs({ 'meta', 'at', 'rows', 'secs', 'accrows', 'runs', 'own', 'hold', 'exp', 'lim', 'log' }) do
    redis.call('DEL', tag .. ':' .. part)
  end
  for section = 0, tonumber(before[2] or 0) - 1 do
    redis.call('DEL', tag .. ':sec:' .. section, tag .. ':acc:' .. section)
  end
  local time = redis.call('TIME')
  layouts[tag] = nil
  local s = {
    tag = tag, epoch = whole(epoch), row_count = tonumber(args[3]), now = tonumber(time[1]) * 1000, rows = {}, known = 0,
  }
  local at = load_layout(tag, sections, args, 4)
  load_runs(s)
  local free, pending, sold, blocked = args[at], args[at + 1], args[at + 2], args[at + 3]
  local fence = load_holds(s, args, at + 4, epoch * FENCES_PER_EPOCH)
  redis.call('HSET', tag .. ':meta', 'format', FORMAT, 'run', this_run(), 'sections', sections, 'rows', args[3],
    'seq', 0, 'fence', whole(fence), 'free', free, 'held', 0, 'pending', pending, 'sold', sold, 'blocked', blocked,
    'epoch', whole(epoch))
  return { 'ok' }
end

redis.register_function('place_@HASH@', place)
redis.register_function('read_@HASH@', read)
redis.register_function('touch_@HASH@', touch)
redis.register_function('release_@HASH@', release)
redis.register_function('extend_@HASH@', extend)
redis.register_function('settle_@HASH@', settle)
redis.register_function('force_@HASH@', force)
redis.register_function('keep_@HASH@', keep)
redis.register_function('standing_@HASH@', standing)
redis.register_function('sweep_@HASH@', sweep)
redis.register_function('letters_@HASH@', letters)
redis.register_function('changes_@HASH@', changes)
redis.register_function('counts_@HASH@', counts)
redis.register_function('epoch_@HASH@', epoch)
redis.register_function('load_@HASH@', load)
