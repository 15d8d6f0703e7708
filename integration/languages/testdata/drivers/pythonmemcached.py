"""Drives python-memcached, which speaks the text protocol."""

import memcache

from common import MISS, PATIENCE, Driver, pack, unpack


class PythonMemcached(Driver):
    def open(self, servers, weights=None, options=None):
        weighted = [(server, (weights or {}).get(server, 1)) for server in servers]
        self.client = memcache.Client(weighted, cache_cas=True, socket_timeout=PATIENCE, **(options or {}))

    def set(self, key, value, ttl=0):
        return bool(self.client.set(key, unpack(value), ttl))

    def add(self, key, value, ttl=0):
        return bool(self.client.add(key, unpack(value), ttl))

    def append(self, key, value):
        return bool(self.client.append(key, unpack(value)))

    def get(self, key):
        return pack(self.client.get(key, MISS))

    def set_multi(self, values, ttl=0):
        return not self.client.set_multi({k: unpack(v) for k, v in values.items()}, ttl)

    def get_multi(self, keys):
        return {k: pack(v) for k, v in self.client.get_multi(keys).items()}

    def delete(self, key):
        return bool(self.client.delete(key))

    def touch(self, key, ttl):
        return bool(self.client.touch(key, ttl))

    def incr(self, key, by, initial):
        if self.client.add(key, initial):
            return str(initial)
        return str(self.client.incr(key, by))

    def decr(self, key, by, initial):
        if self.client.add(key, initial):
            return str(initial)
        return str(self.client.decr(key, by))

    def gets(self, key):
        value = self.client.gets(key)
        return {"value": pack(value), "cas": str(self.client.cas_ids[key.encode()])}

    def cas(self, key, value, cas):
        self.client.cas_ids[key.encode()] = int(cas)  # it remembers them itself
        return bool(self.client.cas(key, unpack(value)))


if __name__ == "__main__":
    PythonMemcached().serve()
