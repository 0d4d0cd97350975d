-- Devices that have never been seen: each makes its calls in order, enrolling first and beating last.
--
-- A call has a line of devices; each line is `gap` devices behind the one before, so that a device's next call comes
-- when its last one has been answered. A slot whose line has no device yet, or no more, passes in silence.

dofile(os.getenv("BENCH_FOLDER") .. "/pace.lua")
dofile(os.getenv("BENCH_FOLDER") .. "/tally.lua")

local function setting(name) return tonumber(os.getenv("BENCH_" .. name)) end

local steps, gap, devices
local slot, waiting, first_waiting, last_waiting = -1, {}, 1, 0

local function device_of(number)
  return math.floor(number / #steps) - number % #steps * gap
end

-- The next slot that has a device; its request is made when its time has come, and those are in order.
local function next_slot()
  repeat
    slot = slot + 1
    local device = device_of(slot)
  until device >= 0 and device < devices or slot > #steps * (devices + #steps * gap)
  last_waiting = last_waiting + 1
  waiting[last_waiting] = slot
  return slot
end

function init(args)
  local pieces = dofile(os.getenv("BENCH_PIECES"))
  steps, gap, devices = pieces.steps, setting("GAP"), setting("DEVICES")
  keep_positions(os.getenv("BENCH_POSITIONS"))
  pace(setting("RATE"), next_slot)
end

function request()
  local number = waiting[first_waiting] or 0  -- wrk makes one request to look at it, before any other
  if waiting[first_waiting] then
    waiting[first_waiting] = nil
    first_waiting = first_waiting + 1
    sent = sent + 1
  end
  local shapes = steps[number % #steps + 1]
  local device = device_of(number)
  local pieces = shapes[device % #shapes + 1]
  local id = string.sub(tostring(10000000 + device), 2)
  local rest = pieces[3]
  if rest then return pieces[1] .. id .. pieces[2] .. id .. rest end
  return pieces[1] .. id .. pieces[2]
end
