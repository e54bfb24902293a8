-- uses: request, gate, deliveries, lanes
-- A process begins. The first one of an installation finds everything as after a restart: no lease is out, and every
-- receiver may be tried again at once; what is known of their health stays.
--
-- request.process  who begins
-- request.aliveMs  how long it counts as alive after this
-- request.epoch    the epoch of the journal where there is none yet
--
-- Output: JSON
--   epoch  of the journal
--   wake   id of the newest entry of the stream `wake`
--   feed   id of the newest entry of the stream `feed`

local function newestId(name)
  local newest = redis.call('XREVRANGE', key(name), '+', '-', 'COUNT', 1)
  return newest[1] and newest[1][1] or '0-0'
end

redis.call('HSETNX', key('meta'), 'epoch', request.epoch)

if redis.call('ZCOUNT', key('processes'), '(' .. now, '+inf') == 0 then
  for _, process in ipairs(redis.call('ZRANGE', key('processes'), 0, -1)) do
    for _, held in ipairs(redis.call('ZRANGE', key('leases:' .. process), 0, -1)) do
      local number = tonumber(held)
      local d = delivery(number)
      if d and d[HOLDER] == process then putBack(number, d) end
    end
  end
  redis.call('DEL', key('processes'))
  local stored = redis.call('HGETALL', key('lanes'))
  for index = 1, #stored, 2 do
    local id = stored[index]
    endpoints[id] = endpoints[id] or decodeEndpoint(stored[index + 1])
    local e = endpoints[id]
    e.rest, e.slowFrom, e.slowedAt, e.window, e.probeAt, e.probes = nil, nil, nil, nil, nil, nil
    e.out, e.outRetries = 0, 0
    touch(id)
  end
end
redis.call('ZADD', key('processes'), now + request.aliveMs, request.process)

finishChanges()
return { cjson.encode({
  epoch = redis.call('HGET', key('meta'), 'epoch'), wake = newestId('wake'), feed = newestId('feed'),
}) }
