package middleware

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/bmemcached/bmemcached-go/binary"
)

// shortestKey is the least length of Options.SealKeys.
const shortestKey = 32

// sealed is a Client whose values are sealed (AES-256-GCM) and bound to their keys in
// memcached. What was not sealed under one of the keys, or for another place, is as if
// it were garbage: empty. The number of purges is a counter of the server, and stays
// as it is.
type sealed struct {
	Client
	seals   []cipher.AEAD // the first seals
	counter string
	above   string // what the client puts before every key
}

// newSealed returns client with sealed values.
func newSealed(client Client, keys [][]byte, counter string) (*sealed, error) {
	s := &sealed{Client: client, counter: counter}
	if c, ok := client.(interface{ Options() memcached.Options }); ok {
		s.above = c.Options().Prefix
	}
	for _, key := range keys {
		secret, err := derive(key, "seal")
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(secret)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		s.seals = append(s.seals, aead)
	}
	return s, nil
}

// useKeys has c seal its values and hide what its keys in memcached are of.
func (c *Cache) useKeys(keys [][]byte) error {
	if len(keys) == 0 {
		return nil
	}
	for _, key := range keys {
		secret, err := derive(key, "names")
		if err != nil {
			return err
		}
		c.keys.macs = append(c.keys.macs, newMACPool(secret))
	}
	client, err := newSealed(c.client, keys, c.keys.purges())
	c.client = client
	return err
}

// derive returns the key for one purpose.
func derive(key []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, "bmemcached-go response cache: "+purpose, 32)
}

func checkKeys(keys [][]byte) error {
	for i, key := range keys {
		if len(key) < shortestKey {
			return fmt.Errorf("middleware: Options.SealKeys[%d] has %d bytes: want at least %d", i, len(key), shortestKey)
		}
	}
	return nil
}

const nonceSize = 12

// sealOverhead is by how much a sealed value is longer.
const sealOverhead = nonceSize + 16

func (s *sealed) seal(item *memcached.Item) *memcached.Item {
	b := make([]byte, nonceSize, len(item.Value)+sealOverhead)
	_, _ = rand.Read(b) // does not fail
	with := *item
	with.Value = s.seals[0].Seal(b, b, item.Value, []byte(s.above+item.Key))
	return &with
}

// open returns what was sealed in place, or nothing.
func (s *sealed) open(key string, value []byte) []byte {
	if len(value) < sealOverhead {
		return nil
	}
	nonce, text := value[:nonceSize], value[nonceSize:]
	for i, aead := range s.seals {
		room := text[:0]
		if i+1 < len(s.seals) {
			room = nil // a failure would leave nothing for the next
		}
		if plain, err := aead.Open(room, nonce, text, []byte(s.above+key)); err == nil {
			return plain
		}
	}
	return nil
}

func (s *sealed) AppendValue(ctx context.Context, dst []byte, key string) ([]byte, uint32, error) {
	value, flags, err := s.Client.AppendValue(ctx, dst, key)
	if err != nil {
		return value, flags, err
	}
	plain := s.open(key, value[len(dst):])
	return append(value[:len(dst)], plain...), flags, nil
}

func (s *sealed) Get(ctx context.Context, key string) (*memcached.Item, error) {
	item, err := s.Client.Get(ctx, key)
	if err == nil {
		item = s.opened(item)
	}
	return item, err
}

func (s *sealed) GetMulti(ctx context.Context, keys []string) (map[string]*memcached.Item, error) {
	items, err := s.Client.GetMulti(ctx, keys)
	for key, item := range items {
		items[key] = s.opened(item)
	}
	return items, err
}

func (s *sealed) opened(item *memcached.Item) *memcached.Item {
	if item == nil || item.Key == s.counter {
		return item
	}
	plain := *item
	plain.Value = s.open(item.Key, item.Value)
	return &plain
}

func (s *sealed) Set(ctx context.Context, item *memcached.Item) error {
	with := s.seal(item)
	err := s.Client.Set(ctx, with)
	item.CAS = with.CAS
	return err
}

func (s *sealed) SetMulti(ctx context.Context, items []*memcached.Item) error {
	with := make([]*memcached.Item, len(items))
	for i, item := range items {
		with[i] = s.seal(item)
	}
	return s.Client.SetMulti(ctx, with)
}

func (s *sealed) Add(ctx context.Context, item *memcached.Item) error {
	with := s.seal(item)
	err := s.Client.Add(ctx, with)
	item.CAS = with.CAS
	return err
}

func (s *sealed) CompareAndSwap(ctx context.Context, item *memcached.Item) error {
	with := s.seal(item)
	err := s.Client.CompareAndSwap(ctx, with)
	item.CAS = with.CAS
	return err
}
