-- Best available: the ladder. Rows are ranked by their number: sections in order, rows best first; within a row the
-- best place is the centre.
--   1 together in a row, leaving no orphan (a single free seat that had a free neighbour before)
--   2 together in a row
--   3 for four and more: two halves near each other, nobody alone
--   4 the largest blocks, down to single seats
-- Keys: `:runs`, `:secs`, `:accrows` and rows. The arguments begin with a choice (`new_choice`). What finds a block
-- answers { row, at (from 0), size } or nil. What is picked is marked in the choice, not written.

local HALVES_MAX = 16
local ELSEWHERE = 1000000

local function new_choice(s, sections)
  local ranges = {}
  for _, section in ipairs(sections) do
    local raw = redis.call('GETRANGE', s.tag .. ':secs', section * 8, section * 8 + 7)
    if #raw == 8 then
      local first, count = struct.unpack('>I4I4', raw)
      ranges[#ranges + 1] = { first, first + count - 1 }
    end
  end
  if #sections == 0 then ranges[1] = { 0, s.row_count - 1 } end
  table.sort(ranges, function(left, right) return left[1] < right[1] end)
  return { s = s, ranges = ranges, texts = {}, seats = {} }
end

-- The general letters of a row as the choice sees them: what it has picked is not free any more.
local function seen_text(c, number)
  local row = row_of(c.s, number)
  return c.texts[number] or general_text(row, c.s.tag, text_of(row)), row
end

local function pick(c, block)
  local text, row = seen_text(c, block.row)
  c.texts[block.row] = string.sub(text, 1, block.at) .. string.rep('x', block.size)
    .. string.sub(text, block.at + block.size + 1)
  for index = block.at, block.at + block.size - 1 do c.seats[#c.seats + 1] = row.first + index end
end

-- Which classes of runs take a block: just as long, or so much longer that no single seat need be left.
local function classes_for(size, is_strict)
  local classes = {}
  for class = 1, RUNS_MAX do
    if class == RUNS_MAX or class == size or class >= size + (is_strict and 2 or 1) then
      classes[#classes + 1] = class
    end
  end
  return classes
end

local function digits_of(c)
  if not c.digits then c.digits = redis.call('GET', c.s.tag .. ':runs') end
  return c.digits
end

-- The first row of a range, from `from` on, whose digits name one of the classes (ascending). The digits of longer
-- runs follow in the same text, so that one search that finds nothing ends the matter for all of them.
local function first_digit(c, classes, from, last)
  local digits = digits_of(c)
  local best, skip_to = nil, 0
  for _, class in ipairs(classes) do
    if class >= skip_to then
      local base = (class - 1) * c.s.row_count
      local found = string.find(digits, '1', base + from + 1, true)
      if not found then return best end
      found = found - 1 - base
      if found <= last then
        if not best or found < best then best = found end
      else
        skip_to = class + math.floor(found / c.s.row_count)
      end
    end
  end
  return best
end

local function has_run_of(text, classes)
  local present = classes_of(text)
  for _, class in ipairs(classes) do
    if present[class] then return true end
  end
  return false
end

-- The first row from `from` on that has a run of one of the classes. Rows picked from are looked at themselves.
local function next_row(c, classes, from)
  for _, range in ipairs(c.ranges) do
    local start = math.max(from, range[1])
    while start <= range[2] do
      local best = first_digit(c, classes, start, range[2])
      for number, text in pairs(c.texts) do
        if number >= start and number <= range[2] and (not best or number <= best) and has_run_of(text, classes) then
          best = number
        end
      end
      if not best then break end
      if not c.texts[best] or has_run_of(c.texts[best], classes) then return best end
      start = best + 1
    end
  end
  return nil
end

-- Where in a row a block goes: its middle as near to `target` as can be (both doubled: 2 * at + size); nil if nowhere.
local function fit_row(text, size, is_strict, target)
  local best, best_distance
  local function try(at, from, to)
    if at < from or at > to then return end
    local distance = math.abs(2 * at + size - target)
    if not best or distance < best_distance or (distance == best_distance and at < best) then
      best, best_distance = at, distance
    end
  end
  local ideal = (target - size) / 2
  local function try_near(from, to)
    try(math.max(from, math.min(to, math.floor(ideal))), from, to)
    try(math.max(from, math.min(to, math.ceil(ideal))), from, to)
  end
  for _, run in ipairs(runs_of(text)) do
    local from, to = run[1], run[1] + run[2] - size
    if to >= from then
      if not is_strict or to == from then
        try_near(from, to)
      elseif to >= from + 2 then
        try(from, from, to)
        try(to, from, to)
        try_near(from + 2, to - 2)
      end
    end
  end
  return best
end

local function fit(c, size, is_strict)
  local classes, from = classes_for(size, is_strict), 0
  while true do
    local number = next_row(c, classes, from)
    if not number then return nil end
    local text, row = seen_text(c, number)
    local at = fit_row(text, size, is_strict, row.count)
    if at then return { row = number, at = at, size = size } end
    from = number + 1
  end
end

local function fit_together(c, size)
  return fit(c, size, true) or fit(c, size, false)
end

-- Halves in two runs of one row, with the fewest seats between them.
local function halves_in_row(number, text, large, small)
  local runs = runs_of(text)
  local best
  local function try(left, size, other_size)
    for right = left + 1, #runs do
      if runs[left][2] >= size and runs[right][2] >= other_size then
        local gap = runs[right][1] - runs[left][1] - runs[left][2]
        if not best or gap < best.gap then
          local at = runs[left][1] + runs[left][2] - size
          best = { gap = gap, { row = number, at = at, size = size } }
          best[2] = { row = number, at = runs[right][1], size = other_size }
        end
        return
      end
    end
  end
  for left = 1, #runs do
    try(left, large, small)
    try(left, small, large)
  end
  return best
end

-- Up to HALVES_MAX of the best rows that could take the small half; one that takes the large half is among them if
-- there is any.
local function rows_for_halves(c, large, small)
  local rows, classes, from = {}, classes_for(small, false), 0
  local has_large = false
  while #rows < HALVES_MAX do
    local number = next_row(c, classes, from)
    if not number then break end
    local text, row = seen_text(c, number)
    -- The last class counts runs that may still be too short.
    if fit_row(text, small, false, 0) then
      local is_large = fit_row(text, large, false, 0) ~= nil
      rows[#rows + 1] = { row = row, text = text, is_large = is_large }
      has_large = has_large or is_large
    end
    from = number + 1
  end
  if not has_large then
    local block = fit(c, large, false)
    if not block then return {} end
    local text, row = seen_text(c, block.row)
    rows[math.min(#rows + 1, HALVES_MAX)] = { row = row, text = text, is_large = true }
  end
  return rows
end

local function fit_in(entry, size, target)
  local at = fit_row(entry.text, size, true, target) or fit_row(entry.text, size, false, target)
  return { row = entry.row.number, at = at, size = size }
end

-- Two blocks in two rows, the second as far from the centre as the first.
local function halves_in_rows(one, two, large, small)
  if not one.is_large then one, two = two, one end
  local first = fit_in(one, large, one.row.count)
  local shift = 2 * first.at + large - one.row.count
  return { first, fit_in(two, small, two.row.count + shift) }
end

local function halves(c, size)
  local large, small = math.ceil(size / 2), math.floor(size / 2)
  local rows = rows_for_halves(c, large, small)
  local best, best_distance
  for index, entry in ipairs(rows) do
    local found = entry.is_large and halves_in_row(entry.row.number, entry.text, large, small)
    if found then return found end
    local after = rows[index + 1]
    if after and (entry.is_large or after.is_large) then
      local distance = after.row.number - entry.row.number
      if after.row.section ~= entry.row.section then distance = distance + ELSEWHERE end
      if not best or distance < best_distance then
        best, best_distance = halves_in_rows(entry, after, large, small), distance
      end
      if distance == 1 then return best end
    end
  end
  return best
end

-- The whole of the longest run that is shorter than `size`; the best row that has one, and in it the run nearest to the
-- centre.
local function longest(c, size)
  for class = math.min(size, RUNS_MAX), 1, -1 do
    local best, number = nil, next_row(c, { class }, 0)
    while number do
      local text, row = seen_text(c, number)
      for _, run in ipairs(runs_of(text)) do
        local distance = math.abs(2 * run[1] + run[2] - row.count)
        local is_nearer = best and best.size == run[2] and best.row == number and distance < best.distance
        if math.min(run[2], RUNS_MAX) == class and (not best or run[2] > best.size or is_nearer) then
          best = { row = number, at = run[1], size = run[2], distance = distance }
        end
      end
      -- Only the last class holds runs of several lengths.
      number = class == RUNS_MAX and next_row(c, { class }, number + 1) or nil
    end
    if best then return best end
  end
  return nil
end

-- Picks `size` seats in ever smaller blocks; how many it found.
local function pick_blocks(c, size)
  local left = size
  while left > 0 do
    local block = fit_together(c, left) or longest(c, left)
    if not block then break end
    pick(c, block)
    left = left - block.size
  end
  return size - left
end

-- The ladder for seats for everybody; how many it found.
local function pick_best(c, size, is_together)
  local block = fit_together(c, size)
  if block then
    pick(c, block)
    return size
  end
  if is_together then return 0 end
  local pair = size >= 4 and halves(c, size)
  if pair then
    pick(c, pair[1])
    pick(c, pair[2])
    return size
  end
  return pick_blocks(c, size)
end

-- Accessible -----------------------------------------------------------------------------------------------------------

-- The best block of a size with an accessible seat in it: the best row, the fewest accessible seats, then the centre.
local function fit_accessible(c, size)
  local list = redis.call('GET', c.s.tag .. ':accrows') or ''
  for at = 1, #list, 4 do
    local number = struct.unpack('>I4', list, at)
    local is_wanted = false
    for _, range in ipairs(c.ranges) do is_wanted = is_wanted or (number >= range[1] and number <= range[2]) end
    if is_wanted then
      local row = row_of(c.s, number)
      local text = c.full[number] or text_of(row)
      general_text(row, c.s.tag, text)
      local best
      for _, run in ipairs(runs_of(text)) do
        for from = run[1], run[1] + run[2] - size do
          local _, count = string.gsub(string.sub(row.mask, from + 1, from + size), 'A', '')
          local distance = math.abs(2 * from + size - row.count)
          local is_better = not best or count < best.count or (count == best.count and distance < best.distance)
          if count > 0 and is_better then
            best = { row = number, at = from, size = size, count = count, distance = distance }
          end
        end
      end
      if best then return best end
    end
  end
  return nil
end

-- A block with an accessible seat, as large as can be, then the others as near as the ladder finds them; accessible
-- seats are given to them when nothing else is free. How many it found; none without an accessible seat.
local function pick_accessible(c, size, is_together)
  c.full = {}
  local block
  for count = size, is_together and size or 1, -1 do
    block = fit_accessible(c, count)
    if block then break end
  end
  if not block then return 0 end
  pick(c, block)
  local found = block.size
  if found < size then found = found + pick_blocks(c, size - found) end
  while found < size do
    for _, seat in ipairs(c.seats) do
      local own = row_with(c.s, seat)
      local text = c.full[own.number] or text_of(own)
      c.full[own.number] = string.sub(text, 1, seat - own.first) .. 'x' .. string.sub(text, seat - own.first + 2)
    end
    block = fit_accessible(c, 1)
    if not block then break end
    pick(c, block)
    found = found + 1
  end
  return found
end

-- Areas, and the rule for seats picked by hand -----------------------------------------------------------------------------

-- Picks the first free places of an area; how many it found.
local function pick_places(c, section, size)
  local raw = redis.call('GETRANGE', c.s.tag .. ':secs', section * 8, section * 8 + 7)
  if #raw ~= 8 then return 0 end
  local row = row_of(c.s, (struct.unpack('>I4I4', raw)))
  if not row or row.kind ~= AREA then return 0 end
  local letters = redis.call('GET', row.key)
  local at, found = 0, 0
  while found < size do
    at = string.find(letters, 'F', at + 1, true)
    if not at then break end
    c.seats[#c.seats + 1] = row.first + at - 1
    found = found + 1
  end
  return found
end

-- Seats that a pick by hand would leave alone although another pick of as many seats in the section would not.
local function orphans(s, seats)
  local picked, sizes, left = {}, {}, {}
  for _, seat in ipairs(seats) do
    local row = row_with(s, seat)
    if row and row.kind ~= AREA then
      picked[row.number] = picked[row.number] or general_text(row, s.tag, text_of(row))
      local index, text = seat - row.first, picked[row.number]
      picked[row.number] = string.sub(text, 1, index) .. 'x' .. string.sub(text, index + 2)
      sizes[row.section] = (sizes[row.section] or 0) + 1
    end
  end
  for number, text in pairs(picked) do
    local row = s.rows[number]
    local before = general_text(row, s.tag, text_of(row))
    for _, run in ipairs(runs_of(text)) do
      local index = run[1] + 1
      local had_neighbour = string.sub(before, index - 1, index - 1) == 'F' and index > 1
        or string.sub(before, index + 1, index + 1) == 'F'
      if run[2] == 1 and had_neighbour and fit(new_choice(s, { row.section }), sizes[row.section], true) then
        left[#left + 1] = row.first + run[1]
      end
    end
  end
  table.sort(left)
  return left
end
