package memcached

import (
	"testing"

	"github.com/bmemcached/bmemcached-go/binary/internal/wire"
)

// TestStatus_ConstantsAreTheProtocols: the exported constants are those of the
// wire format.
func TestStatus_ConstantsAreTheProtocols(t *testing.T) {
	for _, tt := range []struct {
		got  Status
		want wire.Status
	}{
		{StatusOK, wire.StatusOK},
		{StatusKeyNotFound, wire.StatusKeyNotFound},
		{StatusKeyExists, wire.StatusKeyExists},
		{StatusTooLarge, wire.StatusTooLarge},
		{StatusInvalid, wire.StatusInvalid},
		{StatusNotStored, wire.StatusNotStored},
		{StatusNotNumber, wire.StatusNotNumber},
		{StatusWrongVbucket, wire.StatusWrongVbucket},
		{StatusAuthErrorLegacy, wire.StatusAuthErrorLegacy},
		{StatusAuthContinueOld, wire.StatusAuthContinueOld},
		{StatusAuthError, wire.StatusAuthError},
		{StatusAuthContinue, wire.StatusAuthContinue},
		{StatusUnknownCommand, wire.StatusUnknownCommand},
		{StatusOutOfMemory, wire.StatusOutOfMemory},
		{StatusNotSupported, wire.StatusNotSupported},
		{StatusInternalError, wire.StatusInternalError},
		{StatusBusy, wire.StatusBusy},
		{StatusTemporaryFailure, wire.StatusTemporaryFailure},
	} {
		if uint16(tt.got) != uint16(tt.want) || tt.got.String() != tt.want.String() {
			t.Errorf("Status 0x%02x (%v), want 0x%02x (%v)", uint16(tt.got), tt.got, uint16(tt.want), tt.want)
		}
	}
}
