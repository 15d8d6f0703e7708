package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// serverFirst is the server's first message (RFC 5802 section 7,
// server-first-message).
type serverFirst struct {
	nonce      string // of both sides
	salt       string
	iterations int
}

// parseServerFirst decodes r=nonce,s=salt,i=count and refuses values that would
// weaken the exchange. Extensions behind them are ignored, one in front of them
// is mandatory and unknown.
func parseServerFirst(message, clientNonce string) (m serverFirst, err error) {
	if strings.HasPrefix(message, "m=") {
		return m, errors.New("the server requires an extension")
	}
	nonce, rest, _ := strings.Cut(message, ",")
	salt, rest, _ := strings.Cut(rest, ",")
	count, _, _ := strings.Cut(rest, ",")
	nonce, ok1 := strings.CutPrefix(nonce, "r=")
	salt, ok2 := strings.CutPrefix(salt, "s=")
	count, ok3 := strings.CutPrefix(count, "i=")
	if !ok1 || !ok2 || !ok3 {
		return m, errors.New("malformed first message of the server")
	}
	if err := checkNonce(nonce, clientNonce); err != nil {
		return m, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(salt)
	if err != nil || len(raw) == 0 {
		return m, errors.New("malformed salt")
	}
	iterations, err := parseIterations(count)
	return serverFirst{nonce: nonce, salt: string(raw), iterations: iterations}, err
}

// checkNonce wants the client's nonce with something of the server's behind it,
// printable as RFC 5802 asks.
func checkNonce(nonce, clientNonce string) error {
	if !strings.HasPrefix(nonce, clientNonce) {
		return errors.New("the server's nonce does not begin with the client's")
	}
	if len(nonce) == len(clientNonce) {
		return errors.New("the server added nothing to the nonce")
	}
	if strings.ContainsFunc(nonce, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("malformed nonce")
	}
	return nil
}

// parseIterations decodes the iteration count, without a sign or leading zeros.
func parseIterations(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if errors.Is(err, strconv.ErrRange) {
		n, err = maxIterations+1, nil
	}
	if err != nil || s[0] == '0' {
		return 0, errors.New("malformed iteration count")
	}
	if n < minIterations || n > maxIterations {
		return 0, fmt.Errorf("iteration count out of range, want %d to %d", minIterations, maxIterations)
	}
	return int(n), nil
}
