"""Drives pymemcache, which speaks the text protocol."""

from pymemcache import serde
from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient

from common import MISS, Driver, pack, unpack


class Pymemcache(Driver):
    def open(self, servers, weights=None, options=None):
        how = {"serde": serde.pickle_serde, "default_noreply": False, **(options or {})}
        if "key_prefix" in how:
            how["key_prefix"] = how["key_prefix"].encode()
        if len(servers) == 1:
            self.client = Client(servers[0], **how)
        else:
            self.client = HashClient(servers, **how)

    def set(self, key, value, ttl=0):
        return self.client.set(key, unpack(value), ttl)

    def add(self, key, value, ttl=0):
        return self.client.add(key, unpack(value), ttl)

    def append(self, key, value):
        return self.client.append(key, unpack(value))

    def get(self, key):
        return pack(self.client.get(key, MISS))

    def set_multi(self, values, ttl=0):
        return not self.client.set_many({k: unpack(v) for k, v in values.items()}, ttl)

    def get_multi(self, keys):
        return {k: pack(v) for k, v in self.client.get_many(keys).items()}

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
