-- uses: request, deliveries
-- What is open now. Writes nothing.
--
-- Output: JSON
--   open         deliveries that may go as soon as they are due, those being sent included
--   oldestDueAt  Unix ms of the longest overdue one, null for none
--   held         those that may not

local open, held, oldest = 0, 0, null
local stored = redis.call('HGETALL', key('lanes'))
for index = 1, #stored, 2 do
  local e = decodeEndpoint(stored[index + 1])
  local standing = e.queued[1] + e.queued[2]
  held = held + e.waits + e.holds
  if e.held then
    held = held + standing + e.out
  else
    open = open + standing + e.out
    for lane = 0, 1 do
      if e.queued[lane + 1] > 0 then
        local first = redis.call('ZRANGE', key('due:' .. lane .. ':' .. stored[index]), 0, 0, 'WITHSCORES')
        local at = tonumber(first[2])
        if at <= now and (oldest == null or at < oldest) then oldest = at end
      end
    end
  end
end

return { cjson.encode({ open = open, oldestDueAt = oldest, held = held }) }
