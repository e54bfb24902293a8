-- uses: request, gate, deliveries, lanes
-- Puts leases back: what was leased is due again at once.
--
-- request.leases   [seq, token]: these. Or
-- request.process  all that this process holds, but for
-- request.but      [seq, token] that it knows of: what it was granted and never heard of goes back
-- request.seen     [seq, token]: the last that it knows to be given; never given again
-- request.leaves   true: the process is going
--
-- Output: JSON
--   pools  to be looked at

if request.seen then seq, token = math.max(seq, request.seen[1]), math.max(token, request.seen[2]) end

if request.leases then
  for _, held in ipairs(request.leases) do
    local d = delivery(held[1])
    if d and d[TOKEN] ~= 0 and d[TOKEN] == held[2] then putBack(held[1], d) end
  end
else
  local keeps = {}
  for _, held in ipairs(request.but) do keeps[held[1]] = held[2] end
  local numbers = {}
  for _, held in ipairs(redis.call('ZRANGE', key('leases:' .. request.process), 0, -1)) do
    numbers[#numbers + 1] = tonumber(held)
  end
  fetchDeliveries(numbers)
  for _, number in ipairs(numbers) do
    local d = delivery(number)
    if d and d[HOLDER] == request.process and d[TOKEN] ~= keeps[number] then putBack(number, d) end
  end
  if request.leaves then redis.call('ZREM', key('processes'), request.process) end
end

finishChanges()
return { cjson.encode({ pools = touchedPools() }) }
