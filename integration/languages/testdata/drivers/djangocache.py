"""Drives Django's cache framework over pylibmc or pymemcache, with Django's own keys."""

from django.conf import settings
from django.core.cache import CacheHandler

from common import MISS, PATIENCE, Driver, pack, unpack


class Django(Driver):
    def open(self, servers, username=None, password=None, weights=None, options=None):
        options = dict(options)
        if options.pop("pymemcache", False):
            how = {"connect_timeout": PATIENCE, "timeout": PATIENCE}
            return self.use("PyMemcacheCache", servers, how, options)
        placing = {} if options.pop("defaults", False) else {"ketama_weighted": True}
        behaviors = {**placing, "connect_timeout": PATIENCE * 1000, "_poll_timeout": PATIENCE * 1000}
        how = {"binary": True, "username": username, "password": password, "behaviors": behaviors}
        return self.use("PyLibMCCache", servers, how, options)

    def use(self, backend, servers, how, options):
        """Sets up the cache; options are KEY_PREFIX, VERSION and TIMEOUT."""
        handler = CacheHandler(
            {
                "default": {
                    "BACKEND": "django.core.cache.backends.memcached." + backend,
                    "LOCATION": servers,
                    "OPTIONS": how,
                    **options,
                }
            }
        )
        self.client = handler["default"]

    def set(self, key, value, **how):
        self.client.set(key, unpack(value), **how)
        return True

    def get(self, key, version=None):
        return pack(self.client.get(key, MISS, version))

    def delete(self, key, version=None):
        return self.client.delete(key, version)

    def incr(self, key, by):
        return str(self.client.incr(key, by))

    def incr_version(self, key):
        return self.client.incr_version(key)


if __name__ == "__main__":
    settings.configure()
    Django().serve()
