-- uses: request, deliveries, events, walk
-- A page of events; not those that were meant for one endpoint. Writes nothing.
--
-- request.order, limit, after, since, until  see walk.lua
-- request.bytes              it stops beyond this many bytes of events
-- request.indexes            streams to walk, together all that can match
-- request.sources, machines, types  lists or null: what matches
-- request.test               true, false or null
--
-- Output: JSON, and the stored events in the order of the rows
--   rows  seqs, up to limit + 1
--   next  where more is to be looked at, the seq to go on from (as `after`)
--   head  seq of the journal

local sourceSet, machineSet, test = setOf(request.sources), setOf(request.machines), given(request.test)
local typeSet = setOf(request.types)
local looksInside = sourceSet or machineSet or typeSet or test ~= nil or given(request.since) or given(request['until'])
local rows, texts, bytes = {}, {}, 0

local function matches(stored)
  if not looksInside then return true end
  local event = detailsOf(stored)
  if not isInTime(event.receivedAt) then return false end
  if typeSet and not typeSet[event.type] then return false end
  if sourceSet and not sourceSet[event.source] then return false end
  if machineSet and (event.machine == null or not machineSet[event.machine.id]) then return false end
  return test == nil or event.test == test
end

-- @returns where the rest has to wait for the next call
local function visit(entries)
  local ids = {}
  for _, entry in ipairs(entries) do
    if not entry.isDirect then ids[#ids + 1] = entry.id end
  end
  fetchEventTexts(ids)
  fetchIds(ids)
  for _, entry in ipairs(entries) do
    if #rows > request.limit then return nil end
    -- An id that was forgotten may have come again: that one stands further on.
    local isThisOne = not entry.isDirect and readId(entry.id) == entry.seq
    local stored = isThisOne and eventText(entry.id)
    if stored and matches(stored) then
      rows[#rows + 1] = entry.seq
      texts[#texts + 1] = stored
      bytes = bytes + #stored
      if bytes > request.bytes then return entry.seq end
    end
  end
end

local from, to = spanOf('ev')
local next = walk(request.indexes, readIndex, from, to, visit, rows)

local reply = { cjson.encode({ rows = jsonList(rows), next = orNull(next), head = seq }) }
for _, stored in ipairs(texts) do reply[#reply + 1] = stored end
return reply
