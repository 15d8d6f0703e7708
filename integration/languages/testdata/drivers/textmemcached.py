"""Drives pymemcache, which speaks the text protocol."""

from pymemcache import serde
from pymemcache.client.base import Client

from common import MISS, Driver, pack, unpack


class Pymemcache(Driver):
    def open(self, servers, weights=None, options=None):
        self.client = Client(servers[0], serde=serde.pickle_serde, default_noreply=False)

    def set(self, key, value, ttl=0):
        return self.client.set(key, unpack(value), ttl)

    def add(self, key, value, ttl=0):
        return self.client.add(key, unpack(value), ttl)

    def append(self, key, value):
        return self.client.append(key, unpack(value))

    def get(self, key):
        return pack(self.client.get(key, MISS))

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
        return {"value": pack(value), "cas": cas.decode()}

    def cas(self, key, value, cas):
        return self.client.cas(key, unpack(value), cas.encode())


if __name__ == "__main__":
    Pymemcache().serve()
