-- Heartbeats of a fleet: each request is another device's next heartbeat, joined from prebuilt pieces.
--
-- Devices come in a fixed order that is no order of theirs (steps of `stride` through the fleet), and again from the
-- start when all have beaten. Which of a hundred heartbeats brings what: see heartbeat_bodies.py. Settings come from
-- the environment: see wrk.py.

dofile(os.getenv("BENCH_FOLDER") .. "/pace.lua")
dofile(os.getenv("BENCH_FOLDER") .. "/tally.lua")

local function setting(name) return tonumber(os.getenv("BENCH_" .. name)) end

local stride, bad_every = setting("STRIDE"), setting("BAD_EVERY")
local shapes, has_events, news_before, hardware_at, news_a_cycle
local first, count, beats, place, round
local thousands, ones = {}, {}
if not os.getenv("BENCH_POSITIONS") then only_count() end

function init(args)
  local pieces = dofile(os.getenv("BENCH_PIECES"))
  shapes, has_events, news_before = pieces.shapes, pieces.has_events, pieces.news_before
  hardware_at, news_a_cycle = pieces.hardware_at, pieces.news_a_cycle
  local threads, devices = setting("THREADS"), setting("DEVICES")
  first = math.floor(devices * thread_index / threads)
  count = math.floor(devices * (thread_index + 1) / threads) - first
  beats = math.floor(setting("BEATS_BEFORE") / threads)
  round = math.floor(beats / count)
  place = (beats % count) * stride % count
  keep_positions(os.getenv("BENCH_POSITIONS"))
  for number = 0, 9999 do thousands[number] = string.format("%04d", number) end
  for number = 0, 999 do ones[number] = string.format("%03d", number) end
  pace(setting("RATE") / threads, nil, setting("SECONDS"))
  answer_wrk(shapes[1].bad[1] .. "0000000" .. shapes[1].bad[2], next_heartbeat)
end

function next_heartbeat()
  local index = first + place
  local shape = shapes[index % #shapes + 1]
  local beat = round + index
  local at = beat % 100
  local variant = (math.floor(beat / 100) * news_a_cycle + news_before[at + 1]) % #shape.plain + 1
  local bodies = at == hardware_at and shape.with_hardware or has_events[at + 1] and shape.with_events or shape.plain
  local pieces = bodies[variant]
  sent = sent + 1
  beats = beats + 1
  place = (place + stride) % count
  if beats % count == 0 then round = round + 1 end
  local thousand, one = thousands[math.floor(index / 1000)], ones[index % 1000]
  if bad_every > 0 and sent % bad_every == 0 then pieces = shape.bad end
  local rest = pieces[3]
  if rest then return pieces[1] .. thousand .. one .. pieces[2] .. thousand .. one .. rest end
  return pieces[1] .. thousand .. one .. pieces[2]
end
