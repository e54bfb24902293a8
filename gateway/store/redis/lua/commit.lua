-- uses: request, gate, deliveries, lanes, events, append, grant, settle
-- The hot path: settles leases, stores events with what they owe, and hands out what may go now, in one step.
--
-- request.process       who asks
-- request.aliveMs       how long it counts as alive after this
-- request.settlements   see settle.lua
-- request.appends       see `findHolder` in append.lua
-- request.pools         [pool, mask, claims]: see grant.lua; every pool that is named in the above, or to be looked at
--
-- Output: JSON, and texts that it refers to by number (stored events, contexts).
--   appends      per event the seqs of it and its deliveries, or who holds its id
--   settlements  per settlement 1 recorded, 0 stale, or who holds the id of an event it causes
--   grants       [claim, seq, token, expires ms, lane, failing since ms, text, nth]: a delivery that came with this
--                request; where text is 0, after nth: endpoint, attempts, generation, step, order key, created ms,
--                number of the event's text, number of the context's (0: none)
--   pools        per pool when to look again (Unix ms, null: never) and the new mask
--   now          Unix ms by the clock that was used

readClaims()

local ids, numbers, touched = {}, {}, {}
for _, spec in ipairs(request.settlements) do
  numbers[#numbers + 1] = spec[1]
  for _, cause in ipairs(spec[11] or {}) do ids[#ids + 1] = cause[2] end
end
for _, spec in ipairs(request.appends) do
  ids[#ids + 1] = spec[2]
  for _, owed in ipairs(spec[7]) do touched[#touched + 1] = owed[1] end
end
fetchDeliveries(numbers)
for _, number in ipairs(numbers) do
  if deliveries[number] then touched[#touched + 1] = deliveries[number][ENDPOINT] end
end
fetchEndpoints(touched)
fetchIds(ids)

local settlements, appends, pools = {}, {}, {}
for nth, spec in ipairs(request.settlements) do settlements[nth] = settle(spec, grantNew) end
for nth, spec in ipairs(request.appends) do
  local holder = findHolder(spec)
  appends[nth] = holder and showHolder(holder) or addEvent(spec, grantNew)
end

placeLanes()
for _, pool in ipairs(request.pools) do grantDue(pool[1]) end
for nth, pool in ipairs(request.pools) do pools[nth] = settlePool(pool[1], pool[2]) end
writeLeases()
finish()

local function list(name, values)
  return string.format('"%s":[', name) .. table.concat(values, ',') .. '],'
end

local answer = { '{', list('appends', appends), list('settlements', settlements), list('grants', grants) }
local reply = { table.concat(answer) .. list('pools', pools) .. string.format('"now":%d}', now) }
for _, replyText in ipairs(replyTexts) do reply[#reply + 1] = replyText end
return reply
