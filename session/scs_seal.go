package session

import (
	"encoding/binary"
	"slices"
	"time"
)

// scsNames derives where the record of a token is. Like names it needs no server
// key, so that a record stays where it is when keys are rotated.
var scsNames = newPRF(extract([]byte("bmemcached-go scs v1"), ""))

func (s *SCSStore) key(token string) string {
	return encode32(s.opts.Prefix, scsNames.derive("location", []byte(token)))
}

// scsSealer seals and opens the record of a token, stored under key.
func scsSealer(p *pair, key, token string) *sealer {
	return newSealer(p.seal, p.id, "scs", []byte(token), key)
}

// seal seals data with its expiry before it (Unix milliseconds, a varint):
// memcached counts in seconds.
func (s *SCSStore) seal(key, token string, data []byte, expiry time.Time) []byte {
	plain := make([]byte, 0, len(data)+binary.MaxVarintLen64)
	plain = binary.AppendVarint(plain, min(max(expiry.UnixMilli(), 1), maxMilli))
	return scsSealer(&s.pairs[0], s.above+key, token).seal(append(plain, data...))
}

// open is the reverse of seal. The error is errUnknownKey if no key pair of the
// store sealed the record.
func (s *SCSStore) open(key, token string, sealed []byte) (data []byte, expiry time.Time, err error) {
	under, err := sealedUnder(sealed)
	if err != nil {
		return nil, time.Time{}, err
	}
	n := slices.IndexFunc(s.pairs, func(p pair) bool { return p.id == under })
	if n < 0 {
		return nil, time.Time{}, errUnknownKey
	}
	plain, err := scsSealer(&s.pairs[n], s.above+key, token).open(sealed)
	if err != nil {
		return nil, time.Time{}, err
	}
	millis, size := binary.Varint(plain)
	if size <= 0 || millis < 1 || millis > maxMilli {
		return nil, time.Time{}, undecodable("a malformed time")
	}
	return plain[size:], time.UnixMilli(millis), nil
}
