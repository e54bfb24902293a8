-- What became of a lease.

-- spec: seq, token, status, due ms, step, reason, frees its key (0 or 1), sign, rest ms, number of the attempt's text,
-- events this causes (see `findHolder`). @returns '1' recorded, '0' stale, or JSON of who holds the id of an event
local function settle(spec, grantNow)
  local number = spec[1]
  local d = delivery(number)
  if not d or d[TOKEN] == 0 or d[TOKEN] ~= spec[2] then return '0' end
  for index, cause in ipairs(spec[11] or {}) do
    local holder = findHolder(cause)
    -- Of the same source: this very event, stored already. Of another: the caller names it otherwise, and asks again.
    if holder and holder.source ~= cause[4] then return showHolder(holder, index) end
  end
  local attempt = given(spec[10])
  release(number, d)
  if attempt then
    d[ATTEMPTS] = d[ATTEMPTS] + 1
    d[LANE] = 1
    newAttempts[#newAttempts + 1] = string.format('%d.%d', number, d[ATTEMPTS])
    newAttempts[#newAttempts + 1] = text(attempt)
  end
  setStatus(d, spec[3])
  d[DUE] = spec[4] ~= null and ours(spec[4])
  d[STEP], d[REASON] = spec[5], orFalse(spec[6])
  d[COMPLETED] = not d[DUE] and spec[3] ~= 'HELD' and now
  if spec[3] == 'SUCCEEDED' then
    if d[LISTED] then
      d[LISTED] = false
      succeeded[#succeeded + 1] = member(number)
    end
  elseif not d[DUE] then
    listOpen(number, d)
  end
  if spec[7] == 1 then leaveOrder(number, d) end
  if given(spec[8]) then gateNoteSign(endpoint(d[ENDPOINT]), spec[8], given(spec[9]), now) end
  -- Work that was only handed back changed nothing that anybody sees.
  if attempt or not d[DUE] then noteChange(nextSeq(), now, number, d) end
  for _, cause in ipairs(spec[11] or {}) do
    if not findHolder(cause) then addEvent(cause, grantNow) end
  end
  if spec[7] == 1 then freeKey(d) end
  if d[DUE] then enqueue(number, d) end
  return '1'
end
