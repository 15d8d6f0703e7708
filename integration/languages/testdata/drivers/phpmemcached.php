<?php
// Drives PHP's memcached extension.
declare(strict_types=1);

// An object of a class of its own, which only a serializer can store.
final class Point
{
    public function __construct(public int $x, public int $y)
    {
    }
}

/** Returns the value that Go describes. */
function described(array $tagged): mixed
{
    $value = $tagged['value'] ?? null;
    return match ($tagged['type']) {
        'bytes' => base64_decode($value),
        'int' => (int) $value,
        'float' => (float) $value,
        'list', 'map' => array_map('described', $value),
        'object' => new Point(...$value),
        'json' => json_encode($value),
        default => $value, // text, bool, null
    };
}

/** Describes a value to Go. */
function describe(mixed $value): array
{
    return match (true) {
        is_null($value) => ['type' => 'null'],
        is_bool($value) => ['type' => 'bool', 'value' => $value],
        is_int($value) => ['type' => 'int', 'value' => (string) $value],
        is_float($value) => ['type' => 'float', 'value' => $value],
        is_array($value) && array_is_list($value) => ['type' => 'list', 'value' => array_map('describe', $value)],
        is_array($value) => ['type' => 'map', 'value' => array_map('describe', $value)],
        $value instanceof Point => ['type' => 'object', 'value' => [$value->x, $value->y]],
        is_string($value) && mb_text($value) => ['type' => 'text', 'value' => $value],
        is_string($value) => ['type' => 'bytes', 'value' => base64_encode($value)],
        default => throw new TypeError('no name for a ' . get_debug_type($value)),
    };
}

/** Says whether a string, which has no encoding in PHP, is UTF-8. */
function mb_text(string $value): bool
{
    return preg_match('//u', $value) === 1;
}

/** Answers requests by calling the method that each names. */
final class Driver
{
    // How long the client waits for servers, in milliseconds: longer than it does
    // by default, because the machine may be busy with other tests.
    private const PATIENCE = 15_000;

    private Memcached $client;

    public function open(array $servers, ?string $username = null, ?string $password = null, array $weights = [], array $options = []): void
    {
        $this->client = new Memcached();
        $this->client->setOption(Memcached::OPT_BINARY_PROTOCOL, true);
        if (!($options['defaults'] ?? false)) {
            $this->client->setOption(Memcached::OPT_LIBKETAMA_COMPATIBLE, true);
        }
        if (isset($options['prefix'])) {
            $this->client->setOption(Memcached::OPT_PREFIX_KEY, $options['prefix']);
        }
        unset($options['defaults'], $options['prefix']);
        $this->client->setOption(Memcached::OPT_CONNECT_TIMEOUT, self::PATIENCE);
        $this->client->setOption(Memcached::OPT_POLL_TIMEOUT, self::PATIENCE);
        foreach ($options as $name => $value) {
            $value = is_string($value) ? constant("Memcached::$value") : $value;
            $this->client->setOption(constant("Memcached::$name"), $value);
        }
        if ($username !== null) {
            $this->client->setSaslAuthData($username, $password);
        }
        foreach ($servers as $server) {
            [$host, $port] = explode(':', $server);
            $this->client->addServer($host, (int) $port, $weights[$server] ?? 1);
        }
    }

    public function set(string $key, array $value, int $ttl = 0): bool
    {
        return $this->done($this->client->set($key, described($value), $ttl));
    }

    public function add(string $key, array $value, int $ttl = 0): bool
    {
        return $this->done($this->client->add($key, described($value), $ttl));
    }

    public function append(string $key, array $value): bool
    {
        $this->client->setOption(Memcached::OPT_COMPRESSION, false); // it refuses to append otherwise
        $done = $this->done($this->client->append($key, described($value)));
        $this->client->setOption(Memcached::OPT_COMPRESSION, true);
        return $done;
    }

    public function get(string $key): ?array
    {
        $found = $this->client->get($key, null, Memcached::GET_EXTENDED);
        return $this->done($found !== false) ? describe($found['value']) : null;
    }

    public function get_json(string $key): array
    {
        return ['type' => 'json', 'value' => json_decode($this->client->get($key), false, 512, JSON_THROW_ON_ERROR)];
    }

    public function set_multi(array $values): bool
    {
        return $this->done($this->client->setMulti(array_map('described', $values)));
    }

    public function get_multi(array $keys): object
    {
        return (object) array_map('describe', $this->client->getMulti($keys));
    }

    public function delete(string $key): bool
    {
        return $this->done($this->client->delete($key));
    }

    public function touch(string $key, int $ttl): bool
    {
        return $this->done($this->client->touch($key, $ttl));
    }

    public function incr(string $key, int $by, int $initial): string
    {
        return (string) $this->client->increment($key, $by, $initial);
    }

    public function decr(string $key, int $by, int $initial): string
    {
        return (string) $this->client->decrement($key, $by, $initial);
    }

    public function gets(string $key): array
    {
        $found = $this->client->get($key, null, Memcached::GET_EXTENDED);
        return ['value' => describe($found['value']), 'cas' => (string) $found['cas']];
    }

    public function cas(string $key, array $value, string $cas): bool
    {
        return $this->done($this->client->cas((int) $cas, $key, described($value)));
    }

    public function flush(): bool
    {
        return $this->done($this->client->flush());
    }

    /** Returns what an operation did, unless it failed for no ordinary reason. */
    private function done(bool $done): bool
    {
        $ordinary = [Memcached::RES_SUCCESS, Memcached::RES_NOTFOUND, Memcached::RES_NOTSTORED, Memcached::RES_DATA_EXISTS];
        if (!$done && !in_array($this->client->getResultCode(), $ordinary, true)) {
            throw new RuntimeException($this->client->getResultMessage() . ' ' . $this->client->getLastErrorMessage());
        }
        return $done;
    }
}

ini_set('serialize_precision', '-1');
require 'serve.php';
