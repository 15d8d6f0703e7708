// Package languages proves that programs in other languages and this client can
// share a cache. Its tests run the clients of those languages, as Debian 12 ships
// them, in a container beside real memcached servers that ask for SASL.
package languages
