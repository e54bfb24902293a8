-- uses: request, deliveries, events, walk
-- A page of deliveries as people see them. Writes nothing.
--
-- request.order, limit, after, since, until  see walk.lua
-- request.indexes    streams to walk, together all that can match; or
-- request.eventIds   the deliveries of these events only
-- request.endpoints, types, statuses, orderKeys  lists or null: what matches
-- request.test       true, false or null
--
-- Output: JSON, and contexts ('' for none) in the order of the rows
--   rows  up to limit + 1, see `showDelivery`
--   next  where more is to be looked at, the seq to go on from (as `after`)
--   head  seq of the journal

local endpointSet, typeSet, statusSet = setOf(request.endpoints), setOf(request.types), setOf(request.statuses)
local orderKeySet = setOf(request.orderKeys)
local rows, contexts = {}, {}

local function matches(d)
  if endpointSet and not endpointSet[d[ENDPOINT]] then return false end
  if orderKeySet and not orderKeySet[d[ORDER_KEY]] then return false end
  if typeSet and not typeSet[d[TYPE]] then return false end
  if statusSet and not statusSet[(statusNow(d))] then return false end
  if not isInTime(d[CREATED]) then return false end
  if given(request.test) ~= nil and hasFlag(d[FLAGS], TEST) ~= request.test then return false end
  return true
end

local function visit(entries)
  local numbers = {}
  for nth, entry in ipairs(entries) do numbers[nth] = entry.seq end
  fetchDeliveries(numbers)
  for _, number in ipairs(numbers) do
    if #rows > request.limit then return end
    local d = delivery(number)
    if d and matches(d) then
      rows[#rows + 1] = showNow(number, d)
      contexts[#contexts + 1] = contextOf(number, d)
    end
  end
end

-- What is leased now, in the order of the journal.
local function readLeases(_, from, to, count)
  local found = {}
  for _, process in ipairs(redis.call('ZRANGE', key('processes'), 0, -1)) do
    for _, held in ipairs(redis.call('ZRANGE', key('leases:' .. process), 0, -1)) do
      local number = tonumber(held)
      if number >= from and number < to then found[#found + 1] = { seq = number } end
    end
  end
  sortEntries(found)
  for nth = #found, count + 1, -1 do found[nth] = nil end
  return found
end

local function readUnsuccessful(index, from, to, count)
  if index == 'open' then return readSortedSet(index, from, to, count) end
  return readLeases(index, from, to, count)
end

-- What has not succeeded is rare where much has: then that is walked, and what does not match is left out.
local function walkRarest(from, to)
  local rarest, read = request.indexes, readIndex
  if statusSet and not statusSet.SUCCEEDED then
    -- Of entries, each for one or more deliveries: the walk is at least as long as that.
    local count = 0
    for _, index in ipairs(request.indexes) do count = count + redis.call('XLEN', key(index)) end
    if redis.call('ZCARD', key('open')) < count then
      -- What is leased shows as SENDING, whatever else it is.
      rarest, read = statusSet.SENDING and { 'open', 'leases' } or { 'open' }, readUnsuccessful
    end
  end
  return walk(rarest, read, from, to, visit, rows)
end

local function visitEvents(from, to)
  local entries = {}
  for _, id in ipairs(request.eventIds) do
    local place, _, distances = readId(id)
    for _, number in ipairs(place and deliveriesOf(place, distances) or {}) do
      if number >= from and number < to then entries[#entries + 1] = { seq = number } end
    end
  end
  sortEntries(entries)
  visit(entries)
end

local from, to = spanOf('dl')
local next = nil
if given(request.eventIds) then
  visitEvents(from, to)
else
  next = walkRarest(from, to)
end

local json = '{"rows":[' .. table.concat(rows, ',') .. ']' .. string.format(',"next":%s,"head":%d}', digitsOrNull(next), seq)
local reply = { json }
for _, context in ipairs(contexts) do reply[#reply + 1] = context end
return reply
