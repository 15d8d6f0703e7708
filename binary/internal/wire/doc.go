// Package wire encodes and decodes the frames of the memcached binary
// protocol, in both directions. It knows bytes only: no connections, no state.
//
// Encoders append to a buffer of the caller and allocate only when it has to
// grow. Decoders check every length before anything is allocated for it.
//
// The protocol is described in memcached's protocol_binary.txt; where the
// server does something else (proto_bin.c), comments say so.
package wire
