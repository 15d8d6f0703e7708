<?php
// Drives a cache pool of Symfony over memcached.
declare(strict_types=1);

require 'Symfony/Component/Cache/autoload.php';

use Symfony\Component\Cache\Adapter\MemcachedAdapter;

/** Answers requests by calling the method that each names. */
final class Driver
{
    private MemcachedAdapter $pool;

    public function open(array $servers, string $username, string $password, array $options): void
    {
        $client = MemcachedAdapter::createConnection(
            array_map(fn (string $server): string => "memcached://$server", $servers),
            ['username' => $username, 'password' => $password],
        );
        $this->pool = new MemcachedAdapter($client, $options['namespace'], 3600);
    }

    public function set(string $key, mixed $value): bool
    {
        return $this->pool->save($this->pool->getItem($key)->set($value));
    }

    public function get(string $key): mixed
    {
        return $this->pool->getItem($key)->get();
    }

    public function delete(string $key): bool
    {
        return $this->pool->deleteItem($key);
    }
}

require 'serve.php';
