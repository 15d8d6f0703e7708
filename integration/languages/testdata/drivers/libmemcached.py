"""Drives pylibmc, which is libmemcached for Python."""

import pylibmc

from common import MISS, PATIENCE, Driver, pack, unpack


class Pylibmc(Driver):
    def open(self, servers, username=None, password=None, weights=None, options=None):
        weighted = [f"{server}:{(weights or {}).get(server, 1)}" for server in servers]
        options = dict(options or {})
        behaviors = {"cas": True}
        if not options.pop("defaults", False):
            behaviors["ketama_weighted"] = True
        behaviors["connect_timeout"] = behaviors["_poll_timeout"] = PATIENCE * 1000
        self.client = pylibmc.Client(weighted, behaviors, True, username, password)
        self.compress = options  # min_compress_len

    def set(self, key, value, ttl=0):
        return self.client.set(key, unpack(value), ttl, **self.compress)

    def add(self, key, value, ttl=0):
        return self.client.add(key, unpack(value), ttl, **self.compress)

    def append(self, key, value):
        return self.client.append(key, unpack(value))

    def get(self, key):
        return pack(self.client.get(key, MISS))

    def set_multi(self, values, ttl=0):
        return not self.client.set_multi({k: unpack(v) for k, v in values.items()}, ttl)

    def get_multi(self, keys):
        return {k: pack(v) for k, v in self.client.get_multi(keys).items()}

    def delete(self, key):
        return self.client.delete(key)

    def touch(self, key, ttl):
        return self.client.touch(key, ttl)

    def incr(self, key, by, initial):
        if self.client.add(key, initial):
            return str(initial)
        return str(self.client.incr(key, by))

    def decr(self, key, by, initial):
        if self.client.add(key, initial):
            return str(initial)
        return str(self.client.decr(key, by))

    def gets(self, key):
        value, cas = self.client.gets(key)
        return {"value": pack(value), "cas": str(cas)}

    def cas(self, key, value, cas):
        return self.client.cas(key, unpack(value), int(cas))

    def flush(self):
        return self.client.flush_all()


if __name__ == "__main__":
    Pylibmc().serve()
