"""The scripts that guard records and status in Redis, and what runs a script for many keys.

No key is built here: which one is meant, its store says.
"""

from typing import TYPE_CHECKING, Any, Final, cast

from redis.exceptions import NoScriptError

from trade_assets.stores.redis.client import as_redis_error, redis_errors

if TYPE_CHECKING:
    import redis

GUARDED_WRITE: Final = """
local stored = redis.pcall('HMGET', KEYS[1], 'event_time', 'file_key')
local fields
if stored.err == nil and type(stored[1]) == 'string' and type(stored[2]) == 'string'
   and string.find(stored[1], '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$')
   and string.match(stored[2], '^.*/dt=') == string.match(ARGV[2], '^.*/dt=')
   and stored[1] <= ARGV[4] then
  if stored[1] > ARGV[1] or (stored[1] == ARGV[1] and stored[2] > ARGV[2]) then
    return 0
  end
  if stored[1] == ARGV[1] and stored[2] == ARGV[2] then
    fields = cjson.decode(ARGV[3])
    local same = redis.call('HLEN', KEYS[1]) == #fields / 2
    if same then
      local names = {}
      for i = 1, #fields, 2 do names[#names + 1] = fields[i] end
      local values = redis.call('HMGET', KEYS[1], unpack(names))
      for i = 1, #values do
        if values[i] ~= fields[i * 2] then same = false end
      end
    end
    if same then return 0 end
  end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(fields or cjson.decode(ARGV[3])))
return 1
"""
"""Replace a record unless the stored one is newer or the very same; 1 if it changed anything.
What is not a hash with a readable event time (that can be) and a file key of this data set is
damaged, and replaced.
"""

GUARDED_STATUS: Final = """
local stored = redis.pcall('HGET', KEYS[1], 'last_event_time')
if type(stored) == 'string'
   and string.find(stored, '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$')
   and stored <= ARGV[3]
   and (stored > ARGV[1] or (stored == ARGV[1] and ARGV[2] == '0')) then
  if ARGV[2] == '0' then return 0 end
  local names = {}
  for i = 4, #ARGV - 1 do names[ARGV[i]] = ARGV[i + 1] end
  local before = redis.call('HGET', KEYS[1], 'last_ingest_time')
  if before and before >= names['last_ingest_time'] then return 0 end
  redis.call('HSET', KEYS[1], 'last_ingest_time', names['last_ingest_time'])
  if names['lag_seconds'] then
    redis.call('HSET', KEYS[1], 'lag_seconds', names['lag_seconds'])
  else
    redis.call('HDEL', KEYS[1], 'lag_seconds')
  end
  return 1
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
return 1
"""

REPLACE_IF: Final = """
local stored = redis.pcall('HMGET', KEYS[1], ARGV[1], ARGV[2])
if stored.err or stored[1] ~= ARGV[3] or stored[2] ~= ARGV[4] then return 0 end
redis.call('DEL', KEYS[1])
if #ARGV > 4 then redis.call('HSET', KEYS[1], unpack(ARGV, 5)) end
return 1
"""
"""Replace a hash if two of its fields are these; with nothing, if nothing is given. 1 if it was."""


class Scripts:
    """Runs scripts, each for many keys in one round trip. Thread-safe."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._sha: dict[str, str] = {}

    def run(self, script: str, calls: list[tuple[str, list[str]]]) -> list[int]:
        """Run a script for keys with arguments; it is loaded where a server lacks it.

        Raises:
            StoreUnavailableError: Redis cannot be reached; a part may have been done.
        """
        results: list[Any] = [0] * len(calls)
        for _ in range(2):
            with (
                redis_errors("writing latest records"),
                self._redis.pipeline(transaction=False) as pipe,
            ):
                sha = self._sha.get(script) or self._load(script)
                for key, arguments in calls:
                    # By name: redis-py's cluster pipeline blocks the method, not the command.
                    pipe.execute_command("EVALSHA", sha, 1, key, *arguments)  # type: ignore[no-untyped-call]
                answers = pipe.execute(raise_on_error=False)
            # What was done before the script went missing must not look unchanged.
            results = [1 if old == 1 else new for old, new in zip(results, answers, strict=True)]
            if not any(isinstance(result, NoScriptError) for result in results):
                break
            self._sha.pop(script, None)
        for result in results:
            if isinstance(result, Exception):
                raise as_redis_error(result, "writing latest records")
        return cast("list[int]", results)

    def _load(self, script: str) -> str:
        sha = str(self._redis.script_load(script))
        self._sha[script] = sha
        return sha
