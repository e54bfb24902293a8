-- How fast an endpoint may be delivered to right now: the same rules, word for word, as `endpoint-gate.ts`, kept here
-- because they must hold over all processes. A test runs both side by side.
--
-- An endpoint's state `e` (one field of the hash `lanes`, JSON): held, max (deliveries at a time), rate (per second,
-- absent for no limit), tokens, tokensAt, rest (Unix ms until which it rests), slowFrom, slowedAt, probeAt, probes
-- (successes while the circuit is open), fails (in a row), since (Unix ms of the first of them), lastOk, out (in
-- flight), earns (whether it has to earn its concurrency), window (what it has earned).

local CIRCUIT_OPENS_AFTER = 10
local PROBE_EVERY_MS = 60000
local SUCCESSES_TO_CLOSE = 2
local FIRST_WINDOW = 4
local RECOVERY_MS = 300000
local REST_AFTER_429_MS = 1000
local LONGEST_REST_MS = 86400000

local function circuitIsOpen(e)
  return e.fails >= CIRCUIT_OPENS_AFTER
end

-- Up to a second's worth may go in one burst, and always one.
local function gateCapacity(e)
  return math.max(1, e.rate)
end

local function gateConcurrency(e, at)
  local earned = e.earns and math.min(e.window or FIRST_WINDOW, e.max) or e.max
  if not e.slowFrom or e.slowFrom >= e.max then return earned end
  local recovered = math.min(1, (at - e.slowedAt) / RECOVERY_MS)
  return math.min(earned, math.floor(e.slowFrom + (e.max - e.slowFrom) * recovered))
end

local function gateTokens(e, at)
  if not e.rate then return math.huge end
  if not e.tokens then e.tokens, e.tokensAt = gateCapacity(e), at end
  if at > e.tokensAt then
    e.tokens = math.min(gateCapacity(e), e.tokens + (at - e.tokensAt) / 1000 * e.rate)
    e.tokensAt = at
  elseif e.tokensAt - at > 1000 then
    -- A clock that was set back must not stop it.
    e.tokensAt = at
  end
  return e.tokens
end

local function gateTokenAt(e, at)
  local tokens = gateTokens(e, at)
  if tokens >= 1 then return at end
  return at + math.ceil((1 - tokens) / e.rate * 1000)
end

-- How many more may go.
local function gateRoom(e, at)
  if e.held or at < (e.rest or 0) then return 0 end
  if circuitIsOpen(e) then
    if e.out == 0 and at >= (e.probeAt or 0) then return 1 end
    return 0
  end
  return math.min(gateConcurrency(e, at) - e.out, math.floor(gateTokens(e, at)))
end

-- When there may be room by the passing of time alone; math.huge where only a change helps.
local function gateOpensAt(e, at)
  if e.held then return math.huge end
  if at < (e.rest or 0) then return e.rest end
  if circuitIsOpen(e) then
    if e.out == 0 then return math.max(e.probeAt or 0, at) end
    return math.huge
  end
  if e.out >= gateConcurrency(e, at) then return math.huge end
  return gateTokenAt(e, at)
end

local function gateSetSettings(e, held, max, rate)
  -- Another rate begins with a full burst.
  if rate ~= e.rate then e.rate, e.tokens, e.tokensAt = rate, nil, nil end
  -- Somebody switched it on again: what failed before that is forgiven, or its first failure would end it at once.
  if e.held and not held then e.fails, e.since = 0, nil end
  e.held, e.max = held, max
end

local function gateNoteGrant(e, at)
  e.out = e.out + 1
  if e.rate then e.tokens = gateTokens(e, at) - 1 end
  if circuitIsOpen(e) then e.probeAt = at + PROBE_EVERY_MS end
end

local function gateNoteSuccess(e, at)
  e.lastOk = at
  if (e.window or FIRST_WINDOW) < e.max then e.window = (e.window or FIRST_WINDOW) + 1 end
  if circuitIsOpen(e) then
    e.probes = (e.probes or 0) + 1
    if e.probes < SUCCESSES_TO_CLOSE then
      e.probeAt = at
      return
    end
  end
  e.probes, e.fails, e.since = nil, 0, nil
end

local function gateNoteFailure(e, at)
  e.probes = nil
  e.window = math.max(1, math.floor(math.min(e.window or FIRST_WINDOW, e.max) / 2))
  e.fails = e.fails + 1
  e.since = e.since or at
  if circuitIsOpen(e) then e.probeAt = at + PROBE_EVERY_MS end
end

-- kind: success, failure or throttled; restMs: the rest that the receiver asked for, or nil.
local function gateNoteSign(e, kind, restMs, at)
  if kind == 'success' then gateNoteSuccess(e, at) end
  if kind == 'failure' then gateNoteFailure(e, at) end
  if kind == 'throttled' then
    e.slowFrom = math.max(1, math.floor(gateConcurrency(e, at) / 2))
    e.slowedAt = at
    restMs = restMs or REST_AFTER_429_MS
  end
  if restMs then e.rest = math.max(e.rest or 0, at + math.min(restMs, LONGEST_REST_MS)) end
end

local function gateState(e, at)
  local tokenAt = gateTokenAt(e, at)
  local circuit = 'closed'
  if circuitIsOpen(e) then
    circuit = (e.probes or e.out > 0) and 'probing' or 'open'
  end
  return {
    inFlight = e.out,
    restUntil = at < (e.rest or 0) and e.rest or cjson.null,
    circuit = circuit,
    nextProbeAt = circuitIsOpen(e) and (e.probeAt or 0) or cjson.null,
    concurrency = gateConcurrency(e, at),
    nextTokenAt = tokenAt > at and tokenAt or cjson.null,
  }
end
