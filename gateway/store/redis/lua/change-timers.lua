-- uses: request
-- Sets timers (replacing those of the same key) and cancels them, in one step.
--
-- timers          sorted set: key, by Unix ms when it is due
-- timer-payloads  hash: key -> opaque text
--
-- request.changes  [key, due ms or null (cancel), number of the payload's text]
--
-- Output: JSON
--   dueAt  Unix ms of the next timer, null for none

local function nextDue()
  local first = redis.call('ZRANGE', key('timers'), 0, 0, 'WITHSCORES')
  return first[2] and tonumber(first[2]) or null
end

local before = nextDue()
for _, change in ipairs(request.changes) do
  if change[2] == null then
    redis.call('ZREM', key('timers'), change[1])
    redis.call('HDEL', key('timer-payloads'), change[1])
  else
    redis.call('ZADD', key('timers'), ours(change[2]), change[1])
    redis.call('HSET', key('timer-payloads'), change[1], text(change[3]))
  end
end

-- Whoever waits for timers elsewhere waits for a later one.
local dueAt = nextDue()
if dueAt ~= null and (before == null or dueAt < before) then
  redis.call('XADD', key('wake'), 'MAXLEN', '~', 1000, '*', 'to', '', 'pool', '')
end
return { cjson.encode({ dueAt = dueAt, now = now }) }
