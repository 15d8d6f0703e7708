package main

import (
	"encoding/base64"
	"slices"
	"unicode/utf8"
)

// jsonKey is a key in JSON, whose texts are UTF-8. In the member key the bytes of
// others are lost; a second member has them.
type jsonKey struct {
	Key       string `json:"key"`
	KeyBase64 string `json:"key_base64,omitempty"`
}

func newJSONKey(key string) jsonKey {
	k := jsonKey{Key: key}
	if !utf8.ValidString(key) {
		k.KeyBase64 = base64.StdEncoding.EncodeToString([]byte(key))
	}
	return k
}

// keysBase64 returns all keys of a list in base64 if one of them is not UTF-8,
// otherwise nil.
func keysBase64(keys []string) []string {
	if !slices.ContainsFunc(keys, func(key string) bool { return !utf8.ValidString(key) }) {
		return nil
	}
	encoded := make([]string, len(keys))
	for i, key := range keys {
		encoded[i] = base64.StdEncoding.EncodeToString([]byte(key))
	}
	return encoded
}
