-- When the next request goes out: at once (closed loop), or at fixed times whatever the answers take (open loop).
--
-- With a rate, every connection that is free takes the next slot. As long as one is free, requests go out at their
-- slots, so a slow server gets no relief; a request 100 ms behind its slot is counted as late.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long tv_sec; long tv_nsec; } bench_time;
  int clock_gettime(int clock, bench_time *time);
]]
local clock = ffi.new("bench_time")
local MONOTONIC, LATE_US = 1, 100000

late = 0

local function now_us()
  ffi.C.clock_gettime(MONOTONIC, clock)
  return tonumber(clock.tv_sec) * 1e6 + tonumber(clock.tv_nsec) / 1e3
end

-- Makes wrk ask before each request for how many milliseconds to wait. To be called in init(). `next_slot` gives the
-- number of the slot to take, from 0; without it slots are taken one after the other.
function pace(requests_per_s, next_slot)
  if requests_per_s <= 0 then return end
  local interval_us = 1e6 / requests_per_s
  local began_us
  local taken = -1
  next_slot = next_slot or function() taken = taken + 1; return taken end
  function delay()
    local now = now_us()
    began_us = began_us or now
    local slot_us = began_us + next_slot() * interval_us
    if slot_us >= now then return math.floor((slot_us - now) / 1000 + 0.5) end
    if now - slot_us > LATE_US then late = late + 1 end
    return 0
  end
end
