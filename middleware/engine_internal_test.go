package middleware

import (
	"context"
	"testing"
)

// TestWithoutState_AnswersForEveryKey: contexts of package context do, for nil as well.
func TestWithoutState_AnswersForEveryKey(t *testing.T) {
	type key struct{}
	ctx := withoutState{context.WithValue(t.Context(), key{}, "value")}
	for _, test := range []struct{ key, want any }{{key{}, "value"}, {"another", nil}, {nil, nil}, {new(key), nil}, {3, nil}} {
		if got := ctx.Value(test.key); got != test.want {
			t.Errorf("Value(%v) = %v, want %v", test.key, got, test.want)
		}
	}
}
