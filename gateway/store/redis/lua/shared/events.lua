-- Stored events.
--
-- events  hash: id -> a line of JSON (all of the event but its body), and the body; written and read by the gateway
-- ids     hash: id -> `<seq> <received ms> <seqs of its deliveries, as distances from its own> <source>`; the source
--         with a `=` before it, or nothing. Outlives the event: ids are remembered for longer

local eventTexts, idEntries = {}, {}

local function eventText(id)
  local known = eventTexts[id]
  if known == nil then
    known = redis.call('HGET', key('events'), id)
    eventTexts[id] = known
  end
  return known
end

local function fetchEventTexts(ids)
  for index, found in ipairs(fetchMany('events', ids)) do eventTexts[ids[index]] = found end
end

local function fetchIds(ids)
  for index, found in ipairs(fetchMany('ids', ids)) do idEntries[ids[index]] = found end
end

-- @returns seq, received ms, distances and source; nothing where the id is not known
local function readId(id)
  local entry = idEntries[id]
  if entry == nil then
    entry = redis.call('HGET', key('ids'), id)
    idEntries[id] = entry
  end
  if not entry then return nil end
  local place, receivedAt, distances, source = string.match(entry, '^(%d+) (%d+) ([%d,]*) (.*)$')
  return tonumber(place), tonumber(receivedAt), distances, source ~= '' and string.sub(source, 2) or null
end

local function writeId(id, place, receivedAt, distances, source)
  local entry = string.format('%d %d %s ', place, receivedAt, distances) .. (given(source) and '=' .. source or '')
  idEntries[id] = entry
  newIds[#newIds + 1] = id
  newIds[#newIds + 1] = entry
end

-- The seqs of an event's deliveries, from its entry in `ids`.
local function deliveriesOf(place, distances)
  local numbers = {}
  for distance in string.gmatch(distances, '%d+') do numbers[#numbers + 1] = place + tonumber(distance) end
  return numbers
end

-- All of an event but its body.
local function detailsOf(stored)
  return cjson.decode(string.match(stored, '^[^\n]*'))
end
