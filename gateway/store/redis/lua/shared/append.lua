-- Storing events and what they owe.

-- What the gateway delivers itself; a flow, which takes what it can, earns nothing.
local PUSH_POOL = 'push'

-- Names of the indexes of deliveries, by endpoint and type: made once for a command.
local indexNames = {}

local function indexesOf(endpointId, type)
  local names = indexNames[endpointId]
  if not names then
    names = {}
    indexNames[endpointId] = names
  end
  if not names[type] then
    names[type] = { 'dl', 'dl:e:' .. endpointId, 'dl:t:' .. type, 'dl:et:' .. endpointId .. ':' .. type }
  end
  return names[type]
end

-- Who holds the id that this event needs: nothing where it is free.
-- spec: text, id, type, source, received ms, flags, deliveries, guard, window ms. Where there is a guard, an event of
-- that id received within the window counts as this one.
local function findHolder(spec)
  local guard = given(spec[8])
  if guard then
    local place, receivedAt = readId(guard)
    if place and spec[5] - receivedAt <= spec[9] then return { id = guard, at = receivedAt, source = spec[4] } end
  end
  local place, receivedAt, _, source = readId(spec[2])
  return place and { id = spec[2], at = receivedAt, source = source }
end

local function showHolder(holder, cause)
  return cjson.encode({ id = holder.id, at = holder.at, source = holder.source, cause = cause })
end

-- Where it stands in the order of its key.
local function joinOrder(number, d)
  local e = endpoint(d[ENDPOINT])
  d[ORDER] = redis.call('ZCARD', orderKeyName(d)) > 0 and WAITS_FOR_KEY or HOLDS_KEY
  redis.call('ZADD', orderKeyName(d), digits(number), member(number))
  if d[ORDER] == WAITS_FOR_KEY then e.waits = e.waits + 1 end
end

-- One debt. spec: endpoint, pool, due ms; and where they differ from those of a plain one: order key, supersedes
-- (0 or 1), status, reason, number of its context's text.
-- event: id, type, received ms, flags, number of its text. nth: the debt's number among the event's.
-- grantNow(number, d, text, nth): leases it at once where that may be. @returns its seq
local function addDelivery(spec, event, nth, grantNow)
  local id, orderKey, status, context = spec[1], given(spec[4]), given(spec[6]) or 'PENDING', given(spec[8])
  local e = endpoint(id)
  touch(id)
  if not e.pool then e.pool, e.earns = spec[2], spec[2] == PUSH_POOL end
  local due = status ~= 'HELD' and ours(spec[3])
  local flags = event.flags + (context and CONTEXT or 0)
  local d = {
    event.id, id, event.type, 'PENDING', orFalse(spec[7]), 0, due, 0, 0, 0, flags, event.at, false, orderKey or false, FREE,
    0, 0, '', false,
  }
  if spec[5] == 1 and orderKey then supersede(d, event.at) end
  local number = nextSeq()
  deliveries[number] = d
  changedDeliveries[number] = true
  if status ~= 'PENDING' then setStatus(d, status) end
  if context then
    newContexts[#newContexts + 1] = digits(number)
    newContexts[#newContexts + 1] = text(context)
  end
  if due and orderKey then joinOrder(number, d) end
  for _, index in ipairs(indexesOf(id, event.type)) do noteIndexed(index, event.at, number) end
  noteChange(number, event.at, number, d)
  if not due or d[ORDER] == WAITS_FOR_KEY then
    listOpen(number, d)
  elseif not grantNow(number, d, event.text, nth) then
    enqueue(number, d)
  end
  return number
end

-- Stores an event whose id is free, with what it owes; see `findHolder` for the spec, `addDelivery` for grantNow.
-- @returns JSON of its seq and those of its deliveries
local function addEvent(spec, grantNow)
  local event = { text = spec[1], id = spec[2], type = spec[3], at = spec[5], flags = spec[6] }
  local place, isDirect = nextSeq(), hasFlag(event.flags, DIRECT)
  seenTypes[event.type] = true
  noteIndexed('ev', event.at, place, event.id, isDirect)
  if not isDirect then
    noteIndexed('ev:t:' .. event.type, event.at, place, event.id, false)
    noteEvent(place, event.at, event.id)
  end
  local seqs, distances = { digits(place) }, {}
  for nth, owed in ipairs(spec[7]) do
    local made = addDelivery(owed, event, nth, grantNow)
    seqs[nth + 1] = digits(made)
    distances[nth] = digits(made - place)
  end
  writeId(event.id, place, event.at, table.concat(distances, ','), spec[4])
  eventTexts[event.id] = text(event.text)
  newEvents[#newEvents + 1] = event.id
  newEvents[#newEvents + 1] = text(event.text)
  return '[' .. table.concat(seqs, ',') .. ']'
end
