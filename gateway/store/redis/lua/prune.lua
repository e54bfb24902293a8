-- uses: request, gate, deliveries, lanes, events
-- Forgets a slice of old events with their deliveries and attempts; never one with an open delivery. Ids stay known
-- for a while whatever the retention says.
--
-- remembered  sorted set: ids of forgotten events, by received ms
--
-- request.before         Unix ms: only what was received before
-- request.rememberIdsMs  ids are known this long
-- request.limit          events that go at most
-- request.examine        events and deliveries that are looked at, about, and entries of the journal that go
--
-- Output: JSON
--   gone  how many went
--   done  true where nothing is left to do

local oldest = tonumber(redis.call('HGET', key('meta'), 'oldest') or '0')
local prunedTo = tonumber(redis.call('HGET', key('meta'), 'prunedTo') or '0')
local rememberedSince = now - request.rememberIdsMs
local gone, examined = 0, 0
-- Index -> seqs that go from it.
local leaving = {}

local function leave(index, number)
  local numbers = leaving[index] or {}
  numbers[#numbers + 1] = number
  leaving[index] = numbers
end

local function forgetIds()
  local ids = redis.call('ZRANGEBYSCORE', key('remembered'), '-inf', rememberedSince, 'LIMIT', 0, request.limit)
  if #ids == 0 then return end
  callMany('HDEL', 'ids', ids)
  callMany('ZREM', 'remembered', ids)
  gone = gone + #ids
end

local function isOpen(numbers)
  fetchDeliveries(numbers)
  for _, number in ipairs(numbers) do
    local d = delivery(number)
    if d and (d[DUE] or d[STATUS] == 'HELD') then return true end
  end
  return false
end

local function forgetDelivery(number, d)
  leave('dl', number)
  leave('dl:e:' .. d[ENDPOINT], number)
  leave('dl:t:' .. d[TYPE], number)
  leave('dl:et:' .. d[ENDPOINT] .. ':' .. d[TYPE], number)
  local attempts = {}
  for attempt = 1, d[ATTEMPTS] do attempts[attempt] = string.format('%d.%d', number, attempt) end
  callMany('HDEL', 'attempts', attempts)
  if hasFlag(d[FLAGS], CONTEXT) then redis.call('HDEL', key('contexts'), digits(number)) end
  redis.call('ZREM', key('open'), member(number))
  redis.call('HDEL', key('deliveries'), digits(number))
  if d[ORDER] ~= FREE then
    leaveOrder(number, d)
    freeKey(d)
  end
  changedDeliveries[number] = nil
end

-- @returns whether it went
local function forgetEvent(number, id, isDirect)
  local stored = eventText(id)
  local place, receivedAt, distances = readId(id)
  -- An id that was forgotten may have come again: that is another event.
  if not stored or place ~= number or receivedAt >= request.before then return false end
  local numbers = deliveriesOf(number, distances)
  examined = examined + #numbers
  if isOpen(numbers) then return false end
  for _, owed in ipairs(numbers) do
    if delivery(owed) then forgetDelivery(owed, delivery(owed)) end
  end
  leave('ev', number)
  if not isDirect then leave('ev:t:' .. detailsOf(stored).type, number) end
  redis.call('HDEL', key('events'), id)
  if receivedAt > rememberedSince then
    redis.call('ZADD', key('remembered'), receivedAt, id)
  else
    redis.call('HDEL', key('ids'), id)
  end
  oldest = math.max(oldest, number)
  return true
end

-- @returns whether the end of what is old was reached
local function forgetEvents()
  while examined < request.examine do
    local entry = redis.call('XRANGE', key('ev'), digits(prunedTo + 1) .. '-0', '+', 'COUNT', 1)[1]
    if not entry or tonumber(entry[2][2]) >= request.before then return true end
    local numbers, ids, directs = unpack(cmsgpack.unpack(entry[2][4]))
    for nth, number in ipairs(numbers) do
      if number > prunedTo then
        if gone >= request.limit then return false end
        prunedTo = number
        examined = examined + 1
        if forgetEvent(number, ids[nth], directs[nth]) then gone = gone + 1 end
      end
    end
  end
  return false
end

-- The id of the first entry of the journal that is not old; one beyond all where all are.
local function findCut()
  local newest = redis.call('XREVRANGE', key('journal'), '+', '-', 'COUNT', 1)[1]
  if not newest then return nil end
  local low, high = 0, tonumber(string.match(newest[1], '^%d+')) + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', key('journal'), digits(middle) .. '-0', '+', 'COUNT', 1)[1]
    if not entry or tonumber(entry[2][2]) >= request.before then
      high = middle
    else
      low = tonumber(string.match(entry[1], '^%d+')) + 1
    end
  end
  return low
end

-- Cuts off old changes, whole pages of the stream at a time. @returns whether there was nothing to cut
local function forgetChanges()
  local cut = findCut()
  if not cut then return true end
  local before = digits(cut) .. '-0'
  if redis.call('XTRIM', key('journal'), 'MINID', '~', before, 'LIMIT', request.examine * 10) == 0 then return true end
  local first = redis.call('XRANGE', key('journal'), '-', '+', 'COUNT', 1)[1]
  oldest = math.max(oldest, first and cjson.decode(first[2][4])[1][1] - 1 or seq)
  return false
end

-- @returns whether everything that an entry stands for is gone
local function isEmpty(entry)
  local numbers, ids = unpack(cmsgpack.unpack(entry[2][4]))
  for nth, number in ipairs(numbers) do
    local hash, field = 'deliveries', digits(number)
    if ids then hash, field = 'events', ids[nth] end
    if redis.call('HEXISTS', key(hash), field) == 1 then return false end
  end
  return true
end

local function leaveIndex(index, numbers)
  table.sort(numbers)
  local empty, first = {}, digits(numbers[1]) .. '-0'
  repeat
    local entries = redis.call('XRANGE', key(index), first, '+', 'COUNT', 16)
    local isBeyond = #entries < 16
    for _, entry in ipairs(entries) do
      if cmsgpack.unpack(entry[2][4])[1][1] > numbers[#numbers] then
        isBeyond = true
      elseif isEmpty(entry) then
        empty[#empty + 1] = entry[1]
      end
      first = '(' .. entry[1]
    end
  until isBeyond
  callMany('XDEL', index, empty)
  if redis.call('XLEN', key(index)) == 0 then redis.call('DEL', key(index)) end
end

forgetIds()
local isAtEnd = forgetEvents()
if isAtEnd then prunedTo = 0 end
local isCut = forgetChanges()
for index, numbers in pairs(leaving) do leaveIndex(index, numbers) end
redis.call('HSET', key('meta'), 'oldest', oldest, 'prunedTo', prunedTo)
finishChanges()
return { cjson.encode({ gone = gone, done = isAtEnd and isCut }) }
