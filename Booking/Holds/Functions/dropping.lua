-- The cool-down of those who take seats and drop them again and again.
-- Keys: `:drop`, a hash account -> drops;last;until. The arguments are an account; each function says what it answers.

local DROPS_FREE = 5
local DROPS_FORGOTTEN_AFTER = 1800000
local COOL_DOWN = 15000
local COOL_DOWN_MAX = 900000

local function drops_of(s, account)
  local text = redis.call('HGET', s.tag .. ':drop', account)
  if not text then return 0, 0 end
  local drops, last, ends = string.match(text, '^(%d+);(%d+);(%d+)$')
  if s.now - tonumber(last) > DROPS_FORGOTTEN_AFTER then return 0, 0 end
  return tonumber(drops), tonumber(ends)
end

-- A hold that was never ordered has ended: the first few are free, then each doubles the time until the next hold.
local function note_drop(s, account)
  local drops = drops_of(s, account) + 1
  local pause = 0
  if drops > DROPS_FREE then pause = math.min(COOL_DOWN_MAX, COOL_DOWN * 2 ^ (drops - DROPS_FREE - 1)) end
  redis.call('HSET', s.tag .. ':drop', account, drops .. ';' .. whole(s.now) .. ';' .. whole(s.now + pause))
end

-- Answers the milliseconds until the account may hold again, or 0.
local function cool_down_left(s, account)
  local _, ends = drops_of(s, account)
  return math.max(0, ends - s.now)
end
