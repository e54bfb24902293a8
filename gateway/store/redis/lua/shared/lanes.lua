-- Which delivery may go now: lanes (endpoint x first attempts | retries), leases, and the order per key.
--
-- due:<lane>:<endpoint>   sorted set: what stands in a lane, by due time; what is leased or waits for its key does not
-- waiting:<lane>:<pool>   sorted set: endpoints with something in that lane, by when the next of it may go; missing
--                         where only a change can help (held, or all it may have in flight is)
-- leases:<process>        sorted set: what a process holds, by when it runs out
-- key:<endpoint> <key>    sorted set: what is in the order of a key, by seq; its first alone may go
--
-- An endpoint's state beside gate.lua's: pool (who may claim), outRetries, queued (in each lane), waits (for a key),
-- holds (status HELD), turn (Unix ms of each lane's last turn), at (its scores in `waiting`, or false).

local newLeases, endedLeases = {}, {}

local function dueKey(lane, endpointId)
  return key('due:' .. lane .. ':' .. endpointId)
end

local function waitingKey(lane, pool)
  return key('waiting:' .. lane .. ':' .. pool)
end

local function orderKeyName(d)
  return key('key:' .. d[ENDPOINT] .. ' ' .. d[ORDER_KEY])
end

-- Lanes whose number of deliveries is to be counted anew: endpoint -> what is to be counted.
local uncounted = {}

local function noteUncounted(id, lane)
  uncounted[id] = uncounted[id] or {}
  uncounted[id][lane] = true
  touch(id)
end

-- Puts a delivery into its lane.
local function enqueue(number, d)
  local id, lane = d[ENDPOINT], d[LANE]
  local queued = endpoint(id).queued
  redis.call('ZADD', dueKey(lane, id), digits(d[DUE]), member(number))
  queued[lane + 1] = queued[lane + 1] + 1
  noteUncounted(id, lane)
  listOpen(number, d)
end

local function dequeue(number, d)
  redis.call('ZREM', dueKey(d[LANE], d[ENDPOINT]), member(number))
  noteUncounted(d[ENDPOINT], d[LANE])
end

local function setStatus(d, status)
  local e = endpoint(d[ENDPOINT])
  if d[STATUS] == 'HELD' then e.holds = e.holds - 1 end
  if status == 'HELD' then e.holds = e.holds + 1 end
  d[STATUS] = status
  touch(d[ENDPOINT])
end

-- Ends a lease: its room is free again.
local function release(number, d)
  local e = endpoint(d[ENDPOINT])
  local ended = endedLeases[d[HOLDER]] or {}
  ended[#ended + 1] = member(number)
  endedLeases[d[HOLDER]] = ended
  e.out = e.out - 1
  if d[LANE] == 1 then e.outRetries = e.outRetries - 1 end
  d[TOKEN], d[EXPIRES], d[HOLDER] = 0, 0, ''
  changedDeliveries[number] = true
  touch(d[ENDPOINT])
end

-- The lease is over and nothing came of it: due again as it was.
local function putBack(number, d)
  release(number, d)
  enqueue(number, d)
end

-- Leaves the order of its key, whichever place it has in it.
local function leaveOrder(number, d)
  if d[ORDER] == FREE then return end
  if d[ORDER] == WAITS_FOR_KEY then
    local e = endpoint(d[ENDPOINT])
    e.waits = e.waits - 1
    touch(d[ENDPOINT])
  end
  d[ORDER] = FREE
  redis.call('ZREM', orderKeyName(d), member(number))
end

-- Lets the next one that waits for this delivery's key go, where nobody holds the key any more.
local function freeKey(d)
  if not d[ORDER_KEY] then return end
  local first = redis.call('ZRANGE', orderKeyName(d), 0, 0)[1]
  local number = first and tonumber(first)
  local following = number and delivery(number)
  if not following or following[ORDER] ~= WAITS_FOR_KEY or following[ENDPOINT] ~= d[ENDPOINT] then return end
  local e = endpoint(d[ENDPOINT])
  e.waits = e.waits - 1
  following[ORDER] = HOLDS_KEY
  following[DUE] = math.max(following[DUE], now)
  changedDeliveries[number] = true
  enqueue(number, following)
end

-- Nothing further happens with it by itself, or it begins anew: whatever it stands in now, it leaves.
local function takeOut(number, d)
  if d[DUE] and d[ORDER] ~= WAITS_FOR_KEY then dequeue(number, d) end
  leaveOrder(number, d)
  changedDeliveries[number] = true
end

-- A newer one takes the place of what waits with its key, but not of what is being sent.
local function supersede(d, at)
  for _, waiting in ipairs(redis.call('ZRANGE', orderKeyName(d), 0, -1)) do
    local number = tonumber(waiting)
    local older = delivery(number)
    if older and older[TOKEN] == 0 then
      takeOut(number, older)
      setStatus(older, 'SUPERSEDED')
      older[REASON], older[DUE], older[COMPLETED] = 'newer_one_came', false, at
      noteChange(nextSeq(), at, number, older)
    end
  end
end

-- When the next one of a lane may go; nil where only a change can help.
local function laneOpensAt(endpointId, e, lane)
  if e.queued[lane + 1] == 0 or not e.pool then return nil end
  local opensAt = gateOpensAt(e, now)
  if opensAt == math.huge then return nil end
  -- Retries leave room for first attempts, unless nobody else could use it anyway.
  if lane == 1 and e.outRetries > 0 then
    local room = math.max(1, gateRoom(e, now))
    if e.outRetries >= math.floor((room + e.out) / 2) then return nil end
  end
  local first = redis.call('ZRANGE', dueKey(lane, endpointId), 0, 0, 'WITHSCORES')
  -- Whoever had a turn goes to the back of the row; a clock that was set back must not keep it there.
  local at = math.max(tonumber(first[2]), math.min(e.turn[lane + 1], now))
  if opensAt > now then return math.max(at, opensAt) end
  return at
end

-- Files the lanes of what changed under the time they may go.
local function placeLanes()
  for id in pairs(unplacedEndpoints) do
    local e = endpoints[id]
    for lane in pairs(uncounted[id] or {}) do e.queued[lane + 1] = redis.call('ZCARD', dueKey(lane, id)) end
    for lane = 0, 1 do
      local at = laneOpensAt(id, e, lane) or false
      if at ~= e.at[lane + 1] then
        if at then
          redis.call('ZADD', waitingKey(lane, e.pool), at, id)
        else
          redis.call('ZREM', waitingKey(lane, e.pool), id)
        end
        e.at[lane + 1] = at
      end
    end
  end
  unplacedEndpoints, uncounted = {}, {}
end

-- Leases a delivery to a claim of the process that asks.
local function lease(number, d, claim)
  local e = endpoint(d[ENDPOINT])
  token = token + 1
  d[TOKEN], d[EXPIRES], d[HOLDER] = token, now + claim.leaseMs, request.process
  changedDeliveries[number] = true
  touch(d[ENDPOINT])
  gateNoteGrant(e, now)
  claim.room = claim.room - 1
  claim.out = claim.out + 1
  if d[LANE] == 1 then
    e.outRetries = e.outRetries + 1
    claim.retryRoom = claim.retryRoom - 1
  end
  newLeases[#newLeases + 1] = digits(d[EXPIRES])
  newLeases[#newLeases + 1] = member(number)
end

local function writeLeases()
  for holder, ended in pairs(endedLeases) do callMany('ZREM', 'leases:' .. holder, ended) end
  if #newLeases == 0 then return end
  callMany('ZADD', 'leases:' .. request.process, newLeases)
  -- Whoever holds leases is watched: they come back when it is not heard of any more.
  redis.call('ZADD', key('processes'), digits(now + request.aliveMs), request.process)
end

-- The pools in which something changed: whoever asked looks next what may go there.
local function touchedPools()
  local pools, seen = {}, {}
  for id in pairs(changedEndpoints) do
    local pool = endpoints[id].pool
    if pool and not seen[pool] then
      seen[pool] = true
      pools[#pools + 1] = pool
    end
  end
  return jsonList(pools)
end

-- Writes everything; for commands that change and do not grant.
local function finishChanges()
  placeLanes()
  writeLeases()
  finish()
end
