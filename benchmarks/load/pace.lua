-- When the next request goes out: at once (closed loop), or at fixed times whatever the answers take (open loop).
--
-- With a rate, every connection that is free takes the next slot. As long as one is free, requests go out at their
-- slots, so a slow server gets no relief; a request 100 ms behind its slot is counted as late.
--
-- Where a load has an end, nothing is sent after it, and wrk goes on until what was sent is answered.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long tv_sec; long tv_nsec; } bench_time;
  int clock_gettime(int clock, bench_time *time);
]]
local clock = ffi.new("bench_time")
local MONOTONIC, LATE_US, FOR_EVER_MS = 1, 100000, 3600000

late, began_us, ended_us = 0, 0, 0

local function now_us()
  ffi.C.clock_gettime(MONOTONIC, clock)
  return tonumber(clock.tv_sec) * 1e6 + tonumber(clock.tv_nsec) / 1e3
end

-- Makes wrk ask before each request for how many milliseconds to wait. To be called in init(). `next_slot` gives the
-- number of the slot to take, from 0; without it slots are taken one after the other. `seconds`: when sending ends; then
-- `began_us` is the time before the first request, 0 until then, and `ended_us` that of the last answer.
function pace(requests_per_s, next_slot, seconds)
  if requests_per_s <= 0 and not seconds then return end
  local interval_us = requests_per_s > 0 and 1e6 / requests_per_s or 0
  local ends_us
  local taken = -1
  next_slot = next_slot or function() taken = taken + 1; return taken end
  function delay()
    local now = now_us()
    if not ends_us then
      began_us = now
      ends_us = seconds and now + seconds * 1e6 or math.huge
    end
    if now >= ends_us then
      ended_us = now  -- wrk asks when the connection's last request is answered
      return FOR_EVER_MS
    end
    if interval_us == 0 then return 0 end
    local slot_us = began_us + next_slot() * interval_us
    if slot_us >= ends_us then return FOR_EVER_MS end
    if slot_us >= now then return math.floor((slot_us - now) / 1000 + 0.5) end
    if now - slot_us > LATE_US then late = late + 1 end
    return 0
  end
end
