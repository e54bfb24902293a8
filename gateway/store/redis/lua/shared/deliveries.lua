-- What is stored, as a command works with it: read once, changed in memory, written by `finish` in as few commands
-- as there are structures. A command that fails on the way has written next to nothing.
--
-- meta        hash: epoch, seq (last place in the journal), token (last fencing token), oldest (place after which all of
--             the journal is there), prunedTo, feed and place (see commit-records.lua)
-- deliveries  hash: seq -> MessagePack list, see the fields below; false where there is nothing
-- contexts    hash: seq -> opaque text that travels with the delivery
-- attempts    hash: `seq.number` -> JSON, written and read by the gateway
-- lanes       hash: endpoint -> MessagePack map, see gate.lua and lanes.lua
-- open        sorted set: deliveries that have not succeeded, by seq; but not those whose first attempt is being made
-- types       set: event types that were ever seen
-- journal     stream: `<last seq>-0` with t (Unix ms) and c, a JSON list of changes in order; see `noteChange`.
--             What never changes of a delivery is not in it
-- ev, ev:t:<type>, dl, dl:e:<endpoint>, dl:t:<type>, dl:et:<endpoint>:<type>
--             streams used as indexes of events and deliveries: an entry for each command that added some,
--             `<last seq>-0` with a (Unix ms of the first) and s, MessagePack of a list of seqs; of events also of a
--             list of their ids, and of one that says which are meant for one endpoint only. A tenth of a sorted
--             set's memory and work, and walked both ways as well

-- The fields of a delivery.
local EVENT, ENDPOINT, TYPE, STATUS, REASON, LANE, DUE, STEP, GENERATION = 1, 2, 3, 4, 5, 6, 7, 8, 9
local ATTEMPTS, FLAGS, CREATED, COMPLETED, ORDER_KEY, ORDER, TOKEN, EXPIRES, HOLDER = 10, 11, 12, 13, 14, 15, 16, 17, 18
-- Whether it is in `open`.
local LISTED = 19

-- Flags of an event and its deliveries.
local TEST, DIRECT, CONTEXT = 1, 4, 8
-- Where a delivery stands in its key's order.
local FREE, HOLDS_KEY, WAITS_FOR_KEY = 0, 1, 2

-- For an endpoint that nobody has told otherwise.
local DEFAULT_MAX_CONCURRENCY = 32
-- Of the journal and of the indexes.
local CHANGES_PER_ENTRY = 128

local meta = redis.call('HMGET', key('meta'), 'seq', 'token')
local seq, token = tonumber(meta[1] or '0'), tonumber(meta[2] or '0')
local firstSeq, firstToken = seq, token

local deliveries, changedDeliveries = {}, {}
local endpoints, changedEndpoints, unplacedEndpoints = {}, {}, {}
local journal = {}
-- Field and value, or score and member, in turn.
local newEvents, newIds, newAttempts, newContexts, opened, succeeded = {}, {}, {}, {}, {}, {}
local seenTypes = {}
-- Index -> what is new in it.
local indexed = {}

local function delivery(number)
  local known = deliveries[number]
  if known == nil then
    local packed = redis.call('HGET', key('deliveries'), digits(number))
    known = packed and cmsgpack.unpack(packed) or false
    deliveries[number] = known
  end
  return known
end

local function fetchDeliveries(numbers)
  local missing, fields = {}, {}
  for _, number in ipairs(numbers) do
    if deliveries[number] == nil then
      missing[#missing + 1] = number
      fields[#fields + 1] = digits(number)
    end
  end
  for index, packed in ipairs(fetchMany('deliveries', fields)) do
    deliveries[missing[index]] = packed and cmsgpack.unpack(packed) or false
  end
end

local function decodeEndpoint(packed)
  if packed then return cmsgpack.unpack(packed) end
  return {
    held = false, max = DEFAULT_MAX_CONCURRENCY, fails = 0, out = 0, outRetries = 0,
    queued = { 0, 0 }, waits = 0, holds = 0, turn = { 0, 0 }, at = { false, false },
  }
end

local function endpoint(id)
  local known = endpoints[id]
  if not known then
    known = decodeEndpoint(redis.call('HGET', key('lanes'), id))
    endpoints[id] = known
  end
  return known
end

local function fetchEndpoints(ids)
  local missing, asked = {}, {}
  for _, id in ipairs(ids) do
    if not endpoints[id] and not asked[id] then
      missing[#missing + 1] = id
      asked[id] = true
    end
  end
  for index, packed in ipairs(fetchMany('lanes', missing)) do endpoints[missing[index]] = decodeEndpoint(packed) end
end

local function touch(id)
  endpoint(id)
  changedEndpoints[id] = true
  unplacedEndpoints[id] = true
end

local function nextSeq()
  seq = seq + 1
  return seq
end

-- It has not succeeded, and waits or has failed.
local function listOpen(number, d)
  if d[LISTED] then return end
  d[LISTED] = true
  opened[#opened + 1] = digits(number)
  opened[#opened + 1] = member(number)
end

local function hasFlag(flags, flag)
  return bit.band(flags, flag) ~= 0
end

-- A delivery's status as people see it, its reason, and when it goes next.
local function shownStatus(d)
  local status, waits = d[STATUS], d[ORDER] == WAITS_FOR_KEY
  if (status == 'PENDING' or status == 'RETRYING') and (waits or endpoint(d[ENDPOINT]).held) then
    return 'HELD', waits and 'key_waits' or 'endpoint_held', false
  end
  return status, d[REASON], d[DUE]
end

-- JSON of a delivery as it is shown: see `ShownDelivery` in delivery-rows.ts.
local function showDelivery(number, d, status, reason, due)
  return string.format(
    '[%d,%s,%s,%s,"%s",%s,%d,%d,%d,%s,%d,%s,%d,%s]',
    number, quote(d[EVENT]), quote(d[TYPE]), quote(d[ENDPOINT]), status, quote(reason), d[ATTEMPTS], d[GENERATION],
    d[STEP], digitsOrNull(due), d[CREATED], digitsOrNull(d[COMPLETED]), d[FLAGS], quote(d[ORDER_KEY])
  )
end

-- The same as it stands this moment: SENDING while a lease is out, which the journal does not tell of.
local function statusNow(d)
  local status, reason, due = shownStatus(d)
  if d[TOKEN] ~= 0 and d[EXPIRES] > now then return 'SENDING', reason, false end
  return status, reason, due
end

local function showNow(number, d)
  return showDelivery(number, d, statusNow(d))
end

local function contextOf(number, d)
  return hasFlag(d[FLAGS], CONTEXT) and redis.call('HGET', key('contexts'), digits(number)) or ''
end

-- A change of a delivery: its place, when, its seq, and how it stands now.
local function noteChange(place, at, number, d)
  local status, reason, due = shownStatus(d)
  journal[#journal + 1] = { place, string.format(
    '[%d,%d,%d,"%s",%s,%d,%d,%d,%s,%s]', place, at, number, status, quote(reason), d[ATTEMPTS], d[GENERATION], d[STEP],
    digitsOrNull(due), digitsOrNull(d[COMPLETED])
  ) }
end

-- Adds something to an index; id, isDirect: of events only.
local function noteIndexed(index, at, number, id, isDirect)
  local new = indexed[index]
  if not new then
    new = { at = at, seqs = {}, ids = id and {}, directs = id and {} }
    indexed[index] = new
  end
  local nth = #new.seqs + 1
  new.seqs[nth] = number
  if id then new.ids[nth], new.directs[nth] = id, isDirect end
end

local function writeIndexes()
  for index, new in pairs(indexed) do
    for first = 1, #new.seqs, CHANGES_PER_ENTRY do
      local last = math.min(first + CHANGES_PER_ENTRY - 1, #new.seqs)
      local entry = { { unpack(new.seqs, first, last) } }
      if new.ids then entry[2], entry[3] = { unpack(new.ids, first, last) }, { unpack(new.directs, first, last) } end
      local id = digits(new.seqs[last]) .. '-0'
      redis.call('XADD', key(index), id, 'a', digits(new.at), 's', cmsgpack.pack(entry))
    end
  end
end

-- A new event: its place, when, and its id.
local function noteEvent(place, at, id)
  journal[#journal + 1] = { place, string.format('[%d,%d,%s]', place, at, cjson.encode(id)) }
end

local function writeJournal()
  for first = 1, #journal, CHANGES_PER_ENTRY do
    local last = math.min(first + CHANGES_PER_ENTRY - 1, #journal)
    local entries = {}
    for index = first, last do entries[#entries + 1] = journal[index][2] end
    local id = digits(journal[last][1]) .. '-0'
    redis.call('XADD', key('journal'), id, 't', digits(now), 'c', '[' .. table.concat(entries, ',') .. ']')
  end
end

local function writeDeliveries()
  local list = {}
  for number in pairs(changedDeliveries) do
    list[#list + 1] = digits(number)
    list[#list + 1] = cmsgpack.pack(deliveries[number])
  end
  callMany('HSET', 'deliveries', list)
end

local function writeEndpoints()
  local list = {}
  for id in pairs(changedEndpoints) do
    list[#list + 1] = id
    list[#list + 1] = cmsgpack.pack(endpoints[id])
  end
  callMany('HSET', 'lanes', list)
end

local function finish()
  -- First of all: a place that was used must never be given again, whatever comes after this.
  if seq ~= firstSeq or token ~= firstToken then
    redis.call('HSET', key('meta'), 'seq', digits(seq), 'token', digits(token))
  end
  writeIndexes()
  callMany('HSET', 'ids', newIds)
  callMany('HSET', 'events', newEvents)
  callMany('HSET', 'contexts', newContexts)
  callMany('HSET', 'attempts', newAttempts)
  writeDeliveries()
  writeEndpoints()
  callMany('ZREM', 'open', succeeded)
  callMany('ZADD', 'open', opened)
  writeJournal()
  for type in pairs(seenTypes) do redis.call('SADD', key('types'), type) end
end
