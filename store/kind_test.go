package store

import (
	"testing"
)

// The numbers are on servers: they must not change.
func TestKind_NumbersAreFixed(t *testing.T) {
	for v, want := range map[any]kind{
		"": 1, true: 2, 0: 3, int8(0): 4, int16(0): 5, int32(0): 6, int64(0): 7,
		uint(0): 8, uint8(0): 9, uint16(0): 10, uint32(0): 11, uint64(0): 12, uintptr(0): 13,
		float32(0): 14, float64(0): 15,
	} {
		if got, ok := kindOf(v); !ok || got != want {
			t.Errorf("kind of %T = %d, want %d", v, got, want)
		}
	}
	if got, ok := kindOf([]byte(nil)); !ok || got != 0 {
		t.Errorf("kind of []byte = %d, want 0", got)
	}
}
