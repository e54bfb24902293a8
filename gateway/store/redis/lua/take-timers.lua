-- uses: request
-- Takes the timers that are due: whoever's ZREM removes one has it.
--
-- request.limit  at most this many
--
-- Output: JSON, and the payloads in the order of the timers
--   timers  [key, due ms], oldest first
--   dueAt   Unix ms of the next timer, null for none

local due = redis.call('ZRANGEBYSCORE', key('timers'), '-inf', now, 'WITHSCORES', 'LIMIT', 0, request.limit)
local timers, payloads = {}, {}
for index = 1, #due, 2 do
  timers[#timers + 1] = { due[index], tonumber(due[index + 1]) }
  payloads[#payloads + 1] = redis.call('HGET', key('timer-payloads'), due[index])
  redis.call('ZREM', key('timers'), due[index])
  redis.call('HDEL', key('timer-payloads'), due[index])
end

local first = redis.call('ZRANGE', key('timers'), 0, 0, 'WITHSCORES')
local reply = { cjson.encode({
  timers = jsonList(timers), dueAt = first[2] and tonumber(first[2]) or null, now = now,
}) }
for _, payload in ipairs(payloads) do reply[#reply + 1] = payload end
return reply
