package order_test

import (
	"fmt"
	"strconv"

	"github.com/anishathalye/porcupine"
)

// input is an operation on one key, as the model knows it.
type input struct {
	op    string // get, set, add, append, delete, remove, increment
	key   string
	value string
	multi bool // done by GetMulti or SetMulti, with another key
}

// output is what came of it.
type output struct {
	value   string // of get and increment
	missed  bool   // it answered that the key is missing, or there
	unknown bool   // it failed, and may have been carried out or may be yet
}

// missing is the state of a key that is not there.
const missing = "(missing)"

// model is what one key of memcached does.
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, o := range history {
			key := o.Input.(input).key
			byKey[key] = append(byKey[key], o)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return missing },
	Step: func(state, in, out any) (bool, any) {
		got := out.(output)
		next, want := step(state.(string), in.(input))
		return got.unknown || got == want, next
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
}

// step carries out an operation in the model.
func step(state string, in input) (next string, want output) {
	there := state != missing
	switch in.op {
	case "get":
		if there {
			return state, output{value: state}
		}
	case "set":
		return in.value, output{}
	case "add":
		if !there {
			return in.value, output{}
		}
	case "append":
		if there {
			return state + in.value, output{}
		}
	case "delete":
		if there {
			return missing, output{}
		}
	case "remove": // DeleteMulti, which does not tell a miss
		return missing, output{}
	case "increment":
		if there {
			n, _ := strconv.Atoi(state)
			next = strconv.Itoa(n + 1)
			return next, output{value: next}
		}
	}
	return state, output{missed: true}
}
