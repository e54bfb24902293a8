-- Handing out leases to the claims of the process that asks.

-- One lane gives at most this many in its turn, so that no endpoint waits for another's whole backlog.
local TURN = 16
-- Lanes that take turns with one another; the rest follow when these have had theirs.
local LANES_AT_ONCE = 64

-- claims of a pool: index, room, retryRoom, out, leaseMs.
local claimsOf = {}
local grants, replyTexts, textOfEvent = {}, {}, {}

local function readClaims()
  for _, pool in ipairs(request.pools) do
    local claims = {}
    for nth, claim in ipairs(pool[3]) do
      claims[nth] = { index = claim[1], room = claim[2], retryRoom = claim[3], out = claim[4], leaseMs = claim[5] }
    end
    claimsOf[pool[1]] = claims
  end
end

-- The claim with the fewest leases that has room; retries never take the last half.
local function claimFor(pool, lane)
  local best = nil
  for _, claim in ipairs(claimsOf[pool] or {}) do
    if claim.room > 0 and (lane == 0 or claim.retryRoom > 0) and (not best or claim.out < best.out) then
      best = claim
    end
  end
  return best
end

-- Who would get the next one out of this lane now; nil where it has to wait.
local function claimNow(e, lane)
  local room = gateRoom(e, now)
  if room < 1 then return nil end
  if lane == 1 and e.outRetries > 0 and e.outRetries >= math.floor((room + e.out) / 2) then return nil end
  return claimFor(e.pool, lane)
end

-- more: the rest of its JSON.
local function noteGrant(number, d, claim, more)
  lease(number, d, claim)
  local since = digitsOrNull(endpoint(d[ENDPOINT]).since)
  grants[#grants + 1] = string.format(
    '[%d,%d,%d,%d,%d,%s,%s]', claim.index, number, d[TOKEN], d[EXPIRES], d[LANE], since, more
  )
end

-- Leases a new delivery at once where nothing stands before it and there is room: the path every delivery takes while
-- receivers keep up. The caller has its event already and is told only which one it is.
local function grantNew(number, d, textNumber, nth)
  if d[DUE] > now or endpoint(d[ENDPOINT]).queued[1] > 0 then return false end
  local claim = claimNow(endpoint(d[ENDPOINT]), 0)
  if not claim then return false end
  noteGrant(number, d, claim, string.format('%d,%d', textNumber, nth))
  return true
end

-- The number of a text of the answer: the stored event, once however many deliveries of it go.
local function replyWithEvent(id)
  if not textOfEvent[id] then
    replyTexts[#replyTexts + 1] = eventText(id)
    textOfEvent[id] = #replyTexts
  end
  return textOfEvent[id]
end

local function grantStored(number, d, claim)
  local context = 0
  if hasFlag(d[FLAGS], CONTEXT) then
    replyTexts[#replyTexts + 1] = redis.call('HGET', key('contexts'), digits(number))
    context = #replyTexts
  end
  noteGrant(number, d, claim, string.format(
    '0,0,%s,%d,%d,%d,%s,%d,%d,%d', quote(d[ENDPOINT]), d[ATTEMPTS], d[GENERATION], d[STEP], quote(d[ORDER_KEY]),
    d[CREATED], replyWithEvent(d[EVENT]), context
  ))
end

-- Grants from one lane until its turn is over, its room is used up, or nothing more is due. @returns how many
local function takeTurn(id, lane)
  local e = endpoint(id)
  touch(id)
  if not claimNow(e, lane) then return 0 end
  local due = redis.call('ZRANGEBYSCORE', dueKey(lane, id), '-inf', digits(now), 'LIMIT', 0, TURN)
  local numbers, taken = {}, {}
  for nth, found in ipairs(due) do numbers[nth] = tonumber(found) end
  fetchDeliveries(numbers)
  local granted = 0
  for nth, number in ipairs(numbers) do
    local claim = claimNow(e, lane)
    if not claim then break end
    local d = delivery(number)
    -- What stands here and is no delivery of this lane is left over from a command that failed: it just goes.
    if d and d[ENDPOINT] == id and d[LANE] == lane and d[DUE] and d[TOKEN] == 0 then
      grantStored(number, d, claim)
      granted = granted + 1
    end
    taken[nth] = due[nth]
  end
  if #taken > 0 then
    redis.call('ZREM', dueKey(lane, id), unpack(taken))
    noteUncounted(id, lane)
  end
  e.turn[lane + 1] = now
  return granted
end

local function readyLanes(pool)
  local lanes, ids = {}, {}
  for lane = 0, 1 do
    if claimFor(pool, lane) then
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', waitingKey(lane, pool), '-inf', digits(now), 'LIMIT', 0, LANES_AT_ONCE)) do
        lanes[#lanes + 1] = { id, lane }
        ids[#ids + 1] = id
      end
    end
  end
  fetchEndpoints(ids)
  return lanes
end

-- Grants all that may go now to this process, lanes in turn.
local function grantDue(pool)
  repeat
    local progress = false
    local lanes = readyLanes(pool)
    local round
    repeat
      round = false
      for _, lane in ipairs(lanes) do
        if takeTurn(lane[1], lane[2]) > 0 then round = true end
      end
      progress = progress or round
    until not round
    if #lanes > 0 then placeLanes() end
  until not progress
end

local function isAlive(process)
  local aliveUntil = redis.call('ZSCORE', key('processes'), process)
  return aliveUntil and tonumber(aliveUntil) > now
end

-- After the grants: who else is to look at this pool, and when to look again by oneself.
-- mask: the lanes (1 first attempts, 2 retries) for which this process is known to have room.
-- @returns JSON of it: Unix ms or null, and the new mask
local function settlePool(pool, mask)
  local wakeAt = math.huge
  for lane = 0, 1 do
    local flag = lane + 1
    local first = redis.call('ZRANGE', waitingKey(lane, pool), 0, 0, 'WITHSCORES')
    local at = first[2] and tonumber(first[2]) or math.huge
    local hungry = key('hungry:' .. lane .. ':' .. pool)
    if at <= now then
      local other = redis.call('SPOP', hungry)
      -- This process has just looked, and a process that is gone does not look.
      while other and (other == request.process or not isAlive(other)) do
        if other == request.process then mask = bit.band(mask, bit.bnot(flag)) end
        other = redis.call('SPOP', hungry)
      end
      if other then redis.call('XADD', key('wake'), 'MAXLEN', '~', 1000, '*', 'to', other, 'pool', pool) end
    else
      wakeAt = math.min(wakeAt, at)
      if claimFor(pool, lane) and bit.band(mask, flag) == 0 then
        redis.call('SADD', hungry, request.process)
        mask = bit.bor(mask, flag)
      end
    end
  end
  return string.format('[%s,%d]', wakeAt < math.huge and digits(wakeAt) or 'null', mask)
end
