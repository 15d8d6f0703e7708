<?php
// Drives PHP's extension memcache, the older one, which speaks the text protocol.
// It is asked for strings only.
declare(strict_types=1);

/** Answers requests by calling the method that each names. */
final class Driver
{
    private const TIMEOUT = 15; // seconds; the machine may be busy with other tests

    private Memcache $client;

    public function open(array $servers, array $weights = []): void
    {
        $this->client = new Memcache();
        foreach ($servers as $server) {
            [$host, $port] = explode(':', $server);
            $this->client->addServer($host, (int) $port, false, $weights[$server] ?? 1, self::TIMEOUT);
        }
    }

    public function set(string $key, array $value, int $ttl = 0): bool
    {
        return $this->client->set($key, self::string($value), 0, $ttl);
    }

    public function add(string $key, array $value, int $ttl = 0): bool
    {
        return $this->client->add($key, self::string($value), 0, $ttl);
    }

    public function get(string $key): ?array
    {
        $found = $this->client->get($key);
        return $found === false ? null : self::described($found);
    }

    public function set_multi(array $values): bool
    {
        foreach ($values as $key => $value) {
            if (!$this->set((string) $key, $value)) {
                return false;
            }
        }
        return true;
    }

    public function get_multi(array $keys): object
    {
        return (object) array_map([self::class, 'described'], $this->client->get($keys) ?: []);
    }

    public function delete(string $key): bool
    {
        return $this->client->delete($key);
    }

    public function incr(string $key, int $by, int $initial): string
    {
        if ($this->client->add($key, (string) $initial)) {
            return (string) $initial;
        }
        return (string) $this->client->increment($key, $by);
    }

    public function decr(string $key, int $by, int $initial): string
    {
        if ($this->client->add($key, (string) $initial)) {
            return (string) $initial;
        }
        return (string) $this->client->decrement($key, $by);
    }

    private static function string(array $tagged): string
    {
        return $tagged['type'] === 'bytes' ? base64_decode($tagged['value']) : $tagged['value'];
    }

    private static function described(string $value): array
    {
        return ['type' => 'bytes', 'value' => base64_encode($value)];
    }
}

require 'serve.php';
