-- When the next request goes out: at once (closed loop), or at fixed times whatever the answers take (open loop).
--
-- With a rate, every connection that is free takes the next slot. As long as one is free, requests go out at their
-- slots, so a slow server gets no relief; a request 100 ms behind its slot is counted as late.
--
-- Where a load has an end, nothing is sent after it, and wrk goes on until what was sent is answered.
--
-- wrk can be told to delay a request, which costs it a timer and two more calls of the kernel each time. So where slots
-- are near each other, the thread sleeps until the next one instead, for some of them at once.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long tv_sec; long tv_nsec; } bench_time;
  int clock_gettime(int clock, bench_time *time);
  int nanosleep(const bench_time *duration, bench_time *remaining);
]]
local clock, nap = ffi.new("bench_time"), ffi.new("bench_time")
local MONOTONIC, LATE_US, FOR_EVER_MS = 1, 100000, 3600000
local NEAR_US, NAP_US = 500, 250

late, began_us, ended_us = 0, 0, 0

local function now_us()
  ffi.C.clock_gettime(MONOTONIC, clock)
  return tonumber(clock.tv_sec) * 1e6 + tonumber(clock.tv_nsec) / 1e3
end

-- False when sending is over.
local function await_slot() return true end

-- What wrk asks: the next request at its slot, and "", of which it sends nothing, when sending is over. To be called in
-- init(). wrk's first thread makes one request to look at it, before any other: that is `sample`.
function answer_wrk(sample, next_request)
  local is_looked_at = thread_index > 0
  function request()
    if not is_looked_at then
      is_looked_at = true
      return sample
    end
    return await_slot() and next_request() or ""
  end
end

local function begin(seconds)
  began_us = now_us()
  return seconds and began_us + seconds * 1e6 or math.huge
end

-- Slots near each other, or none (interval 0).
local function sleep_until_slots(interval_us, seconds)
  local ends_us
  local slot_us
  await_slot = function()
    if not ends_us then
      ends_us = begin(seconds)
      slot_us = began_us
    end
    local now = now_us()
    if now >= ends_us then
      ended_us = now  -- wrk asks when the connection's last request is answered
      return false
    end
    if interval_us == 0 then return true end
    local ahead_us = slot_us - now
    if ahead_us > 0 then
      nap.tv_nsec = (ahead_us + NAP_US) * 1000
      ffi.C.nanosleep(nap, nil)
    elseif ahead_us < -LATE_US then
      late = late + 1
    end
    slot_us = slot_us + interval_us
    return true
  end
end

-- Slots apart from each other, or in an order of their own.
local function delay_until_slots(interval_us, next_slot, seconds)
  local ends_us
  local taken = -1
  next_slot = next_slot or function() taken = taken + 1; return taken end
  function delay()
    ends_us = ends_us or begin(seconds)
    local now = now_us()
    if now >= ends_us then
      ended_us = now
      return FOR_EVER_MS
    end
    local slot_us = began_us + next_slot() * interval_us
    if slot_us >= ends_us then return FOR_EVER_MS end
    if slot_us >= now then return math.floor((slot_us - now) / 1000 + 0.5) end
    if now - slot_us > LATE_US then late = late + 1 end
    return 0
  end
end

-- Sets the pace. To be called in init(). `next_slot` gives the number of the slot to take, from 0; without it slots are
-- taken one after the other. `seconds`: when sending ends; then `began_us` is the time before the first request, 0 until
-- then, and `ended_us` that of the last answer.
function pace(requests_per_s, next_slot, seconds)
  if requests_per_s <= 0 and not seconds then return end
  local interval_us = requests_per_s > 0 and 1e6 / requests_per_s or 0
  if next_slot or interval_us > NEAR_US then
    delay_until_slots(interval_us, next_slot, seconds)
  else
    sleep_until_slots(interval_us, seconds)
  end
end
