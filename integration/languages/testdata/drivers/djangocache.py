"""Drives Django's cache framework over pylibmc, with Django's own keys."""

from django.conf import settings
from django.core.cache import CacheHandler

from common import MISS, PATIENCE, Driver, pack, unpack


class Django(Driver):
    def open(self, servers, username=None, password=None, weights=None, options=None):
        options = dict(options)
        placing = {} if options.pop("defaults", False) else {"ketama_weighted": True}
        handler = CacheHandler(
            {
                "default": {
                    "BACKEND": "django.core.cache.backends.memcached.PyLibMCCache",
                    "LOCATION": servers,
                    "OPTIONS": {
                        "binary": True,
                        "username": username,
                        "password": password,
                        "behaviors": {
                            **placing,
                            "connect_timeout": PATIENCE * 1000,
                            "_poll_timeout": PATIENCE * 1000,
                        },
                    },
                    **options,  # KEY_PREFIX, VERSION, TIMEOUT
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
