-- The beginning of every command: what was asked, by whom, and when.
--
-- KEYS[1]   what all keys begin with, e.g. `{hookline}:`. The braces put them into one slot of a cluster; the rest
--           of a key's name (an endpoint, a pool, an order key) is known only while the command runs.
-- ARGV[1]   the request, JSON. `now`: Unix ms by the caller's clock; `serverTime`: true to go by this server's.
-- ARGV[2..] long texts, which the request names by number: 1 is ARGV[2].

local prefix = KEYS[1]
local request = cjson.decode(ARGV[1])
local null = cjson.null

local now, shift = request.now, 0
if request.serverTime then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
  shift = now - request.now
end

local function key(name)
  return prefix .. name
end

local function text(number)
  return ARGV[number + 1]
end

-- A JSON value as Lua has it: nothing for null.
local function given(value)
  if value == null then return nil end
  return value
end

-- A JSON value as it is stored: false for null.
local function orFalse(value)
  if value == null or value == nil then return false end
  return value
end

local function orNull(value)
  return value or null
end

-- Whole numbers as text. Left to Redis and to cjson they would be printed as fractions, at ten times the cost.
local function digits(number)
  return string.format('%d', number)
end

local quoted = {}

-- JSON of a text; of nothing, null.
local function quote(value)
  if not value then return 'null' end
  local known = quoted[value]
  if not known then
    known = cjson.encode(value)
    quoted[value] = known
  end
  return known
end

local function digitsOrNull(number)
  return number and digits(number) or 'null'
end

-- A moment of the caller's by our clock. What is due by now for the caller is due by now for us, however far the
-- clocks are apart: a new delivery must not wait because its gateway's clock is a moment ahead.
local function ours(at)
  if at <= request.now then return math.min(at, now) end
  return at + shift
end

-- Sequence numbers in sorted sets: padded, so that equal scores stand in the order of the numbers.
local function member(number)
  return string.format('%014d', number)
end

-- One command for a whole list of arguments; Lua can hand over some thousands at a time.
local function callMany(command, name, list)
  for first = 1, #list, 1000 do
    redis.call(command, key(name), unpack(list, first, math.min(first + 999, #list)))
  end
end

local function fetchMany(name, fields)
  local values = {}
  for first = 1, #fields, 1000 do
    local last = math.min(first + 999, #fields)
    local found = redis.call('HMGET', key(name), unpack(fields, first, last))
    for index = 1, last - first + 1 do values[first + index - 1] = found[index] end
  end
  return values
end

-- JSON of a list: an empty table would become an object.
local function jsonList(list)
  if #list == 0 then return nil end
  return list
end
