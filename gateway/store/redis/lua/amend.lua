-- uses: request, gate, deliveries, lanes
-- A person's wish for one delivery; never touches one that is being sent.
--
-- request.seq     the delivery
-- request.action  retry: due now, in a new generation. cancel: nothing further happens
--
-- Output: JSON
--   result  amended, not_found, in_progress or final
--   pools   to be looked at

local number = request.seq
local d = delivery(number)

local function amend()
  if not d then return 'not_found' end
  if d[TOKEN] ~= 0 then return 'in_progress' end
  local retry = request.action == 'retry'
  if not retry and not d[DUE] and d[STATUS] ~= 'HELD' then return 'final' end
  -- It leaves the order of its key: what is retried by hand goes when it is asked for.
  takeOut(number, d)
  d[LANE] = 1
  if retry then
    setStatus(d, 'PENDING')
    d[DUE], d[STEP], d[COMPLETED], d[REASON] = now, 0, false, 'retried_by_hand'
    d[GENERATION] = d[GENERATION] + 1
    enqueue(number, d)
  else
    setStatus(d, 'CANCELLED')
    d[DUE], d[COMPLETED], d[REASON] = false, now, 'cancelled_by_hand'
  end
  noteChange(nextSeq(), now, number, d)
  freeKey(d)
  return 'amended'
end

local result = amend()
finishChanges()
return { cjson.encode({ result = result, pools = touchedPools() }) }
