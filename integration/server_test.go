package integration

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// These tests prove the containers themselves, with frames written by hand, so
// that a failure elsewhere can be blamed on the client.

// exchange writes a request of the binary protocol and reads its response.
func exchange(t *testing.T, conn net.Conn, opcode byte, key, value string) (status uint16, body string) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	request := make([]byte, 24, 24+len(key)+len(value))
	request[0], request[1] = 0x80, opcode
	binary.BigEndian.PutUint16(request[2:], uint16(len(key)))
	binary.BigEndian.PutUint32(request[8:], uint32(len(key)+len(value)))
	request = append(append(request, key...), value...)
	if _, err := conn.Write(request); err != nil {
		t.Fatalf("opcode %#x: %v", opcode, err)
	}
	header := make([]byte, 24)
	if _, err := io.ReadFull(conn, header); err != nil {
		t.Fatalf("opcode %#x: %v", opcode, err)
	}
	if header[0] != 0x81 || header[1] != opcode {
		t.Fatalf("opcode %#x answered % x", opcode, header)
	}
	rest := make([]byte, binary.BigEndian.Uint32(header[8:]))
	if _, err := io.ReadFull(conn, rest); err != nil {
		t.Fatalf("opcode %#x: %v", opcode, err)
	}
	return binary.BigEndian.Uint16(header[6:]), string(rest)
}

const (
	opGet      = 0x00
	opVersion  = 0x0b
	opSASLList = 0x20
	opSASLAuth = 0x21
)

// dial returns a connection to server that the test closes.
func dial(t *testing.T, server *Server) net.Conn {
	t.Helper()
	conn, err := server.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestServer_SASL(t *testing.T) {
	t.Parallel()
	server := Start(t, &Options{Users: map[string]string{"user": "sec:ret", "other": "x"}})
	conn := dial(t, server)
	if status, body := exchange(t, conn, opVersion, "", ""); status != 0 || !strings.HasPrefix(body, "1.") {
		t.Errorf("VERSION = %#x %q, want 0 and a version", status, body)
	}
	status, list := exchange(t, conn, opSASLList, "", "")
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"} {
		if !slices.Contains(strings.Fields(list), mechanism) {
			t.Errorf("SASL LIST = %#x %q, want %s in it", status, list, mechanism)
		}
	}
	for _, test := range []struct {
		credentials       string
		authenticate, get uint16
	}{
		{"\x00user\x00wrong", 0x20, 0x20},
		{"\x00user\x00sec:ret", 0, 1},
		{"\x00other\x00x", 0, 1},
	} {
		conn := dial(t, server)
		if status, body := exchange(t, conn, opSASLAuth, "PLAIN", test.credentials); status != test.authenticate {
			t.Errorf("PLAIN %q = %#x %q, want %#x", test.credentials, status, body, test.authenticate)
		}
		if status, body := exchange(t, conn, opGet, "absent", ""); status != test.get {
			t.Errorf("GET after PLAIN %q = %#x %q, want %#x", test.credentials, status, body, test.get)
		}
	}
}

func TestServer_OfferedMechanisms(t *testing.T) {
	t.Parallel()
	server := Start(t, &Options{Users: map[string]string{"user": "secret"}, Mechanisms: []string{"CRAM-MD5"}})
	if _, list := exchange(t, dial(t, server), opSASLList, "", ""); strings.TrimSpace(list) != "CRAM-MD5" {
		t.Errorf("SASL LIST = %q, want CRAM-MD5", list)
	}
}

func TestServer_WithoutSASL(t *testing.T) {
	t.Parallel()
	server := Start(t, nil)
	if status, body := exchange(t, dial(t, server), opSASLList, "", ""); status != 0x81 {
		t.Errorf("SASL LIST = %#x %q, want 0x81", status, body)
	}
}

func TestServer_TLS(t *testing.T) {
	t.Parallel()
	server := Start(t, &Options{TLS: true, Users: map[string]string{"user": "secret"}})
	if status, body := exchange(t, dial(t, server), opSASLAuth, "PLAIN", "\x00user\x00secret"); status != 0 {
		t.Errorf("PLAIN over TLS = %#x %q, want 0", status, body)
	}
}

func TestServer_UnixSocket(t *testing.T) {
	t.Parallel()
	server := Start(t, &Options{UnixSocket: true})
	if status, body := exchange(t, dial(t, server), opGet, "absent", ""); status != 1 {
		t.Errorf("GET = %#x %q, want 1", status, body)
	}
	server.Kill()
	server.Restart()
	exchange(t, dial(t, server), opVersion, "", "")
}

func TestServer_TextOnly(t *testing.T) {
	t.Parallel()
	server := Start(t, &Options{Text: TextOnly})
	conn := dial(t, server)
	if _, err := io.WriteString(conn, "get absent\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "END\r\n" {
		t.Errorf("get = %q, %v, want END", line, err)
	}
}

func TestServer_KillAndRestartKeepTheAddress(t *testing.T) {
	t.Parallel()
	server := Start(t, &Options{Users: map[string]string{"user": "secret"}})
	addr, conn := server.Addr(), dial(t, server)
	exchange(t, conn, opVersion, "", "")
	server.Kill()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("connection to a killed server still answers")
	}
	if again, err := server.Dial(t.Context()); err == nil {
		again.Close()
		t.Error("a killed server accepts connections")
	}
	server.Restart()
	if server.Addr() != addr {
		t.Errorf("Addr() = %q after a restart, want %q", server.Addr(), addr)
	}
	if status, _ := exchange(t, dial(t, server), opSASLAuth, "PLAIN", "\x00user\x00secret"); status != 0 {
		t.Errorf("PLAIN after a restart = %#x, want 0", status)
	}
	server.Stop()
	server.Restart()
	exchange(t, dial(t, server), opVersion, "", "")
}

func TestServer_PauseSilences(t *testing.T) {
	t.Parallel()
	server := Start(t, nil)
	conn := dial(t, server)
	server.Pause()
	if _, err := conn.Write(bytes.Join([][]byte{{0x80, opVersion}, make([]byte, 22)}, nil)); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 {
		t.Errorf("a paused server answered %d bytes, %v", n, err)
	}
	server.Resume()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Errorf("a resumed server does not answer: %v", err)
	}
}
