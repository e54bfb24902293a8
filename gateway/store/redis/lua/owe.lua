-- uses: request, gate, deliveries, lanes, events, append
-- Adds debts to stored events. Where that endpoint has a delivery of that event: one that is over, or FAILED, begins
-- anew where `again` is set, any other is left alone. None for an event that is gone.
--
-- request.debts  [event id, debts]: see `addDelivery` in append.lua
-- request.again  true or false
--
-- Output: JSON
--   made   how many were made or begun anew
--   pools  to be looked at

local function waits()
  return false
end

-- @returns false where it is still running by itself, or being sent
local function beginAgain(number, d, due)
  local isOver = not d[DUE] and d[STATUS] ~= 'HELD' or d[STATUS] == 'FAILED'
  if not isOver or d[TOKEN] ~= 0 then return false end
  takeOut(number, d)
  setStatus(d, 'PENDING')
  d[LANE], d[DUE], d[STEP], d[COMPLETED], d[REASON] = 1, due, 0, false, 'replayed'
  d[GENERATION] = d[GENERATION] + 1
  noteChange(nextSeq(), now, number, d)
  enqueue(number, d)
  freeKey(d)
  return true
end

local made = 0
for _, debt in ipairs(request.debts) do
  local id = debt[1]
  local stored = eventText(id)
  if stored then
    local place, receivedAt, distances, source = readId(id)
    local has, added = {}, distances
    for _, number in ipairs(deliveriesOf(place, distances)) do
      local d = delivery(number)
      if d and not has[d[ENDPOINT]] then has[d[ENDPOINT]] = { number, d } end
    end
    local details = detailsOf(stored)
    -- Owed to whoever asks, whomever the event was meant for: the debt is not direct.
    local event = { id = id, type = details.type, at = now, flags = details.test and TEST or 0 }
    for _, owed in ipairs(debt[2]) do
      local known = has[owed[1]]
      if known then
        if request.again and beginAgain(known[1], known[2], ours(owed[3])) then made = made + 1 end
      else
        local number = addDelivery(owed, event, 0, waits)
        has[owed[1]] = { number, deliveries[number] }
        added = added .. (added == '' and '' or ',') .. digits(number - place)
        made = made + 1
      end
    end
    if added ~= distances then writeId(id, place, receivedAt, added, source) end
  end
end

finishChanges()
return { cjson.encode({ made = made, pools = touchedPools() }) }
