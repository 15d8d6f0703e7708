package store

// kind is the Go type of a value that a Store keeps. The numbers are stored with
// the values: they never change.
type kind uint32

const (
	kindBytes kind = iota // zero, so that other clients see plain bytes
	kindString
	kindBool
	kindInt
	kindInt8
	kindInt16
	kindInt32
	kindInt64
	kindUint
	kindUint8
	kindUint16
	kindUint32
	kindUint64
	kindUintptr
	kindFloat32
	kindFloat64

	kindNone // "there is none", as GetOrLoad stores it; not a value

	kindEnvelope kind = lowMask // the envelope has the value and its kind
)

// kindOf returns the kind of v. ok is false for any other type.
func kindOf(v any) (k kind, ok bool) {
	switch v.(type) {
	case []byte:
		return kindBytes, true
	case string:
		return kindString, true
	case bool:
		return kindBool, true
	case int:
		return kindInt, true
	case int8:
		return kindInt8, true
	case int16:
		return kindInt16, true
	case int32:
		return kindInt32, true
	case int64:
		return kindInt64, true
	case uint:
		return kindUint, true
	case uint8:
		return kindUint8, true
	case uint16:
		return kindUint16, true
	case uint32:
		return kindUint32, true
	case uint64:
		return kindUint64, true
	case uintptr:
		return kindUintptr, true
	case float32:
		return kindFloat32, true
	case float64:
		return kindFloat64, true
	default:
		return 0, false
	}
}
