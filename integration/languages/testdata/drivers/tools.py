"""Drives libmemcached's command-line tools. They have no types, only bytes."""

import os
import subprocess
import tempfile

from common import Driver, pack, unpack


class Tools(Driver):
    def open(self, servers, username=None, password=None, weights=None, options=None):
        self.how = ["--binary", "--servers=" + ",".join(servers)]
        if username is not None:
            self.how += ["--username=" + username, "--password=" + password]
        self.place = [f"--{name}={value}" for name, value in (options or {}).items()]

    def run(self, tool, *arguments):
        """Runs a tool; those that take keys know how to place them."""
        command = [tool, *self.how, *(self.place if arguments else []), *arguments]
        return subprocess.run(command, capture_output=True, timeout=20, check=False)

    def done(self, tool, *arguments):
        """Runs a tool that answers with its exit code."""
        ended = self.run(tool, *arguments)
        if ended.returncode not in (0, 1):
            raise RuntimeError(f"{tool}: {ended.returncode}: {ended.stderr}")
        return ended.returncode == 0

    def copy(self, key, value, *arguments):
        """Stores a file under its name."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, key)
            with open(path, "wb") as file:
                file.write(unpack(value))
            return self.done("memccp", *arguments, path)

    def set(self, key, value, ttl=0, flags=0):
        return self.copy(key, value, f"--expire={ttl}", f"--flags={flags}")

    def add(self, key, value, ttl=0):
        return self.copy(key, value, "--add", f"--expire={ttl}")

    def get(self, key):
        ended = self.run("memccat", key)
        if ended.returncode != 0:
            return None
        return pack(ended.stdout.removesuffix(b"\n"))

    def set_multi(self, values):
        return all([self.set(key, value) for key, value in values.items()])

    def get_multi(self, keys):
        found = {key: self.get(key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def exist(self, key):
        return self.done("memcexist", key)

    def touch(self, key, ttl):
        return self.done("memctouch", f"--expire={ttl}", key)

    def delete(self, key):
        return self.done("memcrm", key)

    def flush(self):
        return self.done("memcflush")

    def stat(self):
        ended = self.run("memcstat")
        return {"code": ended.returncode, "text": ended.stdout.decode()}


if __name__ == "__main__":
    Tools().serve()
