-- Devices that have never been seen: each enrols, asks for its registration, registers with all of its hardware, polls
-- its configuration and beats. Several devices' calls are under way at a time: a device's next call comes `gap` devices
-- later, by when the one before it has been answered. What must be repeated is: the enrolment, until it is approved.

dofile(os.getenv("BENCH_FOLDER") .. "/pace.lua")
dofile(os.getenv("BENCH_FOLDER") .. "/tally.lua")

local function setting(name) return tonumber(os.getenv("BENCH_" .. name)) end

local steps, shapes, gap, devices, slot

function init(args)
  local pieces = dofile(os.getenv("BENCH_PIECES"))
  steps, gap, devices, slot = pieces.steps, setting("GAP"), setting("DEVICES"), 0
  keep_positions(os.getenv("BENCH_POSITIONS"))
  pace(setting("RATE"))
end

-- One line of devices for each step, each `gap` devices behind the one before; where a line has no device, the next has.
function request()
  while true do
    local step = slot % #steps
    local device = math.floor(slot / #steps) - step * gap
    slot = slot + 1
    if device >= 0 and device < devices then
      sent = sent + 1
      local shapes = steps[step + 1]
      local pieces = shapes[device % #shapes + 1]
      local id = string.sub(tostring(10000000 + device), 2)
      local rest = pieces[3]
      if rest then return pieces[1] .. id .. pieces[2] .. id .. rest end
      return pieces[1] .. id .. pieces[2]
    end
    if device >= devices and step == #steps - 1 then
      -- All is said: go on with polls, which hurt nobody, until wrk ends.
      slot = slot - #steps
      sent = sent + 1
      local pieces = steps[2][1]
      return pieces[1] .. string.sub(tostring(10000000 + sent % devices), 2) .. pieces[2]
    end
  end
end
