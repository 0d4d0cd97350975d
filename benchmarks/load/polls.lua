-- A fleet's polls: device after device, the calls of one poll each; a call of `rare` only in one of `rare_every` rounds.
--
-- Devices come in steps of `stride` through the fleet, as for heartbeats.lua.

dofile(os.getenv("BENCH_FOLDER") .. "/pace.lua")
dofile(os.getenv("BENCH_FOLDER") .. "/tally.lua")

local function setting(name) return tonumber(os.getenv("BENCH_" .. name)) end

local calls, rare, rare_every
local first, count, stride, place, step, id, round, index

function init(args)
  local pieces = dofile(os.getenv("BENCH_PIECES"))
  calls, rare, rare_every = pieces.calls, pieces.rare, pieces.rare_every
  local threads, devices = setting("THREADS"), setting("DEVICES")
  first = math.floor(devices * thread_index / threads)
  count = math.floor(devices * (thread_index + 1) / threads) - first
  stride = setting("STRIDE")
  step = 0
  local polled = math.floor(setting("POLLED_BEFORE") / threads)
  place, round = polled % count * stride % count, math.floor(polled / count)
  pace(setting("RATE") / threads)
  answer_wrk(calls[1][1] .. "0000000" .. calls[1][2], next_poll)
end

function next_poll()
  sent = sent + 1
  if step == 0 then
    index = first + place
    id = string.sub(tostring(10000000 + index), 2)
  end
  step = step + 1
  local call = calls[step]
  if not call then
    call = rare
  end
  if step > #calls or (step == #calls and not (rare and (round + index) % rare_every == 0)) then
    step = 0
    place = (place + stride) % count
    if place == 0 then round = round + 1 end
  end
  return call[1] .. id .. call[2]
end
