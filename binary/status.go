package memcached

import "github.com/bmemcached/bmemcached-go/binary/internal/wire"

// Status is the status field of a response.
type Status uint16

// The statuses that memcached sends (protocol_binary.h), and those of servers
// that share its protocol. Operations return most of them as the sentinel of
// the same meaning.
const (
	StatusOK               Status = 0x00
	StatusKeyNotFound      Status = 0x01 // ErrCacheMiss
	StatusKeyExists        Status = 0x02 // ErrCASConflict, or ErrNotStored from Add
	StatusTooLarge         Status = 0x03 // ErrTooLarge
	StatusInvalid          Status = 0x04 // the arguments are invalid
	StatusNotStored        Status = 0x05 // ErrNotStored
	StatusNotNumber        Status = 0x06 // ErrNotNumber
	StatusWrongVbucket     Status = 0x07 // the server does not hold this key (Couchbase)
	StatusAuthErrorLegacy  Status = 0x08 // StatusAuthError of other servers
	StatusAuthContinueOld  Status = 0x09 // StatusAuthContinue of other servers
	StatusAuthError        Status = 0x20 // ErrAuth
	StatusAuthContinue     Status = 0x21 // authentication needs another step
	StatusUnknownCommand   Status = 0x81
	StatusOutOfMemory      Status = 0x82
	StatusNotSupported     Status = 0x83
	StatusInternalError    Status = 0x84
	StatusBusy             Status = 0x85 // ErrUnavailable
	StatusTemporaryFailure Status = 0x86 // ErrUnavailable
)

// String returns what s means, such as "out of memory".
func (s Status) String() string { return wire.Status(s).String() }
