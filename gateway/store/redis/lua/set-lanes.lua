-- uses: request, gate, deliveries, lanes
-- Tells the lanes of endpoints how they may run.
--
-- request.lanes  [endpoint, held, deliveries at a time, rate per second or null]
--
-- Output: JSON
--   pools  to be looked at

for _, lane in ipairs(request.lanes) do
  gateSetSettings(endpoint(lane[1]), lane[2], lane[3], given(lane[4]))
  touch(lane[1])
end

finishChanges()
return { cjson.encode({ pools = touchedPools() }) }
