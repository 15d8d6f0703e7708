package sasl

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that nothing prints, logs or encodes by accident: not fmt with
// any verb, not encoding/gob, encoding/json or log/slog, and not from within an
// unexported field either. The zero Secret is empty. Secrets of equal texts are
// not ==.
type Secret struct {
	text *string // behind a pointer, which fmt does not follow in a field
}

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// hidden stands where a secret would.
const hidden = "(hidden)"

// String returns "(hidden)".
func (s Secret) String() string { return hidden }

// GoString returns "(hidden)".
func (s Secret) GoString() string { return hidden }

// Format prints "(hidden)" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is what slog logs: "(hidden)".
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns "(hidden)".
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText makes a configuration's text the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
