-- One request to the gateway for each URL, however many players wait for the same answer.
--
-- The first that asks for $hls_key leads: it goes on to proxy_cache and, on a miss, to the gateway. Who asks meanwhile
-- waits here, and is let on to proxy_cache when the leader's answer is in the cache: at once in the leader's worker,
-- within POLL_S in others. Waiting decides nothing but the moment: whether an answer was stored, and for how long, is
-- proxy_cache's alone, and who finds nothing there goes to the gateway itself.
--
-- An error is not stored. Those who waited for it get the same one, instead of waiting for the next deadline each by
-- itself; who asks after it asks the gateway anew. When the leader is lost without an answer, another one leads.

local semaphore = require("ngx.semaphore")

-- Above proxy_read_timeout, so that a leader ends first. A worker that dies leaves its mark no longer than this.
local MAX_WAIT_S = 15
-- How often a worker looks whether another worker's leader has its answer.
local POLL_S = 0.004
-- How long other workers can read how a flight ended.
local OUTCOME_S = 2
-- A refusal is one sentence; what is longer is not passed on.
local MAX_SENTENCE_BYTES = 512

local STORED, LOST = { is_stored = true }, { is_lost = true }

-- A flight: key, id, lane (a semaphore), waiting (how many), outcome (nil while it lasts), sentence (what came of it).
local flights = {} -- By key: those that a request of this worker leads, or waits for.
local foreign = {} -- By key: those of them that another worker leads.
local last_number = 0
local is_watching = false

local marks = ngx.shared.flights

local function has_other_workers()
  return ngx.worker.count() > 1
end

local function land(flight, outcome)
  flight.outcome = outcome
  if flights[flight.key] == flight then
    flights[flight.key] = nil
  end
  if flight.waiting > 0 then
    flight.lane:post(flight.waiting)
  end
end

-- Outcomes between workers: "" stored, else "status\nRetry-After\nLink\ncontent type\nsentence".

local function serialize(outcome)
  if outcome.is_stored then
    return ""
  end
  local told = { outcome.status, outcome.retry_after, outcome.link, outcome.content_type, outcome.sentence }
  return table.concat(told, "\n")
end

local function parse(text)
  if text == nil then
    return LOST
  elseif text == "" then
    return STORED
  end
  local status, retry_after, link, content_type, sentence = text:match("^(%d+)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$")
  return {
    status = tonumber(status),
    retry_after = retry_after,
    link = link,
    content_type = content_type,
    sentence = sentence,
  }
end

local function look_at_foreign()
  for key, flight in pairs(foreign) do
    if marks:get(key) ~= flight.id then
      foreign[key] = nil
      land(flight, parse(marks:get("outcome " .. flight.id)))
    end
  end
end

local function watch_foreign()
  while next(foreign) do
    ngx.sleep(POLL_S)
    look_at_foreign()
  end
  is_watching = false
end

-- False where this worker may start no timer any more, because it is being replaced.
local function watch()
  if not is_watching then
    is_watching = ngx.timer.at(0, watch_foreign) or false
  end
  return is_watching
end

-- The flight for `key`, which has none in this worker, and whether the caller leads it.
local function depart(key)
  last_number = last_number + 1
  local id = ngx.worker.pid() .. "." .. last_number
  local flight = { key = key, id = id, lane = semaphore.new(0), waiting = 0, sentence = "" }
  if has_other_workers() and not marks:add(key, id, MAX_WAIT_S) then
    local other = marks:get(key)
    if other and watch() then
      flight.id = other
      foreign[key] = flight
      flights[key] = flight
      return flight, false
    end
  end
  flights[key] = flight
  return flight, true
end

-- What came of the flight, or nil when that took too long.
local function await(flight, wait_s)
  flight.waiting = flight.waiting + 1
  flight.lane:wait(wait_s)
  flight.waiting = flight.waiting - 1
  return flight.outcome
end

local function refuse(outcome)
  if outcome.sentence == "" then
    return ngx.exit(outcome.status)
  end
  ngx.status = outcome.status
  ngx.header["Content-Type"] = outcome.content_type
  ngx.header["Retry-After"] = outcome.retry_after ~= "" and outcome.retry_after or nil
  ngx.header["Link"] = outcome.link ~= "" and outcome.link or nil
  ngx.print(outcome.sentence)
  return ngx.exit(ngx.HTTP_OK)
end

local function enter()
  local key = ngx.var.hls_key
  if key == "" then
    return
  end
  local deadline_s = ngx.now() + MAX_WAIT_S
  while ngx.now() < deadline_s do
    local flight, leads = flights[key], false
    if not flight then
      flight, leads = depart(key)
    end
    if leads then
      ngx.ctx.flight = flight
      return
    end
    local outcome = await(flight, deadline_s - ngx.now())
    if outcome and outcome.status then
      return refuse(outcome)
    elseif outcome == STORED then
      return
    end
  end
end

-- The leader's answer, or what ended it, is known: tell everybody.
local function finish(flight, outcome)
  ngx.ctx.flight = nil
  if has_other_workers() and marks:get(flight.key) == flight.id then
    -- An answer out of the cache took no time: who waits elsewhere for a flight without an outcome leads the next.
    if outcome ~= LOST and ngx.var.upstream_cache_status ~= "HIT" then
      marks:set("outcome " .. flight.id, serialize(outcome), OUTCOME_S)
    end
    marks:delete(flight.key)
  end
  land(flight, outcome)
end

local function field(name)
  local value = ngx.header[name]
  return type(value) == "table" and table.concat(value, ", ") or value or ""
end

local function refusal(flight)
  local content_type = field("Content-Type")
  local is_sentence = content_type:find("text/plain", 1, true) and not ngx.header["Content-Encoding"]
  return {
    status = ngx.status,
    retry_after = field("Retry-After"),
    link = field("Link"),
    content_type = content_type,
    sentence = is_sentence and flight.sentence or "",
  }
end

-- At the end of the body nginx has put the answer into the cache (ngx_http_upstream_process_request), though the
-- leader's own client may yet have to read it.
local function body()
  local flight = ngx.ctx.flight
  if not flight then
    return
  end
  local is_refused = ngx.status >= 400
  if is_refused and #flight.sentence < MAX_SENTENCE_BYTES then
    flight.sentence = flight.sentence .. ngx.arg[1]
  end
  if ngx.arg[2] then
    finish(flight, is_refused and refusal(flight) or STORED)
  end
end

-- A leader that had no body (HEAD, 304), or whose client has gone: over HTTP/2 nginx then drops the gateway's answer.
-- Whoever leads next finds it in the cache, or asks again.
local function leave()
  local flight = ngx.ctx.flight
  if flight then
    finish(flight, LOST)
  end
end

return { enter = enter, body = body, leave = leave }
