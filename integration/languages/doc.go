// Package languages proves that programs in other languages and this client can
// share a cache. It has no code for users: its tests run the memcached clients of
// those languages, as Debian 12 ships them, in a container beside real memcached
// servers, and have each client read what the other wrote. Those that the next Debian
// has newer, or alone, run in a second container.
//
//	client                                version  codec                placement
//	python-binary-memcached               0.31.1   bmemcached.Codec     BMemcached(user, password)
//	  its Client, which replicates                                      Options.Replicate
//	pylibmc (Python, libmemcached 1.1.4)  1.6.3    bmemcached.Pylibmc   Pylibmc; Ketama
//	Django over pylibmc                   3.2      bmemcached.Pylibmc   Ketama
//	pymemcache (Python)                   3.5.2    bmemcached.Pylibmc   Pymemcache
//	Dalli (Ruby)                          3.0.6    dalli.Codec          Dalli
//	spymemcached (Java)                   2.12.3   spymemcached.Codec   Spymemcached; SpymemcachedKetama
//	php-memcached (PHP 8.2)               3.2.0    phpmemcached.Codec   PHPMemcached; Ketama
//	memcached (Node.js, npm)              2.2.2    nodememcached.Codec  Ketama
//	memjs (Node.js, npm)                  1.3.2    codec.Raw            Memjs
//	libmemcached-tools                    1.1.4    codec.Raw            Pylibmc; one of one's own
//	python-memcached                      1.62     bmemcached.Pylibmc   PythonMemcached
//	Cache::Memcached (Perl)               1.30     codec.Raw            CacheMemcached
//	Cache::Memcached::Fast (Perl)         0.28     codec.Raw            CacheMemcached
//	memcache (PHP 8.4)                    8.2      codec.Raw            PHPMemcache
//
// Where Debian 13 has a newer one, that runs as well: python-binary-memcached 0.31.2,
// pymemcache 4.0.0, Dalli 3.2.8 and php-memcached 3.3.0, and with them Django 4.2, Rails
// 7.2, Laravel 10 and Symfony 6.4. "make languages" runs the newest that Debian has, from
// sid: in November 2026 python-binary-memcached 0.31.4, Dalli 5.2.1, Django 5.2, Laravel
// 13 and Symfony 7.4. What newer versions do differently:
//
//   - php-memcached in Debian 13 serializes arrays with igbinary, not with serialize
//   - Dalli 5 cannot authenticate
//   - Laravel puts no colon between its prefix and the key since version 11
//   - Symfony 7 serializes, even where igbinary is installed
//
// Where two placements are named, the first is that of the client's own settings, the
// second that of its ketama.
//
// What is proved for each, in both directions:
//
//   - values of every type that is data, with the type: text, bytes, integers,
//     floats, booleans, null, lists, maps and dates where the language has them,
//     empty and of 200 KB, compressible and not, around the size from which the
//     client compresses, and JSON; where both write a value alike, with the same
//     flags
//   - objects of a class, whatever the serializer: this client names the format and
//     hands out bytes from which the other makes the same object again
//   - counters, times to live, touch, delete, add, append, compare-and-swap
//   - keys on three servers, with the client's own settings and with its ketama: each
//     client finds all that the other stored, with the Distribution for that language
//     and with no other, deletes it and counts with it; with prefixes, with weights,
//     on port 11211, and for Java on servers that are given by name
//   - Django's keys, KEY_PREFIX:VERSION:key, and its versions
//   - keys and values of Rails, Laravel and Symfony
//   - PHP's own sessions, where PHP puts them
//   - the programs on the pages of the documentation, PHP.md and its like, as they
//     stand there
//
// All of it is on servers that ask for SASL. pymemcache and the npm package memcached
// cannot authenticate, nor can python-memcached, the clients of Perl, PHP's memcache and
// Dalli 5, because they speak the text protocol; they are tried on servers without
// SASL. The clients use PLAIN while this one uses SCRAM-SHA-256; those on libmemcached
// know SCRAM-SHA-256, SCRAM-SHA-1 and CRAM-MD5, too, and spymemcached CRAM-MD5.
//
// What cannot be shared:
//
//   - python-binary-memcached has no touch and no append
//   - Dalli's and spymemcached's integers are not counters, nor are counters
//     integers to them: they read them as text
//   - pylibmc reads the booleans that it stores as integers
//   - libmemcached-tools, memjs and Perl know no types; the tools and memjs no ketama
//   - the clients of Perl and PHP's memcache are asked for bytes only
//   - the numbers of Node.js are exact up to 2^53
//
// The programs are in testdata/drivers, one for each client; each reads requests
// and writes answers, in lines of JSON. They run in two containers on the host's
// network, so that they know the servers by the same addresses as this client does,
// which placement depends on; Docker Desktop has to have host networking enabled.
// The clients of Node.js run on this machine, which needs node and npm. The images are made once, in about a minute
// each, and kept as bmemcached-go-languages.
package languages
