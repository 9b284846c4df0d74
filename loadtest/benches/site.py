# A gateway with a Redis of its own and one lottery room with a crowd in it, from the first join to the draw.
import datetime
import json
import secrets
import time

from benches import load, places
from benches.gateway import Gateway, answer_of, redis_figures, start_redis
from benches.joins import CONNECTIONS
from benches.yard import BenchFault

ROOM = "crowd"
TOKENS_MAX = 100_000
FILL_SECONDS = 5
FILL_RUNS_MAX = 200
# How long a gateway that started takes to know what it held before: the log's tree, the ranks.
KNOWN_SECONDS_MAX = 60
SALE_SECONDS_MAX = 60
CLAIMS_MAX = 30_000
# Nobody is let in while waiting is measured; afterwards as many as a policy can say.
SLOW = {"per_minute": 60, "active_max": 1, "ramp_seconds": 0, "adaptive": False}
SALE = {"per_minute": 6_000_000, "active_max": 10_000_000, "ramp_seconds": 0, "adaptive": False}
DRAW_SECONDS_MAX = 60
SETTLE_SECONDS = 1.0
STARTS = 3


def policy():
    """A lottery by the room's own committed secret, which needs no network; the bench seals it."""
    opens = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    return {
        "order": {"method": "lottery", "beacon": "commit_reveal"},
        "schedule": {"sale_opens_at": opens.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "admission": SLOW,
        "identity": "device",
        "protects": [],
    }


class Site:
    """One room of `crowd` visitors. Its gateway can be started again on what it left."""

    def __init__(self, yard, program, name, crowd):
        self.yard = yard
        self.program = program
        self.name = name
        self.crowd = crowd
        self.room = ROOM
        self.place_path = f"/v1/rooms/{ROOM}/place"
        self.redis = start_redis(yard, f"{name}-redis")
        self.gateway = None
        self.start()
        self.gateway.make_room(ROOM, policy())
        self.tokens = None

    def start(self):
        if self.gateway:
            self.yard.stop(self.gateway.server)
        self.gateway = Gateway(self.yard, self.program, name=self.name, redis=f"{self.name}-redis")

    def restart(self):
        """A new process that knows the room, its log and its ranks."""
        self.start()
        end = time.monotonic() + KNOWN_SECONDS_MAX
        while answer_of(self.gateway.port, f"/v1/rooms/{ROOM}/audit")[0] != 200:
            if time.monotonic() > end:
                raise BenchFault(f"{self.name} does not know its room again:\n{self.gateway.server.tail()}")
            time.sleep(0.05)

    def started_bytes(self):
        """What a new process weighs: the least of some, as what only starting took is given back sooner or later."""
        weights = []
        for _ in range(STARTS):
            self.restart()
            weights.append(self.resident_bytes())
        return min(weights)

    def resident_bytes(self):
        time.sleep(SETTLE_SECONDS)
        return self.gateway.server.resident_bytes()

    def figures(self, section):
        return redis_figures(self.yard, section, f"{self.name}-redis")

    def calls(self):
        """Calls of functions so far, those of background work among them."""
        counted = self.figures("commandstats").get("cmdstat_fcall", "calls=0,")
        return int(counted.split("calls=")[1].split(",")[0])

    def stored_bytes(self):
        return int(self.figures("memory")["used_memory"])

    # The crowd

    def fill(self, count):
        """Joins until exactly `count` visitors have a place, by wrk as long as it cannot go beyond."""
        fastest = 0
        for _ in range(FILL_RUNS_MAX):
            missing = count - self.places()
            seconds = FILL_SECONDS if missing > 2 * FILL_SECONDS * fastest else 1
            if missing < 2 * fastest or missing < TOKENS_MAX:
                break
            work = f"join:{secrets.token_hex(8)}"
            result = load.wrk(self.gateway.port, f"/v1/rooms/{ROOM}/join", work, seconds, CONNECTIONS)
            load.check(load.Contender(self.name, self.gateway.server, self.gateway.port, ""), result)
            fastest = max(fastest, result["requests"] / result["seconds"])
        self.join(count - self.places())
        if self.places() != count:
            raise BenchFault(f"{count} should wait and {self.places()} do")

    def join(self, count):
        if count > 0:
            places.join(self.gateway.port, count, first=self.places() + 1, keep_tokens=False, room=ROOM)

    def keep_tokens(self, count):
        """Joins that keep what they are given: as many requests for each crowd, so that the load does the same."""
        tokens, _ = places.join(self.gateway.port, count, first=1 << 40, room=ROOM)
        repeated = (tokens * (TOKENS_MAX // count + 1))[:TOKENS_MAX]
        self.tokens = self.yard.write(f"{self.name}-tokens", "\n".join(repeated) + "\n")

    def places(self):
        return self.gateway.settled_room(ROOM)["numbers"]["places"]

    # The draw

    def draw(self):
        """Seals the room, and returns the seconds until a visitor can see a rank."""
        with open(self.tokens) as file:
            token = file.readline().strip()
        started = time.monotonic()
        self.gateway.set_phase("sealed", ROOM)
        end = started + DRAW_SECONDS_MAX
        while self.rank(token) is None:
            if time.monotonic() > end:
                raise BenchFault(f"no draw within {DRAW_SECONDS_MAX} s:\n{self.gateway.server.tail()}")
            time.sleep(0.02)
        return time.monotonic() - started

    def rank(self, token):
        """What a poll says; None before the draw."""
        status, _, body = answer_of(self.gateway.port, self.place_path, {"Usher-Place": token})
        if status != 200:
            raise BenchFault(f"a poll in {self.name} was answered {status}: {body.decode(errors='replace')}")
        return json.loads(body)["place"]["rank"]

    def open_sale(self):
        self.gateway.set_phase("active", ROOM)
        time.sleep(SETTLE_SECONDS)

    def sell(self):
        """Calls people as fast as a room may for a while, and claims the passes of those with a token who were called.
        Returns how many were called and how many went in."""
        room = self.gateway.room(ROOM)
        wide = {**room["policy"], "admission": SALE}
        self.gateway.call("PUT", f"/admin/v1/rooms/{ROOM}", wide, {"If-Match": f'"{room["version"]}"'})
        wanted = self.crowd // 10
        end = time.monotonic() + SALE_SECONDS_MAX
        while self.gateway.room(ROOM)["numbers"]["cursor"] < wanted:
            if time.monotonic() > end:
                raise BenchFault(f"{wanted:,} were not called within {SALE_SECONDS_MAX} s")
            time.sleep(0.1)
        with open(self.tokens) as file:
            tokens = sorted(set(file.read().split()))[:CLAIMS_MAX]
        given = places.claim(self.gateway.port, tokens, ROOM)
        # The last ones to join get a checkpoint.
        time.sleep(2 * SETTLE_SECONDS)
        return self.gateway.room(ROOM)["numbers"]["cursor"], given
