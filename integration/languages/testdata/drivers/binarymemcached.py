"""Drives python-binary-memcached."""

import bmemcached

from common import MISS, PATIENCE, Driver, pack, unpack


class BinaryMemcached(Driver):
    def open(self, servers, username=None, password=None, weights=None, options=None):
        replicate = (options or {}).get("replicate")
        kind = bmemcached.Client if replicate else bmemcached.DistributedClient
        self.client = kind(tuple(servers), username, password, socket_timeout=PATIENCE)

    def set(self, key, value, ttl=0):
        return self.client.set(key, unpack(value), ttl)

    def add(self, key, value, ttl=0):
        return self.client.add(key, unpack(value), ttl)

    def get(self, key):
        return pack(self.client.get(key, MISS))

    def set_multi(self, values, ttl=0):
        return not self.client.set_multi({k: unpack(v) for k, v in values.items()}, ttl)

    def get_multi(self, keys):
        return {k: pack(v) for k, v in self.client.get_multi(keys).items()}

    def delete(self, key):
        return self.client.delete(key)

    def incr(self, key, by, initial):
        return str(self.client.incr(key, by, initial, 0))

    def decr(self, key, by, initial):
        return str(self.client.decr(key, by, initial, 0))

    def gets(self, key):
        value, cas = self.client.gets(key)
        return {"value": pack(value), "cas": str(cas)}

    def cas(self, key, value, cas):
        return self.client.cas(key, unpack(value), int(cas))

    def flush(self):
        return self.client.flush_all()


if __name__ == "__main__":
    BinaryMemcached().serve()
