#!lua name=usher_seats_@HASH@
-- Seats of a session: one byte each, holds as fenced leases, truth elsewhere (PostgreSQL's claims).
-- The library is these files, one after the other: seats.lua, dropping.lua, runs.lua, writing.lua, choosing.lua,
-- holding.lua, settling.lua, forcing.lua, and loading.lua, which registers the functions.
--
-- Every function takes one of the keys, the session's tag `{s:<id>}`; its keys are that tag plus
--   :meta   HASH    format, epoch, run, sections, rows, seq, fence, free, held, pending, sold, blocked;
--                   freed: seq of the last change that freed seats; kept: until when, in ms, what was freed after seq
--                   `served` is for those on the waiting list alone
--   :sec:<k> STRING one letter per seat: F free, H held, S sold, B blocked; each row followed by |
--   :acc:<k> STRING one letter per byte of :sec:<k>: A where the seat is accessible; only for sections that have some
--   :at     STRING  per seat number 4 bytes: its row, big endian
--   :rows   STRING  per row ROW_BYTES: section (2), byte in the section's string (4), seats (4), number of the first
--                   seat (4), kind (1): 0 seats, 1 seats of which some are accessible, 2 an area of unnumbered places
--   :secs   STRING  per section 8 bytes: first row (4), rows (4)
--   :accrows STRING per row of kind 1 its number (4)
--   :runs   STRING  per length 1 to RUNS_MAX and row one digit: 1 when the row has a free run of just that length (of
--                   RUNS_MAX and more, for the last), accessible seats counted as not free; rows of kind 2 have none
--   :own    HASH    seat number -> id of the hold that has it (letters H and S)
--   :hold   HASH    hold id -> state;fence;deadline;account;order;extensions;born;seats (A active, P pinned)
--   :exp    ZSET    hold id -> deadline in ms, active holds only
--   :lim    HASH    account -> seats held, pending and sold
--   :pass   HASH    pass id -> the account it belongs to
--   :drop   HASH    account -> drops;last;until, of holds that ended without an order
--   :gone   ZSET    hold ids that ended -> when, kept for TOMBSTONE_MS
--   :log    STREAM  id <epoch>-<seq>, fields letter -> seat numbers, applied in order; about DELTAS_MAX entries
-- Time is the server's. Each function first frees due holds (a whole change of its own), then checks everything, then
-- writes. The comment of each function lists its arguments and what it answers. Answers are arrays whose first word
-- is `ok` or the refusal:
--   unavailable <why>  the session is not loaded, of another epoch, was loaded by another version, or before the
--     server last started: a restarted or promoted server may have lost answered writes, so PostgreSQL must be asked
--   taken <seats>  orphan <seats>  few <free>  apart  limit <remaining>  cooling <ms>  pass_bound  expired  spent
--   waiting  not_found  stale
-- A hold is answered as ok, state, fence, deadline, account, seats; lists of seats are decimal numbers with commas.

local FORMAT = '2'
local DUE_MAX = 16
local DELTAS_MAX = 10000
local TOMBSTONE_MS = 600000
local FENCES_PER_EPOCH = 1000000000
local ROW_BYTES = 15
-- With more rows at hand, a seat's row is read rather than looked for among them.
local LOOK_THROUGH_MAX = 8
local WITH_ACCESSIBLE, AREA = 1, 2

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
  local meta = redis.call('HMGET', tag .. ':meta', 'epoch', 'sections', 'rows', 'run', 'format', 'kept', 'freed',
    'served')
  if not meta[1] then return nil, { 'unavailable', 'the session is not loaded' } end
  if meta[4] ~= this_run() then return nil, { 'unavailable', 'the server has started anew' } end
  if meta[5] ~= FORMAT then return nil, { 'unavailable', 'the session was loaded by another version' } end
  local time = redis.call('TIME')
  return {
    tag = tag,
    epoch = meta[1],
    sections = tonumber(meta[2]),
    row_count = tonumber(meta[3]),
    now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000),
    kept = tonumber(meta[6] or 0),
    freed = tonumber(meta[7] or 0),
    served = tonumber(meta[8] or 0),
    rows = {},
    known = 0,
  }
end

-- Where rows are does not change within an epoch: the text is kept between calls, for so many sessions.
local LAYOUTS_MAX = 64
local layouts, layout_count = {}, 0
local function rows_text(s)
  local known = layouts[s.tag]
  if known and known.epoch == s.epoch then return known.rows end
  if not known then
    if layout_count >= LAYOUTS_MAX then layouts, layout_count = {}, 0 end
    layout_count = layout_count + 1
  end
  layouts[s.tag] = { epoch = s.epoch, rows = redis.call('GET', s.tag .. ':rows') or '' }
  return layouts[s.tag].rows
end

-- Rows are read once per call; the texts of rows follow what the call writes.
local function row_of(s, number)
  local row = s.rows[number]
  if not row then
    local text = rows_text(s)
    if number < 0 or #text < (number + 1) * ROW_BYTES then return nil end
    local section, offset, count, first, kind = struct.unpack('>I2I4I4I4B', text, number * ROW_BYTES + 1)
    row = {
      number = number, section = section, key = s.tag .. ':sec:' .. section, offset = offset, count = count,
      first = first, kind = kind,
    }
    s.rows[number] = row
    s.known = s.known + 1
  end
  s.last = row
  return row
end

-- The row of a seat, or nil when there is no such seat.
local function row_with(s, seat)
  local row = s.last
  if row and seat >= row.first and seat < row.first + row.count then return row end
  if s.known <= LOOK_THROUGH_MAX then
    for _, known in pairs(s.rows) do
      if seat >= known.first and seat < known.first + known.count then
        s.last = known
        return known
      end
    end
  end
  local raw = redis.call('GETRANGE', s.tag .. ':at', seat * 4, seat * 4 + 3)
  if #raw ~= 4 then return nil end
  return row_of(s, (struct.unpack('>I4', raw)))
end

-- The letters of a row of seats.
local function text_of(row)
  if not row.text then
    row.text = redis.call('GETRANGE', row.key, row.offset, row.offset + row.count - 1)
  end
  return row.text
end

-- The seat's letter, or nil when there is no such seat. Places of an area are read one by one: it may be very long.
local function letter_of(s, seat)
  local row = row_with(s, seat)
  if not row then return nil end
  local index = seat - row.first
  if row.kind == AREA then return redis.call('GETRANGE', row.key, row.offset + index, row.offset + index) end
  return string.sub(text_of(row), index + 1, index + 1)
end

local function owner_of(s, seat)
  return redis.call('HGET', s.tag .. ':own', seat)
end

local function read_hold(s, id)
  local text = redis.call('HGET', s.tag .. ':hold', id)
  if not text then return nil end
  local state, fence, deadline, account, order, extensions, born, seats =
    string.match(text, '^(%a);(%d+);(%d+);([^;]*);([^;]*);(%d+);(%d+);(.*)$')
  return {
    id = id, state = state, fence = fence, deadline = tonumber(deadline), account = account, order = order,
    extensions = tonumber(extensions), born = tonumber(born), seats = numbers(seats),
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
