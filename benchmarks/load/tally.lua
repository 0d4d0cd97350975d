-- What came back: answers by status, positions of what was acknowledged, latencies; at the end all of it as JSON.
--
-- Looking at each answer costs wrk a table of its header lines. A load that only counts is told by wrk itself how many
-- answers came and how many of them were errors.

local FAILED = 999  -- stands for any status from 400 where only errors are counted

local threads = {}
local positions

counts, sent, without_position, without_retry_after = {}, 0, 0, 0

function setup(thread)
  thread:set("thread_index", #threads)
  table.insert(threads, thread)
end

-- Look at no answer. To be called before init().
function only_count()
  response = nil
end

-- Acknowledged positions go to this file, a line each, one file a thread. To be called in init().
function keep_positions(path)
  if not path then return end
  positions = assert(io.open(path .. "." .. thread_index, "w"))
  positions:setvbuf("full", 1048576)
end

function response(status, headers, body)
  counts[status] = (counts[status] or 0) + 1
  if status == 200 then
    if positions then
      local position = headers["muster-position"] or headers["Muster-Position"]
      if position then positions:write(position, "\n") else without_position = without_position + 1 end
    end
  elseif status == 503 and not headers["retry-after"] and not headers["Retry-After"] then
    without_retry_after = without_retry_after + 1
  end
end

local function sum(name)
  local total = 0
  for _, thread in ipairs(threads) do total = total + thread:get(name) end
  return total
end

local function object(members)
  return "{" .. table.concat(members, ", ") .. "}"
end

function done(summary, latency, requests)
  local by_status, statuses = {}, {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("counts")) do by_status[status] = (by_status[status] or 0) + count end
  end
  if not response then
    by_status[200] = summary.requests - summary.errors.status
    if summary.errors.status > 0 then by_status[FAILED] = summary.errors.status end
  end
  for status, count in pairs(by_status) do table.insert(statuses, string.format('"%d": %d', status, count)) end
  local latencies = {
    string.format('"mean": %.3f', latency.mean / 1000),
    string.format('"max": %.3f', latency.max / 1000),
  }
  for _, share in ipairs({ 50, 90, 99, 99.9 }) do
    table.insert(latencies, string.format('"p%g": %.3f', share, latency:percentile(share) / 1000))
  end
  local duration_us, began, ended = summary.duration, math.huge, 0
  for _, thread in ipairs(threads) do
    began, ended = math.min(began, thread:get("began_us") or 0), math.max(ended, thread:get("ended_us") or 0)
  end
  if ended > 0 then duration_us = ended - began end
  local members = {
    string.format('"duration_s": %.6f', duration_us / 1e6),
    string.format('"received_bytes": %d', summary.bytes),
    '"latency_ms": ' .. object(latencies),
    '"statuses": ' .. object(statuses),
  }
  for _, name in ipairs({ "sent", "late", "without_position", "without_retry_after" }) do
    table.insert(members, string.format('"%s": %d', name, sum(name)))
  end
  for _, name in ipairs({ "connect", "read", "write", "timeout" }) do
    table.insert(members, string.format('"%s_errors": %d', name, summary.errors[name]))
  end
  local out = assert(io.open(os.getenv("BENCH_OUTCOME"), "w"))
  out:write(object(members), "\n")
  out:close()
end
