<?php
// Drives Laravel's cache, as CACHE_STORE=memcached sets it up.
declare(strict_types=1);

require 'Illuminate/Cache/autoload.php';

use Illuminate\Cache\MemcachedConnector;
use Illuminate\Cache\MemcachedStore;
use Illuminate\Cache\Repository;

/** Answers requests by calling the method that each names. */
final class Driver
{
    private Repository $cache;

    public function open(array $servers, string $username, string $password, array $options): void
    {
        $list = array_map(function (string $server): array {
            [$host, $port] = explode(':', $server);
            return ['host' => $host, 'port' => (int) $port, 'weight' => 100];
        }, $servers);
        $client = (new MemcachedConnector())->connect($list, null, [], [$username, $password]);
        $this->cache = new Repository(new MemcachedStore($client, $options['prefix']));
    }

    /** Returns what stands before every key. */
    public function prefix(): string
    {
        return $this->cache->getStore()->getPrefix();
    }

    public function set(string $key, mixed $value): bool
    {
        return $this->cache->put($key, $value, 3600);
    }

    public function get(string $key): mixed
    {
        return $this->cache->get($key);
    }

    public function delete(string $key): bool
    {
        return $this->cache->forget($key);
    }

    public function incr(string $key, int $by): int|bool
    {
        return $this->cache->increment($key, $by);
    }
}

require 'serve.php';
