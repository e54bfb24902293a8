-- uses: request, deliveries
-- The attempts of deliveries, oldest first. Writes nothing.
--
-- request.seqs  the deliveries
--
-- Output: JSON, and the attempts, delivery after delivery
--   counts  how many are of each

local counts, texts = {}, {}
fetchDeliveries(request.seqs)
for nth, number in ipairs(request.seqs) do
  local d = delivery(number)
  local fields = {}
  for attempt = 1, d and d[ATTEMPTS] or 0 do fields[attempt] = string.format('%d.%d', number, attempt) end
  for _, stored in ipairs(fetchMany('attempts', fields)) do texts[#texts + 1] = stored end
  counts[nth] = #fields
end

local reply = { cjson.encode({ counts = jsonList(counts) }) }
for _, stored in ipairs(texts) do reply[#reply + 1] = stored end
return reply
