package otelmemcached

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"

	"github.com/bmemcached/bmemcached-go/binary"
)

// Attributes of memcached that the conventions have none for.
const (
	answerKey = attribute.Key("memcached.answer")
	resultKey = attribute.Key("memcached.result")
)

// defaultPort is where memcached listens.
const defaultPort = 11211

// splitServer returns the address and port of a server as New takes it. The
// port of a Unix socket is 0.
func splitServer(server string) (address string, port int) {
	s := strings.TrimPrefix(server, "unix://")
	if strings.HasPrefix(s, "/") {
		return s, 0
	}
	s = strings.TrimPrefix(s, "tcp://")
	if host, p, err := net.SplitHostPort(s); err == nil {
		if n, err := strconv.Atoi(p); err == nil {
			return host, n
		}
	}
	return strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), defaultPort
}

// serverAttributes describe a server.
func serverAttributes(server string) []attribute.KeyValue {
	address, port := splitServer(server)
	if port == 0 {
		return []attribute.KeyValue{semconv.ServerAddress(address)}
	}
	return []attribute.KeyValue{semconv.ServerAddress(address), semconv.ServerPort(port)}
}

// poolName names the connections to a server.
func poolName(server string) string {
	address, port := splitServer(server)
	if port == 0 {
		return address
	}
	return net.JoinHostPort(address, strconv.Itoa(port))
}

// outcome is what came of an operation. At most one of answer and errorType is
// set.
type outcome struct {
	answer    string // of a healthy server, if it is not the wanted one
	errorType string
	status    string // of the response that is the error
}

// outcomeOf tells answers and errors apart.
func outcomeOf(err error) outcome {
	switch err { // answers are returned bare
	case nil:
		return outcome{}
	case memcached.ErrCacheMiss:
		return outcome{answer: "miss"}
	case memcached.ErrNotStored:
		return outcome{answer: "not_stored"}
	case memcached.ErrCASConflict:
		return outcome{answer: "cas_conflict"}
	}
	var status *memcached.StatusError
	if errors.As(err, &status) {
		code := fmt.Sprintf("0x%02x", uint16(status.Status))
		return outcome{errorType: code, status: code}
	}
	return outcome{errorType: errorType(err)}
}

func errorType(err error) string {
	var op *memcached.OpError
	switch {
	case errors.As(err, &op) && op.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, memcached.ErrAuth):
		return "auth"
	case errors.Is(err, memcached.ErrClosed):
		return "closed"
	case errors.Is(err, memcached.ErrUnavailable):
		return "unavailable"
	}
	return semconv.ErrorTypeOther.Value.AsString()
}

// attributes describe an error, if it is one.
func (o outcome) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	if o.errorType != "" {
		attrs = append(attrs, semconv.ErrorTypeKey.String(o.errorType))
	}
	if o.status != "" {
		attrs = append(attrs, semconv.DBResponseStatusCode(o.status))
	}
	return attrs
}
