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

-- Makes wrk ask before each request for how many milliseconds to wait. To be called in init().
function pace(requests_per_s)
  if requests_per_s <= 0 then return end
  local interval_us = 1e6 / requests_per_s
  local slot_us
  function delay()
    local now = now_us()
    slot_us = slot_us and slot_us + interval_us or now
    if slot_us >= now then return math.floor((slot_us - now) / 1000 + 0.5) end
    if now - slot_us > LATE_US then late = late + 1 end
    return 0
  end
end
