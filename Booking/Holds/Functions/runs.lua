-- Free runs of rows, and what is known of them at a glance (`:runs`).
-- Keys: `:acc:<k>`, `:runs`. The arguments of these functions are rows of seats.lua; each says what it answers.

local RUNS_MAX = 12

-- The row's letters with accessible seats masked: only F is for everybody.
local function general_text(row, tag, text)
  if row.kind ~= WITH_ACCESSIBLE then return text end
  if not row.mask then
    row.mask = redis.call('GETRANGE', tag .. ':acc:' .. row.section, row.offset, row.offset + row.count - 1)
  end
  local at = string.find(row.mask, 'A', 1, true)
  while at do
    text = string.sub(text, 1, at - 1) .. '.' .. string.sub(text, at + 1)
    at = string.find(row.mask, 'A', at + 1, true)
  end
  return text
end

-- The free runs of a text, from left to right: { start from 0, length }.
local function runs_of(text)
  local runs, at = {}, 1
  while true do
    local from, to = string.find(text, 'F+', at)
    if not from then return runs end
    runs[#runs + 1] = { from - 1, to - from + 1 }
    at = to + 1
  end
end

-- The classes of runs that a text has: length -> true.
local function classes_of(text)
  local classes = {}
  for _, run in ipairs(runs_of(text)) do classes[math.min(run[2], RUNS_MAX)] = true end
  return classes
end

-- Brings the row's digits from its text `before` to the present one.
local function write_runs(s, row, before)
  local old = classes_of(general_text(row, s.tag, before))
  local new = classes_of(general_text(row, s.tag, row.text))
  for class = 1, RUNS_MAX do
    if old[class] ~= new[class] then
      redis.call('SETRANGE', s.tag .. ':runs', (class - 1) * s.row_count + row.number, new[class] and '1' or '0')
    end
  end
end
