-- uses: request, gate, deliveries
-- How the lanes of endpoints stand. Writes nothing.
--
-- request.endpoints  ids
--
-- Output: JSON
--   states  in the order asked, the members of `LaneState` but for the id

local states = {}
for nth, id in ipairs(request.endpoints) do
  local e = endpoint(id)
  local state = gateState(e, now)
  state.failuresInRow, state.failingSince, state.lastSuccessAt = e.fails, orNull(e.since), orNull(e.lastOk)
  states[nth] = state
end
return { cjson.encode({ states = jsonList(states) }) }
