"""What Redis does in one step: the scripts of the directory.

A keyspace is a hash of rows under a key that ends in a random *generation*, and a *stamp* that names it:

    log, epoch    whose it is
    generation    of the rows that are read; absent while they are rebuilt
    claim         of the rebuild under way
    server        `run_id` of the server that it was written on: after a restart it differs
    writes        how many writes there were: after a dump was loaded into a running server, it is too low
    rows          how many rows there are: after an eviction there are none
    beat          when the owner wrote last, by the clock of Redis, so that no other clock matters
"""

from __future__ import annotations

_COMMON = """
local function server()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function exact(number)
  return string.format('%.0f', number)
end
"""

READ = (
    _COMMON
    + """
-- KEYS stamp; ARGV prefix of rows, how old a beat may be (us), keys
local stamp = redis.call('HMGET', KEYS[1], 'generation', 'server', 'beat')
if not stamp[1] or not stamp[3] or stamp[2] ~= server() then return {} end
if now_us() - tonumber(stamp[3]) > tonumber(ARGV[2]) then return {} end
return redis.call('HMGET', ARGV[1] .. stamp[1], unpack(ARGV, 3))
"""
)

BEGIN = (
    _COMMON
    + """
-- KEYS stamp; ARGV prefix of rows, log, epoch, claim, how old another's beat may be (us), lifetime (ms)
local stamp = redis.call('HMGET', KEYS[1], 'log', 'epoch', 'generation', 'server', 'beat', 'claim')
if stamp[1] and stamp[4] == server() then
  local lives = now_us() - tonumber(stamp[5]) <= tonumber(ARGV[5])
  if lives and stamp[1] ~= ARGV[2] then return 'foreign' end
  if lives and tonumber(stamp[2]) > tonumber(ARGV[3]) then return 'superseded' end
end
if stamp[3] then redis.call('UNLINK', ARGV[1] .. stamp[3]) end
if stamp[6] then redis.call('UNLINK', ARGV[1] .. stamp[6]) end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'log', ARGV[2], 'epoch', ARGV[3], 'claim', ARGV[4], 'server', server(),
  'beat', exact(now_us()), 'writes', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 'done'
"""
)

STAGE = (
    _COMMON
    + """
-- KEYS stamp; ARGV prefix of rows, claim, lifetime (ms), key, row, ...
local stamp = redis.call('HMGET', KEYS[1], 'claim', 'server')
if stamp[1] ~= ARGV[2] or stamp[2] ~= server() then return 'lost' end
redis.call('HSET', KEYS[1], 'beat', exact(now_us()))
redis.call('HSET', ARGV[1] .. ARGV[2], unpack(ARGV, 4))
redis.call('PEXPIRE', ARGV[1] .. ARGV[2], ARGV[3])
return 'done'
"""
)

FINISH = (
    _COMMON
    + """
-- KEYS stamp; ARGV prefix of rows, claim, number of rows, channel, notice
local stamp = redis.call('HMGET', KEYS[1], 'claim', 'server')
if stamp[1] ~= ARGV[2] or stamp[2] ~= server() then return 'lost' end
if redis.call('HLEN', ARGV[1] .. ARGV[2]) ~= tonumber(ARGV[3]) then return 'lost' end
redis.call('HDEL', KEYS[1], 'claim')
redis.call('HSET', KEYS[1], 'generation', ARGV[2], 'rows', ARGV[3], 'beat', exact(now_us()))
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 'done'
"""
)

WRITE = (
    _COMMON
    + """
-- KEYS stamp; ARGV prefix of rows, log, epoch, generation, fewest and most writes before, lifetime (ms),
-- channel, notice or '', number of rows, key, row, ..., deleted keys
local stamp = redis.call('HMGET', KEYS[1], 'log', 'epoch', 'generation', 'server', 'writes', 'rows')
local ours = server()
if not stamp[1] or stamp[4] ~= ours then return 'lost' end
if stamp[1] == ARGV[2] and tonumber(stamp[2]) > tonumber(ARGV[3]) then return 'superseded' end
local writes = tonumber(stamp[5])
if stamp[3] ~= ARGV[4] or writes < tonumber(ARGV[5]) or writes > tonumber(ARGV[6]) then return 'lost' end
local rows = ARGV[1] .. ARGV[4]
if redis.call('HLEN', rows) ~= tonumber(stamp[6]) then return 'lost' end
local last = 10 + 2 * tonumber(ARGV[10])
if last > 10 then redis.call('HSET', rows, unpack(ARGV, 11, last)) end
if #ARGV > last then redis.call('HDEL', rows, unpack(ARGV, last + 1)) end
redis.call('HSET', KEYS[1], 'beat', exact(now_us()), 'writes', exact(writes + 1),
  'rows', redis.call('HLEN', rows))
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('PEXPIRE', rows, ARGV[7])
if ARGV[9] ~= '' then redis.call('PUBLISH', ARGV[8], ARGV[9]) end
return tostring(writes + 1)
"""
)

SETTLE = (
    _COMMON
    + """
-- ARGV prefix of buckets, calls per second, burst, lifetime (ms), name, spent, ...
local rate, burst, now = tonumber(ARGV[2]), tonumber(ARGV[3]), now_us()
local left = {}
for index = 5, #ARGV, 2 do
  local key = ARGV[1] .. ARGV[index]
  local bucket = redis.call('HMGET', key, 'level', 'at')
  local level, at = tonumber(bucket[1] or burst), tonumber(bucket[2] or now)
  level = math.min(burst, level + math.max(0, now - at) / 1000000 * rate)
  level = math.max(level - tonumber(ARGV[index + 1]), -burst)
  redis.call('HSET', key, 'level', tostring(level), 'at', exact(now))
  redis.call('PEXPIRE', key, ARGV[4])
  left[#left + 1] = tostring(level)
end
return left
"""
)
