-- Walks several indexes side by side, in the order of the journal.
--
-- request.order  newest or oldest first
-- request.limit  rows of a page; one more is looked for, to know whether there is another page
-- request.after  seq beyond which to begin, or null
-- request.since, request.until  Unix ms or null: from, inclusive, and to, exclusive

-- What one call looks at, however few of it are wanted: nobody else is served meanwhile.
local EXAMINED_AT_MOST = 2000
local FETCHED_AT_ONCE = 1000

local newestFirst = request.order == 'newest'

local function seqsOf(entry)
  return cmsgpack.unpack(entry[2][4])[1]
end

-- Seq and time run together, so a span of time is about a span of seqs: found by halving, an entry of the index at a
-- time. @returns a seq before which nothing is of that time or later, and one from which on everything is
local function edgesOf(index, time)
  local newest = redis.call('XREVRANGE', key(index), '+', '-', 'COUNT', 1)[1]
  if not newest then return 0, 0 end
  local low, high, before, after = 0, tonumber(string.match(newest[1], '^%d+')) + 1, 0, math.huge
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', key(index), digits(middle) .. '-0', '+', 'COUNT', 1)[1]
    if not entry or tonumber(entry[2][2]) >= time then
      high = middle
      after = entry and seqsOf(entry)[1] or after
    else
      low = tonumber(string.match(entry[1], '^%d+')) + 1
      before = seqsOf(entry)[1]
    end
  end
  return before, after
end

-- @returns the first seq that may be, and the first beyond that may not; `timeIndex` has every row
local function spanOf(timeIndex)
  local from, to, _ = 0, math.huge, nil
  if given(request.since) then from = edgesOf(timeIndex, request.since) end
  if given(request['until']) then _, to = edgesOf(timeIndex, request['until']) end
  local after = given(request.after)
  if after and newestFirst then to = math.min(to, after) end
  if after and not newestFirst then from = math.max(from, after + 1) end
  return from, to
end

-- Whether a row of this time is wanted.
local function isInTime(at)
  local since, till = given(request.since), given(request['until'])
  return not (since and at < since or till and at >= till)
end

-- What an index has within a span, in order, up to so many: seq, and of events id and isDirect.
local function readIndex(index, from, to, count)
  local found = {}
  local first, last = digits(from) .. '-0', '+'
  local function add(entry)
    local seqs, ids, directs = unpack(cmsgpack.unpack(entry[2][4]))
    local begin, finish, step = 1, #seqs, 1
    if newestFirst then begin, finish, step = #seqs, 1, -1 end
    for nth = begin, finish, step do
      if #found < count and seqs[nth] >= from and seqs[nth] < to then
        found[#found + 1] = { seq = seqs[nth], id = ids and ids[nth], isDirect = directs and directs[nth] }
      end
    end
  end
  if newestFirst and to < math.huge then
    -- The entry that goes by a later name may begin before it.
    last = digits(to) .. '-0'
    local across = redis.call('XRANGE', key(index), last, '+', 'COUNT', 1)[1]
    if across then add(across) end
    last = '(' .. last
  end
  while #found < count do
    local entries
    if newestFirst then
      entries = redis.call('XREVRANGE', key(index), last, first, 'COUNT', 4)
    else
      entries = redis.call('XRANGE', key(index), first, last, 'COUNT', 4)
    end
    for _, entry in ipairs(entries) do add(entry) end
    if #entries < 4 then return found end
    if newestFirst then last = '(' .. entries[4][1] else first = '(' .. entries[4][1] end
    if not newestFirst and tonumber(string.match(entries[4][1], '^%d+')) >= to then return found end
  end
  return found
end

local function readSortedSet(index, from, to, count)
  local first = digits(from)
  local last = to < math.huge and '(' .. digits(to) or '+inf'
  local members
  if newestFirst then
    members = redis.call('ZREVRANGEBYSCORE', key(index), last, first, 'LIMIT', 0, count)
  else
    members = redis.call('ZRANGEBYSCORE', key(index), first, last, 'LIMIT', 0, count)
  end
  for nth, found in ipairs(members) do members[nth] = { seq = tonumber(found) } end
  return members
end

local function sortEntries(entries)
  table.sort(entries, function(a, b)
    if newestFirst then return a.seq > b.seq end
    return a.seq < b.seq
  end)
end

-- The next stretch of all indexes together, in order. @returns it, and the span that is left (nothing: none)
local function nextStretch(indexes, read, from, to)
  local count = math.max(8, math.min(request.limit + 1, math.floor(FETCHED_AT_ONCE / #indexes)))
  local found, edge = {}, nil
  for _, index in ipairs(indexes) do
    local entries = read(index, from, to, count)
    for _, entry in ipairs(entries) do found[#found + 1] = entry end
    if #entries == count then
      -- Beyond this one's last entry others may have more, but this one has not been read.
      local last = entries[count].seq
      if not edge or (newestFirst and last > edge) or (not newestFirst and last < edge) then edge = last end
    end
  end
  sortEntries(found)
  local stretch = {}
  for _, entry in ipairs(found) do
    if edge and (newestFirst and entry.seq < edge or not newestFirst and entry.seq > edge) then break end
    -- It may stand in two of them.
    if not stretch[1] or stretch[#stretch].seq ~= entry.seq then stretch[#stretch + 1] = entry end
  end
  if not edge then return stretch, nil, nil end
  if newestFirst then return stretch, from, edge end
  return stretch, edge + 1, to
end

-- Walks until the page is full, the end is reached, or enough was looked at.
-- visit(entries): makes rows of those that match; returns the seq of its last entry where the rest has to wait.
-- rows: where it puts them
-- @returns the seq to go on from, or nothing where there is no more to look at
local function walk(indexes, read, from, to, visit, rows)
  local examined = 0
  while #indexes > 0 and from < to do
    local entries, leftFrom, leftTo = nextStretch(indexes, read, from, to)
    local stoppedAt = visit(entries)
    if stoppedAt then return stoppedAt end
    examined = examined + #entries
    if #rows > request.limit or not leftFrom then return nil end
    from, to = leftFrom, leftTo
    if examined >= EXAMINED_AT_MOST then return newestFirst and to or from - 1 end
  end
  return nil
end

local function setOf(list)
  if not given(list) then return nil end
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end
