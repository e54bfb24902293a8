-- uses: request, gate, deliveries, lanes
-- Says that this process lives, and takes back what ran out: leases whose time is over, and all of a process that was
-- not heard of for too long. Any process does this for all.
--
-- processes  sorted set: process -> Unix ms until which it counts as alive
--
-- request.process  who asks
-- request.aliveMs  how long it counts as alive after this
-- request.limit    leases of one process that are taken back at a time
--
-- Output: JSON
--   pools  to be looked at
--   more   true where a limit was reached: ask again

redis.call('ZADD', key('processes'), now + request.aliveMs, request.process)

local more = false
local processes = redis.call('ZRANGE', key('processes'), 0, -1, 'WITHSCORES')
for index = 1, #processes, 2 do
  local process = processes[index]
  local isGone = tonumber(processes[index + 1]) <= now
  local latest = isGone and '+inf' or now
  local over = redis.call('ZRANGEBYSCORE', key('leases:' .. process), '-inf', latest, 'LIMIT', 0, request.limit)
  local numbers = {}
  for nth, held in ipairs(over) do numbers[nth] = tonumber(held) end
  fetchDeliveries(numbers)
  for nth, number in ipairs(numbers) do
    local d = delivery(number)
    if d and d[HOLDER] == process then
      putBack(number, d)
    else
      redis.call('ZREM', key('leases:' .. process), over[nth])
    end
  end
  if #over == request.limit then
    more = true
  elseif isGone then
    redis.call('ZREM', key('processes'), process)
  end
end

finishChanges()
return { cjson.encode({ pools = touchedPools(), more = more }) }
