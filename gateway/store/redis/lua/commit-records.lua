-- uses: request
-- Writes all of the changes or none: every version is checked before anything is written.
--
-- rec:<collection>  hash: id -> `<version> <place> <created ms> <updated ms>`, and the JSON value on a second line
-- feed              stream `<n>-0`: c, a JSON list of the changes of one commit: collection, id, version, and the value
--                   as JSON text (empty: deleted). Its numbers have no gaps: a follower knows when it missed some
--
-- request.changes  [collection, id, version it must have (-1: any), number of the value's text (0: delete)]
--
-- Output: JSON
--   conflict  [collection, id, version] of the first that was not as expected
--   versions  as they are now

local FEED_ENTRIES = 2000

local function readRecord(collection, id)
  local stored = redis.call('HGET', key('rec:' .. collection), id)
  if not stored then return 0 end
  local version, place, createdAt = string.match(stored, '^(%d+) (%d+) (%d+)')
  return tonumber(version), place, createdAt
end

for _, change in ipairs(request.changes) do
  local version = readRecord(change[1], change[2])
  if change[3] >= 0 and change[3] ~= version then
    return { cjson.encode({ conflict = { change[1], change[2], version } }) }
  end
end

local versions, notices = {}, {}
for nth, change in ipairs(request.changes) do
  local collection, id, value = change[1], change[2], ''
  local version, place, createdAt = readRecord(collection, id)
  if change[4] == 0 then
    redis.call('HDEL', key('rec:' .. collection), id)
    versions[nth] = 0
  else
    value = text(change[4])
    versions[nth] = version + 1
    place = place or redis.call('HINCRBY', key('meta'), 'place', 1)
    createdAt = createdAt or digits(now)
    local stored = string.format('%d %d %s %d\n', versions[nth], tonumber(place), createdAt, now) .. value
    redis.call('HSET', key('rec:' .. collection), id, stored)
  end
  notices[nth] = { collection, id, versions[nth], value }
end
if #notices > 0 then
  local place = redis.call('HINCRBY', key('meta'), 'feed', 1) .. '-0'
  redis.call('XADD', key('feed'), 'MAXLEN', '~', FEED_ENTRIES, place, 'c', cjson.encode(notices))
end
return { cjson.encode({ versions = jsonList(versions) }) }
