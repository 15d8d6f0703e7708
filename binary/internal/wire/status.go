package wire

import "fmt"

// Status is the outcome that a response carries.
type Status uint16

// The statuses that memcached sends (protocol_binary.h), and those of servers
// that share its protocol.
const (
	StatusOK               Status = 0x00
	StatusKeyNotFound      Status = 0x01
	StatusKeyExists        Status = 0x02
	StatusTooLarge         Status = 0x03
	StatusInvalid          Status = 0x04
	StatusNotStored        Status = 0x05
	StatusNotNumber        Status = 0x06
	StatusWrongVbucket     Status = 0x07
	StatusAuthErrorLegacy  Status = 0x08
	StatusAuthContinueOld  Status = 0x09
	StatusAuthError        Status = 0x20
	StatusAuthContinue     Status = 0x21
	StatusUnknownCommand   Status = 0x81
	StatusOutOfMemory      Status = 0x82
	StatusNotSupported     Status = 0x83
	StatusInternalError    Status = 0x84
	StatusBusy             Status = 0x85
	StatusTemporaryFailure Status = 0x86
)

var statusTexts = map[Status]string{
	StatusOK: "no error", StatusKeyNotFound: "not found",
	StatusKeyExists: "key exists", StatusTooLarge: "too large",
	StatusInvalid: "invalid arguments", StatusNotStored: "not stored",
	StatusNotNumber: "not a number", StatusWrongVbucket: "wrong server",
	StatusAuthErrorLegacy: "authentication error",
	StatusAuthContinueOld: "authentication continues",
	StatusAuthError:       "authentication required or refused",
	StatusAuthContinue:    "authentication continues",
	StatusUnknownCommand:  "unknown command",
	StatusOutOfMemory:     "out of memory",
	StatusNotSupported:    "not supported",
	StatusInternalError:   "internal error", StatusBusy: "busy",
	StatusTemporaryFailure: "temporary failure",
}

// String returns what s means.
func (s Status) String() string {
	if text, ok := statusTexts[s]; ok {
		return text
	}
	return fmt.Sprintf("status 0x%02x", uint16(s))
}
