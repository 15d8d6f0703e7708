package main

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// piecewise is a connection that yields a byte at a time.
type piecewise struct {
	net.Conn
	r io.Reader
}

func (p piecewise) Read(b []byte) (int, error) { return p.r.Read(b) }

func TestLooseConn_RenamesUnknownCodings(t *testing.T) {
	tests := map[string]struct{ sent, want string }{
		"unknown": {
			"HTTP/1.1 200 OK\r\ntransfer-encoding: odd\r\nA: 1\r\n\r\nTransfer-Encoding: body\r\n\r\n",
			"HTTP/1.1 200 OK\r\nX-Unknown-Transfer-Encoding: odd\r\nA: 1\r\n\r\nTransfer-Encoding: body\r\n\r\n",
		},
		"chunked": {
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
		},
		"after an interim response": {
			"HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: odd\r\n\r\nx",
			"HTTP/1.1 103 Early Hints\r\nA: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Unknown-Transfer-Encoding: odd\r\n\r\nx",
		},
		"cut off": {"HTTP/1.1 200 OK\r\nTransfer-Enc", "HTTP/1.1 200 OK\r\nTransfer-Enc"},
		"nothing": {"", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(test.sent), iotest.OneByteReader(strings.NewReader(test.sent))} {
				got, err := io.ReadAll(&looseConn{Conn: piecewise{r: r}})
				if err != nil || string(got) != test.want {
					t.Errorf("read %q, %v, want %q", got, err, test.want)
				}
			}
		})
	}
}
