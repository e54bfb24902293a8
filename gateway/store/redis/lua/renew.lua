-- uses: request, gate, deliveries, lanes
-- Prolongs leases to `leaseMs` from now, where they are still held.
--
-- request.leases   [seq, token]
-- request.leaseMs  how long from now
--
-- Output: JSON
--   held  per lease whether it was still held

local held = {}
for nth, ref in ipairs(request.leases) do
  local d = delivery(ref[1])
  held[nth] = d and d[TOKEN] ~= 0 and d[TOKEN] == ref[2] or false
  if held[nth] then
    d[EXPIRES] = now + request.leaseMs
    changedDeliveries[ref[1]] = true
    redis.call('ZADD', key('leases:' .. d[HOLDER]), d[EXPIRES], member(ref[1]))
  end
end

finishChanges()
return { cjson.encode({ held = jsonList(held) }) }
