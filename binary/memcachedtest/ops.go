package memcachedtest

// The protocol's names of operations, for Request.Op and RequestCount. Those
// that end in Q are the quiet forms: the server answers them only when there is
// something to say, and the client uses them for all but the last of several
// keys.
//
// A client sends OpNoop, or OpSASLList and OpSASLAuth, on each new connection
// before its first operation. OpGAT is GetAndTouch.
const (
	OpGet        = "GET"
	OpSet        = "SET"
	OpAdd        = "ADD"
	OpReplace    = "REPLACE"
	OpDelete     = "DELETE"
	OpIncrement  = "INCREMENT"
	OpDecrement  = "DECREMENT"
	OpQuit       = "QUIT"
	OpFlush      = "FLUSH"
	OpGetQ       = "GETQ"
	OpNoop       = "NOOP"
	OpVersion    = "VERSION"
	OpGetK       = "GETK"
	OpGetKQ      = "GETKQ"
	OpAppend     = "APPEND"
	OpPrepend    = "PREPEND"
	OpStat       = "STAT"
	OpSetQ       = "SETQ"
	OpAddQ       = "ADDQ"
	OpReplaceQ   = "REPLACEQ"
	OpDeleteQ    = "DELETEQ"
	OpIncrementQ = "INCREMENTQ"
	OpDecrementQ = "DECREMENTQ"
	OpQuitQ      = "QUITQ"
	OpFlushQ     = "FLUSHQ"
	OpAppendQ    = "APPENDQ"
	OpPrependQ   = "PREPENDQ"
	OpTouch      = "TOUCH"
	OpGAT        = "GAT"
	OpGATQ       = "GATQ"
	OpSASLList   = "SASL LIST"
	OpSASLAuth   = "SASL AUTH"
	OpSASLStep   = "SASL STEP"
	OpGATK       = "GATK"
	OpGATKQ      = "GATKQ"
)
