-- uses: request, deliveries
-- Deliveries by their seqs, as people see them. Writes nothing.
--
-- request.seqs  in the order wanted
--
-- Output: JSON, and their contexts ('' for none) in the order of the rows
--   rows  see `showDelivery`; null for what is not there

local rows, contexts = {}, {}
fetchDeliveries(request.seqs)
for nth, number in ipairs(request.seqs) do
  local d = delivery(number)
  rows[nth] = d and showNow(number, d) or 'null'
  contexts[nth] = d and contextOf(number, d) or ''
end

local reply = { '{"rows":[' .. table.concat(rows, ',') .. ']}' }
for _, context in ipairs(contexts) do reply[#reply + 1] = context end
return reply
